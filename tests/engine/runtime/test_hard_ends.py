"""Tasks that do their worst are recorded, and nothing of them is left: real processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.engine.making import KEY, launch
from tests.engine.supervising import run, spawn, wait_for
from xpm_engine.runtime.context import JobContext
from xpm_engine.workspace import processes, scan, tickets
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.events import EventType, parse_events
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import Launch

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


PIDS = "pids"


def _sleep_in_forks(count: int, *, sessions: bool, deaf: bool) -> None:
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            if sessions:
                os.setsid()
            if deaf:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
            os._exit(0)
        _note(pid)


def _note(pid: int) -> None:
    """Into the job's own folder, which is the working directory."""
    with open(PIDS, "a", encoding="ascii") as file:
        file.write(f"{pid}\n")


def test_a_task_that_closes_everything_it_has_open_ends_well(workspace: WorkspacePaths) -> None:
    """Its output, and the lock that it holds together with its supervisor."""

    def body(context: JobContext, order: Launch, report: int) -> int:
        os.closerange(0, 256)
        time.sleep(0.2)
        os._exit(0)

    assert run(workspace, body).state is JobState.DONE


@pytest.mark.parametrize("sessions", [False, True])
def test_fifty_children_that_are_left_behind_are_ended(
    workspace: WorkspacePaths, sessions: bool
) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        _sleep_in_forks(50, sessions=sessions, deaf=False)
        return 0

    assert run(workspace, body).state is JobState.DONE
    events, _ = parse_events(Path(workspace.job(KEY).events).read_bytes())
    swept = next(event for event in events if event.type is EventType.SWEPT)
    assert swept.data["processes"] == 50
    assert tickets.lock_is_free(workspace.job(KEY))
    _nothing_is_left(workspace, 50)


def test_a_daemon_that_forked_twice_is_ended(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                _note(os.getpid())
                os.closerange(0, 256)
                os.chdir("/")
                time.sleep(600)
            os._exit(0)
        os.wait()
        wait_for(lambda: os.path.exists(PIDS))
        return 0

    assert run(workspace, body).state is JobState.DONE
    _nothing_is_left(workspace, 1)


def test_stopping_reaches_children_that_do_not_listen(
    workspace: WorkspacePaths, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"

    def body(context: JobContext, order: Launch, report: int) -> int:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _sleep_in_forks(3, sessions=True, deaf=True)
        _sleep_in_forks(3, sessions=False, deaf=True)
        ready.touch()
        time.sleep(600)
        return 0

    order = launch(resources={"grace": 0.2})
    tickets.claim_launch(workspace.job(KEY), order)
    pid = spawn(workspace, body, order)
    wait_for(ready.exists)
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    record = scan.read_job(workspace, KEY)
    assert record.state is JobState.CANCELLED
    assert record.signal == signal.SIGKILL
    _nothing_is_left(workspace, 6)


def test_a_task_that_stops_itself_can_be_killed(workspace: WorkspacePaths, tmp_path: Path) -> None:
    """SIGSTOP keeps SIGTERM waiting, but not SIGKILL."""
    ready = tmp_path / "ready"

    def body(context: JobContext, order: Launch, report: int) -> int:
        ready.touch()
        os.kill(os.getpid(), signal.SIGSTOP)
        return 0

    order = launch(resources={"grace": 0.2})
    tickets.claim_launch(workspace.job(KEY), order)
    pid = spawn(workspace, body, order)
    wait_for(ready.exists)
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    assert scan.read_job(workspace, KEY).state is JobState.CANCELLED


def test_a_task_ends_while_its_child_still_writes_to_its_pipes(workspace: WorkspacePaths) -> None:
    """The child holds the pipe that the report came through: it is not waited for."""

    def body(context: JobContext, order: Launch, report: int) -> int:
        _sleep_in_forks(1, sessions=True, deaf=True)
        return 3

    record = run(workspace, body)
    assert record.state is JobState.FAILED
    assert record.exit_code == 3


def _nothing_is_left(workspace: WorkspacePaths, count: int) -> None:
    pids = [int(line) for line in Path(workspace.job(KEY).root, PIDS).read_text().split()]
    assert len(pids) == count
    assert [pid for pid in pids if processes.identity_of(pid) is not None] == []
