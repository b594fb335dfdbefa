"""The store: what it answers, and that a change costs what changed."""

from __future__ import annotations

import pytest

from tests.tui.hosting import read_all, store_of
from tests.tui.workspaces import FakeJob, FakeWorkspace, ago
from xpm_engine.verbs.cleaning import clean
from xpm_engine.workspace import scan
from xpm_engine.workspace.cleaning.transactions import list_trash
from xpm_engine.workspace.records.reasons import Wait, WaitKind
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord
from xpm_tui.store import (
    AllJobsSubject,
    Changed,
    Delta,
    ExperimentSubject,
    FailedSubject,
    Grouping,
    GroupKey,
    GroupSubject,
    JobSubject,
    RunKey,
    RunSubject,
    Store,
    run_labels,
)

Jobs = dict[str, FakeJob]
LATEST = RunKey("drmm", "20261123-091200")
EARLIER = RunKey("drmm", "20261120-101500")
LEARN = GroupSubject(LATEST, GroupKey(Grouping.TASK, ("ir.learn",)))


def test_experiments_that_run_come_first(workspace: FakeWorkspace, jobs: Jobs) -> None:
    store = store_of(workspace)
    drmm, ablation = store.experiments()
    assert (drmm.name, drmm.live, drmm.plan) == ("drmm", True, PlanState.RUNNING)
    assert (ablation.name, ablation.live, ablation.plan) == ("ablation", False, PlanState.COMPLETE)
    assert drmm.latest == LATEST
    assert drmm.earlier == (EARLIER,)
    assert ablation.active == ago(1_720_000)


def test_counts_of_a_run(workspace: FakeWorkspace, jobs: Jobs) -> None:
    counts = store_of(workspace).counts(ExperimentSubject("drmm"))
    assert (counts.total, counts.done, counts.reused) == (20, 4, 2)
    assert (counts.failed, counts.running, counts.waiting, counts.blocked) == (3, 3, 7, 3)


def test_jobs_come_failed_and_live_first(workspace: FakeWorkspace, jobs: Jobs) -> None:
    store = store_of(workspace)
    found = [(store.label(job), job.state.value) for job in store.jobs(LEARN)]
    assert found == [
        ("lr=0.1 seed=1", "failed"),
        ("lr=0.1 seed=2", "failed"),
        ("lr=0.1 seed=3", "died"),
        ("lr=0.01 seed=1", "running"),
        ("lr=0.01 seed=2", "running"),
        ("lr=0.01 seed=3", "running"),
        ("lr=0.001 seed=1", "waiting"),
        ("lr=0.001 seed=2", "waiting"),
        ("lr=0.001 seed=3", "done"),
    ]


def test_a_run_sees_why_its_jobs_wait(workspace: FakeWorkspace, jobs: Jobs) -> None:
    store = store_of(workspace)
    waits = store.job(jobs["learn lr=0.001 seed=2"].key, LATEST)
    assert waits.wait is not None
    assert (waits.wait.kind, waits.wait.place, waits.wait.what) == (WaitKind.TOKEN, 2, "gpu")
    blocked = store.job(jobs["evaluate of lr=0.1 seed=1"].key, LATEST)
    assert blocked.state is JobState.BLOCKED


def test_a_dead_run_submits_nothing_any_more(workspace: FakeWorkspace) -> None:
    job = FakeJob("learn", "a")
    workspace.run("x", [job], plan=PlanState.INTERRUPTED, ended=10)
    assert store_of(workspace).job(job.key, RunKey("x", LATEST.run)).state is (
        JobState.NOT_SUBMITTED
    )


def test_a_live_run_is_going_to_submit_what_it_references(workspace: FakeWorkspace) -> None:
    job = FakeJob("learn", "a")
    workspace.run("x", [job])
    assert store_of(workspace).job(job.key, RunKey("x", LATEST.run)).state is JobState.READY


def test_groups_by_task_state_and_tag(workspace: FakeWorkspace, jobs: Jobs) -> None:
    store = store_of(workspace)
    by_task = store.groups(LATEST, Grouping.TASK)
    assert [group.label for group in by_task] == ["index", "learn", "evaluate"]
    by_state = store.groups(LATEST, Grouping.STATE)
    assert [group.label for group in by_state] == [
        "failed",
        "died",
        "running",
        "waiting",
        "blocked",
        "done",
    ]
    assert store.groups(LATEST, Grouping.NONE) == ()
    outer = store.groups(LATEST, Grouping.TAG)
    assert [group.label for group in outer] == ["stem=a", "stem=b", "no stem"]
    inner = store.groups(LATEST, Grouping.TAG, outer[-1].key.path)
    assert [group.label for group in inner] == ["lr=0.1", "lr=0.01", "lr=0.001"]
    assert sum(group.counts.total for group in inner) == 18


def test_every_grouping_holds_every_job_once(workspace: FakeWorkspace, jobs: Jobs) -> None:
    store = store_of(workspace)
    whole = set(store.keys(ExperimentSubject("drmm")))
    for by in (Grouping.TASK, Grouping.STATE, Grouping.TAG):
        groups = store.groups(LATEST, by)
        keys = [key for group in groups for key in store.keys(GroupSubject(LATEST, group.key))]
        assert len(keys) == len(whole)
        assert set(keys) == whole


def test_failed_are_those_of_the_latest_runs(workspace: FakeWorkspace, jobs: Jobs) -> None:
    store = store_of(workspace)
    states = {job.state for job in store.jobs(FailedSubject())}
    assert states == {JobState.FAILED, JobState.DIED}
    assert len(store.keys(FailedSubject())) == 4


def test_all_jobs_are_those_of_runs_and_orphans(workspace: FakeWorkspace, jobs: Jobs) -> None:
    orphan = FakeJob("lost", "a", {"x": 1})
    workspace.done(orphan)
    store = store_of(workspace)
    assert len(store.keys(AllJobsSubject())) == 26
    job = store.job(orphan.key)
    assert (job.run, job.state, store.label(job)) == (None, JobState.DONE, "x=1")


def test_who_is_made_from_a_job(workspace: FakeWorkspace, jobs: Jobs) -> None:
    store = store_of(workspace)
    learn = jobs["learn lr=0.01 seed=1"]
    assert store.dependants(learn.key, LATEST) == (jobs["evaluate of lr=0.01 seed=1"].key,)
    assert store.runs_of(jobs["learn lr=0.1 seed=1"].key) == (LATEST, EARLIER)


def test_a_change_touches_its_job_and_its_runs_only(workspace: FakeWorkspace, jobs: Jobs) -> None:
    store = store_of(workspace)
    other = store.job(jobs["learn lr=0.01 seed=1"].key, LATEST)
    learn = jobs["learn lr=0.01 seed=2"]
    workspace.done(learn, run=str(LATEST), ended=1)
    record = scan.read_job(workspace.paths, learn.key)
    changed = store.apply(Delta(jobs={learn.key: record}))
    assert changed == Changed(jobs=frozenset([learn.key]), runs=frozenset([LATEST]))
    assert store.job(learn.key, LATEST).state is JobState.DONE
    assert store.counts(LEARN).running == 2
    assert store.counts(ExperimentSubject("drmm")).done == 5
    assert store.job(other.key, LATEST) is other


def test_deltas_add_up_to_what_a_fresh_look_finds(workspace: FakeWorkspace, jobs: Jobs) -> None:
    store = store_of(workspace)
    for number, name in enumerate(["lr=0.01 seed=1", "lr=0.01 seed=2", "lr=0.001 seed=1"]):
        job = jobs[f"learn {name}"]
        if number % 2:
            workspace.failed(job, run=str(LATEST), ended=2)
        else:
            workspace.done(job, run=str(LATEST), ended=2)
        store.apply(Delta(jobs={job.key: scan.read_job(workspace.paths, job.key)}))
    fresh = store_of(workspace)
    assert store.experiments() == fresh.experiments()
    assert list(store.jobs(LEARN)) == list(fresh.jobs(LEARN))
    for by in Grouping:
        assert store.groups(LATEST, by) == fresh.groups(LATEST, by)


def test_a_run_that_goes_takes_its_light_with_it(workspace: FakeWorkspace, jobs: Jobs) -> None:
    store = store_of(workspace)
    changed = store.apply(Delta(gone_runs=frozenset([LATEST])))
    assert changed.experiments
    assert store.run(LATEST) is None
    assert store.keys(RunSubject(LATEST)) == ()
    experiment = store.experiment("drmm")
    assert experiment is not None
    assert experiment.latest == EARLIER
    assert store.home_of(jobs["learn lr=0.001 seed=3"].key) is None


def test_an_unreadable_run_is_said_and_nothing_is_lost(
    workspace: FakeWorkspace, jobs: Jobs
) -> None:
    paths = workspace.paths.run("drmm", LATEST.run)
    with open(paths.record, "w", encoding="utf-8") as file:
        file.write('{"v": 1, "exp')
    store = store_of(workspace)
    experiment = store.experiment("drmm")
    assert experiment is not None
    assert experiment.plan is None
    assert experiment.view is not None
    assert "run.json" in experiment.view.problem
    assert len(store.keys(ExperimentSubject("drmm"))) == 20


def test_an_unreadable_job_is_a_state(workspace: FakeWorkspace, jobs: Jobs) -> None:
    learn = jobs["learn lr=0.01 seed=1"]
    with open(workspace.paths.job(learn.key).start(1), "w", encoding="utf-8") as file:
        file.write("{")
    store = store_of(workspace)
    job = store.job(learn.key, LATEST)
    assert job.state is JobState.UNREADABLE
    assert "1.start" in job.record.problem
    assert job.tags["lr"] == 0.01


def test_an_empty_workspace(workspace: FakeWorkspace) -> None:
    store = Store(workspace.paths)
    store.apply(read_all(workspace))
    assert store.empty
    assert store.experiments() == ()
    assert store.keys(AllJobsSubject()) == ()
    assert store.keys(JobSubject(FakeJob("a", "b").key)) != ()


def test_a_retry_is_seen_in_the_run_whose_jobs_it_runs_again(workspace: FakeWorkspace) -> None:
    bad, behind, other = (FakeJob("learn", name) for name in ("bad", "behind", "other"))
    workspace.failed(bad)
    workspace.done(other)
    blocked = Wait(behind.key, WaitKind.UPSTREAM_FAILED, on=(bad.key,))
    plan = PlanState.COMPLETE
    workspace.run("x", [bad, behind, other], plan=plan, ended=10, waits=[blocked])
    store = store_of(workspace)
    run = RunKey("x", LATEST.run)
    assert store.job(behind.key, run).state is JobState.BLOCKED
    waits = [Wait(bad.key, WaitKind.CORE, 1), Wait(behind.key, WaitKind.DEPENDENCY, on=(bad.key,))]
    retry = RunKey("x", f"{LATEST.run}.retry")
    workspace.run("x", [bad, behind], run=retry.run, waits=waits)
    view = scan.read_run(workspace.paths, "x", retry.run)
    assert run in store.apply(Delta(runs={retry: view})).runs
    (experiment,) = store.experiments()
    assert experiment.latest == run
    assert experiment.earlier == (retry,)
    assert [store.job(job.key, run).state for job in (bad, behind, other)] == [
        JobState.WAITING,
        JobState.WAITING,
        JobState.DONE,
    ]


def test_what_is_prepared_is_not_worked_out_when_it_is_asked_for(
    workspace: FakeWorkspace, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(workspace)
    for _ in range(20):
        store.prepare()
    worked: list[int] = []
    real = run_labels.labelling
    monkeypatch.setattr(
        run_labels, "labelling", lambda lines: worked.append(len(lines)) or real(lines)
    )
    assert "lr=0.1 seed=1" in [store.label(job) for job in store.jobs(LEARN)]
    assert worked == []
    earlier = GroupSubject(EARLIER, LEARN.group)
    assert [store.label(job) for job in store.jobs(earlier)]
    assert worked, "what no experiment stands on is not prepared"


def test_a_job_is_another_when_it_is_told_to_lie_in_the_trash(
    workspace: FakeWorkspace, jobs: Jobs
) -> None:
    store = store_of(workspace)
    key = jobs["old o1"].key
    done = clean.carry_out(workspace.paths, clean.plan_removal(workspace.paths, [key]))
    store.apply(Delta(jobs={key: JobRecord(key, JobState.NOT_SUBMITTED)}))
    assert not store.job(key).trashed
    changed = store.apply(Delta(trash=list_trash(workspace.paths)))
    assert changed.jobs == {key}
    assert store.job(key).trashed == done.name
    changed = store.apply(Delta(trash=()))
    assert changed.jobs == {key}
    assert not store.job(key).trashed


def test_a_job_of_two_experiments_counts_once(workspace: FakeWorkspace, jobs: Jobs) -> None:
    store = store_of(workspace)
    before = store.totals()
    shared = [jobs["learn lr=0.01 seed=1"], jobs["index0"], jobs["learn lr=0.1 seed=1"]]
    new = FakeJob("ir.learn", "new")
    workspace.start(new)
    workspace.run("second", [*shared, new], reused=[jobs["index0"]], run="20261124-091200")
    store.apply(read_all(workspace))
    assert store.totals().of == {**before.of, JobState.RUNNING: before.running + 1}
    workspace.run("second", [new, *shared, FakeJob("ir.learn", "b")], run="20261124-091200")
    store.apply(read_all(workspace))
    assert store.totals().total == before.total + 2


def test_what_runs_waits_for_nothing_though_its_run_said_so_a_moment_ago(
    workspace: FakeWorkspace,
) -> None:
    job = FakeJob("ir.learn", "a")
    workspace.run("drmm", [job], waits=[Wait(job.key, WaitKind.CORE, 1)])
    store = store_of(workspace)
    (waiting,) = store.jobs(AllJobsSubject())
    assert waiting.wait is not None
    workspace.start(job)
    store.apply(Delta(jobs={job.key: scan.read_job(workspace.paths, job.key)}))
    (running,) = store.jobs(AllJobsSubject())
    assert (running.state, running.wait) == (JobState.RUNNING, None)


def test_what_was_prepared_is_not_prepared_again_when_its_run_grows(
    workspace: FakeWorkspace, jobs: Jobs
) -> None:
    store = store_of(workspace)
    index = store.index(LATEST)
    assert index is not None
    steps = 0
    while index.prepare():
        steps += 1
    assert steps == len(store.groups(LATEST, Grouping.TASK)) + 1
    view = store.run(LATEST)
    assert view is not None
    index.grow(view)
    assert not index.prepare()
