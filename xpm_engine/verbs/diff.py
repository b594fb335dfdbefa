"""What differs between two jobs: parameters, outcome, durations, metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from xpm_engine.errors import UnreadableError
from xpm_engine.verbs.jobs.listing import reason_words
from xpm_engine.verbs.upstream import Step, follow
from xpm_engine.workspace import aliases, scan
from xpm_engine.workspace.compare import differences
from xpm_engine.workspace.differences import Difference, job_text
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.params import ParamsRecord
from xpm_engine.workspace.scan import JobRecord


@dataclass(frozen=True)
class Row:
    """One thing that differs; None where a job has none."""

    name: str
    old: Any
    new: Any

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "old": self.old, "new": self.new}


@dataclass(frozen=True)
class JobDiff:
    """What differs between two jobs; what is the same is left out."""

    old: JobKey
    new: JobKey
    parameters: tuple[Difference, ...]
    """Options too, and defaults that are in no identifier."""
    upstream: tuple[Step, ...]
    """What made their upstream jobs different."""
    tags: tuple[Row, ...]
    outcome: tuple[Row, ...]
    """State, reason, attempts, exit code, signal."""
    usage: tuple[Row, ...]
    """``seconds``, ``cpu_seconds`` and ``peak_bytes``."""
    metrics: tuple[Row, ...]
    """The last value of each."""
    problems: tuple[str, ...]
    """What can't be compared, because it is unreadable or not there."""

    @property
    def same(self) -> bool:
        """Whether nothing differs and everything could be read."""
        parts = (self.parameters, self.tags, self.outcome, self.usage, self.metrics, self.problems)
        return not any(parts)

    def to_json(self) -> dict[str, Any]:
        rows = {
            "tags": self.tags,
            "outcome": self.outcome,
            "usage": self.usage,
            "metrics": self.metrics,
        }
        return {
            "old": str(self.old),
            "new": str(self.new),
            "parameters": [each.to_json() for each in self.parameters],
            "upstream": [each.to_json() for each in self.upstream],
            **{name: [row.to_json() for row in part] for name, part in rows.items()},
            "problems": list(self.problems),
        }


def diff(workspace: WorkspacePaths, old: JobKey, new: JobKey) -> JobDiff:
    """What differs between two jobs of a workspace, whatever their tasks."""
    records = _job(workspace, old), _job(workspace, new)
    problems = [
        f"{job_text(record.key)} is unreadable: {record.problem}"
        for record in records
        if record.problem
    ]
    before, after = (_params(workspace, record, problems) for record in records)
    found: tuple[Difference, ...] = ()
    steps: tuple[Step, ...] = ()
    if before is not None and after is not None:
        found = differences(before, after, everything=True)
        steps = follow(workspace, before, after, found)
    mine, yours = records
    return JobDiff(
        old=old,
        new=new,
        parameters=found,
        upstream=steps,
        tags=_rows(mine.tags, yours.tags),
        outcome=_rows(_outcome(mine), _outcome(yours)),
        usage=_rows(_usage(mine), _usage(yours)),
        metrics=_rows(mine.metrics, yours.metrics),
        problems=tuple(dict.fromkeys(problems)),
    )


def _job(workspace: WorkspacePaths, key: JobKey) -> JobRecord:
    """The record of a job, or of the one whose result it adopted."""
    with suppress(UnreadableError):
        key = aliases.resolve(workspace, key)
    return scan.read_job(workspace, key)


def _params(
    workspace: WorkspacePaths, record: JobRecord, problems: list[str]
) -> ParamsRecord | None:
    """The parameters of a job; what is wrong with them is added to `problems`."""
    try:
        params = scan.read_params(workspace.job(record.key), max(record.attempt, 1))
    except UnreadableError as error:
        problems.append(
            f"the parameters of {job_text(record.key)} are unreadable: {error.what} ({error.where})"
        )
        return None
    if params is None:
        problems.append(f"{job_text(record.key)} has no parameters")
    return params


def _outcome(record: JobRecord) -> dict[str, Any]:
    return {
        "state": record.state.value,
        "reason": None if record.reason is None else reason_words(record.reason),
        "attempts": record.attempt,
        "exit code": record.exit_code,
        "signal": record.signal,
    }


def _usage(record: JobRecord) -> dict[str, Any]:
    usage = record.usage
    if usage is None:
        return {}
    return {
        "seconds": usage.seconds,
        "cpu_seconds": usage.cpu_seconds,
        "peak_bytes": usage.peak_bytes,
    }


def _rows(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Row, ...]:
    names: Iterable[str] = dict.fromkeys((*old, *new))
    pairs = ((name, old.get(name), new.get(name)) for name in names)
    # By their text: a tag may be changed from 1 to True.
    return tuple(Row(*pair) for pair in pairs if repr(pair[1]) != repr(pair[2]))
