"""A plan and a cleaner at the same job at the same time: one of the two always sees the other."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from tests.engine.folders import key, make_job, make_run, reference
from tests.engine.making import launch
from xpm_engine.workspace import cleaning, scan, tickets
from xpm_engine.workspace.layout import JobPaths, WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import LaunchedBy

ROUNDS = 200
SEED = int(os.environ.get("XPM_SEED", "20261127"))
"""Of how long each side lingers before it begins; printed, so that a failure can be had again."""
A = key(1)


def _plan(workspace: WorkspacePaths, barrier: threading.Barrier, linger: float) -> str:
    """What a plan does by the contract: reference first, then the tickets; a clean is waited for.

    Returns `reused` where it found a result to build on, `claimed` where it may run the job.
    """
    job = workspace.job(A)
    barrier.wait()
    time.sleep(linger)
    make_run(workspace, [reference(A)], plan=PlanState.RUNNING)
    while True:
        try:
            numbers = tickets.ticket_names(job)
            newest = tickets.newest_attempt(job)
            last = tickets.last_attempt(job)
        except FileNotFoundError:
            continue
        if newest is not None and newest.end is None and newest.launch.by is LaunchedBy.CLEAN:
            time.sleep(0.0005)
        elif last is not None and last.end is not None and last.end.outcome is Outcome.DONE:
            return "reused"
        elif tickets.claim_launch(job, launch(A, max(numbers, default=0) + 1)):
            return "claimed"


def _cleaner(
    workspace: WorkspacePaths, barrier: threading.Barrier, plan: cleaning.RemovalPlan
) -> cleaning.Transaction:
    barrier.wait()
    return cleaning.carry_out(workspace, plan)


def test_a_result_that_a_plan_builds_on_is_never_moved(tmp_path: Path) -> None:
    seen: set[str] = set()
    draw = Random(SEED)
    print("seed", SEED)
    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            workspace = WorkspacePaths(str(tmp_path / str(number)))
            make_job(workspace, A)
            removal = cleaning.plan_removal(workspace, [A])
            barrier = threading.Barrier(2)
            planning = pool.submit(_plan, workspace, barrier, draw.uniform(0.0, 0.004))
            done = pool.submit(_cleaner, workspace, barrier, removal).result(timeout=60)
            got = planning.result(timeout=60)
            seen.add(got)
            if got == "reused":
                assert done.removals == ()
                assert scan.read_job(workspace, A).state is JobState.DONE
                assert os.path.isfile(f"{workspace.job(A).root}/result.txt")
            else:
                assert [item.key for item in done.removals] == [A]
                assert scan.read_job(workspace, A).state is JobState.QUEUED
                assert cleaning.undo(workspace, done.name).returned == ()
    assert seen


def _claim(job: JobPaths, barrier: threading.Barrier) -> bool:
    barrier.wait()
    return tickets.claim_launch(job, launch(A, 2))


def test_an_attempt_is_claimed_by_a_plan_or_by_a_cleaner(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        for number in range(60):
            workspace = WorkspacePaths(str(tmp_path / str(number)))
            job = make_job(workspace, A, outcome=Outcome.FAILED)
            removal = cleaning.plan_removal(workspace, [A])
            barrier = threading.Barrier(2)
            claiming = pool.submit(_claim, job, barrier)
            done = pool.submit(_cleaner, workspace, barrier, removal).result(timeout=60)
            if claiming.result(timeout=60):
                standing = tickets.ticket_names(job)
                assert "launch" in standing[2]
                assert (1 in standing) == (done.removals == ())
            else:
                assert [item.key for item in done.removals] == [A]


def test_two_cleaners_share_the_work(tmp_path: Path) -> None:
    names = [key(number) for number in range(30)]
    workspace = WorkspacePaths(str(tmp_path))
    for name in names:
        make_job(workspace, name)
    removal = cleaning.plan_removal(workspace, names)
    barrier = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        cleaners = [pool.submit(_cleaner, workspace, barrier, removal) for _ in range(2)]
        done = [cleaner.result(timeout=60) for cleaner in cleaners]
    moved = [item.key for clean in done for item in clean.removals]
    assert sorted(moved) == sorted(names)
    for clean in done:
        if clean.removals:
            cleaning.undo(workspace, clean.name)
    assert {scan.read_job(workspace, name).state for name in names} == {JobState.DONE}
