"""Shared folders and files of finished jobs: a plan or a job and a cleaner at one at the same time.

One of the two always sees the other: what a job works in stays in its place, and what a plan goes
on from, after it said that it needs it, is not taken from it.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from tests.engine.folders import key, make_job, make_run, picture, reference
from tests.engine.making import launch
from xpm_engine.runtime.shared import sharing
from xpm_engine.workspace import cleaning, scan, tickets
from xpm_engine.workspace.atomic import append_bytes, dumps
from xpm_engine.workspace.cleaning.cleaner import Cleaner
from xpm_engine.workspace.cleaning.piece_places import place_of
from xpm_engine.workspace.layout import JobPaths, WorkspacePaths
from xpm_engine.workspace.records.orders import StoredOrder
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import LaunchedBy
from xpm_engine.workspace.records.trash import Piece, PieceKind

pytestmark = pytest.mark.usefixtures("unsynced")

ROUNDS = 200
SEED = int(os.environ.get("XPM_SEED", "20261127"))
"""Of how long each side lingers before it begins; printed, so that a failure can be had again."""

A, B = key(1), key(2)
SHARED = ("ir.bm25", "checkpoints", "0" * 32)
NAME = "/".join(SHARED)
FOLDER = Piece(PieceKind.SHARED, SHARED)
FILE = Piece(PieceKind.FILE, (A.task, A.identifier, "epoch1.pt"))
LIMIT = 60


def _removal(workspace: WorkspacePaths, piece: Piece) -> cleaning.RemovalPlan:
    return replace(cleaning.plan_removal(workspace, []), pieces=(piece,))


def _cleaner(
    workspace: WorkspacePaths, barrier: threading.Barrier, linger: float, plan: cleaning.RemovalPlan
) -> cleaning.Transaction:
    barrier.wait()
    time.sleep(linger)
    return cleaning.carry_out(workspace, plan)


@dataclass
class _Inside:
    """How many jobs work in the shared folder at this moment."""

    now: int = 0
    most: int = 0


def _job(
    workspace: WorkspacePaths, barrier: threading.Barrier, linger: float, inside: _Inside
) -> list[str]:
    """A job that shares the folder, from its launch to its end; what it found there."""
    number = 1 + inside.most
    barrier.wait()
    time.sleep(linger)
    name = key(threading.get_native_id())
    tickets.claim_launch(workspace.job(name), launch(name, shared=(NAME,)))

    def wait() -> bool:
        time.sleep(0.0005)
        return True

    with sharing(workspace, (NAME,), wait) as alone:
        assert alone
        inside.now += 1
        inside.most = max(inside.most, inside.now)
        folder = Path(workspace.shared_folder(NAME))
        found = sorted(path.name for path in folder.glob("*.pt"))
        (folder / f"{name.identifier}.pt").write_bytes(b"mine")
        time.sleep(linger / number)
        inside.now -= 1
    return found


def test_a_shared_folder_that_a_job_works_in_stays(tmp_path: Path) -> None:
    draw = Random(SEED)
    print("seed", SEED)
    outcomes: set[bool] = set()
    with ThreadPoolExecutor(3) as pool:
        for number in range(ROUNDS):
            workspace = WorkspacePaths(str(tmp_path / str(number)))
            place = Path(place_of(workspace, FOLDER))
            (place / ".xpm").mkdir(parents=True)
            (place / ".xpm" / "lock").touch()
            (place / "old.pt").write_bytes(b"old")
            removal = _removal(workspace, FOLDER)
            barrier = threading.Barrier(3)
            inside = _Inside()
            lingers = [draw.uniform(0.0, 0.003) for _ in range(3)]
            jobs = [pool.submit(_job, workspace, barrier, lingers[n], inside) for n in (0, 1)]
            done = pool.submit(_cleaner, workspace, barrier, lingers[2], removal).result(LIMIT)
            found = [job.result(LIMIT) for job in jobs]
            assert inside.most == 1
            outcomes.add(done.empty)
            stands = {path.name: path.read_bytes() for path in place.glob("*.pt")}
            # Both jobs worked in the folder that stands, whether it is the old one or a new one.
            assert list(stands.values()).count(b"mine") == 2
            assert ("old.pt" in stands) is done.empty
            assert all(("old.pt" in names) is done.empty for names in found)
            if not done.empty:
                lying = workspace.transaction(done.name).piece(FOLDER.kind.value, FOLDER.names)
                assert [path.name for path in Path(lying).glob("*.pt")] == ["old.pt"]
                assert "newer" in cleaning.undo(workspace, done.name).kept[0].why
    print("moved or not:", outcomes)


def _plan(workspace: WorkspacePaths, barrier: threading.Barrier, linger: float) -> bool:
    """What a plan does by the contract: reference first, then the tickets; a clean is waited for.

    Whether the file was there when the plan had found its job done.
    """
    job = workspace.job(A)
    barrier.wait()
    time.sleep(linger)
    make_run(workspace, [reference(A)], plan=PlanState.RUNNING)
    while True:
        last = tickets.last_attempt(job)
        assert last is not None
        if last.end is None and last.launch.by is LaunchedBy.CLEAN:
            time.sleep(0.0005)
            continue
        assert last.end is not None
        assert last.end.outcome is Outcome.DONE
        return os.path.exists(place_of(workspace, FILE))


def test_a_file_that_a_plan_goes_on_from_is_not_taken_from_it(tmp_path: Path) -> None:
    draw = Random(SEED)
    print("seed", SEED)
    outcomes: set[bool] = set()
    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            workspace = WorkspacePaths(str(tmp_path / str(number)))
            job = make_job(workspace, A)
            place = Path(place_of(workspace, FILE))
            place.write_bytes(b"model")
            before = picture(job.root)
            removal = _removal(workspace, FILE)
            barrier = threading.Barrier(2)
            lingers = [draw.uniform(0.0, 0.003) for _ in range(2)]
            planning = pool.submit(_plan, workspace, barrier, lingers[0])
            done = pool.submit(_cleaner, workspace, barrier, lingers[1], removal).result(LIMIT)
            found = planning.result(LIMIT)
            outcomes.add(found)
            assert found is done.empty is place.exists()
            assert scan.read_job(workspace, A).state is JobState.DONE
            if not done.empty:
                assert cleaning.undo(workspace, done.name).kept == ()
            assert picture(job.root) == before
    print("found or not:", outcomes)


def test_a_file_of_a_job_that_a_run_began_to_use_after_the_plan_stays(
    workspace: WorkspacePaths,
) -> None:
    make_job(workspace, A)
    Path(place_of(workspace, FILE)).touch()
    removal = _removal(workspace, FILE)
    make_run(workspace, [reference(A)], plan=PlanState.RUNNING)
    done = cleaning.carry_out(workspace, removal)
    assert done.empty
    assert "goes on and needs it" in done.left[0].why
    assert scan.read_job(workspace, A).state is JobState.DONE


def test_a_file_of_a_job_that_is_pinned_at_that_moment_stays(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(workspace, A)
    Path(place_of(workspace, FILE)).touch()
    removal = _removal(workspace, FILE)
    claim = Cleaner.claim

    def pinned_before(cleaner: Cleaner, paths: JobPaths, number: int) -> bool:
        Path(job.pin).touch()
        return claim(cleaner, paths, number)

    monkeypatch.setattr(Cleaner, "claim", pinned_before)
    done = cleaning.carry_out(workspace, removal)
    assert "it is pinned" in done.left[0].why
    assert scan.read_job(workspace, A).state is JobState.DONE


def test_a_file_of_a_job_that_is_tried_again_stays(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    Path(place_of(workspace, FILE)).touch()
    removal = _removal(workspace, FILE)
    tickets.claim_launch(job, launch(A, 2))
    done = cleaning.carry_out(workspace, removal)
    assert "the job is queued" in done.left[0].why


def test_a_folder_that_a_waiting_job_is_to_share_stays(workspace: WorkspacePaths) -> None:
    os.makedirs(f"{place_of(workspace, FOLDER)}/.xpm")
    run = make_run(workspace, [reference(B)], plan=PlanState.RUNNING)
    order = StoredOrder(B, {}, "", shared=(NAME,))
    append_bytes(run.orders, dumps(order.to_json()) + b"\n{damaged\n")
    done = cleaning.carry_out(workspace, _removal(workspace, FOLDER))
    assert done.left[0].why.endswith(f"{B} of run drmm/{os.path.basename(run.root)} uses it")
    over = make_run(workspace, [reference(B)], run="20261120-091200-ab12")
    append_bytes(over.orders, dumps(order.to_json()) + b"\n")
    os.unlink(run.orders)
    assert not cleaning.carry_out(workspace, _removal(workspace, FOLDER)).empty


def test_many_files_and_folders_are_moved_with_few_locks(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_engine.workspace.cleaning.moves.MOST_LOCKS", 3)
    pieces: list[Piece] = []
    for number in range(5):
        name = key(number)
        job = make_job(workspace, name)
        for each in ("a.pt", "b.pt"):
            Path(f"{job.root}/{each}").touch()
            pieces.append(Piece(PieceKind.FILE, (name.task, name.identifier, each)))
        pieces.append(Piece(PieceKind.LOG, (name.task, name.identifier, "1.out")))
        pieces.append(Piece(PieceKind.SHARED, ("ir.bm25", "checkpoints", f"{number:032x}")))
        os.makedirs(f"{place_of(workspace, pieces[-1])}/.xpm")
    plan = replace(cleaning.plan_removal(workspace, []), pieces=tuple(pieces))
    done = cleaning.carry_out(workspace, plan)
    assert (done.left, set(done.pieces)) == ((), set(pieces))
    assert {scan.read_job(workspace, key(n)).state for n in range(5)} == {JobState.DONE}
