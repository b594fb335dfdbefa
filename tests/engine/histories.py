"""Runs and jobs as records, without a disk: what a workspace's history may look like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from xpm_engine.workspace import processes
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import (
    GitState,
    How,
    Manifest,
    PlanState,
    Reference,
    RunKind,
    RunRecord,
    Scope,
)
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import Usage
from xpm_engine.workspace.scan import JobRecord, RunView

AT = "2026-11-23T05:52:01.123456Z"


def line(
    key: JobKey, *, dependencies: Iterable[JobKey] = (), alias: JobKey | None = None, **tags: Any
) -> Reference:
    """A line of a manifest, its tags parameters as well."""
    return Reference(
        key,
        How.NEW,
        AT,
        tags=tags,
        params={f"model.{name}": value for name, value in tags.items()},
        dependencies=tuple(dependencies),
        alias=alias,
    )


def run(
    number: int,
    references: Iterable[Reference],
    *,
    plan: PlanState = PlanState.COMPLETE,
    experiment: str = "drmm",
    arguments: Mapping[str, str] | None = None,
    kind: RunKind = RunKind.PLAN,
    selection: str | None = None,
    ended: bool | None = None,
    damage: tuple[str, ...] = (),
    commit: str | None = None,
) -> RunView:
    """The run that began as the `number`-th; it closed its manifest if it says that it ended."""
    name = f"20261123-09{number:04d}-ab12"
    record = RunRecord(
        experiment=experiment,
        run=name,
        scope=Scope("/project/plan.py", tuple(sorted((arguments or {}).items()))),
        plan=PlanState.RUNNING if plan is PlanState.CRASHED else plan,
        kind=kind,
        driver=processes.own_identity(),
        user="ada",
        started=f"2026-11-23T09:{number // 60:02d}:{number % 60:02d}.000000Z",
        selection=selection,
        git=None if commit is None else GitState(commit, False),
    )
    over = plan not in (PlanState.RUNNING, PlanState.CRASHED)
    manifest = Manifest(tuple(references), over if ended is None else ended, damage)
    return RunView(experiment, name, record, manifest, None, plan)


def unreadable_run(number: int, references: Iterable[Reference] = ()) -> RunView:
    """A run whose run.json can't be read."""
    name = f"20261123-09{number:04d}-ab12"
    problem = f"/ws/experiments/drmm/{name}/run.json: is truncated"
    return RunView("drmm", name, None, Manifest(tuple(references), True), None, None, problem)


def job(
    key: JobKey,
    state: JobState = JobState.DONE,
    *,
    dependencies: Iterable[JobKey] = (),
    alias: JobKey | None = None,
    seconds: float = 60.0,
    attempt: int = 1,
) -> JobRecord:
    """A job as its folder tells it."""
    return JobRecord(
        key,
        state,
        attempt=attempt,
        dependencies=tuple(dependencies),
        alias=alias,
        usage=Usage(seconds, seconds, 0) if state is JobState.DONE else None,
        problem=f"/ws/jobs/{key}/.xpm/job.json: is truncated"
        if state is JobState.UNREADABLE
        else "",
    )
