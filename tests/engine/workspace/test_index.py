"""The index: what it remembers is what was there, and nothing that is wrong with it matters."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.big_workspace import OLD, Shape, make
from tests.engine.folders import key as key_of
from tests.engine.folders import make_job
from tests.engine.making import dead_process
from xpm_engine.verbs.cleaning.obsolete import survey_workspace
from xpm_engine.workspace import scan
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.index import (
    JobReader,
    Known,
    Remembered,
    pack_job,
    pack_manifest,
    read_index,
    record_of,
    state_of,
    write_index,
)
from xpm_engine.workspace.index.file import index_path
from xpm_engine.workspace.layout import JobKey, RunPaths, WorkspacePaths
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.runs import Manifest, PlanState, end_line
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord
from xpm_engine.workspace.scan.runs import read_manifest

SHAPE = Shape(40, experiments=3, failed=0.3, running=4, waiting=5)


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    return make(tmp_path / "ws", SHAPE)


@pytest.fixture
def known(workspace: WorkspacePaths) -> Known:
    return look(workspace)


def look(workspace: WorkspacePaths, remembered: Remembered | None = None) -> Known:
    """Look at everything, as an app does."""
    found = Known(workspace)
    if remembered is not None:
        found.remember(remembered.jobs, remembered.runs)
    for key in {*found.come_or_gone(), *found.jobs}:
        found.look_at_job(key)
    names = [(name, run) for name, runs in found.list_runs() for run in runs]
    found.forget_runs(found.runs.keys() - set(names))
    for name in names:
        found.look_at_run(name)
    return found


def test_a_packed_job_is_the_same_job(workspace: WorkspacePaths, known: Known) -> None:
    packed = 0
    for key, (_, row) in known.jobs.items():
        record = scan.read_job(workspace, key)
        assert record_of(key, row) == record
        assert state_of(row) is record.state
        assert pack_job(record) == row
        packed += isinstance(row, bytes)
    assert packed == 36


def test_packed_lines_are_the_same_lines(workspace: WorkspacePaths) -> None:
    view = scan.read_run(workspace, "grid02", scan.list_runs(workspace, "grid02")[0])
    packed = pack_manifest(view.manifest)
    assert tuple(packed.references) == view.manifest.references
    assert packed.references[-1] == view.manifest.references[-1]
    assert packed.references[1:3] == list(view.manifest.references[1:3])
    assert packed == pack_manifest(view.manifest)


def test_what_ended_is_remembered_and_not_read_again(
    workspace: WorkspacePaths, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert write_index(known) == ""
    remembered = read_index(workspace)
    assert remembered is not None
    assert len(remembered.jobs) == 36
    assert {name for name, _ in remembered.runs} == {"grid00", "grid01", "grid02"}
    read: list[JobState] = []
    real = scan.read_job

    def counted(paths: WorkspacePaths, key: JobKey) -> JobRecord:
        record = real(paths, key)
        read.append(record.state)
        return record

    monkeypatch.setattr(scan, "read_job", counted)
    again = look(workspace, remembered)
    assert read == [JobState.RUNNING] * 4
    assert again.jobs == known.jobs
    assert again.runs == known.runs


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The manifests that were read from their start, as it happens."""
    found: list[str] = []
    real = read_manifest

    def counted(paths: RunPaths) -> Manifest:
        found.append(paths.manifest)
        return real(paths)

    monkeypatch.setattr("xpm_engine.workspace.scan.runs.read_manifest", counted)
    return found


def remembered_of(workspace: WorkspacePaths, known: Known) -> Remembered:
    assert write_index(known) == ""
    remembered = read_index(workspace)
    assert remembered is not None
    return remembered


def test_the_manifest_of_a_run_that_goes_on_is_not_read_again(
    workspace: WorkspacePaths, known: Known, parsed: list[str]
) -> None:
    live = ("grid02", scan.list_runs(workspace, "grid02")[0])
    assert known.runs[live].view.live
    remembered = remembered_of(workspace, known)
    again = Known(workspace)
    # Which of its jobs run nobody remembers, so that it is not shown before it was looked at.
    assert live not in again.remember(remembered.jobs, remembered.runs)
    assert again.look_at_run(live) == known.runs[live].view
    assert not parsed


def test_the_manifest_of_a_run_that_went_on_is_read_if_it_grew(
    workspace: WorkspacePaths, known: Known, parsed: list[str]
) -> None:
    live = ("grid02", scan.list_runs(workspace, "grid02")[0])
    remembered = remembered_of(workspace, known)
    path = workspace.run(*live).manifest
    with open(path, "ab") as file:
        file.write(dumps(end_line(len(known.runs[live].view.manifest.references))) + b"\n")
    view = look(workspace, remembered).runs[live].view
    assert parsed == [path]
    assert view.manifest.ended


def test_a_crashed_run_is_remembered_as_it_was(
    workspace: WorkspacePaths, parsed: list[str]
) -> None:
    name = ("grid01", scan.list_runs(workspace, "grid01")[0])
    paths = workspace.run(*name)
    crashed = replace(scan.read_run_record(paths), plan=PlanState.RUNNING, driver=dead_process())
    write_atomic(paths.record, dumps(crashed.to_json()))
    lines = Path(paths.manifest).read_bytes().splitlines(keepends=True)
    Path(paths.manifest).write_bytes(b"".join(lines[:-1]))
    for path in (paths.record, paths.manifest):
        os.utime(path, (OLD, OLD))
    known = look(workspace)
    view = known.runs[name].view
    assert (view.plan, view.manifest.ended, view.problem) == (PlanState.CRASHED, False, "")
    remembered = remembered_of(workspace, known)
    assert remembered.runs[name] == known.runs[name]
    parsed.clear()
    assert look(workspace, remembered).runs == known.runs
    assert not parsed


def test_the_index_lies_in_the_cache_folder_and_belongs_to_its_user_alone(
    workspace: WorkspacePaths, known: Known
) -> None:
    before = sorted(Path(workspace.root).rglob("*"))
    write_index(known)
    path = Path(index_path(workspace))
    assert path.is_relative_to(os.environ["XDG_CACHE_HOME"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert sorted(Path(workspace.root).rglob("*")) == before


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flip(path: Path) -> None:
    """Damage the data, and not what SQLite looks at."""
    with closing(sqlite3.connect(path)) as file:
        data = bytearray(file.execute("select data from jobs").fetchone()[0])
        data[len(data) // 2] ^= 0xFF
        file.execute("update jobs set data = ?", (bytes(data),))
        file.commit()


def _age(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("update about set version = 'another'")
        file.commit()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _fill(path: Path) -> None:
    path.write_bytes(b"no database at all\n" * 100)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [_truncate, _flip, _age, _empty, _fill, _folder])
def test_an_index_that_is_damaged_is_as_if_it_were_not_there(
    workspace: WorkspacePaths, known: Known, harm: Callable[[Path], None]
) -> None:
    write_index(known)
    harm(Path(index_path(workspace)))
    assert read_index(workspace) is None


def test_another_folder_at_the_same_place_is_another_workspace(
    workspace: WorkspacePaths, known: Known
) -> None:
    write_index(known)
    os.rename(workspace.root, workspace.root + "-old")
    os.mkdir(workspace.root)
    assert read_index(workspace) is None


def test_an_index_that_somebody_writes_to_does_not_make_a_reader_wait(
    workspace: WorkspacePaths, known: Known
) -> None:
    write_index(known)
    with closing(sqlite3.connect(index_path(workspace), isolation_level=None)) as other:
        other.execute("begin exclusive")
        assert read_index(workspace) is not None
        assert write_index(known) == ""


def test_a_cache_folder_that_can_not_be_written_is_said(
    workspace: WorkspacePaths, known: Known, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert "Not a directory" in write_index(known)
    assert read_index(workspace) is None


def test_a_young_job_is_not_remembered(workspace: WorkspacePaths, known: Known) -> None:
    key, _ = next(item for item in known.jobs.items() if isinstance(item[1][1], bytes))
    Path(workspace.job(key).xpm, "note").write_text("")
    again = look(workspace)
    assert key in again.young
    write_index(again)
    remembered = read_index(workspace)
    assert remembered is not None
    assert key not in remembered.jobs
    assert len(remembered.jobs) == 35


@pytest.mark.parametrize("many", [0, 10_000])
def test_many_jobs_are_read_as_each_alone(
    workspace: WorkspacePaths, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_engine.workspace.index.reading.MANY", many)
    monkeypatch.setattr("xpm_engine.workspace.index.reading.LARGE", many)
    monkeypatch.setattr("xpm_engine.workspace.index.reading.WORTH_KEEPING", 1)
    names = [
        (name, run) for name in ("grid00", "grid02") for run in scan.list_runs(workspace, name)
    ]
    for _ in range(2):  # the second time with what the first one remembered
        reader = JobReader(workspace)
        for name in names:
            view, expected = reader.run(*name), scan.read_run(workspace, *name)
            assert tuple(view.manifest.references) == expected.manifest.references
            assert (view.record, view.queue, view.plan) == (
                expected.record,
                expected.queue,
                expected.plan,
            )
            keys = [line.key for line in view.manifest.references]
            assert reader.records(keys) == {key: scan.read_job(workspace, key) for key in keys}
        reader.keep()
    assert (read_index(workspace) is None) is (many > 0)


def test_a_survey_remembers_what_it_read_for_the_next(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_engine.workspace.index.reading.WORTH_KEEPING", 1)
    read: list[JobKey] = []
    real = scan.read_job

    def counted(paths: WorkspacePaths, key: JobKey) -> JobRecord:
        read.append(key)
        return real(paths, key)

    monkeypatch.setattr(scan, "read_job", counted)
    keys = list(scan.list_jobs(workspace))
    first = survey_workspace(workspace).survey
    assert set(keys) <= set(read)
    read.clear()
    assert survey_workspace(workspace).survey.obsolete == first.obsolete
    live = {key for key in keys if first.jobs[key].state.live}
    assert set(read) <= live
    gone = next(key for key in keys if key not in live)
    shutil.rmtree(workspace.job(gone).root)
    assert gone not in survey_workspace(workspace).survey.jobs
    survey_workspace(workspace)
    remembered = read_index(workspace)
    assert remembered is not None
    assert set(remembered.jobs) <= set(keys)


def test_a_command_finds_what_changed_since_it_was_remembered(
    workspace: WorkspacePaths, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_engine.workspace.index.reading.MANY", 0)
    write_index(known)
    gone, cut, *_ = (key for key, (_, row) in known.jobs.items() if isinstance(row, bytes))
    shutil.rmtree(workspace.job(gone).root)
    Path(workspace.job(cut).end(1)).unlink()
    records = JobReader(workspace).records([gone, cut])
    assert records[gone].state is JobState.NOT_SUBMITTED
    assert records[cut] == scan.read_job(workspace, cut)
    assert records[cut].state is JobState.DIED


def test_a_sign_of_life_of_another_host_is_seen(tmp_path: Path) -> None:
    workspace = WorkspacePaths.at(tmp_path)
    name = key_of(1)
    far = ProcessIdentity("theirs", "theirs", "", 4121, 1, "node17")
    job = make_job(workspace, name, outcome=None, by=far)
    Path(job.alive).touch()
    now = int(time.time())
    for path in (job.start(1), job.alive, job.xpm):
        os.utime(path, (now - 900, now - 900))
    known = Known(workspace)
    row = known.look_at_job(name)
    assert isinstance(row, JobRecord)
    assert (row.state, row.sign) == (JobState.UNREACHABLE, now - 900)
    assert known.look_at_job(name) is None
    # Touching it leaves the folder's time alone.
    os.utime(job.alive, (now - 30, now - 30))
    row = known.look_at_job(name)
    assert isinstance(row, JobRecord)
    assert row.sign == now - 30
    assert known.look_at_job(name) is None
