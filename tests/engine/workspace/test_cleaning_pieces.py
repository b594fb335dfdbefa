"""Runs, shared folders, files and logs go to the trash and come back as they were."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.folders import key, make_job, make_run, picture, reference
from tests.engine.making import launch
from xpm_engine.runtime.leftovers import move_aside
from xpm_engine.workspace import cleaning, processes, scan, tickets
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.cleaning.piece_places import place_of
from xpm_engine.workspace.layout import PACKED, JobPaths, WorkspacePaths
from xpm_engine.workspace.logs import read_tail
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Piece, PieceKind

A = key(1)
FIRST, SECOND = "20261121-091200-ab12", "20261122-091200-ab12"
SHARED = Piece(PieceKind.SHARED, ("ir.bm25", "checkpoints", "0" * 32))
FILE = Piece(PieceKind.FILE, (A.task, A.identifier, "models/deep/epoch1.pt"))
LOG = Piece(PieceKind.LOG, (A.task, A.identifier, "1.out"))
LOG_OF_ERRORS = Piece(PieceKind.LOG, (A.task, A.identifier, "1.err"))


def _run(name: str) -> Piece:
    return Piece(PieceKind.RUN, ("drmm", name))


@pytest.fixture
def job(workspace: WorkspacePaths) -> JobPaths:
    """A finished job of two runs, with models and a log, and a shared folder that nobody lists."""
    made = make_job(workspace, A)
    for name in (FIRST, SECOND):
        make_run(workspace, [reference(A)], run=name)
    os.symlink(SECOND, workspace.latest("drmm"))
    os.makedirs(f"{made.root}/models/deep")
    for name in ("models/deep/epoch1.pt", "models/deep/epoch2.pt"):
        Path(f"{made.root}/{name}").write_bytes(b"x" * 10_000)
    os.chmod(f"{made.root}/models/deep/epoch1.pt", 0o640)
    Path(made.stdout(1)).write_text("".join(f"line {number}\n" for number in range(1000)))
    os.makedirs(f"{place_of(workspace, SHARED)}/.xpm")
    Path(f"{place_of(workspace, SHARED)}/best.pt").touch()
    Path(workspace.shared_lock("/".join(SHARED.names))).touch()
    os.utime(f"{made.root}/models/deep", ns=(1, 10**18))
    os.utime(made.logs, ns=(1, 10**18))
    return made


def _carry_out(workspace: WorkspacePaths, *pieces: Piece) -> cleaning.Transaction:
    return cleaning.carry_out(
        workspace,
        cleaning.measure(
            workspace, replace(cleaning.plan_removal(workspace, []), pieces=tuple(pieces))
        ),
    )


def _names(workspace: WorkspacePaths) -> set[str]:
    """All that stands in the workspace, but for the trash."""
    walk = os.walk(workspace.root)
    found = {f"{folder}/{name}" for folder, names, files in walk for name in (*names, *files)}
    return {path for path in found if not path.startswith(workspace.xpm)}


def _why(workspace: WorkspacePaths, piece: Piece) -> str:
    before = _names(workspace)
    done = _carry_out(workspace, piece)
    assert done.empty
    assert _names(workspace) == before
    (left,) = done.left
    return left.why


@pytest.mark.parametrize("piece", [_run(FIRST), _run(SECOND), SHARED, FILE, LOG])
def test_there_and_back(workspace: WorkspacePaths, job: JobPaths, piece: Piece) -> None:
    shared = place_of(workspace, SHARED)
    before = {path: picture(path) for path in (job.root, workspace.experiments, shared)}
    times = [before[workspace.experiments].pop(name) for name in ("drmm", "drmm/latest")]
    done = _carry_out(workspace, piece)
    assert (done.pieces, done.left) == ((piece,), ())
    assert not os.path.lexists(place_of(workspace, piece))
    (lying,) = cleaning.list_trash(workspace)
    assert (lying.pieces, lying.removals) == ((piece,), ())
    assert lying.size is not None
    assert scan.read_job(workspace, A).state is JobState.DONE
    report = cleaning.undo(workspace, done.name)
    assert (report.pieces, report.kept) == ((piece,), ())
    after = picture(workspace.experiments)
    assert times[1][:2] == after.pop("drmm/latest")[:2]
    after.pop("drmm")
    assert after == before[workspace.experiments]
    assert picture(job.root) == before[job.root]
    assert picture(shared) == before[shared]
    assert os.listdir(workspace.trash) == []


def test_a_packed_log_is_read_in_its_place(workspace: WorkspacePaths, job: JobPaths) -> None:
    before = Path(job.stdout(1)).read_bytes()
    mode, time = os.stat(job.stdout(1)).st_mode, os.stat(job.stdout(1)).st_mtime_ns
    done = _carry_out(workspace, LOG)
    packed = os.stat(job.stdout(1) + ".gz")
    assert packed.st_size < len(before) / 3
    assert (packed.st_mode, packed.st_mtime_ns) == (mode, time)
    with gzip.open(job.stdout(1) + ".gz") as file:
        assert file.read() == before
    assert [line.text for line in read_tail(Path(job.stdout(1)), lines=1)] == ["line 999"]
    cleaning.purge(workspace, done.name)
    assert [line.text for line in read_tail(Path(job.stdout(1)), lines=1)] == ["line 999"]


def test_the_link_to_a_packed_log_leads_to_the_packed_copy(
    workspace: WorkspacePaths, job: JobPaths
) -> None:
    text = Path(job.stdout(1)).read_bytes()
    os.utime(job.stdout_link, ns=(1, 10**18), follow_symlinks=False)
    os.utime(job.root, ns=(1, 10**18))
    before = picture(job.root)
    done = _carry_out(workspace, LOG, LOG_OF_ERRORS)
    assert not os.path.lexists(job.stdout_link)
    with gzip.open(job.stdout_link + PACKED) as file:
        assert file.read() == text
    # Nothing led to this one, and nothing does.
    assert not os.path.lexists(job.stderr_link + PACKED)
    cleaning.undo(workspace, done.name)
    assert picture(job.root) == before


def test_the_link_to_a_packed_log_outlives_its_purge(
    workspace: WorkspacePaths, job: JobPaths
) -> None:
    cleaning.purge(workspace, _carry_out(workspace, LOG).name)
    with gzip.open(job.stdout_link + PACKED) as file:
        assert file.read().startswith(b"line 0\n")


def test_a_link_that_leads_elsewhere_is_left_alone(
    workspace: WorkspacePaths, job: JobPaths
) -> None:
    os.unlink(job.stdout_link)
    os.symlink(".xpm/logs/2.out", job.stdout_link)
    before = picture(job.root)
    done = _carry_out(workspace, LOG)
    assert os.readlink(job.stdout_link) == ".xpm/logs/2.out"
    assert not os.path.lexists(job.stdout_link + PACKED)
    cleaning.undo(workspace, done.name)
    assert picture(job.root) == before


def test_a_file_that_the_task_called_like_the_link_is_left_alone(
    workspace: WorkspacePaths, job: JobPaths
) -> None:
    Path(job.stdout_link + PACKED).write_text("the task's own")
    before = picture(job.root)
    done = _carry_out(workspace, LOG)
    assert not os.path.lexists(job.stdout_link)
    assert Path(job.stdout_link + PACKED).read_text() == "the task's own"
    cleaning.undo(workspace, done.name)
    assert picture(job.root) == before


@pytest.mark.parametrize("resumable", [True, False])
def test_a_later_attempt_has_links_of_its_own(
    workspace: WorkspacePaths, job: JobPaths, resumable: bool
) -> None:
    Path(job.stderr_link + PACKED).write_text("the task's own")
    done = _carry_out(workspace, LOG)
    move_aside(job, 2, resumable=resumable)
    assert not os.path.lexists(job.stdout_link + PACKED)
    kept = job.root if resumable else job.leftovers(1)
    assert Path(kept, "stderr.log.gz").read_text() == "the task's own"
    os.symlink(".xpm/logs/2.out", job.stdout_link)
    cleaning.undo(workspace, done.name)
    assert os.readlink(job.stdout_link) == ".xpm/logs/2.out"
    assert os.path.isfile(job.stdout(1))
    assert not os.path.lexists(job.stdout(1) + PACKED)


def test_a_log_that_comes_back_makes_no_link_while_its_job_runs(
    workspace: WorkspacePaths, job: JobPaths
) -> None:
    done = _carry_out(workspace, LOG)
    move_aside(job, 2, resumable=True)
    lock = tickets.hold(job.lock, patience=0.0)
    assert lock is not None
    cleaning.undo(workspace, done.name)
    os.close(lock)
    assert os.path.isfile(job.stdout(1))
    assert not os.path.lexists(job.stdout_link)


def test_a_damaged_packed_log_is_said(workspace: WorkspacePaths, job: JobPaths) -> None:
    from xpm_engine.errors import StorageError

    _carry_out(workspace, LOG)
    os.truncate(job.stdout(1) + ".gz", 100)
    with pytest.raises(StorageError, match="damaged"):
        read_tail(Path(job.stdout(1)))


def test_the_last_run_takes_the_experiment_with_it(
    workspace: WorkspacePaths, job: JobPaths
) -> None:
    done = _carry_out(workspace, _run(SECOND))
    assert os.readlink(workspace.latest("drmm")) == FIRST
    whole = _carry_out(workspace, _run(FIRST))
    assert os.listdir(workspace.experiments) == []
    assert scan.list_experiments(workspace) == []
    cleaning.undo(workspace, whole.name)
    assert os.readlink(workspace.latest("drmm")) == FIRST
    cleaning.undo(workspace, done.name)
    assert os.readlink(workspace.latest("drmm")) == SECOND


def _goes_on(workspace: WorkspacePaths) -> Piece:
    make_run(workspace, [], run="20261123-0", plan=PlanState.RUNNING)
    return _run("20261123-0")


def _is_damaged(workspace: WorkspacePaths) -> Piece:
    with open(workspace.run("drmm", FIRST).manifest, "ab") as file:
        file.write(b'{"task"\n')
    return _run(FIRST)


def _has_no_record(workspace: WorkspacePaths) -> Piece:
    os.unlink(workspace.run("drmm", FIRST).record)
    return _run(FIRST)


def _is_a_link(workspace: WorkspacePaths) -> Piece:
    os.rename(workspace.run("drmm", FIRST).root, f"{workspace.root}/elsewhere")
    os.symlink(f"{workspace.root}/elsewhere", workspace.run("drmm", FIRST).root)
    return _run(FIRST)


def _experiment_is_a_link(workspace: WorkspacePaths) -> Piece:
    os.rename(workspace.experiment("drmm"), f"{workspace.root}/elsewhere")
    os.symlink(f"{workspace.root}/elsewhere", workspace.experiment("drmm"))
    return _run(FIRST)


def _is_listed(workspace: WorkspacePaths) -> Piece:
    order = launch(key(2), shared=("/".join(SHARED.names),))
    tickets.claim_launch(workspace.job(key(2)), order)
    return SHARED


def _may_be_listed(workspace: WorkspacePaths) -> Piece:
    make_job(workspace, key(2))
    Path(workspace.job(key(2)).launch(1)).write_text("{")
    return SHARED


def _fails_again(workspace: WorkspacePaths) -> Piece:
    tickets.claim_launch(workspace.job(A), launch(A, 2))
    return FILE


def _is_pinned(workspace: WorkspacePaths) -> Piece:
    Path(workspace.job(A).pin).write_text("{}")
    return FILE


def _way_is_a_link(workspace: WorkspacePaths) -> Piece:
    models = f"{workspace.job(A).root}/models"
    os.rename(models, f"{workspace.root}/elsewhere")
    os.symlink(f"{workspace.root}/elsewhere", models)
    return FILE


def _file_is_a_link(workspace: WorkspacePaths) -> Piece:
    path = place_of(workspace, FILE)
    os.rename(path, f"{workspace.root}/elsewhere")
    os.symlink(f"{workspace.root}/elsewhere", path)
    return FILE


def _is_gone(workspace: WorkspacePaths) -> Piece:
    os.unlink(place_of(workspace, FILE))
    return FILE


def _climbs_out(workspace: WorkspacePaths) -> Piece:
    Path(f"{workspace.root}/../outside").touch()
    return Piece(PieceKind.FILE, (A.task, A.identifier, "../../../../outside"))


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (_goes_on, "nothing proves that it is over"),
        (_is_damaged, "nobody knows what it needs"),
        (_has_no_record, "nothing proves that it is over"),
        (_is_a_link, "it is a symbolic link"),
        (_experiment_is_a_link, "is a symbolic link, and links are not followed"),
        (_is_listed, "uses it"),
        (_may_be_listed, "nobody knows"),
        (_fails_again, "the job is queued"),
        (_is_pinned, "it is pinned"),
        (_way_is_a_link, "is a symbolic link, and links are not followed"),
        (_file_is_a_link, "it is no file"),
        (_is_gone, "it is gone"),
        (_climbs_out, "is not in the workspace"),
    ],
)
def test_what_stays(
    workspace: WorkspacePaths,
    job: JobPaths,
    prepare: Callable[[WorkspacePaths], Piece],
    words: str,
) -> None:
    assert words in _why(workspace, prepare(workspace))


@pytest.mark.parametrize("piece", [_run(FIRST), SHARED, FILE, LOG])
def test_another_users_stays(
    workspace: WorkspacePaths, job: JobPaths, piece: Piece, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    assert "belongs to" in _why(workspace, piece)


def test_a_shared_folder_whose_job_runs_stays(workspace: WorkspacePaths, job: JobPaths) -> None:
    lock = tickets.hold(workspace.shared_lock("/".join(SHARED.names)), patience=0.0)
    assert lock is not None
    assert "runs" in _why(workspace, SHARED)
    os.close(lock)


@pytest.mark.parametrize("piece", [_run(FIRST), SHARED, FILE, LOG])
def test_nothing_newer_is_overwritten(
    workspace: WorkspacePaths, job: JobPaths, piece: Piece
) -> None:
    done = _carry_out(workspace, piece)
    place = place_of(workspace, piece)
    os.makedirs(place) if piece.kind in (PieceKind.RUN, PieceKind.SHARED) else Path(place).touch()
    report = cleaning.undo(workspace, done.name)
    assert "newer" in report.kept[0].why
    assert cleaning.list_trash(workspace)[0].pieces == (piece,)


def test_an_undo_leaves_alone_what_another_clean_had(
    workspace: WorkspacePaths, job: JobPaths
) -> None:
    before = picture(job.root)
    first = _carry_out(workspace, FILE, LOG)
    second = _carry_out(
        workspace, FILE, LOG, Piece(PieceKind.FILE, (*FILE.names[:2], "models/one"))
    )
    assert second.empty
    third = _carry_out(workspace, FILE, SHARED)
    assert third.pieces == (SHARED,)
    cleaning.undo(workspace, first.name)
    assert picture(job.root) == before
    cleaning.undo(workspace, third.name)
    assert picture(job.root) == before


def test_a_file_does_not_come_back_into_a_job_that_was_computed_again(
    workspace: WorkspacePaths, job: JobPaths
) -> None:
    done = _carry_out(workspace, FILE)
    cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    make_job(workspace, A)
    os.utime(job.launch(1), ns=(1, 1))
    assert "computed again" in cleaning.undo(workspace, done.name).kept[0].why


def test_a_lost_journal_loses_nothing(workspace: WorkspacePaths, job: JobPaths) -> None:
    pieces = (FILE, LOG, _run(FIRST), SHARED)
    done = _carry_out(workspace, *pieces)
    os.unlink(workspace.transaction(done.name).journal)
    (lying,) = cleaning.list_trash(workspace)
    assert set(lying.pieces) == set(pieces)
    assert set(cleaning.undo(workspace, done.name).pieces) == set(pieces)
    assert all(os.path.lexists(place_of(workspace, piece)) for piece in pieces)


def test_what_stays_known_of_purged_jobs(workspace: WorkspacePaths, job: JobPaths) -> None:
    failed = make_job(workspace, key(2), outcome=Outcome.FAILED, tags={"lr": 0.1})
    with open(failed.stderr(1), "w", encoding="ascii") as file:
        file.write("10 %\r20 %\r30 %\n" + "x\n" * 20 + "Traceback\nValueError: no\n")
    plan = cleaning.measure(workspace, cleaning.plan_removal(workspace, [key(2)]))
    done = cleaning.carry_out(workspace, replace(plan, pieces=(LOG,)))
    assert cleaning.list_purged(workspace) == ()
    cleaning.purge(workspace, done.name)
    (record,) = cleaning.list_purged(workspace)
    assert (record.name, record.cleaned, record.user) == (
        done.name,
        done.at,
        processes.user_name(),
    )
    assert record.pieces == (LOG,)
    (gone,) = record.jobs
    assert (gone.key, gone.state, gone.tags) == (key(2), JobState.FAILED, {"lr": 0.1})
    assert gone.stderr[-2:] == ("Traceback", "ValueError: no")
    assert len(gone.stderr) == 10
    assert gone.stdout == ("out",)
    assert gone.size == plan.rows[0].size
    assert gone.ended


def test_the_end_of_a_packed_log_stays_known(workspace: WorkspacePaths, job: JobPaths) -> None:
    _carry_out(workspace, LOG)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    cleaning.purge(workspace, done.name)
    (gone,) = cleaning.list_purged(workspace)[0].jobs
    assert gone.stdout == tuple(f"line {number}" for number in range(990, 1000))
    assert gone.stderr == ("err",)


def test_a_full_disk_does_not_stop_a_purge(
    workspace: WorkspacePaths, job: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    real, trash = os.write, workspace.transaction(done.name)

    def full(descriptor: int, data: bytes) -> int:
        if os.path.lexists(trash.jobs) or os.path.lexists(trash.purging):
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    cleaning.purge(workspace, done.name)
    assert cleaning.list_trash(workspace) == ()
    (record,) = cleaning.list_purged(workspace)
    assert [gone.key for gone in record.jobs] == [A]


def test_a_purge_that_crashed_before_it_began_leaves_no_record(
    workspace: WorkspacePaths, job: JobPaths
) -> None:
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    os.makedirs(workspace.purged)
    write_atomic(workspace.purged_record(done.name), dumps({"v": 1}))
    assert cleaning.list_purged(workspace) == ()
    cleaning.undo(workspace, done.name)
    assert os.listdir(workspace.purged) == []
