"""A clean of what is no whole job that is cut short at any step: nothing is lost, nothing half.

One transaction holds one of each kind: leftovers, dropped files, packed logs, runs, the last run of
an experiment, a shared folder, and a job besides. The crash is that of `test_cleaning_crash`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.folders import key, make_job, make_run, picture, reference
from tests.engine.workspace.test_cleaning_crash import Crash, Crasher
from xpm_engine.workspace import cleaning, scan
from xpm_engine.workspace.cleaning.piece_places import place_of
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Piece, PieceKind

pytestmark = pytest.mark.usefixtures("unsynced")

WHOLE, FINISHED, TRIED = key(1), key(2), key(3)
RUNS = ("20261121-091200-ab12", "20261122-091200-ab12", "20261123-091200-ab12")
SHARED = ("ir.bm25", "checkpoints", "0" * 32)


def _file(name: str) -> Piece:
    return Piece(PieceKind.FILE, (FINISHED.task, FINISHED.identifier, name))


PIECES = (
    Piece.leftovers(TRIED, 1),
    _file("models/epoch1.pt"),
    _file("models/epoch2.pt"),
    _file("large.bin"),
    Piece(PieceKind.LOG, (FINISHED.task, FINISHED.identifier, "1.out")),
    Piece(PieceKind.LOG, (FINISHED.task, FINISHED.identifier, "1.err")),
    Piece(PieceKind.RUN, ("drmm", RUNS[0])),
    Piece(PieceKind.RUN, ("drmm", RUNS[2])),
    Piece(PieceKind.RUN, ("single", RUNS[0])),
    Piece(PieceKind.SHARED, SHARED),
)

Seen = dict[str, Any]


def _make(path: Path) -> WorkspacePaths:
    """A workspace that holds all of it."""
    workspace = WorkspacePaths(str(path))
    make_job(workspace, WHOLE)
    done = make_job(workspace, FINISHED)
    os.mkdir(f"{done.root}/models")
    for name in ("models/epoch1.pt", "models/epoch2.pt", "models/best.pt", "large.bin"):
        Path(f"{done.root}/{name}").write_bytes(name.encode() * 1000)
    Path(done.stdout(1)).write_text("".join(f"line {number}\n" for number in range(500)))
    tried = make_job(workspace, TRIED)
    os.makedirs(tried.leftovers(1))
    Path(f"{tried.leftovers(1)}/half.pt").write_bytes(b"half")
    for experiment, names in (("drmm", RUNS), ("single", RUNS[:1])):
        for name in names:
            make_run(workspace, [reference(FINISHED)], experiment=experiment, run=name)
        os.symlink(names[-1], workspace.latest(experiment))
    shared = workspace.shared_folder("/".join(SHARED))
    os.makedirs(f"{shared}/.xpm")
    Path(f"{shared}/.xpm/lock").touch()
    Path(f"{shared}/best.pt").write_bytes(b"best")
    for path in (f"{done.root}/models", done.logs, done.stdout_link, done.root, shared, tried.root):
        os.utime(path, ns=(1, 10**18), follow_symlinks=False)
    return workspace


def _look(workspace: WorkspacePaths) -> Seen:
    """All that stands in the workspace, but for the times of the folders above what is moved."""
    roots = [workspace.job(name).root for name in (WHOLE, FINISHED, TRIED)]
    roots += [place_of(workspace, piece) for piece in PIECES if piece.key is None]
    roots.append(workspace.run("drmm", RUNS[1]).root)
    found: Seen = {root: picture(root) for root in roots if os.path.lexists(root)}
    for experiment in ("drmm", "single"):
        link = workspace.latest(experiment)
        found[link] = os.readlink(link) if os.path.lexists(link) else None
    return found


def _plan(workspace: WorkspacePaths) -> cleaning.RemovalPlan:
    plan = cleaning.plan_removal(workspace, [WHOLE])
    return cleaning.measure(workspace, replace(plan, pieces=PIECES))


def _lying(workspace: WorkspacePaths) -> tuple[set[JobKey], set[Piece]]:
    cleans = cleaning.list_trash(workspace)
    jobs = {item.key for clean in cleans for item in clean.removals}
    return jobs, {item for clean in cleans for item in clean.pieces}


def _nothing_is_half(workspace: WorkspacePaths) -> None:
    """Each piece stands in its place or lies in the trash; nothing of a move is left over."""
    jobs, lying = _lying(workspace)
    for clean in cleaning.list_trash(workspace):
        assert not clean.unfinished
        assert not clean.problem
    assert os.path.lexists(workspace.job(WHOLE).root) is (WHOLE not in jobs)
    for piece in PIECES:
        place = place_of(workspace, piece)
        assert os.path.lexists(place) is (piece not in lying), piece.words
        if piece.kind is PieceKind.LOG:
            assert os.path.lexists(place + ".gz") is (piece in lying)
            if piece.names[2] == "1.out":
                job = workspace.job(FINISHED)
                assert os.path.exists(job.stdout_link) is (piece not in lying)
                assert os.path.exists(job.stdout_link + ".gz") is (piece in lying)
    for folder, _, files in os.walk(workspace.jobs):
        assert not [f"{folder}/{name}" for name in files if name.endswith(".tmp")]
    for experiment in ("drmm", "single"):
        runs = scan.list_runs(workspace, experiment)
        link = workspace.latest(experiment)
        assert (os.readlink(link) if os.path.lexists(link) else None) == (
            runs[-1] if runs else None
        )
        assert os.path.isdir(workspace.experiment(experiment)) is bool(runs)


def _comes_back(workspace: WorkspacePaths, before: Seen) -> None:
    _nothing_is_half(workspace)
    for clean in cleaning.list_trash(workspace):
        assert cleaning.undo(workspace, clean.name).kept == ()
    assert _look(workspace) == before
    for name in (WHOLE, FINISHED, TRIED):
        assert scan.read_job(workspace, name).state is JobState.DONE
    if os.path.isdir(workspace.trash):
        assert os.listdir(workspace.trash) == []


def _crashes(
    tmp_path: Path,
    prepare: Callable[[WorkspacePaths], Any],
    act: Callable[[WorkspacePaths, Any], object],
    check: Callable[[WorkspacePaths, Seen], None],
) -> int:
    """Act with a crash after 0, 1, 2… changes, until it comes through; how many times."""
    for after in range(10_000):
        workspace = _make(tmp_path / str(after))
        before = _look(workspace)
        prepared = prepare(workspace)
        with pytest.MonkeyPatch.context() as patch:
            crasher = Crasher(patch, after=after)
            with suppress(Crash):
                act(workspace, prepared)
        cleaning.recover(workspace)
        try:
            check(workspace, before)
        except AssertionError as error:
            raise AssertionError(f"after {after} changes") from error
        if crasher.count <= after:
            return after
    raise AssertionError("it never came through")


def _clean_all(workspace: WorkspacePaths) -> str:
    return cleaning.carry_out(workspace, _plan(workspace)).name


def test_a_clean_is_finished_or_rolled_back(tmp_path: Path) -> None:
    assert _crashes(tmp_path, _plan, cleaning.carry_out, _comes_back) > 60


def test_an_undo_is_finished_or_can_be_tried_again(tmp_path: Path) -> None:
    assert _crashes(tmp_path, _clean_all, cleaning.undo, _comes_back) > 40


def test_a_purge_is_undone_whole_or_finished(tmp_path: Path) -> None:
    def check(workspace: WorkspacePaths, before: Seen) -> None:
        jobs, lying = _lying(workspace)
        assert (jobs, lying) in ((set(), set()), ({WHOLE}, set(PIECES)))
        if lying:
            _comes_back(workspace, before)
            return
        assert os.listdir(workspace.trash) == []
        (record,) = cleaning.list_purged(workspace)
        assert [job.key for job in record.jobs] == [WHOLE]
        assert set(record.pieces) == set(PIECES)

    assert _crashes(tmp_path, _clean_all, cleaning.purge, check) > 40


def test_a_recovery_that_crashes_is_recovered(tmp_path: Path) -> None:
    for before in ("symlink", "replace"):

        def crashed(workspace: WorkspacePaths, before: str = before) -> None:
            with pytest.MonkeyPatch.context() as patch:
                plan = _plan(workspace)
                Crasher(patch, before=before)
                with pytest.raises(Crash):
                    cleaning.carry_out(workspace, plan)

        folder = tmp_path / before
        steps = _crashes(
            folder, crashed, lambda workspace, _: cleaning.recover(workspace), _comes_back
        )
        assert steps >= 5
