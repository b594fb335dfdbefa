"""The moves on tickets: who may claim, void and reap, and what each leaves."""

from __future__ import annotations

import fcntl
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.making import KEY, dead_process, end, launch, start
from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import claims, processes, tickets
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome, ReasonKind
from xpm_engine.workspace.records.tickets import LaunchedBy, read_done


def test_a_folder_appears_with_its_first_launch(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    assert tickets.last_attempt(job) is None
    order = launch()
    assert tickets.claim_launch(job, order)
    attempt = tickets.last_attempt(job)
    assert attempt is not None
    assert attempt.launch == order
    assert attempt.start is None


def test_the_second_claim_of_an_attempt_loses(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    assert tickets.claim_launch(job, launch())
    assert not tickets.claim_launch(job, launch())


def test_a_started_attempt_cannot_be_voided(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    claimed = tickets.last_attempt(job)
    assert claimed is not None
    tickets.claim_start(job, 1, start())
    assert not tickets.void(job, claimed, user="ada", why="test")
    assert "end" not in tickets.ticket_names(job)[1]


def test_a_voided_attempt_does_not_count_and_can_never_start(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    claimed = tickets.last_attempt(job)
    assert claimed is not None
    assert tickets.void(job, claimed, user="ada", why="overdue")
    assert tickets.void(job, claimed, user="ada", why="again: the same answer")
    assert not tickets.claim_start(job, 1, start())
    assert tickets.last_attempt(job) is None
    newest = tickets.newest_attempt(job)
    assert newest is not None
    assert newest.void
    assert newest.end is not None


def test_a_done_job_stays_done_behind_a_void_attempt(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start())
    tickets.record_end(job, 1, end())
    tickets.claim_launch(job, launch(attempt=2))
    newest = tickets.newest_attempt(job)
    assert newest is not None
    assert not tickets.is_done(job)
    tickets.void(job, newest, user="ada", why="cleaning was given up")
    assert tickets.is_done(job)


def test_an_end_is_final(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start())
    assert tickets.record_end(job, 1, end())
    assert not tickets.record_end(job, 1, end(Outcome.FAILED))
    assert tickets.is_done(job)


def test_the_dead_are_reaped_and_the_living_are_not(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start(by=dead_process()))
    attempt = tickets.last_attempt(job)
    assert attempt is not None
    living = replace(attempt, start=start())
    assert not tickets.proved_dead(job, living)
    assert tickets.proved_dead(job, attempt)
    assert tickets.reap(job, attempt)
    reaped = tickets.last_attempt(job)
    assert reaped is not None
    assert reaped.end is not None
    assert reaped.end.outcome is Outcome.DIED
    assert reaped.end.reason is not None
    assert reaped.end.reason.kind is ReasonKind.NO_EXIT_RECORD


def test_a_held_lock_is_no_death(workspace: WorkspacePaths) -> None:
    """The supervisor is gone, and something that inherited the lock goes on."""
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start(by=dead_process()))
    attempt = tickets.last_attempt(job)
    assert attempt is not None
    descriptor = tickets.take_lock(job, patience=0)
    assert descriptor is not None
    assert not tickets.proved_dead(job, attempt)
    os.close(descriptor)
    assert tickets.proved_dead(job, attempt)


def test_another_machines_job_is_never_proved_dead(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    elsewhere = replace(processes.own_identity(), machine_id="elsewhere", boot_id="x")
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start(by=elsewhere))
    attempt = tickets.last_attempt(job)
    assert attempt is not None
    assert not tickets.proved_dead(job, attempt)


def test_a_reboot_proves_death_whatever_the_lock_says(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    before = replace(processes.own_identity(), boot_id="the boot before")
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start(by=before))
    attempt = tickets.last_attempt(job)
    assert attempt is not None
    assert tickets.proved_dead(job, attempt)


def test_an_end_that_was_there_first_is_believed(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start(by=dead_process()))
    attempt = tickets.last_attempt(job)
    assert attempt is not None
    tickets.record_end(job, 1, end())
    assert not tickets.reap(job, attempt)
    assert tickets.is_done(job)


def test_the_lock_is_not_granted_on_a_folder_that_was_moved(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    first = tickets.take_lock(job, patience=0)
    assert first is not None
    Path(job.lock).rename(job.lock + ".moved")
    second = tickets.take_lock(job, patience=0)
    assert second is not None
    assert os.fstat(second).st_ino == os.stat(job.lock).st_ino
    os.close(first)
    os.close(second)


def test_looking_at_a_lock_creates_nothing(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    assert tickets.lock_is_free(job)
    assert not os.path.exists(job.lock)
    descriptor = os.open(job.lock, os.O_CREAT | os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert not tickets.lock_is_free(job)
    os.close(descriptor)
    assert tickets.lock_is_free(job)


@pytest.mark.parametrize("kind", ["launch", "start", "end"])
@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"v": 99}', b'{"v": 1}'])
def test_a_damaged_ticket_is_unreadable_never_absent(
    workspace: WorkspacePaths, kind: str, data: bytes
) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start())
    tickets.record_end(job, 1, end())
    Path(job.ticket(1, kind)).write_bytes(data)
    with pytest.raises(UnreadableError) as caught:
        tickets.last_attempt(job)
    assert caught.value.where == job.ticket(1, kind)


@pytest.mark.parametrize("broken", [False, True])
def test_an_attempt_without_its_order_is_unreadable_and_nobody_looks_for_ever(
    workspace: WorkspacePaths, broken: bool
) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start())
    os.unlink(job.launch(1))
    if broken:
        os.symlink("nowhere", job.launch(1))
    with pytest.raises(UnreadableError) as caught:
        claims.look(job, lost=lambda attempt: True, recover=lambda: False)
    assert caught.value.where == (job.xpm if broken else job.launch(1))


def test_an_attempt_stands_until_the_next_is_claimed_or_its_folder_goes(
    workspace: WorkspacePaths,
) -> None:
    job = workspace.job(KEY)
    assert not tickets.stands(job, 1)
    assert tickets.claim_launch(job, launch())
    assert not tickets.stands(job, 1)
    assert tickets.record_end(job, 1, end(Outcome.DONE))
    assert tickets.stands(job, 1)
    assert tickets.claim_launch(job, launch(attempt=2, by=LaunchedBy.CLEAN))
    assert not tickets.stands(job, 1)
    os.rename(job.root, job.root + ".moved")
    assert not tickets.stands(job, 1)


def test_of_a_done_attempt_two_fields_are_enough() -> None:
    done = end(Outcome.DONE).to_json()
    assert read_done(done, "x") == (done["resolved"], done["project"])
    assert read_done(end(Outcome.FAILED).to_json(), "x") is None
    for damaged in ({}, {**done, "v": 99}, {**done, "resolved": 3}):
        with pytest.raises(UnreadableError):
            read_done(damaged, "x")


@pytest.mark.parametrize(
    ("outcomes", "done"),
    [
        ([], False),
        ([Outcome.DONE], True),
        ([Outcome.FAILED], False),
        ([Outcome.FAILED, Outcome.DONE], True),
        ([Outcome.DONE, Outcome.VOID], True),
        ([Outcome.FAILED, Outcome.VOID], False),
        ([Outcome.DONE, None], False),
        ([None], False),
    ],
)
def test_a_job_is_done_by_its_last_attempt_that_is_not_void(
    workspace: WorkspacePaths, outcomes: list[Outcome | None], done: bool
) -> None:
    job = workspace.job(KEY)
    for number, outcome in enumerate(outcomes, start=1):
        assert tickets.claim_launch(job, launch(attempt=number))
        if outcome is not None:
            assert tickets.record_end(job, number, end(outcome))
    assert tickets.is_done(job) is done
