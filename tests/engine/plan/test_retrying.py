"""Which bad ends are tried again, how often and how soon; and what the next attempt finds."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.engine.projects import Project
from xpm_engine.config.submitting import SubmitOptions
from xpm_engine.errors import UsageError
from xpm_engine.plan import retrying
from xpm_engine.plan.retrying import Retries, retries_of
from xpm_engine.workspace import scan
from xpm_engine.workspace.records.reasons import Reason, ReasonKind, WaitKind


def _pauses(retries: Retries, kind: ReasonKind, count: int = 4) -> list[float | None]:
    return [retries.pause(Reason(kind, "x"), used) for used in range(count)]


def test_what_is_no_fault_of_the_task_is_tried_again_ever_later() -> None:
    retries = retries_of(SubmitOptions(retries=3), resumable=False)
    assert _pauses(retries, ReasonKind.NO_EXIT_RECORD) == [5.0, 15.0, 45.0, None]
    for kind in (ReasonKind.HOST_GONE, ReasonKind.DISK_FULL, ReasonKind.LAUNCHER):
        assert retries.pause(Reason(kind, "x"), 0) == 5.0
    for kind in (ReasonKind.EXCEPTION, ReasonKind.OUT_OF_MEMORY, ReasonKind.TIME_LIMIT):
        assert retries.pause(Reason(kind, "x"), 0) is None
    assert retries.pause(None, 0) is None


def test_without_retries_nothing_is_tried_again() -> None:
    assert _pauses(retries_of(SubmitOptions(), resumable=True), ReasonKind.HOST_GONE, 1) == [None]


def test_a_resumable_task_whose_time_was_over_goes_on_at_once() -> None:
    retries = retries_of(SubmitOptions(retries=2), resumable=True)
    assert _pauses(retries, ReasonKind.TIME_LIMIT, 3) == [0.0, 0.0, None]


def test_pauses_have_an_end() -> None:
    retries = retries_of(SubmitOptions(retries=100), resumable=False)
    assert retries.pause(Reason(ReasonKind.HOST_GONE, "x"), 99) == retrying.MAX_PAUSE


def test_the_reasons_can_be_chosen() -> None:
    options = SubmitOptions(retries=1, retry_on=["exception", ReasonKind.OUT_OF_MEMORY])
    retries = retries_of(options, resumable=True)
    assert retries.kinds == {ReasonKind.EXCEPTION, ReasonKind.OUT_OF_MEMORY}
    assert retries_of(SubmitOptions(retry_on="exit"), resumable=False).kinds == {ReasonKind.EXIT}


@pytest.mark.parametrize("chosen", [["out of luck"], ["cancelled"], "cleaned", 3, [["exit"]]])
def test_a_reason_that_is_none_is_refused_with_those_that_are(chosen: Any) -> None:
    with pytest.raises(UsageError, match="can't be tried again for") as caught:
        retries_of(SubmitOptions(retries=1, retry_on=chosen), resumable=False)
    assert "no exit record" in str(caught.value)


@pytest.mark.parametrize("number", [-1, True, 1.5, "2"])
def test_a_number_of_retries_is_one(number: int) -> None:
    with pytest.raises(UsageError, match="is no number of attempts"):
        retries_of(SubmitOptions(retries=number), resumable=False)


RESUMABLE = """
from xpm_engine import GracefulTimeout, ResumableTask, Resources, checkpoint, remaining_time

class Count(ResumableTask):
    name: Param[int]
    stop: Option[str] = "gracefully"
    def execute(self) -> None:
        state = Path("state.txt")
        done = int(state.read_text()) if state.exists() else 0
        note(f"from {done}")
        with checkpoint(state) as path:
            path.write_text(str(done + 1))
        if done < 2:
            if self.stop == "gracefully":
                assert 0 < remaining_time() <= 60
                raise GracefulTimeout
            time.sleep(60)
        note("end")
"""


def test_a_resumable_task_goes_on_until_it_is_done(project: Project) -> None:
    project.write(
        RESUMABLE
        + """
if __name__ == "__main__":
    with experiment("ws", "exp"):
        Count(name=1).submit(resources=Resources(time=60), retries=2)
"""
    )
    code, said = project.run()
    assert code == 0, said
    assert project.ledger() == ["from 0", "from 1", "from 2", "end"]
    key = next(iter(scan.list_jobs(project.workspace)))
    job = project.workspace.job(key)
    assert scan.read_job(project.workspace, key).attempt == 3
    assert all(os.path.exists(job.stderr(number)) for number in (1, 2, 3))


def test_the_end_of_its_time_is_the_reason_where_it_is_killed_for_it(project: Project) -> None:
    project.write(
        RESUMABLE
        + """
if __name__ == "__main__":
    with experiment("ws", "exp"):
        Count(name=1, stop="late").submit(resources=Resources(time=0.5, grace=1), retries=1)
"""
    )
    code, said = project.run()
    assert code == 1
    assert "its time limit of 0.5 s was over" in said
    assert project.ledger() == ["from 0", "from 1"]
    code, said = project.run()
    assert code == 0, said
    assert project.ledger()[2:] == ["from 2", "end"]


def test_a_killed_job_waits_for_its_next_attempt_and_says_so(project: Project) -> None:
    project.write("""
from xpm_engine.plan import retrying

retrying.FIRST_PAUSE = float(os.environ.get("PAUSE", 1.0))
if __name__ == "__main__":
    with experiment("ws", "exp"):
        slow = Work(name=1, seconds=60 if not LEDGER.exists() else 0).submit(retries=1)
        Work(name=2, after=[slow]).submit()
""")
    plan = project.start()
    project.wait_for(lambda: project.ledger() == ["begin 1"])
    key = next(iter(scan.list_jobs(project.workspace)))
    supervisor = scan.read_job(project.workspace, key).supervisor
    assert supervisor is not None
    run = scan.list_runs(project.workspace, "exp")[-1]
    os.kill(supervisor.pid, signal.SIGKILL)

    def waits() -> list[WaitKind]:
        queue = scan.read_run(project.workspace, "exp", run).queue
        return [] if queue is None else [wait.kind for wait in queue.waits]

    project.wait_for(lambda: WaitKind.RETRY in waits())
    queue = scan.read_run(project.workspace, "exp", run).queue
    assert queue is not None
    wait = next(each for each in queue.waits if each.kind is WaitKind.RETRY)
    assert "no exit record" in wait.what
    assert wait.until > queue.at
    project.wait_for(lambda: project.ledger() == ["begin 1", "begin 1"])
    os.kill(_supervisor(project), signal.SIGKILL)
    code, said = project.finish(plan)
    assert code == 1
    assert "no exit record" in said
    assert "1 blocked" in said
    log = Path(project.workspace.run("exp", run).log).read_text()
    assert "retry 1 of 1: no exit record" in log


def _supervisor(project: Project) -> int:
    key = next(iter(scan.list_jobs(project.workspace)))
    pids: list[int] = []

    def running() -> bool:
        record = scan.read_job(project.workspace, key)
        if record.state.value == "running" and record.supervisor is not None:
            pids.append(record.supervisor.pid)
        return bool(pids)

    project.wait_for(running)
    return pids[0]


def test_a_refused_choice_names_the_plans_line(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    with experiment("ws", "exp"):
        Work(name=1).submit(retries=1, retry_on=["bad luck"])
""")
    code, said = project.run()
    assert code != 0
    assert "can't be tried again for 'bad luck'" in said
    assert project.ledger() == []
