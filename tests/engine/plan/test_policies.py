"""What becomes of the other jobs when one fails; runs that meet, and what they write down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.projects import Project
from xpm_engine.errors import UsageError
from xpm_engine.plan import experiment
from xpm_engine.verbs.jobs.listing import list_run
from xpm_engine.workspace import scan
from xpm_engine.workspace.records.runs import PlanState

WAITS = """
class Waits(Task):
    name: Param[int]

    def execute(self) -> None:
        note(f"begin {self.name}")
        while not LEDGER.with_name("go").exists():
            time.sleep(0.01)
        note(f"end {self.name}")
"""

STOPPING = (
    WAITS
    + """
from xpm_engine import Resources
from xpm_engine.launchers.local import LocalLauncher

class FailsThen(Task):
    name: Param[int]

    def execute(self) -> None:
        note(f"begin {self.name}")
        while not LEDGER.read_text().count("begin 1"):
            time.sleep(0.01)
        note(f"failed {self.name}")
        raise ValueError("no")

if __name__ == "__main__":
    with experiment(
        "ws", "exp", failure_policy=sys.argv[1], launcher=LocalLauncher(cores=2)
    ) as xp:
        Waits(name=1).submit(priority=2)
        bad = FailsThen(name=2).submit(priority=1)
        Work(name=3, after=[bad]).submit()
        for n in range(4, 9):
            Work(name=n).submit(resources=Resources(cpus=2))
"""
)


def _last(project: Project) -> scan.RunView:
    run = scan.list_runs(project.workspace, "exp")[-1]
    return scan.read_run(project.workspace, "exp", run)


def test_all_that_does_not_depend_on_a_failure_goes_on(project: Project) -> None:
    project.write(STOPPING)
    Path(project.folder / "go").touch()
    code, said = project.run("continue")
    assert code == 1
    assert "6 done, 1 failed, 1 blocked behind them" in said, said


def test_after_a_failure_nothing_more_is_started_and_the_rest_ends(project: Project) -> None:
    project.write(STOPPING)
    plan = project.start("drain")
    project.wait_for(lambda: "failed 2" in project.ledger())
    project.wait_for(
        lambda: any(
            "is not started any more" in row.why for row in list_run(project.workspace, "exp").rows
        )
    )
    assert plan.poll() is None, "it waits for what runs"
    Path(project.folder / "go").touch()
    code, said = project.finish(plan)
    assert code == 1
    assert "1 done, 1 failed, 1 blocked behind them, 5 not started" in said, said
    assert sorted(project.ledger()) == ["begin 1", "begin 2", "end 1", "failed 2"]
    assert _last(project).plan is PlanState.COMPLETE
    assert len(_last(project).manifest.references) == 8


def test_after_a_failure_what_runs_is_stopped(project: Project) -> None:
    project.write(STOPPING)
    code, said = project.run("stop")
    assert code == 1
    assert "5 not started" in said, said
    assert sorted(project.ledger()) == ["begin 1", "begin 2", "failed 2"]
    assert project.states() == {"1": "cancelled", "2": "failed"}


def test_an_unknown_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="failure_policy='halt' is none of"):
        experiment(tmp_path, "exp", failure_policy="halt")


def test_two_plans_of_one_name_are_told_of_each_other(project: Project) -> None:
    project.write(
        WAITS
        + """
with experiment("ws", "exp"):
    Waits(name=1).submit()
"""
    )
    first = project.start()
    project.wait_for(lambda: project.ledger() == ["begin 1"])
    second = project.start()
    project.wait_for(lambda: len(scan.list_runs(project.workspace, "exp")) == 2)
    project.wait_for(lambda: len(_last(project).manifest.references) == 1)
    Path(project.folder / "go").touch()
    code, said = project.finish(second)
    assert code == 0, said
    assert f"process {first.pid} on" in said
    assert "both go on, and share their jobs" in said
    code, said = project.finish(first)
    assert code == 0, said
    assert "runs already" not in said
    assert project.ledger() == ["begin 1", "end 1"]


def test_a_run_keeps_notes_code_packages_and_a_log(project: Project) -> None:
    project.write("""
with experiment("ws", "exp") as xp:
    Work(name=1, fails=True).submit()
    xp.note("a first try")
    xp.note("with\\x1b[31m colours")
    (Path(xp.results) / "table.txt").write_text("1")
""")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "plan.py"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], cwd=project.folder, check=True)
    with (project.folder / "plan.py").open("a") as file:
        file.write("# changed since\n")
    code, _ = project.run("seed=1")
    assert code == 1
    record = _last(project).record
    assert record is not None
    assert record.git is not None
    assert len(record.git.commit) == 40
    assert record.git.dirty
    assert record.environment["executable"] == sys.executable
    assert "pytest" in record.environment["packages"]
    assert [note.text for note in record.notes] == ["a first try", "with\x1b[31m colours"]
    paths = project.workspace.run("exp", record.run)
    assert os.listdir(paths.results) == ["table.txt"]
    log = Path(paths.log).read_text()
    for words in ("begun by", "plan.py seed=1", "is launched, attempt 1", "ValueError: work 1"):
        assert words in log
    assert log.rstrip().endswith("ended: plan complete")
    done = subprocess.run(
        [sys.executable, "-m", "xpm_engine.cli", "ls"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "  note: a first try\n  note: with�[31m colours\n" in done.stdout
    data = record.to_json()
    assert type(record).from_json(json.loads(json.dumps(data)), "x") == record


def test_sigterm_leaves_the_jobs_running(project: Project) -> None:
    project.write("""
with experiment("ws", "exp"):
    Work(name=1, seconds=3).submit()
""")
    plan = project.start()
    project.wait_for(lambda: project.ledger() == ["begin 1"])
    plan.send_signal(signal.SIGTERM)
    code, said = project.finish(plan)
    assert code == 130, said
    assert "1 job goes on running." in said
    assert _last(project).plan is PlanState.INTERRUPTED
    project.wait_for(lambda: project.states() == {"1": "done"})


def test_a_second_sigterm_leaves_them_running_too(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    import signal
    from xpm_engine.plan.scheduler import Scheduler

    drain = Scheduler.drain

    def asked_again(self, *, patience=0.0):
        drain(self, patience=patience)
        if patience:
            signal.raise_signal(signal.SIGTERM)

    Scheduler.drain = asked_again
    with experiment("ws", "exp") as xp:
        Work(name=1, seconds=3).submit()
        while not LEDGER.exists():
            time.sleep(0.01)
        signal.raise_signal(signal.SIGTERM)
""")
    code, said = project.run()
    assert code == 130, said
    assert "asked to stop again; what runs goes on" in said
    assert _last(project).plan is PlanState.INTERRUPTED
    project.wait_for(lambda: project.states() == {"1": "done"})


def test_a_plan_that_raises_says_what_it_leaves_running(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    with experiment("ws", "exp"):
        Work(name=1, seconds=3).submit()
        while not LEDGER.exists():
            time.sleep(0.01)
        raise KeyError("a table that is not there")
""")
    code, said = project.run()
    assert code == 1, said
    assert "the plan raised; 1 job goes on running" in said
    assert "KeyError: 'a table that is not there'" in said
    assert _last(project).plan is PlanState.RAISED
    project.wait_for(lambda: project.states() == {"1": "done"})


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_who_is_asked_to_stop_while_the_run_is_closed_has_closed_it(
    project: Project, name: str
) -> None:
    project.write(f"""
if __name__ == "__main__":
    import signal
    from xpm_engine.plan.scheduler import Scheduler

    close = Scheduler.close

    def asked(self):
        signal.raise_signal(signal.{name})
        close(self)

    Scheduler.close = asked
    with experiment("ws", "exp") as xp:
        Work(name=1).submit()
    print("more of the script")
""")
    code, said = project.run()
    assert code == 130, said
    assert "Traceback" not in said
    assert "more of the script" not in said
    assert "1 done" in said
    assert _last(project).plan is PlanState.COMPLETE
