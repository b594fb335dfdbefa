"""A workspace that goes away while it is read: nothing that was seen is taken for gone."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.tui.vanishing import Vanishing
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.verbs.cleaning import clean
from xpm_engine.workspace.layout import JobKey
from xpm_tui.store import Store
from xpm_tui.store.reader import Look, Reader

EVERYTHING = Look(everything=True)
LATER = 4_000_000_000.0
"""A clock so late that every stamp is old enough to be trusted."""

Jobs = dict[str, FakeJob]


class Watch:
    """A reader, and what the screen shows of what it tells."""

    def __init__(self, workspace: FakeWorkspace) -> None:
        self.reader = Reader(workspace.paths, clock=lambda: LATER)
        self.store = Store(workspace.paths)

    def look(self) -> None:
        for delta in self.reader.read(EVERYTHING):
            self.store.apply(delta)

    def shown(self) -> tuple[object, ...]:
        """All that could be retired."""
        jobs, views = self.store.known_now()
        names = [experiment.name for experiment in self.store.experiments()]
        runs = {(view.experiment, view.run): view for view in views}
        return dict(jobs), runs, names, self.store.trash


def _looks(workspace: FakeWorkspace, watch: Watch) -> int:
    counting = Vanishing(workspace.paths.root, 0)
    with counting.watching():
        watch.look()
    return counting.looks


@pytest.fixture
def filled(workspace: FakeWorkspace, jobs: Jobs) -> FakeWorkspace:
    plan = clean.plan_removal(workspace.paths, [jobs["old o1"].key])
    clean.carry_out(workspace.paths, plan)
    return workspace


def test_it_vanishes_at_any_look_of_the_first_reading(filled: FakeWorkspace) -> None:
    whole = Watch(filled)
    for at in range(1, _looks(filled, whole) + 1):
        watch, vanishing = Watch(filled), Vanishing(filled.paths.root, at)
        with vanishing.watching():
            watch.look()
        vanishing.come_back()
        watch.look()
        assert watch.shown() == whole.shown(), at


def test_it_vanishes_at_any_look_of_a_later_reading(filled: FakeWorkspace, jobs: Jobs) -> None:
    watch = Watch(filled)
    watch.look()
    before = watch.shown()
    at = 0
    while True:
        at += 1
        vanishing = Vanishing(filled.paths.root, at)
        with vanishing.watching():
            watch.look()
        if not vanishing.gone:
            break
        assert watch.shown() == before, at
        watch.look()
        assert "not there any more" in watch.store.problem
        assert watch.shown() == before, at
        vanishing.come_back()
        watch.look()
        assert watch.store.problem == ""
        assert watch.shown() == before, at
    assert at > 10


def test_what_changed_meanwhile_is_seen_when_it_is_back(filled: FakeWorkspace, jobs: Jobs) -> None:
    watch = Watch(filled)
    watch.look()
    new = FakeJob("drmm.learn", "new")
    job = jobs["learn lr=0.01 seed=1"]
    gone: list[JobKey] = []
    for at, old in zip((2, 5, 9, 14, 20, 30), list(watch.store.records()), strict=False):
        filled.progress(job, [(at / 100, f"step {at}")])
        filled.done(FakeJob(new.task, f"new {at}"))
        shutil.rmtree(filled.paths.job(old.key).root)
        gone.append(old.key)
        vanishing = Vanishing(filled.paths.root, at)
        with vanishing.watching():
            watch.look()
        vanishing.come_back()
        watch.look()
        fresh = Watch(filled)
        fresh.look()
        assert watch.shown() == fresh.shown()
    assert not {record.key for record in watch.store.records()} & set(gone)


def test_a_disk_that_is_not_mounted_any_more_leaves_an_empty_folder(
    filled: FakeWorkspace,
) -> None:
    watch = Watch(filled)
    watch.look()
    before, root = watch.shown(), filled.paths.root
    os.rename(root, root + "-disk")
    os.mkdir(root)
    watch.look()
    assert "still mounted" in watch.store.problem
    assert watch.shown() == before
    os.rmdir(root)
    os.rename(root + "-disk", root)
    watch.look()
    assert watch.store.problem == ""
    assert watch.shown() == before


def test_an_empty_folder_that_fills_and_is_emptied_job_by_job(workspace: FakeWorkspace) -> None:
    watch = Watch(workspace)
    watch.look()
    assert watch.store.problem == ""
    job = FakeJob("drmm.learn", "one")
    workspace.done(job)
    watch.look()
    shutil.rmtree(workspace.paths.job(job.key).root)
    watch.look()
    assert watch.store.problem == ""
    assert not list(watch.store.records())
