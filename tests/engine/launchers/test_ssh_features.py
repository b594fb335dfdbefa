"""What plans do with jobs of other hosts: results, watching, trying again, notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.making import KEY
from tests.engine.remote.agents import connect
from tests.far.plans import Far
from xpm_engine.errors import LaunchError
from xpm_engine.launchers.ssh.shipping import put_early
from xpm_engine.verbs.retry import plan_retry
from xpm_engine.verbs.starting import start_retry
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.metrics import parse_metrics

HEAD = """
from xpm_engine import ResumableTask, checkpoint, metric
LEDGER = Path({ledger!r})


class Double(Task):
    number: Param[float]
    made: Param[Path] = pathgenerator("made.txt")

    def execute(self):
        self.made.write_text("made there")
        return {{"twice": 2 * self.number, "path": self.made}}


class Learn(Task):
    epochs: Param[int]

    def execute(self):
        Path("checkpoints").mkdir()
        for epoch in range(self.epochs):
            with checkpoint(f"checkpoints/{{epoch}}.pt") as path:
                path.write_text(f"weights {{epoch}}")
            note(f"saved {{epoch}}")
            metric("loss", 1.0 / (epoch + 1), step=epoch)
            while not LEDGER.with_name(f"go{{epoch}}").exists():
                time.sleep(0.02)
        note("end learn")


class Evaluate(Task):
    weights: Param[Path]

    def execute(self):
        note(f"evaluated {{self.weights.name}}")
        return self.weights.read_text()


class Reads(Task):
    name: Param[str]

    def execute(self):
        Path(__file__).with_name(self.name).read_text()


class Resume(ResumableTask):
    steps: Param[int]

    def execute(self):
        saved = Path("saved.txt")
        first = int(saved.read_text()) if saved.exists() else 0
        note(f"from {{first}}")
        with checkpoint(saved) as path:
            path.write_text(str(first + 1))
        if first + 1 < self.steps:
            raise ValueError("not yet")
        return first

"""


def _plan(far: Far, body: str, launcher: str = "alpha") -> None:
    head = HEAD.format(ledger=str(far.project.folder / "ledger"))
    lines = "\n        ".join(body.strip().splitlines())
    far.project.write(
        f'{head}\nif __name__ == "__main__":\n'
        f'    with experiment("ws", "exp", launcher="{launcher}") as xp:\n        {lines}\n'
    )


def test_a_file_of_a_job_that_runs_elsewhere_is_shipped(tmp_path: Path) -> None:
    here, there = WorkspacePaths(str(tmp_path / "here")), WorkspacePaths(str(tmp_path / "there"))
    connection = connect()
    name = f"{KEY}/checkpoints/0.pt"
    with pytest.raises(LaunchError, match="is no file of this machine"):
        put_early(connection, here, there, name, "alpha")
    source = Path(here.jobs) / name
    source.parent.mkdir(parents=True)
    source.write_text("weights")
    put_early(connection, here, there, name, "alpha")
    assert (Path(there.jobs) / name).read_text() == "weights"
    connection.close()


def test_a_file_that_stayed_at_home_is_named_with_what_to_do(far: Far) -> None:
    (far.project.folder / "words.txt").write_text("a b c")
    _plan(far, 'Reads(name="words.txt").submit()')
    assert far.project.run()[0] == 1
    (key,) = scan.list_jobs(far.here)
    assert "include of xpm.toml" in Path(far.here.job(key).stderr(1)).read_text()
    with open(far.here.settings, "a", encoding="utf-8") as settings:
        settings.write('\n[code]\ninclude = ["words.txt"]\n')
    far.run()


@pytest.mark.parametrize("fetch", ["all", "on demand"])
def test_what_a_far_task_returned(far: Far, fetch: str) -> None:
    far.configure(f'fetch = "{fetch}"')
    _plan(
        far,
        """
import asyncio
task = Double(number=1.5)
task.submit()
found = task.result()
assert found["twice"] == 3.0, found
assert found["path"] == task.made, found
async def main():
    other = Double(number=2)
    other.submit()
    return await xp.result_later(other)
assert asyncio.run(main())["twice"] == 4.0
xp.note("two were doubled")
""",
    )
    far.run()
    (run,) = scan.list_runs(far.here, "exp")
    record = scan.read_run(far.here, "exp", run).record
    assert record is not None
    assert [note.text for note in record.notes] == ["two were doubled"]
    # The next plan has it from here.
    far.host.refuse()
    far.run()


@pytest.mark.parametrize("isolation", ["warm", "spawn"])
def test_the_environment_of_far_jobs(
    far: Far, monkeypatch: pytest.MonkeyPatch, isolation: str
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "a secret of here")
    monkeypatch.delenv("ABSENT", raising=False)
    far.configure(
        'pass_env = ["WANDB_API_KEY", "ABSENT"]\n'
        '[hosts.alpha.env]\nMODE = "far away"\nXPM_NONCE = "mine"\n'
    )
    _plan(far, "print(Show().submit().result())")
    path = far.project.folder / "plan.py"
    # What has threads after its imports is not forked: then it is a fresh interpreter.
    thread = "__import__('threading').Thread(target=time.sleep, args=(2,), daemon=True).start()"
    text = path.read_text()
    show = (
        "class Show(Task):\n"
        "    def execute(self):\n"
        "        length = len(os.environ['WANDB_API_KEY'])\n"
        "        mine = os.environ['XPM_NONCE'] == 'mine'\n"
        "        return [os.environ['MODE'], length, os.environ.get('ABSENT'), mine]\n\n\n"
    )
    show = f"{thread}\n\n\n{show}" if isolation == "spawn" else show
    path.write_text(text.replace("if __name__", show + "if __name__"))
    assert "['far away', 16, None, False]" in far.run()
    secret = b"a secret of here"
    stored = [each for each in far.host.home.rglob("*") if each.is_file()]
    assert not [each for each in stored if secret in each.read_bytes()]


@pytest.mark.parametrize(
    ("where", "then"), [("alpha", "alpha"), ("alpha", "local"), ("local", "alpha")]
)
def test_files_of_a_running_job_are_watched(far: Far, where: str, then: str) -> None:
    _plan(
        far,
        f"""
learner = Learn(epochs=3)
learner.submit(launcher="{where}")
for path in xp.watch(learner, "checkpoints/*.pt"):
    score = Evaluate(weights=path).submit(launcher="{then}")
    print(score.result())
    LEDGER.with_name(f"go{{path.stem}}").touch()
""",
    )
    code, said = far.project.run()
    assert code == 0, said + far.log()
    assert [line for line in said.splitlines() if line.startswith("weights")] == [
        f"weights {epoch}" for epoch in range(3)
    ]
    metrics = parse_metrics(Path(far.here.job(far.key("learn")).metrics).read_bytes())
    assert [line.step for line in metrics.values] == [0, 1, 2]
    ledger = far.project.ledger()
    assert ledger.index("evaluated 0.pt") < ledger.index("saved 1")


def test_a_resumable_task_goes_on_where_it_was(far: Far) -> None:
    _plan(
        far,
        """
task = Resume(steps=2)
task.submit(retries=1, retry_on=["exception"])
print("began at", task.result())
""",
    )
    said = far.run()
    assert "began at 1" in said
    assert far.project.ledger() == ["from 0", "from 1"]


def test_a_failed_job_is_tried_again_by_hand(far: Far) -> None:
    _plan(far, "Resume(steps=2).submit()")
    code, _ = far.project.run()
    assert code == 1
    key = far.key()
    retry = plan_retry(far.here, [key])
    assert retry.refused == ()
    start_retry(retry)
    far.project.wait_for(lambda: scan.read_job(far.here, key).state.value == "done")
    assert far.project.ledger() == ["from 0", "from 1"]
    assert scan.read_job(far.here, key).mirror is not None
