"""Work that starts from what a running job has written so far; results that were taken away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.engine.projects import Project
from xpm_engine.verbs.retry import plan_retry
from xpm_engine.workspace import cleaning, scan, tickets
from xpm_engine.workspace.cleaning.needs import standing_needs
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState

WATCHING = """
from xpm_engine import Option, checkpoint
from xpm_engine.launchers.local import LocalLauncher

class Learn(Task):
    folder: Param[Path] = pathgenerator("checkpoints")
    fails: Option[bool] = False

    def execute(self) -> None:
        note("begin learn")
        self.folder.mkdir()
        for number in range(3):
            with checkpoint(self.folder / f"{number}.pt") as path:
                path.write_text(str(number))
            while not LEDGER.with_name(f"go{number}").exists():
                time.sleep(0.01)
        if self.fails:
            raise ValueError("diverged")
        note("end learn")


class Evaluate(Task):
    checkpoint: Param[Path]

    def execute(self) -> int:
        note(f"begin {self.checkpoint.name}")
        found = int(self.checkpoint.read_text())
        note(f"end {self.checkpoint.name}")
        return found


if __name__ == "__main__":
    with experiment("ws", "exp", launcher=LocalLauncher(cores=3)) as xp:
        learner = Learn(fails="fails" in sys.argv)
        learner.submit()
        seen = []
        for path in xp.watch(learner, "checkpoints/*.pt"):
            seen.append(Evaluate(checkpoint=path).submit().result())
        print("seen", seen)
"""


def _key(project: Project, task: str) -> JobKey:
    return next(key for key in scan.list_jobs(project.workspace) if key.task == task)


def _go(project: Project, *numbers: int) -> None:
    for number in numbers:
        Path(project.folder / f"go{number}").touch()


def test_checkpoints_are_evaluated_while_their_task_goes_on(project: Project) -> None:
    project.write(WATCHING)
    plan = project.start()
    project.wait_for(lambda: "end 0.pt" in project.ledger())
    learner = _key(project, "plan.learn")
    assert scan.read_job(project.workspace, learner).state is JobState.RUNNING
    evaluation = _key(project, "plan.evaluate")
    attempt = tickets.last_attempt(project.workspace.job(evaluation))
    assert attempt is not None
    assert attempt.launch.dependencies == (learner,)
    assert attempt.launch.early == (f"{learner}/checkpoints/0.pt",)
    plan.kill()
    plan.wait()
    _go(project, 0)
    plan = project.start()
    project.wait_for(lambda: "end 1.pt" in project.ledger())
    _go(project, 1, 2)
    code, said = project.finish(plan)
    assert code == 0, said
    assert "seen [0, 1, 2]" in said
    project.check_ledger()
    ledger = project.ledger()
    assert sorted(ledger) == sorted(
        f"{what} {name}" for what in ("begin", "end") for name in ("learn", "0.pt", "1.pt", "2.pt")
    )
    code, said = project.run()
    assert code == 0, said
    assert "seen [0, 1, 2]" in said
    assert "4 reused" in said
    assert project.ledger() == ledger
    records = {
        key: scan.read_job(project.workspace, key) for key in scan.list_jobs(project.workspace)
    }
    needs = standing_needs([learner], records)[learner]
    assert len(needs) == 3, "a clean knows what was made from it"
    assert cleaning.plan_removal(project.workspace, [learner]).rows[0].needs


def test_what_was_evaluated_of_a_task_that_fails_stays(project: Project) -> None:
    project.write(WATCHING)
    _go(project, 0, 1, 2)
    code, said = project.run("fails")
    assert code == 1
    assert "ValueError: diverged" in said
    assert "seen [0, 1, 2]" in said
    assert "3 done, 1 failed" in said
    keys = [key for key in scan.list_jobs(project.workspace) if key.task == "plan.evaluate"]
    assert len(keys) == 3
    (job,) = plan_retry(project.workspace, [_key(project, "plan.learn")]).jobs
    assert job.key.task == "plan.learn"


def test_a_file_that_is_gone_is_told(project: Project) -> None:
    loop = 'for path in xp.watch(learner, "checkpoints/*.pt"):'
    gone = 'for path in list(xp.watch(learner, "checkpoints/*.pt")):\n            path.unlink()'
    assert loop in WATCHING
    project.write(WATCHING.replace(loop, gone))
    _go(project, 0, 1, 2)
    code, said = project.run()
    assert code == 1
    assert "checkpoints/0.pt is not there any more" in said
    evaluation = _key(project, "plan.evaluate")
    plan = plan_retry(project.workspace, [evaluation])
    assert [job.key for job in plan.jobs] == [evaluation], "it waits for a file, and no job"


def test_a_result_that_was_removed_is_made_again_for_what_needs_it(project: Project) -> None:
    project.write("""
from xpm_engine.launchers.local import LocalLauncher

class Waits(Task):
    name: Param[int]

    def execute(self) -> None:
        note(f"begin {self.name}")
        while not LEDGER.with_name("go").exists():
            time.sleep(0.01)
        note(f"end {self.name}")

if __name__ == "__main__":
    with experiment("ws", "exp", launcher=LocalLauncher(cores=1)) as xp:
        first = Work(name=1).submit()
        second = Work(name=2, after=[first]).submit()
        xp.wait()
        Waits(name=3).submit(priority=1)
        Work(name=4, after=[second]).submit()
""")
    plan = project.start()
    project.wait_for(lambda: "begin 3" in project.ledger())
    for key in list(scan.list_jobs(project.workspace)):
        if key.task == "plan.work":
            shutil.rmtree(project.workspace.job(key).root)
    Path(project.folder / "go").touch()
    code, said = project.finish(plan)
    assert code == 0, said
    assert "4 done" in said
    ledger = project.ledger()
    assert ledger.count("end 1") == ledger.count("end 2") == 2
    assert ledger[-2:] == ["begin 4", "end 4"]
    log = Path(project.workspace.latest("exp"), "scheduler.log").read_text()
    assert "is run again: its result is gone" in log
    assert set(project.states().values()) == {"done"}


@pytest.mark.parametrize("pattern", ["/tmp/*", "../*", "", "a/../../b", "ckpt**.pt", 3])
def test_a_pattern_that_can_match_nothing_is_refused(project: Project, pattern: str | int) -> None:
    project.write(f"""
if __name__ == "__main__":
    with experiment("ws", "exp") as xp:
        list(xp.watch(Work(name=1).submit(), {pattern!r}))
""")
    code, said = project.run()
    assert code == 1
    assert f"{pattern!r} matches no file in a job's folder" in said
    assert "plan.py" in said.partition("where:")[2].splitlines()[0]
    assert "xpm_engine" not in said
