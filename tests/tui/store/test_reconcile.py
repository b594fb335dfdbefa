"""Whatever happens on the disk, what was remembered and then checked is what a fresh look finds."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_tui.store import AllJobsSubject, RunKey, Store
from xpm_tui.store.reader import Look, Reader

JOBS = [FakeJob(f"ir.t{number % 3}", f"j{number}", {"n": number}) for number in range(9)]
RUNS = ("20261120-101500-aaaa", "20261121-101500-bbbb")

jobs = st.sampled_from(JOBS)


class Disk(RuleBasedStateMachine):
    """Changes on the disk, between looks of an app and starts of new ones."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        root = Path(self._folder.name)
        self._cache = os.environ.get("XDG_CACHE_HOME")
        os.environ["XDG_CACHE_HOME"] = str(root / "cache")
        (root / "ws").mkdir()
        self.workspace = FakeWorkspace(root / "ws")
        self.now = NOON
        self._ticks = 0
        self.open()

    def teardown(self) -> None:
        if self._cache is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = self._cache
        self._folder.cleanup()

    # What an app does

    def open(self) -> None:
        """An app starts: it shows what was remembered, then looks."""
        self.reader = Reader(self.workspace.paths, clock=lambda: self.now)
        self.store = Store(self.workspace.paths)
        remembered = self.reader.memory.remember()
        if remembered is not None:
            self.store.apply(remembered)
        self.look()

    @rule()
    def open_again(self) -> None:
        self.reader.memory.keep()
        self.open()

    @rule()
    def open_another(self) -> None:
        """The one before had no time to remember anything."""
        self.open()

    @rule()
    def look(self) -> None:
        for delta in self.reader.read(Look(everything=True)):
            self.store.apply(delta)

    # What others do

    @rule(seconds=st.sampled_from((0.5, 3.0, 3600.0, -7200.0)))
    def clock_moves(self, seconds: float) -> None:
        self.now += seconds

    @rule(job=jobs, attempt=st.integers(1, 3))
    def launch(self, job: FakeJob, attempt: int) -> None:
        self.workspace.launch(job, attempt=attempt)
        self._touched(job.key)

    @rule(job=jobs)
    def start(self, job: FakeJob) -> None:
        self.workspace.start(job)
        self._touched(job.key)

    @rule(job=jobs, attempt=st.integers(1, 3))
    def end_well(self, job: FakeJob, attempt: int) -> None:
        self.workspace.done(job, attempt=attempt, metrics={"mrr": 0.1 * attempt})
        self._touched(job.key)

    @rule(job=jobs)
    def fail(self, job: FakeJob) -> None:
        self.workspace.failed(job)
        self._touched(job.key)

    @rule(job=jobs)
    def remove(self, job: FakeJob) -> None:
        shutil.rmtree(self.workspace.paths.job(job.key).root, ignore_errors=True)
        self._touched_task(job.key.task)

    @rule(job=jobs, other=jobs)
    def rename(self, job: FakeJob, other: FakeJob) -> None:
        """A folder gets the name of another job that has none."""
        source, target = (self.workspace.paths.job(each.key).root for each in (job, other))
        if os.path.isdir(source) and not os.path.exists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.rename(source, target)
            self._touched_task(job.key.task)
            self._touched_task(other.key.task)

    @rule(job=jobs, name=st.sampled_from(("1.launch", "1.start", "1.end", "job.json")))
    def truncate(self, job: FakeJob, name: str) -> None:
        """A full disk: a file is written again, and only half of it gets there."""
        path = os.path.join(self.workspace.paths.job(job.key).xpm, name)
        if os.path.exists(path):
            data = Path(path).read_bytes()
            os.unlink(path)
            Path(path).write_bytes(data[: len(data) // 2])
            self._touched(job.key)

    @rule(run=st.sampled_from(RUNS), some=st.lists(jobs, unique_by=id), over=st.booleans())
    def run(self, run: str, some: list[FakeJob], over: bool) -> None:
        self._bury(run)
        plan = PlanState.COMPLETE if over else PlanState.RUNNING
        self.workspace.run("exp", some, run=run, plan=plan)
        self._touched_run(run)

    @rule(run=st.sampled_from(RUNS), job=jobs)
    def submit_more(self, run: str, job: FakeJob) -> None:
        paths = self.workspace.paths.run("exp", run)
        if os.path.exists(paths.record):
            self.workspace.reference(paths, [job])
            self._touched_run(run)

    @rule(run=st.sampled_from(RUNS))
    def remove_run(self, run: str) -> None:
        self._bury(run)
        self._touched_run(run)

    def _bury(self, run: str) -> None:
        """Nothing new gets its inodes: a live manifest only grows, and is told by its own."""
        root = self.workspace.paths.run("exp", run).root
        if os.path.isdir(root):
            self._ticks += 1
            os.rename(root, f"{self._folder.name}/buried-{self._ticks}")

    def _touched(self, key: JobKey) -> None:
        """The folder changes at a time of this disk's clock, which is the app's or behind it."""
        self._stamp(self.workspace.paths.job(key).xpm)
        self._touched_task(key.task)

    def _touched_task(self, task: str) -> None:
        self._stamp(f"{self.workspace.paths.jobs}/{task}")
        self._stamp(self.workspace.paths.jobs)

    def _touched_run(self, run: str) -> None:
        paths = self.workspace.paths.run("exp", run)
        for path in (paths.record, paths.manifest, paths.queue, paths.root):
            self._stamp(path)
        self._stamp(self.workspace.paths.experiment("exp"))
        self._stamp(self.workspace.paths.experiments)

    def _stamp(self, path: str) -> None:
        self._ticks += 1
        if os.path.exists(path):
            # Never the same time twice while the stamp would be trusted, as on a real disk.
            os.utime(path, ns=(0, int(self.now * 1e9) + self._ticks))

    @invariant()
    def as_a_fresh_look(self) -> None:
        self.look()
        fresh = Store(self.workspace.paths)
        for delta in Reader(self.workspace.paths, clock=lambda: self.now).read(
            Look(everything=True)
        ):
            fresh.apply(delta)
        records = {record.key: record for record in self.store.records()}
        assert records == {record.key: record for record in fresh.records()}
        assert self.store.experiments() == fresh.experiments()
        for run in RUNS:
            key = RunKey("exp", run)
            assert self.store.run(key) == fresh.run(key)
        assert self.store.known() == fresh.known()
        assert self.store.known_count == len(fresh.known())
        assert self.store.keys(AllJobsSubject()) == fresh.keys(AllJobsSubject())
        assert self.store.counts(AllJobsSubject()) == fresh.counts(AllJobsSubject())
        every = self.store.jobs(AllJobsSubject())
        for state in {job.state for job in every}:
            assert every.among({state}) == [job for job in every if job.state is state]
        for each in fresh.known():
            home = fresh.home_of(each)
            assert self.store.home_of(each) == home
            assert self.store.job(each, home) == fresh.job(each, home)


TestDisk = Disk.TestCase
TestDisk.settings = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
)


def test_what_is_written_below_a_mount_comes_right_without_events(
    overlay: tuple[FakeWorkspace, FakeWorkspace],
) -> None:
    seen, below = overlay
    first, second = FakeJob("ir.t", "first"), FakeJob("ir.t", "second")
    below.start(first)
    reader, store = Reader(seen.paths), Store(seen.paths)

    def look() -> None:
        for delta in reader.read(Look(everything=True)):
            store.apply(delta)

    look()
    assert store.job(first.key).state is JobState.RUNNING
    below.done(first)
    below.failed(second)
    look()
    assert store.job(first.key).state is JobState.DONE
    assert store.job(second.key).state is JobState.FAILED
    shutil.rmtree(below.paths.job(first.key).root)
    look()
    assert store.known() == (second.key,)
