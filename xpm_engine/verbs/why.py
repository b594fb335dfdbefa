"""Why a job ran, or will run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from xpm_engine.errors import UnreadableError
from xpm_engine.verbs.earlier import Earlier, EarlierJobs, project_name
from xpm_engine.verbs.jobs.listing import reason_words
from xpm_engine.verbs.upstream import MOST_STEPS, Lookup, Step, follow, root_text
from xpm_engine.words import plural
from xpm_engine.workspace import aliases, scan, tickets
from xpm_engine.workspace.compare import differences
from xpm_engine.workspace.differences import Difference, DifferenceKind, job_text
from xpm_engine.workspace.layout import JobKey, WorkspacePaths, list_folders
from xpm_engine.workspace.records.params import ParamsRecord
from xpm_engine.workspace.records.reasons import Outcome

MOST_NAMED = 3
"""Differences that fit in one line; the others are counted."""


class Cause(Enum):
    """The kind of reason why there was no result to reuse."""

    FIRST = "no earlier job"
    PARAMETER = "parameter changed"
    NEW_PARAMETER = "new parameter"
    DEFAULT = "default changed"
    TYPE = "other class"
    RENAMED = "type renamed"
    PROJECT = "other project"
    UPSTREAM = "upstream changed"
    RETRY = "earlier attempt ended badly"
    CLEANED = "result in the trash"
    ADOPTED = "result adopted"
    """It did not run: it has the result of a job under a former name."""
    UNREADABLE = "unreadable"


_CAUSES = {
    DifferenceKind.RENAMED: Cause.RENAMED,
    DifferenceKind.TYPE: Cause.TYPE,
    DifferenceKind.CHANGED: Cause.PARAMETER,
    DifferenceKind.REMOVED: Cause.PARAMETER,
    DifferenceKind.ADDED: Cause.NEW_PARAMETER,
    DifferenceKind.DEFAULT: Cause.DEFAULT,
    DifferenceKind.UPSTREAM: Cause.UPSTREAM,
}
"""Kind of difference -> cause, the most telling first."""


@dataclass(frozen=True)
class Why:
    """Why a job ran, or will run."""

    key: JobKey
    cause: Cause
    text: str
    """In one line."""
    lines: tuple[str, ...]
    """In full, what is upstream of it indented by two spaces a level."""
    nearest: JobKey | None = None
    """The earlier job that it was compared with."""
    differences: tuple[Difference, ...] = ()
    """From that job."""
    upstream: tuple[Step, ...] = ()
    """Why the upstream jobs among them changed."""
    jobs: int = 0
    """How many earlier jobs the task has."""
    read: int = 0
    """How many of them, the newest ones, were compared."""

    def to_json(self) -> dict[str, Any]:
        return {
            "job": str(self.key),
            "cause": self.cause.value,
            "text": self.text,
            "lines": list(self.lines),
            "nearest": None if self.nearest is None else str(self.nearest),
            "differences": [each.to_json() for each in self.differences],
            "upstream": [each.to_json() for each in self.upstream],
            "earlier_jobs": self.jobs,
            "compared": self.read,
        }


def why(workspace: WorkspacePaths, key: JobKey) -> Why:
    """Why a job whose folder is in the workspace ran, or is going to."""
    try:
        alias = aliases.alias_of(workspace, key)
        names = tickets.ticket_names(workspace.job(key))
        params = scan.read_params(workspace.job(key), max(names, default=1))
    except UnreadableError as error:
        return _short(key, Cause.UNREADABLE, f"unreadable: {error.what} ({error.where})")
    if alias is not None:
        text = f"did not run: it has the result of {job_text(alias.of)}, its name before"
        return replace(_short(key, Cause.ADOPTED, text), nearest=alias.of)
    if params is None:
        return _short(key, Cause.UNREADABLE, "unreadable: no order is in its folder")
    found = _explain(EarlierJobs(workspace, before=key), key, params)
    return _again(found, _ended_badly(workspace, key, max(names)))


def why_record(
    workspace: WorkspacePaths,
    key: JobKey,
    params: ParamsRecord,
    *,
    earlier: EarlierJobs | None = None,
    lookup: Lookup | None = None,
) -> Why:
    """Why a job will run that has these parameters, and no result.

    `lookup` gives the parameters of other jobs that have no folder yet. Who asks for many jobs
    gives the same `earlier` for all: it remembers what it has read.
    """
    try:
        names = tickets.ticket_names(workspace.job(key))
    except UnreadableError as error:
        return _short(key, Cause.UNREADABLE, f"unreadable: {error.what} ({error.where})")
    bad = _ended_badly(workspace, key, max(names, default=0) + 1)
    if bad is not None:
        return _again(Why(key, Cause.RETRY, "", ()), bad)
    found = _explain(earlier or EarlierJobs(workspace), key, params, lookup=lookup)
    for name in sorted(list_folders(workspace.trash), reverse=True):
        if os.path.isdir(workspace.transaction(name).job(key).root):
            text = f"its result is in the trash: `xpm undo {name}` takes it back"
            return replace(found, cause=Cause.CLEANED, text=text, lines=(text, *found.lines))
    return found


def _explain(
    jobs: EarlierJobs, key: JobKey, params: ParamsRecord, *, lookup: Lookup | None = None
) -> Why:
    """Against the nearest earlier job."""
    earlier = jobs.nearest(key, params)
    if earlier.params is None and earlier.unreadable == 0:
        earlier = jobs.renamed(key, params) or earlier
    if earlier.params is None:
        text = f"no earlier job of {key.task}"
        if earlier.unreadable:
            text += f" that can be read ({earlier.unreadable} unreadable)"
        return _short(key, Cause.FIRST, text)
    found = differences(earlier.params, params)
    steps = follow(jobs.workspace, earlier.params, params, found, lookup=lookup)
    projects = project_name(earlier.params), project_name(params)
    cause = next((each for kind, each in _CAUSES.items() if _has(found, kind)), Cause.PARAMETER)
    lines = [*_lines(found, steps), _compared(earlier)]
    text = _one_line(found, steps)
    if projects[0] != projects[1]:
        cause = Cause.PROJECT
        lines.insert(0, f"other project: {projects[0]} → {projects[1]}")
        text = "; ".join(filter(None, (lines[0], text)))
    return Why(
        key=key,
        cause=cause,
        text=text or "nothing that the records tell",
        lines=tuple(lines),
        nearest=earlier.nearest,
        differences=found,
        upstream=steps,
        jobs=earlier.jobs,
        read=earlier.read,
    )


def _again(found: Why, earlier: tuple[int, str] | None) -> Why:
    """The same for a job that was tried before."""
    if earlier is None:
        return found
    number, reason = earlier
    text = f"attempt {number} {reason}"
    return replace(found, cause=Cause.RETRY, text=text, lines=(text, *found.lines))


def _ended_badly(workspace: WorkspacePaths, key: JobKey, attempt: int) -> tuple[int, str] | None:
    """The last attempt before `attempt` that was executed, and how it ended; None for none."""
    for number in range(attempt - 1, 0, -1):
        try:
            end = tickets.read_end(workspace.job(key), number)
        except FileNotFoundError:
            continue
        except UnreadableError:
            return number, "ended in a way that is unreadable"
        if end.outcome is not Outcome.VOID:
            reason = "" if end.reason is None else f": {reason_words(end.reason)}"
            return number, f"ended {end.outcome.value}{reason}"
    return None


def _short(key: JobKey, cause: Cause, text: str) -> Why:
    return Why(key, cause, text, (text,))


def _has(found: Sequence[Difference], kind: DifferenceKind) -> bool:
    return any(each.kind is kind for each in found)


def _one_line(found: Sequence[Difference], steps: Sequence[Step]) -> str:
    """The differences, the job's own ones first; of the upstream ones where they began."""
    own = [each.text() for each in found if each.kind is not DifferenceKind.UPSTREAM]
    upstream = root_text(steps)
    named = [*own[:MOST_NAMED], *([upstream] if upstream and len(own) < MOST_NAMED else [])]
    rest = len(found) - len(named)
    return "; ".join(named) + (f"; and {rest} more" if rest > 0 else "")


def _lines(found: Sequence[Difference], steps: Sequence[Step]) -> list[str]:
    lines = [each.text() for each in found if each.kind is not DifferenceKind.UPSTREAM]
    for step in steps:
        margin = "  " * (step.depth - 1)
        lines.append(f"{margin}{step.text()}, because")
        if step.problem:
            lines.append(f"{margin}  {step.problem}")
        own = [each for each in step.differences if each.kind is not DifferenceKind.UPSTREAM]
        lines.extend(f"{margin}  {each.text()}" for each in own)
    if len(steps) == MOST_STEPS:
        lines.append("… and more upstream jobs")
    return lines


def _compared(earlier: Earlier) -> str:
    assert earlier.nearest is not None
    text = f"compared with {job_text(earlier.nearest)}, the nearest of "
    text += plural(earlier.jobs, "earlier job")
    if earlier.read < earlier.jobs:
        text += f" (the newest {earlier.read:,} were read)"
    if earlier.unreadable:
        text += f" ({earlier.unreadable:,} unreadable)"
    return text
