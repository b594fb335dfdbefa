"""Jobs that are run again without their plan: real processes, real kills, and a ledger."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.engine.projects import Project
from tests.patience import PATIENCE
from xpm_engine.verbs.jobs.listing import list_run
from xpm_engine.verbs.retry import ResourceChanges, plan_retry
from xpm_engine.verbs.starting import start_retry
from xpm_engine.workspace import processes, scan, tickets
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.retry_order import RetryOrder
from xpm_engine.workspace.records.runs import How, PlanState, RunKind, Scope

FLAKY = """
class Flaky(Task):
    name: Param[int]
    after: Param[list[Task]] = []
    waits: Option[bool] = False

    def execute(self) -> None:
        note(f"begin {self.name}")
        while self.waits and not LEDGER.with_name("go").exists():
            time.sleep(0.01)
        if not LEDGER.with_name("fixed").exists():
            note(f"failed {self.name}")
            raise ValueError(f"work {self.name} fails")
        note(f"end {self.name}")
"""

CHAIN = (
    FLAKY
    + """
with experiment("ws", "exp"):
    bad = Flaky(name=1).submit()
    behind = Work(name=2, after=[bad]).submit()
    Work(name=3, after=[behind]).submit()
    Work(name=4).submit()
"""
)


def _xpm(project: Project, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "xpm_engine.cli", *arguments],
        cwd=project.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def _fix(project: Project) -> None:
    Path(project.folder / "fixed").touch()


def _key(project: Project, name: int) -> JobKey:
    run = list_run(project.workspace, "exp")
    return next(row.key for row in run.rows if row.params["name"] == name)


def _wait_for_retries(project: Project) -> None:
    project.wait_for(lambda: all(not view.live for view in project.retries()))


def _all_done(project: Project, *names: int) -> bool:
    return project.states() == {str(name): "done" for name in names}


def test_what_failed_runs_again_with_what_is_blocked_behind_it(project: Project) -> None:
    project.write(CHAIN)
    code, said = project.run()
    assert code == 1, said
    code, said = _xpm(project, "retry", "--dry-run")
    assert code == 0, said
    assert "again      plan.flaky" in said
    assert said.count("dependant  plan.work") == 2
    assert not project.retries()
    _fix(project)
    code, said = _xpm(project, "retry", "state:failed")
    assert code == 0, said
    assert "3 jobs, by process" in said
    _wait_for_retries(project)
    project.check_ledger()
    assert _all_done(project, 1, 2, 3, 4)
    (view,) = project.retries()
    assert view.plan is PlanState.COMPLETE, view
    assert view.record is not None
    assert view.record.kind is RunKind.RETRY
    assert [line.how for line in view.manifest.references] == [How.RETRIED, How.NEW, How.NEW]
    assert (
        os.readlink(project.workspace.latest("exp")) == list_run(project.workspace, "exp").view.run
    ), "the plan's run stays the latest one"
    assert {row.state.value for row in list_run(project.workspace, "exp").rows} == {"done"}
    ledger = project.ledger()
    code, said = project.run()
    assert code == 0, said
    assert "4 reused" in said
    assert project.ledger() == ledger


def test_a_job_that_died_with_its_plan_brings_along_what_waited_for_it(project: Project) -> None:
    project.write(CHAIN.replace("Flaky(name=1)", "Flaky(name=1, waits=True)"))
    plan = project.start()
    project.wait_for(lambda: {"begin 1", "end 4"} <= set(project.ledger()))
    plan.kill()
    plan.wait()
    bad = _key(project, 1)
    supervisor = scan.read_job(project.workspace, bad).supervisor
    assert supervisor is not None
    processes.send_signal(supervisor, signal.SIGKILL)
    project.wait_for(lambda: project.states()["1"] == "died")
    _fix(project)
    Path(project.folder / "go").touch()
    code, said = _xpm(project, "retry", bad.short)
    assert code == 0, said
    _wait_for_retries(project)
    project.check_ledger()
    assert _all_done(project, 1, 2, 3, 4)
    assert scan.read_job(project.workspace, bad).attempt == 2


def test_retries_that_race_share_their_jobs(project: Project) -> None:
    project.write(CHAIN)
    assert project.run()[0] == 1
    _fix(project)
    plan = plan_retry(project.workspace, [_key(project, 1)])
    with ThreadPoolExecutor(4) as pool:
        started = list(pool.map(start_retry, [plan] * 4))
    assert len({run.run for runs in started for run in runs}) == 4
    _wait_for_retries(project)
    project.check_ledger()
    assert _all_done(project, 1, 2, 3, 4)
    assert project.ledger().count("end 3") == 1


def test_a_plan_that_lives_follows_what_is_retried(project: Project) -> None:
    project.write(
        FLAKY
        + """
with experiment("ws", "exp"):
    bad = Flaky(name=1).submit()
    behind = Work(name=2, after=[bad]).submit()
    long = Work(name=3, seconds=120.0).submit()
    Work(name=4, after=[behind, long]).submit()
"""
    )
    plan = project.start()
    project.wait_for(lambda: {"failed 1", "begin 3"} <= set(project.ledger()))
    project.wait_for(lambda: project.states() == {"1": "failed", "3": "running"})
    _fix(project)
    retry = plan_retry(project.workspace, [_key(project, 1)])
    start_retry(retry)
    # 4 needs what runs too: the retry waits for it as the plan does.
    project.wait_for(lambda: project.states()["2"] == "done" if "2" in project.states() else False)
    long = scan.read_job(project.workspace, _key(project, 3)).supervisor
    assert long is not None
    processes.send_signal(long, signal.SIGTERM)
    code, said = project.finish(plan)
    assert code == 1
    assert "asked to stop" in said
    assert "work 1 fails" not in said, "the plan has seen that it was tried again"
    _wait_for_retries(project)
    project.check_ledger()
    assert project.states() == {"1": "done", "2": "done", "3": "cancelled"}


def test_a_plan_that_lives_ends_well_after_a_retry(project: Project) -> None:
    project.write(
        FLAKY
        + """
with experiment("ws", "exp"):
    bad = Flaky(name=1).submit()
    Work(name=2, after=[Work(name=5, after=[bad]).submit()]).submit()
    Flaky(name=3, waits=True).submit()
"""
    )
    plan = project.start()
    project.wait_for(lambda: {"failed 1", "begin 3"} <= set(project.ledger()))
    project.wait_for(lambda: project.states() == {"1": "failed", "3": "running"})
    _fix(project)
    start_retry(plan_retry(project.workspace, [_key(project, 1)]))
    project.wait_for(lambda: "end 2" in project.ledger())
    Path(project.folder / "go").touch()
    code, said = project.finish(plan)
    assert code == 0, said
    assert "4 done" in said
    project.check_ledger()
    assert len(project.ledger()) == 10


def test_a_retry_that_fails_or_is_killed_is_retried_in_turn(project: Project) -> None:
    project.write(CHAIN.replace("Flaky(name=1)", "Flaky(name=1, waits=True)"))
    Path(project.folder / "go").touch()
    assert project.run()[0] == 1
    code, said = _xpm(project, "retry")
    assert code == 0, said
    _wait_for_retries(project)
    rows = {row.params["name"]: row.state.value for row in list_run(project.workspace, "exp").rows}
    assert rows == {1: "failed", 2: "blocked", 3: "blocked", 4: "done"}
    _fix(project)
    Path(project.folder / "go").unlink()
    code, said = _xpm(project, "retry", "--json")
    assert code == 0, said
    answer = json.loads(said)
    assert [job["role"] for job in answer["jobs"]] == ["again", "dependant", "dependant"]
    project.wait_for(lambda: project.ledger().count("begin 1") == 3)
    os.kill(answer["runs"][0]["pid"], signal.SIGKILL)
    code, said = _xpm(project, "retry", _key(project, 1).short)
    assert code == 3, said
    assert "it is running" in said
    Path(project.folder / "go").touch()
    project.wait_for(lambda: project.states()["1"] == "done")
    code, said = _xpm(project, "retry", "state:failed,died", "--dry-run")
    assert "nothing to retry" in said
    code, said = project.run()
    assert code == 0, said
    project.check_ledger()
    assert _all_done(project, 1, 2, 3, 4)


def test_more_memory_and_time_are_given_to_what_was_asked_for(project: Project) -> None:
    project.write(CHAIN)
    assert project.run()[0] == 1
    _fix(project)
    bad, behind = _key(project, 1), _key(project, 2)
    plan = plan_retry(
        project.workspace, [bad], changes=ResourceChanges(memory="96MiB", time="10min")
    )
    start_retry(plan)
    _wait_for_retries(project)
    assert _all_done(project, 1, 2, 3, 4)
    resources = []
    for key in (bad, behind):
        attempt = tickets.last_attempt(project.workspace.job(key))
        assert attempt is not None
        resources.append((attempt.launch.resources["memory"], attempt.launch.resources["time"]))
    assert resources == [(96 * 1024**2, 600.0), (None, None)]
    code, said = _xpm(project, "retry", bad.short, "--memory", "much")
    assert code == 2
    assert "no size of memory" in said


def test_what_can_never_be_had_is_told_at_once(project: Project) -> None:
    project.write(CHAIN)
    assert project.run()[0] == 1
    code, said = _xpm(project, "retry", "--cpus", "4000")
    assert code == 2
    assert "needs 4,000 cores" in said
    assert "Traceback" not in said
    assert not project.retries()


def test_a_blocked_job_that_is_asked_for_brings_what_it_needs(project: Project) -> None:
    project.write(CHAIN)
    assert project.run()[0] == 1
    _fix(project)
    plan = plan_retry(project.workspace, [_key(project, 3)])
    assert [job.role.value for job in plan.jobs] == ["needed", "needed", "again"]
    start_retry(plan)
    _wait_for_retries(project)
    assert _all_done(project, 1, 2, 3, 4)


def test_a_job_whose_code_is_gone_is_refused(project: Project) -> None:
    path = project.write(CHAIN)
    assert project.run()[0] == 1
    path.rename(path.with_name("other.py"))
    code, said = _xpm(project, "retry")
    assert code == 3
    assert f"its code is gone: {path}" in said
    assert not project.retries()


def test_a_retry_that_is_asked_to_stop_while_its_run_is_closed_has_closed_it(
    project: Project,
) -> None:
    project.write(CHAIN)
    assert project.run()[0] == 1
    _fix(project)
    bad = _key(project, 1)
    plan = plan_retry(project.workspace, [bad])
    order = RetryOrder(
        workspace=project.workspace.root,
        experiment="exp",
        scope=Scope(""),
        orders=tuple(job.order for job in plan.jobs),
        again=(bad,),
    )
    code = """
import signal
from xpm_engine.plan import retry
from xpm_engine.plan.scheduler import Scheduler

close = Scheduler.close

def asked(self):
    signal.raise_signal(signal.SIGTERM)
    close(self)

Scheduler.close = asked
retry.main()
"""
    subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(order.to_json()).encode("ascii"),
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        # It has begun when nothing more can come of its output.
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    _wait_for_retries(project)
    (view,) = project.retries()
    assert view.plan is PlanState.COMPLETE
    assert _all_done(project, 1, 2, 3, 4)
    assert "Traceback" not in Path(project.workspace.run("exp", view.run).log).read_text()
