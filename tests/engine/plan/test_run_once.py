"""Run once, whoever starts it and whatever dies: real plans, real kills, and a ledger."""

from __future__ import annotations

import os
import signal

import pytest

from tests.engine.projects import Project
from xpm_engine.workspace import scan
from xpm_engine.workspace.records.runs import How, PlanState


def _last_run(project: Project, name: str = "exp") -> scan.RunView:
    run = scan.list_runs(project.workspace, name)[-1]
    return scan.read_run(project.workspace, name, run)


def test_the_second_time_nothing_runs(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    with experiment("ws", "exp"):
        first = Work(name=1).submit()
        Work(name=2, after=[first]).submit()
        Work(name=2, after=[first]).submit()
""")
    code, said = project.run()
    assert code == 0, said
    assert project.ledger() == ["begin 1", "end 1", "begin 2", "end 2"]
    code, said = project.run()
    assert code == 0, said
    assert len(project.ledger()) == 4
    view = _last_run(project)
    assert view.plan is PlanState.COMPLETE
    assert view.manifest.trustworthy
    assert [reference.how for reference in view.manifest.references] == [How.REUSED] * 2
    assert "2 reused" in said


def test_a_plan_that_is_not_guarded_runs_as_well(project: Project) -> None:
    """Its script is imported in every job: entering the experiment there stops the import."""
    project.write("""
with experiment("ws", "exp"):
    Work(name=1).submit()
note("end of plan")
""")
    code, said = project.run()
    assert code == 0, said
    assert project.ledger() == ["begin 1", "end 1", "end of plan"]


def test_killed_plans_leave_their_jobs_running_and_find_them_again(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    with experiment("ws", "exp"):
        slow = [Work(name=n, seconds=1.5).submit() for n in range(2)]
        Work(name=9, after=slow).submit()
""")
    plan = project.start()
    project.wait_for(lambda: len(project.ledger()) == 2)
    plan.kill()
    plan.wait()
    assert _last_run(project).plan is PlanState.CRASHED
    code, said = project.run()
    assert code == 0, said
    project.check_ledger()
    assert sorted(project.ledger()) == sorted(
        f"{what} {n}" for n in (0, 1, 9) for what in ("begin", "end")
    )
    ways = {reference.how for reference in _last_run(project).manifest.references}
    # On a slow machine they may have ended before the plan was back.
    assert How.NEW in ways
    assert ways <= {How.NEW, How.ATTACHED, How.REUSED}


def test_plans_that_race_share_their_jobs(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    with experiment("ws", sys.argv[1]):
        first = [Work(name=n, seconds=0.05).submit() for n in range(6)]
        for n in range(6, 9):
            Work(name=n, after=first[n - 6 : n - 3]).submit()
""")
    plans = [project.start(f"exp{n}") for n in range(4)]
    for plan in plans:
        code, said = project.finish(plan)
        assert code == 0, said
    project.check_ledger()
    assert len(project.ledger()) == 18
    assert set(project.states().values()) == {"done"}


def test_a_killed_job_is_run_again_as_the_next_attempt(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    with experiment("ws", "exp"):
        Work(name=1, seconds=float(sys.argv[1])).submit()
""")
    plan = project.start("60")
    project.wait_for(lambda: project.ledger() == ["begin 1"])
    key = next(iter(scan.list_jobs(project.workspace)))
    record = scan.read_job(project.workspace, key)
    assert record.supervisor is not None
    os.kill(record.supervisor.pid, signal.SIGKILL)
    code, said = project.finish(plan)
    assert code == 1
    assert "no exit record" in said
    assert project.states() == {"1": "died"}
    code, said = project.run("0")
    assert code == 0, said
    assert project.ledger() == ["begin 1", "begin 1", "end 1"]
    assert scan.read_job(project.workspace, key).attempt == 2


def test_a_failure_stops_only_what_depends_on_it(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    with experiment("ws", "exp"):
        bad = Work(name=1, fails=True).submit()
        behind = Work(name=2, after=[bad]).submit()
        Work(name=3, after=[behind]).submit()
        Work(name=4).submit()
""")
    code, said = project.run()
    assert code == 1
    assert project.states() == {"1": "failed", "4": "done"}
    assert "1 job failed, 2 blocked behind" in said
    assert "ValueError: work 1 fails" in said
    assert "plan.py:" in said
    key = next(k for k in scan.list_jobs(project.workspace) if k.task == "plan.work")
    logs = project.workspace.job(key)
    assert ".xpm/logs/1.err" in said
    assert ".xpm/logs/1.out" in said
    assert os.path.exists(logs.stderr(1))
    queue = _last_run(project).queue
    assert queue is not None
    assert len(queue.waits) == 2
    assert all(len(wait.on) >= 1 for wait in queue.waits)


def test_failures_are_raised_or_returned_as_asked(project: Project) -> None:
    project.write("""
from xpm_engine import XpmError
with experiment("ws", "exp", on_failure="return") as xp:
    Work(name=1, fails=True).submit()
assert [key.task for key in xp.failed] == ["plan.work"]
try:
    with experiment("ws", "exp", on_failure="raise") as xp:
        Work(name=1, fails=True).submit()
except XpmError as error:
    note(f"raised {str(error).count('work')}")
""")
    code, said = project.run()
    assert code == 0, said
    assert project.ledger()[-1].startswith("raised")


def test_a_plan_that_raises_says_so_in_its_run(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    with experiment("ws", "exp"):
        Work(name=1).submit()
        raise RuntimeError("plan is wrong")
""")
    code, said = project.run()
    assert code == 1
    assert "plan is wrong" in said
    view = _last_run(project)
    assert view.plan is PlanState.RAISED
    assert view.record is not None
    assert view.record.error == "RuntimeError: plan is wrong"
    assert view.manifest.trustworthy


def test_ctrl_c_leaves_the_jobs_running(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    with experiment("ws", "exp"):
        Work(name=1, seconds=4).submit()
""")
    plan = project.start()
    project.wait_for(lambda: project.ledger() == ["begin 1"])
    plan.send_signal(signal.SIGINT)
    code, said = project.finish(plan)
    assert code == 130, said
    assert "1 job goes on running" in said
    assert _last_run(project).plan is PlanState.INTERRUPTED
    assert project.states() == {"1": "running"}
    project.wait_for(lambda: project.states() == {"1": "done"})


def test_ctrl_c_twice_stops_the_jobs(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    with experiment("ws", "exp"):
        Work(name=1, seconds=60).submit()
""")
    plan = project.start()
    project.wait_for(lambda: project.ledger() == ["begin 1"])
    plan.send_signal(signal.SIGINT)
    assert plan.stderr is not None
    project.wait_for(lambda: "on running" in plan.stderr.readline())  # type: ignore[union-attr]
    plan.send_signal(signal.SIGINT)
    code, _ = project.finish(plan)
    assert code == 130
    project.wait_for(lambda: project.states() == {"1": "cancelled"})


def test_no_more_jobs_run_than_there_is_room_for(project: Project) -> None:
    project.write("""
from xpm_engine.launchers.local import LocalLauncher
if __name__ == "__main__":
    with experiment("ws", "exp", launcher=LocalLauncher(cores=1)):
        for n in range(4):
            Work(name=n, seconds=0.05).submit()
""")
    code, said = project.run()
    assert code == 0, said
    stories = project.ledger()
    assert [line.split()[0] for line in stories] == ["begin", "end"] * 4


def test_a_job_whose_class_is_gone_says_so(project: Project) -> None:
    project.write("""
class Gone(Task):
    name: Param[int]
    def execute(self) -> None: ...

if __name__ == "__main__":
    with experiment("ws", "exp"):
        task = Gone(name=1)
        Path(__file__).write_text(Path(__file__).read_text().replace("class Gone", "class Other"))
        task.submit()
""")
    code, said = project.run()
    assert code == 1
    assert "has no class Gone" in said
    assert "Traceback" not in said


def test_a_damaged_ticket_stops_that_job_only(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    with experiment("ws", "exp"):
        Work(name=1).submit()
        Work(name=2).submit()
""")
    assert project.run()[0] == 0
    keys = sorted(scan.list_jobs(project.workspace))
    damaged = project.workspace.job(keys[0]).end(1)
    with open(damaged, "w", encoding="ascii") as file:
        file.write("{")
    code, said = project.run()
    assert code == 1
    assert damaged in said
    assert "truncated" in said
    assert len(project.ledger()) == 4


@pytest.mark.parametrize("how", ["interrupted", "raised"])
def test_a_plan_ends_while_its_modules_are_still_imported(project: Project, how: str) -> None:
    """What imports them, for as long as it takes, sees to the job that was being launched."""
    project.write("""
if __name__ != "__main__":
    Path(__file__).with_name("importing").touch()
    while not Path(__file__).with_name("go").exists():
        time.sleep(0.01)

if __name__ == "__main__":
    with experiment("ws", "exp"):
        Work(name=1).submit()
        Work(name=2).submit()
        if sys.argv[1:] == ["raised"]:
            while not Path("importing").exists():
                time.sleep(0.01)
            raise ValueError("a mistake")
""")
    plan = project.start(how)
    project.wait_for((project.folder / "importing").exists)
    if how == "interrupted":
        plan.send_signal(signal.SIGINT)
    code, said = project.finish(plan)
    assert code == (130 if how == "interrupted" else 1), said
    assert ("while a job is being launched: it goes on" in said) == (how == "interrupted")
    assert "ValueError" in said or how == "interrupted"
    assert _last_run(project).plan.value == how
    (project.folder / "go").touch()
    project.wait_for(lambda: list(project.states().values()) == ["done"])
    assert len(project.ledger()) == 2, "one job was started, and no other"
