"""A task over its limits is ended, and the reason is the limit: real processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.engine.making import KEY, launch
from tests.engine.supervising import run, spawn, wait_for
from xpm_engine.runtime import memory
from xpm_engine.runtime.context import JobContext, enter_job, remaining_time
from xpm_engine.runtime.limits import GRACE, Limits
from xpm_engine.runtime.outcomes import Ended
from xpm_engine.runtime.waiting import TaskWait
from xpm_engine.workspace import processes, scan, tickets
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.events import EventType, parse_events
from xpm_engine.workspace.records.reasons import ReasonKind
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import Launch

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def _events(workspace: WorkspacePaths) -> list[EventType]:
    data = Path(workspace.job(KEY).events).read_bytes()
    return [event.type for event in parse_events(data)[0]]


@pytest.mark.parametrize(
    ("resources", "limits"),
    [
        ({}, Limits()),
        ({"time": 60, "memory": 1e9, "grace": 0}, Limits(60.0, 1e9, 0.0)),
        ({"time": None, "memory": None, "grace": None, "cpus": 4}, Limits()),
        ({"time": 0, "memory": "4GiB", "grace": -1}, Limits()),
        ({"time": True, "memory": float("inf"), "grace": float("nan")}, Limits()),
    ],
)
def test_limits_are_read_from_the_order(resources: dict[str, Any], limits: Limits) -> None:
    assert Limits.of(resources) == limits
    assert limits.seconds is not None or limits.grace == GRACE


def test_a_task_is_asked_to_stop_when_its_time_is_over(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(5))
        time.sleep(60)
        return 0

    record = run(workspace, body, launch(resources={"time": 0.3}))
    assert record.state is JobState.FAILED
    assert record.exit_code == 5
    assert record.reason is not None
    assert record.reason.kind is ReasonKind.TIME_LIMIT
    assert record.reason.text == "its time limit of 0.3 s was over"
    assert EventType.TERMINATING in _events(workspace)


def test_one_that_ignores_that_is_killed_after_its_grace(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
        return 0

    record = run(workspace, body, launch(resources={"time": 0.2, "grace": 0.2}))
    assert record.signal == signal.SIGKILL
    assert record.reason is not None
    assert record.reason.kind is ReasonKind.TIME_LIMIT
    assert _events(workspace)[-3:] == [EventType.TERMINATING, EventType.KILLED, EventType.ENDED]


def test_one_that_ends_well_in_its_grace_is_done(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        time.sleep(60)
        return 0

    assert run(workspace, body, launch(resources={"time": 0.2})).state is JobState.DONE


def test_a_task_knows_how_much_time_is_left(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        enter_job(context)
        left = remaining_time()
        return 0 if left is not None and 0 < left <= 100 else 1

    assert remaining_time() is None
    assert run(workspace, body, launch(resources={"time": 100})).state is JobState.DONE


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched on Linux only")
def test_a_task_and_what_it_started_are_killed_over_their_memory(
    workspace: WorkspacePaths, tmp_path: Path
) -> None:
    """The task is small: its child, in a session of its own, holds what is too much.

    It is not asked first: it could take yet more memory while it thinks about it.
    """
    pid_file = tmp_path / "pid"

    def body(context: JobContext, order: Launch, report: int) -> int:
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, lambda *_: (tmp_path / "asked").touch())
            (tmp_path / "new").write_text(str(os.getpid()))
            (tmp_path / "new").rename(pid_file)
            held = bytearray(os.urandom(1)) * 300_000_000
            time.sleep(60)
            os._exit(len(held) % 2)
        time.sleep(60)
        return 0

    record = run(workspace, body, launch(resources={"memory": 200_000_000}))
    assert record.state is JobState.FAILED
    assert record.signal == signal.SIGKILL
    assert record.reason is not None
    assert record.reason.kind is ReasonKind.OUT_OF_MEMORY
    assert "its limit is 200 MB" in record.reason.text
    assert record.usage is not None
    assert record.usage.peak_bytes > 200_000_000
    assert processes.identity_of(int(pid_file.read_text())) is None
    assert not (tmp_path / "asked").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched on Linux only")
def test_memory_that_forked_processes_share_counts_once(
    workspace: WorkspacePaths, tmp_path: Path
) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        held = bytearray(os.urandom(1)) * 100_000_000
        children = []
        for _ in range(4):
            children.append(os.fork())
            if children[-1] == 0:
                time.sleep(1.2)
                os._exit(len(held) % 2)
        for child in children:
            os.waitpid(child, 0)
        return 0

    record = run(workspace, body, launch(resources={"memory": 300_000_000}))
    assert record.state is JobState.DONE, record.reason


def test_a_kill_by_the_kernel_for_lack_of_memory_is_told_as_such(
    workspace: WorkspacePaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = tmp_path / "memory.events"
    counter.write_text("low 0\noom 1\noom_kill 3\n")
    monkeypatch.setattr(memory, "_counters", lambda: (str(tmp_path / "absent"), str(counter)))

    def body(context: JobContext, order: Launch, report: int) -> int:
        counter.write_text("low 0\noom 2\noom_kill 4\n")
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    record = run(workspace, body)
    assert record.reason is not None
    assert record.reason.kind is ReasonKind.OUT_OF_MEMORY
    assert record.signal == signal.SIGKILL


def test_a_kill_that_comes_before_the_supervisor_waits_is_told_as_well(
    workspace: WorkspacePaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = tmp_path / "memory.events"
    counter.write_text("oom_kill 3\n")
    monkeypatch.setattr(memory, "_counters", lambda: (str(counter),))
    wait = TaskWait.wait

    def late(self: TaskWait) -> Ended:
        wait_for(lambda: counter.read_text() == "oom_kill 4\n")
        return wait(self)

    monkeypatch.setattr(TaskWait, "wait", late)

    def body(context: JobContext, order: Launch, report: int) -> int:
        counter.write_text("oom_kill 4\n")
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    record = run(workspace, body)
    assert record.reason is not None
    assert record.reason.kind is ReasonKind.OUT_OF_MEMORY


def test_a_kill_by_anyone_else_is_a_signal(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    record = run(workspace, body)
    assert record.reason is not None
    assert record.reason.kind is ReasonKind.SIGNAL


def test_a_stopped_task_that_meets_an_exception_on_its_way_out_is_cancelled(
    workspace: WorkspacePaths, tmp_path: Path
) -> None:
    from xpm_engine.runtime.outcomes import BadEnd
    from xpm_engine.workspace.records.reasons import Outcome, Reason

    ready = tmp_path / "ready"

    def body(context: JobContext, order: Launch, report: int) -> int:
        told = Reason(ReasonKind.EXCEPTION, "BrokenPipeError: x", "BrokenPipeError")

        def leave(*_: object) -> None:
            os.write(report, BadEnd(Outcome.FAILED, told).to_report())
            os._exit(1)

        signal.signal(signal.SIGTERM, leave)
        ready.touch()
        time.sleep(60)
        return 0

    order = launch()
    tickets.claim_launch(workspace.job(KEY), order)
    pid = spawn(workspace, body, order)
    wait_for(ready.exists)
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    record = scan.read_job(workspace, KEY)
    assert record.state is JobState.CANCELLED
    assert record.reason is not None
    assert record.reason.kind is ReasonKind.CANCELLED
    assert record.reason.exception == "BrokenPipeError"
