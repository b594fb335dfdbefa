"""Removing jobs to the trash and taking them back, as a person orders it.

The app and the command line share these: plan, show the plan, carry it out, undo. What happens on
the disk is `xpm_engine.workspace.cleaning`'s matter.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from xpm_engine.errors import UsageError
from xpm_engine.verbs.protection import changing
from xpm_engine.words import plural
from xpm_engine.words import size as size_words
from xpm_engine.workspace import cleaning
from xpm_engine.workspace.cleaning import (
    Need,
    NeedKind,
    RemovalPlan,
    RemovalRow,
    Transaction,
    UndoReport,
    list_trash,
    measure,
    plan_removal,
)
from xpm_engine.workspace.cleaning.piece_places import place_of
from xpm_engine.workspace.cleaning.purged import count_purged, gather, list_purged, read_purged
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.trash import Left, Piece, PieceKind

__all__ = [
    "Need",
    "NeedKind",
    "RemovalPlan",
    "RemovalRow",
    "Transaction",
    "UndoReport",
    "carry_out",
    "contents",
    "count_purged",
    "gather",
    "left_words",
    "list_purged",
    "list_trash",
    "measure",
    "moved_sentence",
    "plan_removal",
    "purge",
    "purged_sentence",
    "read_purged",
    "things_words",
    "undo",
    "undo_would",
    "undone_sentence",
]


carry_out = changing(cleaning.carry_out)
purge = changing(cleaning.purge)


@changing
def undo(workspace: WorkspacePaths, transaction: str | None = None) -> UndoReport:
    """Take back a clean: the one named, or the newest that still has something in the trash.

    Raises UsageError where there is none, OccupiedError while somebody works on it, StorageError.
    """
    return cleaning.undo(workspace, _newest(workspace) if transaction is None else transaction)


def _newest(workspace: WorkspacePaths) -> str:
    newest = next(iter(list_trash(workspace)), None)
    if newest is None:
        raise UsageError("the trash is empty: there is no clean to undo", where=workspace.trash)
    return newest.name


def moved_sentence(done: Transaction) -> str:
    """What a clean did, in one line."""
    things = contents(done)
    moved = f"moved {things} to the trash" if things else "moved nothing"
    if done.left:
        moved += f", left {len(done.left)} where they are"
    return moved if done.empty else f"{moved}; frees 0 B until purged"


def purged_sentence(cleans: Sequence[Transaction]) -> str:
    """What a purge did, in one line."""
    sizes = [item.size for item in cleans]
    known = sum(size for size in sizes if size is not None)
    freed = f": {'at least ' if None in sizes else ''}{size_words(known)} freed"
    return f"purged {plural(len(cleans), 'clean')}{freed if known else ''}"


def undone_sentence(report: UndoReport) -> str:
    """What an undo did, in one line."""
    things = things_words(len(report.returned), report.pieces) or "nothing"
    line = f"moved {things} back"
    if report.kept:
        line += f", {len(report.kept):,} stay in the trash"
    return line


def left_words(left: Left) -> str:
    """What was left, and why: ``ir.learn/13377a: it runs``."""
    return left.why if left.key is None else f"{left.key.task}/{left.key.short}: {left.why}"


def undo_would(workspace: WorkspacePaths, transaction: str | None = None) -> UndoReport:
    """What `undo` would do now, as far as a look tells; reads only. Raises UsageError."""
    name = _newest(workspace) if transaction is None else transaction
    lying = next((item for item in list_trash(workspace) if item.name == name), None)
    if lying is None:
        raise UsageError(
            f"there is no clean {name!r} in the trash",
            where=workspace.trash,
            hint="xpm undo --list names those that can be undone",
        )
    returned = [removal.key for removal in lying.removals]
    kept = [key for key in returned if os.path.lexists(workspace.job(key).root)]
    stays = [piece for piece in lying.pieces if os.path.lexists(place_of(workspace, piece))]
    left = [Left(key, "a newer folder stands in its place") for key in kept]
    left += [Left(piece.key, f"{piece.words}: something newer stands there") for piece in stays]
    return UndoReport(
        name,
        tuple(key for key in returned if key not in kept),
        tuple(left),
        tuple(piece for piece in lying.pieces if piece not in stays),
    )


def contents(item: Transaction) -> str:
    """What of a clean lies in the trash: ``3 jobs and the leftovers of 1 attempt``."""
    return things_words(len(item.removals), item.pieces)


def things_words(jobs: int, pieces: Collection[Piece] = ()) -> str:
    """``3 jobs, 2 runs and the leftovers of 1 attempt``; empty for nothing."""
    counts = Counter(piece.kind for piece in pieces)
    parts = [plural(jobs, "job")] if jobs else []
    for kind, words in _KINDS.items():
        if counts[kind]:
            parts.append(words(counts[kind]))
    *most, last = parts or [""]
    return f"{', '.join(most)} and {last}" if most else last


_KINDS: Mapping[PieceKind, Callable[[int], str]] = {
    PieceKind.RUN: lambda count: plural(count, "run"),
    PieceKind.SHARED: lambda count: plural(count, "shared folder"),
    PieceKind.FILE: lambda count: plural(count, "file"),
    PieceKind.LOG: lambda count: plural(count, "packed log"),
    PieceKind.LEFTOVERS: lambda count: f"the leftovers of {plural(count, 'attempt')}",
}
