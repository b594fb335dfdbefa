"""After any sequence of making, cleaning, undoing and purging, a model and the disk agree."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
)

from tests.engine.folders import key, make_job, make_run, picture, reference
from xpm_engine.workspace import cleaning, scan
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState, state_of_outcome

JOBS = (key(1), key(2), key(1, "ir.evaluate"), key(2, "ir.evaluate"))
OUTCOMES = (Outcome.DONE, Outcome.FAILED, None)
job_keys = st.sampled_from(JOBS)

Folder = tuple[JobState, dict[str, Any]]
"""The state of a job and the picture of its folder."""


class CleaningModel(RuleBasedStateMachine):
    """What stands where, as it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.root = tempfile.mkdtemp()
        self.workspace = WorkspacePaths(self.root + "/ws")
        self.standing: dict[JobKey, Folder] = {}
        self.trashed: dict[str, dict[JobKey, Folder]] = {}
        self.needed: set[JobKey] = set()
        self.runs = 0
        os.mkdir(self.workspace.root)

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    cleans = Bundle("cleans")

    @rule(name=job_keys, outcome=st.sampled_from(OUTCOMES), dependency=job_keys)
    def make(self, name: JobKey, outcome: Outcome | None, dependency: JobKey) -> None:
        if name in self.standing:
            return
        dependencies = [] if dependency == name else [dependency]
        job = make_job(self.workspace, name, outcome=outcome, dependencies=dependencies)
        os.symlink(self.root, f"{job.root}/out")
        os.chmod(f"{job.root}/result.txt", 0o640)
        state = JobState.RUNNING if outcome is None else state_of_outcome(outcome)
        self.standing[name] = (state, picture(job.root))
        if outcome is None and dependencies:
            self.needed.add(dependency)

    @rule(name=job_keys, plan=st.sampled_from((PlanState.RUNNING, PlanState.COMPLETE)))
    def reference(self, name: JobKey, plan: PlanState) -> None:
        self.runs += 1
        make_run(self.workspace, [reference(name)], run=f"run-{self.runs}", plan=plan)
        if plan is PlanState.RUNNING:
            self.needed.add(name)

    @rule(target=cleans, names=st.lists(job_keys, unique=True, min_size=1))
    def clean(self, names: list[JobKey]) -> str:
        plan = cleaning.plan_removal(self.workspace, names)
        done = cleaning.carry_out(self.workspace, plan)
        expected = {
            name
            for name in names
            if name in self.standing
            and self.standing[name][0] is not JobState.RUNNING
            and name not in self.needed
        }
        assert {removal.key for removal in done.removals} == expected
        assert {left.key for left in done.left} == set(names) - expected
        if expected:
            self.trashed[done.name] = {name: self.standing.pop(name) for name in expected}
        return done.name

    @rule(name=cleans)
    def undo(self, name: str) -> None:
        if name not in self.trashed:
            return
        report = cleaning.undo(self.workspace, name)
        lying = self.trashed.pop(name)
        blocked = {job for job in lying if job in self.standing}
        assert set(report.returned) == lying.keys() - blocked
        assert {kept.key for kept in report.kept} == blocked
        self.standing.update({job: lying[job] for job in report.returned})
        if blocked:
            self.trashed[name] = {job: lying[job] for job in blocked}

    @rule(name=consumes(cleans))
    def purge(self, name: str) -> None:
        if self.trashed.pop(name, None) is not None:
            cleaning.purge(self.workspace, name)

    @invariant()
    def jobs_stand_as_they_were(self) -> None:
        assert set(scan.list_jobs(self.workspace)) == set(self.standing)
        for name, (state, before) in self.standing.items():
            assert scan.read_job(self.workspace, name).state is state
            assert picture(self.workspace.job(name).root) == before

    @invariant()
    def the_trash_holds_what_was_cleaned(self) -> None:
        listed = cleaning.list_trash(self.workspace)
        found = {item.name: {removal.key for removal in item.removals} for item in listed}
        assert found == {name: set(jobs) for name, jobs in self.trashed.items()}
        assert not any(item.unfinished or item.problem for item in listed)


TestCleaningModel = CleaningModel.TestCase
TestCleaningModel.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
