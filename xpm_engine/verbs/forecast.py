"""What a plan would do, a row a job, with the reason in words (`xpm plan`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xpm_engine.plan.preview import Forecast, PreviewJob, preview_plan
from xpm_engine.verbs.earlier import EarlierJobs
from xpm_engine.verbs.why import why_record
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.params import ParamsRecord

RUNS_NOTHING = frozenset((Forecast.REUSED, Forecast.ADOPTED))
"""What a fully cached plan consists of."""


@dataclass(frozen=True)
class ForecastRow:
    """One job of a plan that was not run."""

    experiment: str
    workspace: str
    key: JobKey
    tags: Mapping[str, Any]
    forecast: Forecast
    why: str
    """In one line; empty where there is nothing to explain."""
    launcher: str = ""
    """What would run it; empty for what would not be run."""

    def to_json(self) -> dict[str, Any]:
        return {
            "experiment": self.experiment,
            "workspace": self.workspace,
            "task": self.key.task,
            "id": self.key.identifier,
            "tags": dict(self.tags),
            "forecast": self.forecast.value,
            "why": self.why,
            "launcher": self.launcher,
        }


@dataclass(frozen=True)
class PlanForecast:
    """What a plan would do."""

    rows: tuple[ForecastRow, ...]
    stopped: str
    """Where the plan could not be read further without results that are not there yet."""


def forecast_plan(path: str, arguments: Mapping[str, str]) -> PlanForecast:
    """Read a plan without running it, and say what each of its jobs would do and why.

    Raises what reading the plan raises.
    """
    preview = preview_plan(path, arguments)
    orders: dict[JobKey, ParamsRecord] = {}
    earlier: dict[str, EarlierJobs] = {}
    rows: list[ForecastRow] = []
    for job in preview.jobs:
        launcher = ""
        if job.forecast is Forecast.RUN:
            launcher = job.launcher
            orders[job.key] = job.order.params
            known = earlier.setdefault(job.workspace.root, EarlierJobs(job.workspace))
            text = why_record(
                job.workspace, job.key, job.order.params, earlier=known, lookup=orders.get
            ).text
        else:
            text = _why_not_run(job)
        rows.append(
            ForecastRow(
                job.experiment,
                job.workspace.root,
                job.key,
                job.order.tags,
                job.forecast,
                text,
                launcher,
            )
        )
    return PlanForecast(tuple(rows), preview.stopped)


def counts(rows: Sequence[ForecastRow]) -> str:
    """``8 run, 30 reused``."""
    found = Counter(row.forecast for row in rows)
    return ", ".join(f"{found[kind]} {kind.value}" for kind in Forecast if found[kind])


def _why_not_run(job: PreviewJob) -> str:
    if job.drift is not None:
        return "; ".join(job.drift.changes)
    if job.adopted is not None:
        return f"its result is that of {job.adopted.task}/{job.adopted.short}, its former name"
    return job.problem
