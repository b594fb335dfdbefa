"""A supervisor holds what was reserved for its attempt, and starts nothing without it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.engine.making import KEY, launch
from tests.engine.supervising import run, spawn, wait_for
from xpm_engine.runtime.context import JobContext
from xpm_engine.workspace import processes, scan, tickets
from xpm_engine.workspace.layout import JobPaths, WorkspacePaths
from xpm_engine.workspace.pool import reservations
from xpm_engine.workspace.pool.folder import open_folder
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.pool import Reservation
from xpm_engine.workspace.records.resources import Granted, Resources
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import End, Launch

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def _order(**granted: object) -> Launch:
    place = Granted(pool=open_folder().root, **granted)  # type: ignore[arg-type]
    return launch(resources={**Resources().to_json(), **place.to_json()})


def _reserve(workspace: WorkspacePaths, order: Launch) -> Reservation:
    made = Reservation(
        order.nonce,
        KEY,
        workspace.job(KEY).root,
        Resources().demand(),
        (),
        processes.own_identity(),
        order.run,
        now(),
    )
    reservations.write(open_folder(), made)
    return made


def test_it_is_held_by_supervisor_and_task_and_given_back(workspace: WorkspacePaths) -> None:
    order = _order()
    made = _reserve(workspace, order)

    def body(context: JobContext, order: Launch, report: int) -> int:
        os.kill(os.getppid(), signal.SIGSTOP)
        return 1 if reservations.reclaim(open_folder(), made) else 0

    assert tickets.claim_launch(workspace.job(KEY), order)
    pid = spawn(workspace, body, order)
    os.waitpid(pid, os.WUNTRACED)
    assert not reservations.reclaim(open_folder(), made)
    os.kill(pid, signal.SIGCONT)
    os.waitpid(pid, 0)
    assert scan.read_job(workspace, KEY).state is JobState.DONE
    assert not Path(open_folder().reservation(order.nonce)).exists()


def test_one_whose_reservation_was_taken_for_lost_leaves_all_untouched(
    workspace: WorkspacePaths,
) -> None:
    order = _order()
    assert tickets.claim_launch(workspace.job(KEY), order)
    os.waitpid(spawn(workspace, lambda *_: 0, order), 0)
    assert tickets.ticket_names(workspace.job(KEY)) == {1: {"launch"}}


def test_what_dies_with_its_supervisor_is_given_back(
    workspace: WorkspacePaths, tmp_path: Path
) -> None:
    order = _order()
    made = _reserve(workspace, order)
    orphan = tmp_path / "orphan"

    def body(context: JobContext, order: Launch, report: int) -> int:
        # It outlives the task, and must not hold what the task held.
        if os.fork() == 0:
            orphan.write_text(str(os.getpid()))
        signal.pause()
        return 0

    assert tickets.claim_launch(workspace.job(KEY), order)
    pid = spawn(workspace, body, order)
    wait_for(lambda: orphan.exists() and orphan.read_text() != "")
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        wait_for(lambda: reservations.reclaim(open_folder(), made))
        assert processes.identity_of(int(orphan.read_text())) is not None
    finally:
        os.kill(int(orphan.read_text()), signal.SIGKILL)


def test_the_task_is_told_its_gpus(workspace: WorkspacePaths) -> None:
    order = _order(devices=("1", "GPU-ab"))
    _reserve(workspace, order)
    seen = run(
        workspace, lambda *_: 0 if os.environ["CUDA_VISIBLE_DEVICES"] == "1,GPU-ab" else 1, order
    )
    assert seen.state is JobState.DONE


def test_it_is_given_back_before_the_end_is_recorded(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next job need not wait for the disk."""
    order = _order()
    _reserve(workspace, order)
    reservation = Path(open_folder().reservation(order.nonce))
    record_end = tickets.record_end

    def checked(job: JobPaths, number: int, end: End) -> bool:
        assert not reservation.exists()
        return record_end(job, number, end)

    monkeypatch.setattr(tickets, "record_end", checked)
    assert run(workspace, lambda *_: 0, order).state is JobState.DONE
