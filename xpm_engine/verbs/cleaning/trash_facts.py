"""What is to be known of the trash: what one clean holds, what was deleted for good, and when.

As JSON too, in parts short enough to be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from xpm_engine.errors import UnreadableError
from xpm_engine.verbs.cleaning.clean import gather, list_purged, read_purged
from xpm_engine.workspace.atomic import dumps
from xpm_engine.workspace.cleaning.transactions import read_transaction
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.purged import Purged, parse_purged, purged_lines
from xpm_engine.workspace.settings import load_settings

LINES = 50
"""Jobs in one part: each has the end of its logs."""


@dataclass(frozen=True)
class CleanedFacts:
    """What is known of a clean."""

    record: Purged | None
    gone: bool
    """Whether it was deleted for good."""
    problem: str = ""


@dataclass(frozen=True)
class TrashFacts:
    """What is known of the trash, besides the cleans that lie in it."""

    purged: tuple[Purged, ...] = ()
    days: int | None = 0
    """After which a clean is purged by itself; 0 for never, None where that can't be told."""


def cleaned_facts(workspace: WorkspacePaths, name: str) -> CleanedFacts:
    """What a clean holds, also after it was deleted for good; reads only."""
    lying = read_transaction(workspace, name)
    if not lying.empty:
        return CleanedFacts(gather(workspace.transaction(name), lying), gone=False)
    try:
        return CleanedFacts(read_purged(workspace, name), gone=True)
    except FileNotFoundError:
        return CleanedFacts(None, gone=False, problem="all of it was taken back")
    except UnreadableError as error:
        return CleanedFacts(None, gone=True, problem=f"{error.where}: {error.what}")


def trash_facts(workspace: WorkspacePaths) -> TrashFacts:
    """What was deleted for good, and when the rest will be. Raises SettingsError."""
    return TrashFacts(list_purged(workspace), load_settings(workspace).retention.trash_days)


def cleaned_to_json(facts: CleanedFacts) -> Iterator[dict[str, Any]]:
    """The head, then the lines of the record."""
    yield {"gone": facts.gone, "problem": facts.problem}
    if facts.record is not None:
        yield from _record_to_json(facts.record)


def cleaned_from_json(parts: Iterator[Fields]) -> CleanedFacts:
    """What these parts tell; raises UnreadableError."""
    head = next(parts, None)
    if head is None:
        raise UnreadableError("nothing was said of this clean", where="the answer")
    record = next(_records(parts), None)
    return CleanedFacts(record, head.flag("gone"), head.text("problem"))


def trash_to_json(facts: TrashFacts) -> Iterator[dict[str, Any]]:
    """The days, then each record without what only `cleaned_facts` shows of its jobs."""
    yield {"days": facts.days}
    for record in facts.purged:
        jobs = tuple(
            replace(job, params={}, metrics={}, stdout=(), stderr=()) for job in record.jobs
        )
        yield from _record_to_json(replace(record, jobs=jobs))


def trash_from_json(parts: Iterator[Fields]) -> TrashFacts:
    """What these parts tell; raises UnreadableError."""
    head = next(parts, None)
    days = None if head is None else head.optional_integer("days")
    return TrashFacts(tuple(_records(parts)), days)


def _record_to_json(record: Purged) -> Iterator[dict[str, Any]]:
    lines = purged_lines(record)
    for start in range(0, len(lines), LINES):
        yield {"begins": start == 0, "lines": lines[start : start + LINES]}


def _records(parts: Iterable[Fields]) -> Iterator[Purged]:
    lines: list[bytes] = []
    for part in parts:
        if part.flag("begins") and lines:
            yield parse_purged(b"\n".join(lines), part.where)
            lines = []
        lines += (dumps(line.data) for line in part.parts("lines"))
    if lines:
        yield parse_purged(b"\n".join(lines), "the answer")
