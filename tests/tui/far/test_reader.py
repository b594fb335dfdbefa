"""A workspace of another machine reads as one of this machine does, change by change."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.remote.agents import connect
from tests.patience import PATIENCE
from tests.tui import vanishing
from tests.tui.far.conftest import Line
from tests.tui.workspaces import FakeJob, FakeWorkspace, call_off, dead_process
from xpm_engine.remote.connection import Connection
from xpm_engine.verbs.cleaning import clean
from xpm_engine.verbs.cleaning.clean import Transaction
from xpm_engine.workspace.index import record_of
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Outcome, Wait, WaitKind
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord, RunView
from xpm_tui.far.details import Details
from xpm_tui.far.place import FarPlace, open_place
from xpm_tui.far.reader import FarReader
from xpm_tui.store import Delta, RunKey
from xpm_tui.store.reader import Look, Reader
from xpm_tui.watcher import Reads

Jobs = dict[str, FakeJob]


class Seen:
    """What a reader has told so far."""

    def __init__(self, reader: Reads) -> None:
        self.reader = reader
        self.jobs: dict[JobKey, JobRecord] = {}
        self.runs: dict[RunKey, RunView] = {}
        self.problem = ""

    def look(self, look: Look = Look()) -> list[Delta]:  # noqa: B008 (frozen)
        found = list(self.reader.read(look))
        for delta in found:
            self._take(delta)
        return found

    def remember(self) -> bool:
        delta = self.reader.memory.remember()
        if delta is not None:
            self._take(delta)
        return delta is not None

    def _take(self, delta: Delta) -> None:
        for key, row in delta.jobs.items():
            record = record_of(key, row)
            if record.state is JobState.NOT_SUBMITTED:
                self.jobs.pop(key, None)
            else:
                self.jobs[key] = record
        for run in delta.gone_runs:
            del self.runs[run]
        for run, view in delta.runs.items():
            references = tuple(view.manifest.references)
            self.runs[run] = replace(view, manifest=replace(view.manifest, references=references))
        self.problem = self.problem if delta.problem is None else delta.problem


@pytest.fixture
def near(workspace: FakeWorkspace) -> Seen:
    return Seen(Reader(workspace.paths))


def _far(place: FarPlace) -> Seen:
    return Seen(FarReader(place, Details(place, lambda key: None)))


def _same(far: Seen, near: Seen, look: Look = Look()) -> None:  # noqa: B008 (frozen)
    far.look(look)
    near.look(Look(everything=True))
    assert far.jobs == near.jobs
    assert far.runs == near.runs
    assert far.reader.live_jobs == near.reader.live_jobs


def test_everything_is_told(far: FarPlace, near: Seen, jobs: Jobs) -> None:
    seen = _far(far)
    _same(seen, near, Look(everything=True))
    assert len(seen.jobs) > 5
    assert len(seen.runs) > 1


@pytest.mark.parametrize("known", [True, False])
def test_a_job_comes_into_the_folder_of_a_task_that_was_empty(
    far: FarPlace, near: Seen, workspace: FakeWorkspace, jobs: Jobs, known: bool
) -> None:
    seen = _far(far)
    alone = FakeJob("drmm.alone", "a")
    folder = Path(workspace.paths.jobs, alone.key.task)
    if known:
        workspace.done(alone)
        _same(seen, near, Look(everything=True))
        shutil.rmtree(workspace.paths.job(alone.key).root)
    else:
        folder.mkdir()
        _same(seen, near, Look(everything=True))
    _same(seen, near)
    assert alone.key not in seen.jobs
    workspace.failed(alone)
    _same(seen, near)
    assert seen.jobs[alone.key].state is JobState.FAILED


def test_each_change_is_told(
    far: FarPlace, near: Seen, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    seen = _far(far)
    _same(seen, near, Look(everything=True))
    new = FakeJob("drmm.learn", "new")
    workspace.start(new, levels=[(0.5, "epoch 1/2")])
    _same(seen, near)
    assert seen.jobs[new.key].state is JobState.RUNNING
    workspace.progress(new, [(0.75, "epoch 2/2")])
    _same(seen, near)
    workspace.done(new)
    _same(seen, near)
    assert seen.jobs[new.key].state is JobState.DONE
    shutil.rmtree(workspace.paths.job(new.key).root)
    _same(seen, near)
    assert new.key not in seen.jobs


@pytest.mark.parametrize("first", [True, False])
def test_a_folder_that_is_seen_before_its_first_ticket(
    far: FarPlace, near: Seen, workspace: FakeWorkspace, jobs: Jobs, first: bool
) -> None:
    seen = _far(far)
    job = FakeJob("drmm.learn", "begun")
    folder = workspace.paths.job(job.key)
    if first:
        os.makedirs(folder.root)
    _same(seen, near, Look(everything=True))
    os.makedirs(folder.root, exist_ok=True)
    _same(seen, near)
    os.mkdir(folder.xpm)
    _same(seen, near)
    workspace.launch(job)
    _same(seen, near)
    assert seen.jobs[job.key].state is JobState.QUEUED
    workspace.done(job)
    _same(seen, near)
    assert seen.jobs[job.key].state is JobState.DONE


@pytest.mark.parametrize("called_off", [True, False])
def test_a_job_that_a_run_starts_again(
    far: FarPlace, near: Seen, workspace: FakeWorkspace, jobs: Jobs, called_off: bool
) -> None:
    seen = _far(far)
    job = FakeJob("drmm.learn", "again")
    if called_off:
        call_off(workspace.launch(job))
    else:
        workspace.failed(job)
    _same(seen, near, Look(everything=True))
    workspace.run("second", [job], run="20261127-091200")
    _same(seen, near)
    workspace.launch(job, attempt=2)
    _same(seen, near)
    assert seen.jobs[job.key].state is JobState.QUEUED
    workspace.done(job, attempt=2)
    _same(seen, near)
    assert seen.jobs[job.key].state is JobState.DONE


def test_a_job_that_goes_may_lie_in_the_trash(
    far: FarPlace, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    asked: list[str] = []

    def trash() -> tuple[Transaction, ...]:
        asked.append("trash")
        return ()

    os.makedirs(workspace.paths.transaction("20261127-t").root)
    seen = Seen(FarReader(far, Details(far, lambda key: None), trash=trash))
    seen.look(Look(everything=True))
    seen.look(Look())
    asked.clear()
    seen.look(Look())
    assert asked == []
    shutil.rmtree(workspace.paths.job(jobs["old o1"].key).root)
    seen.look(Look())
    assert asked == ["trash"]


def test_a_death_that_no_file_tells(far: FarPlace, near: Seen, workspace: FakeWorkspace) -> None:
    job = FakeJob("drmm.learn", "dies")
    workspace.start(job, by=dead_process())
    seen = _far(far)
    _same(seen, near, Look(everything=True))
    assert seen.jobs[job.key].state is JobState.DIED


def test_damage_is_named_by_its_place_there(
    far: FarPlace, near: Seen, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    job = next(iter(jobs.values()))
    paths = workspace.paths.job(job.key)
    with open(paths.launch(1), "w", encoding="ascii") as file:
        file.write("{")
    os.remove(paths.summary)
    seen = _far(far)
    _same(seen, near, Look(everything=True))
    assert seen.jobs[job.key].state is JobState.UNREADABLE
    assert workspace.paths.root in seen.jobs[job.key].problem


def test_what_was_seen_is_there_without_the_machine(
    open_far: Callable[[], FarPlace], line: Line, near: Seen, jobs: Jobs
) -> None:
    first = _far(open_far())
    _same(first, near, Look(everything=True))
    for key in first.jobs:
        # What can still change is not remembered.
        assert key in first.jobs
    first.reader.memory.keep()
    line.cut()
    again = _far(open_far())
    assert again.remember()
    finished = {key: job for key, job in first.jobs.items() if not job.state.live}
    assert again.jobs == finished
    again.look()
    assert again.reader.lost
    line.heal()
    again.reader.place.link.connection(patience=10)  # type: ignore[attr-defined]
    told = again.look()
    assert not again.reader.lost
    assert again.jobs == first.jobs
    # Only what was not known was told again.
    assert not {key for delta in told for key in delta.jobs} & finished.keys()


def test_a_cut_in_the_middle_loses_nothing(
    far: FarPlace, line: Line, near: Seen, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    seen = _far(far)
    seen.look(Look(everything=True))
    line.cut()
    seen.look()
    assert seen.reader.lost
    workspace.start(FakeJob("drmm.learn", "meanwhile"))
    line.heal()
    far.link.connection(patience=10)
    _same(seen, near)


def test_waiting_and_crashed_runs(far: FarPlace, near: Seen, workspace: FakeWorkspace) -> None:
    job = FakeJob("drmm.learn", "waits")
    run = workspace.run("exp", [job], plan=PlanState.RUNNING)
    workspace.queue(run, [Wait(job.key, WaitKind.RESOURCE)])
    seen = _far(far)
    _same(seen, near, Look(everything=True))


class _Agents:
    """Each connection gets an agent before which the workspace vanishes at another look."""

    def __init__(self, root: str) -> None:
        self.root, self.at = root, 0

    def dial(self, suspicious: bool) -> Connection:
        python = f"{sys.executable} {vanishing.__file__} {shlex.quote(self.root)} {self.at}"
        return connect(python=python)

    def bring_back(self) -> bool:
        away = self.root + vanishing.AWAY
        if not os.path.isdir(away):
            return False
        os.rename(away, self.root)
        return True


@pytest.mark.parametrize("at", [1, 4, 9, 14, 20, 27, 35, 48, 64, 90, 120])
def test_a_workspace_that_vanishes_while_it_is_read(
    workspace: FakeWorkspace, near: Seen, jobs: Jobs, line: Line, tmp_path: Path, at: int
) -> None:
    plan = clean.plan_removal(workspace.paths, [jobs["old o1"].key])
    clean.carry_out(workspace.paths, plan)
    agents = _Agents(workspace.paths.root)
    url = f"ssh://elsewhere{workspace.paths.root}"
    place = open_place(url, caches=str(tmp_path / "far"), dial=agents.dial, verbs=line.verbs)
    try:
        seen = _far(place)
        _same(seen, near, Look(everything=True))
        before = (dict(seen.jobs), dict(seen.runs))
        agents.at = at
        connection = place.link.connection()
        connection.close()
        place.link.hurry()
        place.link.connection(patience=10)
        deadline = time.monotonic() + PATIENCE
        while not os.path.isdir(workspace.paths.root + vanishing.AWAY):
            assert time.monotonic() < deadline
            seen.look(Look(everything=True))
            assert (seen.jobs, seen.runs) == before
        seen.look(Look(everything=True))
        assert "not there any more" in seen.problem
        assert (seen.jobs, seen.runs) == before
        assert agents.bring_back()
        _same(seen, near)
        assert seen.problem == ""
        assert (seen.jobs, seen.runs) == before
    finally:
        place.link.close()


@pytest.mark.parametrize("part", ["jobs/ir.learn", "jobs", "experiments", "experiments/drmm"])
def test_what_can_not_be_listed_there_hides_nothing_else(
    workspace: FakeWorkspace, bound_line: Line, far: FarPlace, near: Seen, jobs: Jobs, part: str
) -> None:
    seen = _far(far)
    _same(seen, near, Look(everything=True))
    before, root = (dict(seen.jobs), dict(seen.runs)), workspace.paths.root
    os.chmod(f"{root}/{part}", 0)
    new = FakeJob("ir.aaa", "1", {"a": 1}, {"a": 1}, ())
    if part != "jobs":
        workspace.end(new, Outcome.DONE)
    try:
        seen.look(Look(everything=True))
        assert seen.problem == f"{root}/{part}: Permission denied"
        assert {key: seen.jobs[key] for key in before[0]} == before[0]
        assert seen.runs == before[1]
        assert (new.key in seen.jobs) == (part != "jobs")
    finally:
        os.chmod(f"{root}/{part}", 0o755)
    _same(seen, near, Look(everything=True))
    assert seen.problem == ""


def test_a_disk_that_is_not_mounted_there_any_more(
    workspace: FakeWorkspace, far: FarPlace, near: Seen, jobs: Jobs
) -> None:
    seen = _far(far)
    _same(seen, near, Look(everything=True))
    before, root = (dict(seen.jobs), dict(seen.runs)), workspace.paths.root
    os.rename(root, root + "-disk")
    os.mkdir(root)
    seen.look(Look(everything=True))
    assert "still mounted" in seen.problem
    assert (seen.jobs, seen.runs) == before
    os.rmdir(root)
    os.rename(root + "-disk", root)
    _same(seen, near)
    assert seen.problem == ""
