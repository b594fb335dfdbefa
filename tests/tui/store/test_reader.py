"""The reader: it finds every change, and reads nothing that did not change."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.privileges import permissions_count
from tests.tui.workspaces import FakeJob, FakeWorkspace, call_off, dead_process
from xpm_engine.verbs.cleaning import clean
from xpm_engine.workspace import processes, scan
from xpm_engine.workspace.cleaning import transactions
from xpm_engine.workspace.index import Known, record_of, stamps, state_of
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome, Wait, WaitKind
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_tui.store import Delta, RunKey, Store
from xpm_tui.store import reader as reading
from xpm_tui.store.reader import TURNS, Look, Reader

Jobs = dict[str, FakeJob]
EVERYTHING = Look(everything=True)
LATER = 4_000_000_000.0
"""A clock so late that every stamp is old enough to be trusted."""


class Watch:
    """A reader and the store that takes what it finds."""

    def __init__(self, workspace: FakeWorkspace) -> None:
        self.reader = Reader(workspace.paths, clock=lambda: LATER)
        self.store = Store(workspace.paths)

    def look(self, look: Look = Look()) -> list[Delta]:  # noqa: B008 (frozen)
        found = list(self.reader.read(look))
        for delta in found:
            self.store.apply(delta)
        return [delta for delta in found if delta]


@pytest.fixture
def watch(workspace: FakeWorkspace) -> Watch:
    return Watch(workspace)


@pytest.fixture
def read_keys(monkeypatch: pytest.MonkeyPatch) -> list[JobKey]:
    """The jobs whose folder was read, as it happens."""
    found: list[JobKey] = []
    real = scan.read_job

    def counted(workspace: WorkspacePaths, key: JobKey) -> scan.JobRecord:
        found.append(key)
        return real(workspace, key)

    monkeypatch.setattr(scan, "read_job", counted)
    return found


def test_nothing_new_reads_nothing(watch: Watch, jobs: Jobs, read_keys: list[JobKey]) -> None:
    watch.look(EVERYTHING)
    assert len(read_keys) == 15
    read_keys.clear()
    assert watch.look() == []
    assert watch.look(EVERYTHING) == []
    assert read_keys == []


def test_a_job_that_ended_is_read_again_and_no_other(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs, read_keys: list[JobKey]
) -> None:
    watch.look(EVERYTHING)
    read_keys.clear()
    learn = jobs["learn lr=0.01 seed=1"]
    workspace.done(learn, ended=1)
    (delta,) = watch.look()
    assert read_keys == [learn.key]
    assert state_of(delta.jobs[learn.key]) is JobState.DONE
    assert learn.key not in watch.reader.live_jobs


def test_a_new_job_and_a_new_task_are_found(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs
) -> None:
    watch.look(EVERYTHING)
    job = FakeJob("brand.new", "a")
    workspace.launch(job)
    (delta,) = watch.look()
    assert state_of(delta.jobs[job.key]) is JobState.QUEUED
    assert job.key in watch.reader.live_jobs


def test_a_folder_that_is_seen_before_its_first_ticket(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs
) -> None:
    watch.reader = Reader(workspace.paths)
    watch.look(EVERYTHING)
    job = FakeJob("drmm.learn", "begun")
    folder = workspace.paths.job(job.key)
    os.makedirs(folder.root)
    assert watch.look() == []
    os.mkdir(folder.xpm)
    assert watch.look() == []
    workspace.launch(job)
    (delta,) = watch.look()
    assert state_of(delta.jobs[job.key]) is JobState.QUEUED
    workspace.done(job)
    watch.look()
    assert watch.store.job(job.key).state is JobState.DONE


@pytest.mark.parametrize("ends", [True, False])
def test_a_failed_job_that_is_started_again(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs, ends: bool
) -> None:
    job = FakeJob("drmm.learn", "again")
    workspace.failed(job)
    watch.look(EVERYTHING)
    assert watch.store.job(job.key).state is JobState.FAILED
    run = "20261127-091200"
    workspace.run("second", [job], run=run)
    watch.look()
    workspace.launch(job, attempt=2)
    if ends:
        workspace.done(job, attempt=2)
        workspace.run("second", [job], run=run, plan=PlanState.COMPLETE, ended=1)
    watch.look()
    found = watch.store.job(job.key)
    assert found.record.attempt == 2
    assert found.state is (JobState.DONE if ends else JobState.QUEUED)


def test_a_job_that_is_retried_by_a_run_that_was_over_before_it_was_seen(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs
) -> None:
    job = FakeJob("drmm.learn", "again")
    workspace.failed(job)
    watch.look(EVERYTHING)
    workspace.done(job, attempt=2)
    workspace.run("drmm", [job], run="20261127-091200.retry", plan=PlanState.COMPLETE, ended=1)
    watch.look()
    watch.look()
    assert watch.store.job(job.key).state is JobState.DONE


@pytest.mark.parametrize("look", [EVERYTHING, Look()])
def test_a_job_whose_first_attempt_was_called_off(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs, look: Look
) -> None:
    job = FakeJob("drmm.learn", "called off")
    call_off(workspace.launch(job))
    if not look.everything:
        workspace.run("second", [job], run="20261127-091200")
    watch.look(EVERYTHING)
    assert watch.store.record(job.key).state is JobState.NOT_SUBMITTED
    workspace.launch(job, attempt=2)
    watch.look(look)
    assert watch.store.job(job.key).state is JobState.QUEUED


def test_a_run_that_is_seen_before_its_record(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs
) -> None:
    watch.reader = Reader(workspace.paths)
    watch.look(EVERYTHING)
    run = RunKey("brand-new", "20261127-091200")
    os.makedirs(workspace.paths.run(run.experiment, run.run).root)
    watch.look()
    assert watch.store.experiment(run.experiment) is not None
    watch.look()
    some = [jobs["learn lr=0.01 seed=1"]]
    workspace.run(run.experiment, some, run=run.run)
    watch.look()
    experiment = watch.store.experiment(run.experiment)
    assert experiment is not None
    assert experiment.plan is PlanState.RUNNING
    assert experiment.counts.total == 1


def test_what_a_run_tells_just_after_it_ended(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs
) -> None:
    watch.reader = Reader(workspace.paths)
    watch.look(EVERYTHING)
    learn = jobs["learn lr=0.01 seed=1"]
    paths = workspace.run("drmm", [learn], run="20261127-091200", plan=PlanState.COMPLETE, ended=1)
    watch.look()
    workspace.run("drmm", [learn], run="20261127-091200", plan=PlanState.RAISED, ended=1)
    workspace.reference(paths, [jobs["learn lr=0.01 seed=2"]])
    watch.look()
    view = watch.store.run(RunKey("drmm", "20261127-091200"))
    assert view is not None
    assert view.plan is PlanState.RAISED
    assert len(view.manifest.references) == 2


@pytest.mark.parametrize("part", ["jobs", "experiments", "jobs/ir.index"])
def test_what_may_not_be_read_for_a_moment_is_not_gone(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs, part: str
) -> None:
    watch.look(EVERYTHING)

    def seen() -> object:
        store = watch.store
        return store.experiments(), {key: store.job(key).state for key in store.known()}

    before, path = seen(), f"{workspace.paths.root}/{part}"
    # Where only an old listing is known, it counts.
    os.utime(path, (1.0, 1.0))
    os.chmod(path, 0)
    with permissions_count() as count:
        if count:
            watch.look(EVERYTHING)
            assert "Permission denied" in watch.store.problem
            assert seen() == before
    os.chmod(path, 0o755)
    watch.look(EVERYTHING)
    assert watch.store.problem == ""
    assert seen() == before


@pytest.mark.parametrize("part", ["jobs/ir.learn", "experiments", "experiments/drmm", "trash"])
def test_what_can_not_be_listed_for_a_moment_hides_nothing_else(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that came is told once: a file system that gives up at the next one loses it not."""
    watch.look(EVERYTHING)
    real, broken = (
        stamps.list_folders,
        (workspace.paths.trash if part == "trash" else f"{workspace.paths.root}/{part}"),
    )

    def listed(path: str) -> Iterator[str]:
        if path == broken:
            raise OSError(errno.EIO, "Input/output error", path)
        return real(path)

    for module in (stamps, transactions):
        monkeypatch.setattr(module, "list_folders", listed)
    os.makedirs(broken, exist_ok=True)
    os.utime(broken, (1.0, 1.0))
    new = FakeJob("ir.aaa", "1", {"a": 1}, {"a": 1}, ())
    workspace.end(new, Outcome.DONE)
    watch.look()
    assert watch.store.record(new.key).state is JobState.DONE
    assert watch.store.problem == f"{broken}: Input/output error"
    assert len(watch.store.experiments()) == 2
    assert all(experiment.runs for experiment in watch.store.experiments())
    monkeypatch.undo()
    watch.look()
    assert watch.store.problem == ""


@pytest.mark.parametrize("known", [True, False])
def test_a_folder_that_goes_once_it_was_listed_and_is_there_by_the_next_list(
    workspace: FakeWorkspace,
    watch: Watch,
    jobs: Jobs,
    known: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No list is another then: as where somebody removes what runs again at once."""
    job = FakeJob("ir.learn", "new", {"a": 1}, {"a": 1}, ())
    if known:
        workspace.done(job)
    watch.look(EVERYTHING)
    if not known:
        workspace.done(job)
    list_them = Known.come_or_gone

    def listed(found: Known) -> list[JobKey]:
        listed = list_them(found)
        shutil.rmtree(workspace.paths.job(job.key).root)
        return listed

    with monkeypatch.context() as patched:
        patched.setattr(Known, "come_or_gone", listed)
        watch.look(Look(jobs=frozenset((job.key,))))
    assert watch.store.record(job.key).state is JobState.NOT_SUBMITTED
    workspace.done(job)
    watch.look()
    assert watch.store.record(job.key).state is JobState.DONE


def test_progress_of_a_live_job_is_found(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs
) -> None:
    watch.look(EVERYTHING)
    learn = jobs["learn lr=0.01 seed=1"]
    workspace.progress(learn, [(0.75, "epoch 4/5")])
    (delta,) = watch.look()
    progress = record_of(learn.key, delta.jobs[learn.key]).progress
    assert progress is not None
    assert progress.levels[0].text == "epoch 4/5"


def test_a_process_that_dies_changes_no_file_and_is_noticed(
    workspace: FakeWorkspace,
    watch: Watch,
    jobs: Jobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch.look(EVERYTHING)
    from xpm_engine.workspace import processes

    machine = processes.boot_id()
    monkeypatch.setattr(processes, "boot_id", lambda: machine + " after the next start")
    watch.look()
    job = watch.store.job(jobs["learn lr=0.01 seed=1"].key)
    assert job.state is JobState.DIED
    experiment = watch.store.experiment("drmm")
    assert experiment is not None
    assert experiment.plan is PlanState.CRASHED


def test_a_removed_job_goes_and_comes_back(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs
) -> None:
    watch.look(EVERYTHING)
    old = jobs["old o1"]
    plan = clean.plan_removal(workspace.paths, [old.key])
    done = clean.carry_out(workspace.paths, plan)
    watch.look()
    assert watch.store.job(old.key).state is JobState.NOT_SUBMITTED
    assert [item.name for item in watch.store.trash] == [done.name]
    assert watch.store.job(old.key).trashed == done.name
    clean.undo(workspace.paths, done.name)
    watch.look()
    assert watch.store.job(old.key).state is JobState.DONE
    assert watch.store.trash == ()


def test_a_task_folder_that_goes_takes_all_its_jobs(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs
) -> None:
    watch.look(EVERYTHING)
    shutil.rmtree(os.path.join(workspace.paths.jobs, "ir.old"))
    (delta,) = watch.look()
    assert {key.task for key in delta.jobs} == {"ir.old"}
    assert set(map(state_of, delta.jobs.values())) == {JobState.NOT_SUBMITTED}
    assert watch.look() == []


def test_a_live_run_that_submits_more(workspace: FakeWorkspace, watch: Watch, jobs: Jobs) -> None:
    watch.look(EVERYTHING)
    more = FakeJob("ir.report", "a")
    workspace.reference(workspace.paths.run("drmm", "20261123-091200"), [more])
    (delta,) = watch.look()
    (view,) = delta.runs.values()
    assert view.manifest.references[-1].key == more.key


def test_a_queue_that_changes(workspace: FakeWorkspace, watch: Watch, jobs: Jobs) -> None:
    watch.look(EVERYTHING)
    run = workspace.paths.run("drmm", "20261123-091200")
    learn = jobs["learn lr=0.001 seed=1"]
    workspace.queue(run, [Wait(learn.key, WaitKind.CORE, 3)])
    watch.look()
    job = watch.store.job(learn.key, RunKey("drmm", "20261123-091200"))
    assert job.wait is not None
    assert job.wait.place == 3


def test_a_new_run_and_one_that_is_removed(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs
) -> None:
    watch.look(EVERYTHING)
    workspace.run("drmm", [jobs["learn lr=0.1 seed=1"]], run="20261123-110000")
    watch.look()
    experiment = watch.store.experiment("drmm")
    assert experiment is not None
    assert [run.run for run in experiment.runs] == [
        "20261123-110000",
        "20261123-091200",
        "20261120-101500",
    ]
    shutil.rmtree(workspace.paths.experiment("ablation"))
    watch.look()
    assert watch.store.experiment("ablation") is None


def test_a_young_stamp_is_not_trusted(workspace: FakeWorkspace) -> None:
    job = FakeJob("learn", "a")
    workspace.done(job)
    xpm = workspace.paths.job(job.key).xpm
    now = os.stat(xpm).st_mtime
    clock = [now + 0.5]
    reader = Reader(workspace.paths, clock=lambda: clock[0])
    list(reader.read(EVERYTHING))
    stamp = os.stat(xpm)
    workspace.failed(job)
    os.utime(xpm, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    found = [delta for delta in reader.read(Look()) if delta]
    assert state_of(found[0].jobs[job.key]) is JobState.FAILED


def test_names_that_are_not_ours_are_passed_over(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs
) -> None:
    root = Path(workspace.paths.root)
    (root / "experiments" / "..evil").mkdir()
    (root / "experiments" / "a file").write_text("")
    (root / "jobs" / "ir.learn" / "notes").mkdir()
    (root / "jobs" / "UPPER").mkdir()
    os.mkdir(os.fsencode(root / "jobs") + b"/\xff\xfe")
    os.symlink("/etc", root / "jobs" / "linked")
    watch.look(EVERYTHING)
    assert {experiment.name for experiment in watch.store.experiments()} == {"drmm", "ablation"}
    assert len(list(watch.store.records())) == 15


def test_a_workspace_that_vanishes_is_said_and_comes_back(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs
) -> None:
    watch.look(EVERYTHING)
    root = workspace.paths.root
    os.rename(root, root + "-away")
    watch.look(EVERYTHING)
    assert "not there any more" in watch.store.problem
    assert len(list(watch.store.records())) == 15
    os.rename(root + "-away", root)
    watch.look(EVERYTHING)
    assert watch.store.problem == ""


def test_many_jobs_come_in_parts_the_latest_run_first(
    workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_tui.store.reader.LOOKS", 3)
    monkeypatch.setattr("xpm_tui.store.reader.FIRST_PAUSE", 0.0)
    wanted = [FakeJob("z.last", str(number)) for number in range(3)]
    for job in [*wanted, *(FakeJob("a.first", str(number)) for number in range(6))]:
        workspace.done(job)
    workspace.run("x", wanted, driver=dead_process())
    deltas = Watch(workspace).look(EVERYTHING)
    assert set(deltas[0].jobs) == {job.key for job in wanted}
    assert [delta.checked for delta in deltas] == [3 / 9, 6 / 9, 0.99]


def test_of_what_events_tell_only_some_are_looked_at_each_time(
    watch: Watch, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [FakeJob("ir.learn", f"r{number}") for number in range(40)]
    for job in jobs:
        workspace.start(job)
    workspace.run("drmm", jobs)
    watch.look(EVERYTHING)
    assert len(watch.reader.live_jobs) == 40
    alone, heard = jobs[0].key, frozenset(job.key for job in jobs[1:])
    looked: list[JobKey] = []
    known = watch.reader._known
    real = known.look_at_job

    def counted(key: JobKey, *, ask: bool = True) -> object:
        looked.append(key)
        return real(key, ask=ask)

    monkeypatch.setattr(known, "look_at_job", counted)
    for _ in range(TURNS):
        watch.look(Look(heard=heard))
    assert sorted(key for key in looked if key in heard) == sorted(heard)
    assert looked.count(alone) == TURNS


def test_of_a_running_job_that_told_how_far_it_is_nothing_else_is_read(
    watch: Watch, workspace: FakeWorkspace, read_keys: list[JobKey]
) -> None:
    job = FakeJob("ir.learn", "r")
    workspace.start(job, levels=[(0.1, "epoch 1")])
    workspace.run("drmm", [job])
    watch.look(EVERYTHING)
    workspace.progress(job, [(0.2, "epoch 2")])
    watch.look()
    read_keys.clear()
    for number in range(3, 6):
        workspace.progress(job, [(number / 10, f"epoch {number}")])
        watch.look(Look(moved=frozenset([job.key])))
        progress = watch.store.job(job.key).record.progress
        assert progress is not None
        assert (progress.fraction, progress.levels[0].text) == (number / 10, f"epoch {number}")
    assert read_keys == []
    Path(workspace.paths.job(job.key).pin).write_text("{}")
    watch.look()
    assert watch.store.job(job.key).record.pinned
    workspace.done(job, ended=1)
    watch.look()
    assert watch.store.job(job.key).state is JobState.DONE
    assert read_keys == [job.key, job.key]


def test_a_ticket_of_a_running_job_that_is_cut_short_is_noticed(
    workspace: FakeWorkspace, watch: Watch, jobs: Jobs
) -> None:
    """A full disk does that, and no file comes or goes."""
    learn = jobs["learn lr=0.01 seed=1"]
    for fraction in (0.7, 0.75):
        workspace.progress(learn, [(fraction, "epoch 4/5")])
        watch.look(EVERYTHING)
    launch = Path(workspace.paths.job(learn.key).launch(1))
    launch.write_bytes(launch.read_bytes()[:40])
    workspace.progress(learn, [(0.8, "epoch 4/5")])
    watch.look(EVERYTHING)
    assert watch.store.record(learn.key).state is JobState.UNREADABLE


def test_a_running_job_whose_process_was_killed_as_it_told_how_far_it_is_died(
    watch: Watch, workspace: FakeWorkspace
) -> None:
    job = FakeJob("ir.learn", "r")
    with subprocess.Popen(["sleep", "60"]) as process:
        workspace.start(job, by=processes.identity_of(process.pid), levels=[(0.1, "")])
        workspace.run("drmm", [job])
        watch.look(EVERYTHING)
        workspace.progress(job, [(0.2, "")])
        watch.look()
        process.kill()
    workspace.progress(job, [(0.3, "")])
    watch.look()
    assert watch.store.job(job.key).state is JobState.DIED


def test_a_second_look_at_everything_finds_what_changed_where_nobody_listens(
    watch: Watch, workspace: FakeWorkspace, read_keys: list[JobKey]
) -> None:
    jobs = [FakeJob("ir.learn", f"r{number}") for number in range(9)]
    for job in jobs:
        workspace.done(job)
    workspace.run("drmm", jobs, plan=PlanState.COMPLETE)
    watch.look(EVERYTHING)
    read_keys.clear()
    assert watch.look(EVERYTHING) == []
    assert read_keys == []
    Path(workspace.paths.job(jobs[4].key).pin).write_text("{}")
    watch.look(EVERYTHING)
    assert read_keys == [jobs[4].key]
    assert watch.store.job(jobs[4].key).record.pinned


def test_a_killed_job_of_which_events_tell_is_found_in_its_turn(
    watch: Watch, workspace: FakeWorkspace
) -> None:
    job = FakeJob("ir.learn", "r")
    with subprocess.Popen(["sleep", "60"]) as process:
        workspace.start(job, by=processes.identity_of(process.pid))
        workspace.run("drmm", [job])
        watch.look(EVERYTHING)
        assert job.key in watch.reader.live_jobs
        process.kill()
    for _ in range(TURNS):
        watch.look(Look(heard=frozenset([job.key])))
    assert job.key not in watch.reader.live_jobs


@pytest.fixture
def three_experiments(
    workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> tuple[FakeJob, ...]:
    """The one job of an old experiment, of the newest, and of one that runs; told one by one."""
    old, new, live = (FakeJob("ir.learn", name) for name in ("old", "new", "live"))
    for job in (old, new):
        workspace.done(job)
    workspace.start(live)
    workspace.run("a", [old], run="20261101-101500", plan=PlanState.COMPLETE)
    workspace.run("b", [new], run="20261103-101500", plan=PlanState.COMPLETE)
    workspace.run("c", [live], run="20261102-101500", plan=PlanState.RUNNING)
    monkeypatch.setattr(reading, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(reading, "LOOKS", 1)
    return old, new, live


def test_what_runs_is_read_first_then_what_ran_last(
    watch: Watch, three_experiments: tuple[FakeJob, ...]
) -> None:
    old, new, live = three_experiments
    found = [list(delta.jobs) for delta in watch.reader.read(EVERYTHING) if delta.jobs]
    assert found == [[live.key], [new.key], [old.key]]


def test_rows_come_before_the_manifests_of_other_experiments_are_read(
    watch: Watch, three_experiments: tuple[FakeJob, ...]
) -> None:
    old, new, live = three_experiments
    told = [
        ({run.experiment for run in delta.runs}, set(delta.jobs))
        for delta in watch.reader.read(EVERYTHING)
    ]
    assert told[:3] == [({"c"}, {live.key}), ({"b"}, {new.key}), ({"a"}, {old.key})]
    assert watch.look(EVERYTHING) == []


def test_a_young_job_of_which_events_tell_is_read_again_in_its_turn_only(
    workspace: FakeWorkspace,
) -> None:
    job = FakeJob("ir.learn", "r")
    workspace.start(job, levels=[(0.1, "")])
    workspace.run("drmm", [job])
    reader = Reader(workspace.paths)
    list(reader.read(EVERYTHING))
    assert job.key in reader._known.young
    looked: list[JobKey] = []
    real = reader._known.look_at_job

    def counted(key: JobKey, *, ask: bool = True) -> object:
        looked.append(key)
        return real(key, ask=ask)

    reader._known.look_at_job = counted  # type: ignore[method-assign, assignment]
    for _ in range(TURNS):
        list(reader.read(Look(heard=frozenset([job.key]))))
    assert looked == [job.key]
