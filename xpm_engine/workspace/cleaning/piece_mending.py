"""What is left to do where pieces came or went: by an undo, or after a crash in the middle of one.

All of it may be done again, and by who mends as well as by who moves.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable
from contextlib import suppress

from xpm_engine.workspace import tickets
from xpm_engine.workspace.cleaning.folders import links_between
from xpm_engine.workspace.cleaning.latest import tidy_experiments
from xpm_engine.workspace.cleaning.log_links import lead_to_log, lead_to_packed
from xpm_engine.workspace.cleaning.packing import unpacked_again
from xpm_engine.workspace.cleaning.piece_places import made_at, place_of, time_of, times_of
from xpm_engine.workspace.layout import TrashPaths, WorkspacePaths
from xpm_engine.workspace.records.trash import Piece, PieceKind


def mend_pieces(workspace: WorkspacePaths, trash: TrashPaths, pieces: Iterable[Piece]) -> None:
    """Leave nothing half of what a crash cut short; raises StorageError.

    A log that stands in its place has no packed copy, its link leads to what there is of it, the
    folders have the times that they had before, and each experiment's ``latest`` names its last
    run.
    """
    listed = tuple(pieces)
    for piece in listed:
        if _lies(trash, piece):
            lead_away(workspace, piece)
        elif piece.kind is PieceKind.LOG and os.path.lexists(place_of(workspace, piece)):
            unpack(workspace, piece)
    restore_times(workspace, trash, listed)
    tidy(workspace, listed)


def restore_times(
    workspace: WorkspacePaths,
    trash: TrashPaths,
    pieces: Iterable[Piece],
    touched: Container[str] | None = None,
) -> None:
    """Give the folders of these pieces the times that they had, where all are back that left.

    Only to those that were `touched`, where that is known.
    """
    times: dict[str, int] = {}
    missing: set[str] = set()
    for piece in pieces:
        back = os.path.lexists(place_of(workspace, piece)) and not _lies(trash, piece)
        whole = back and piece.made == made_at(workspace, piece)
        for folder, time in times_of(workspace, piece).items():
            if whole:
                times[folder] = time
            else:
                missing.add(folder)
    for folder, time in times.items():
        wanted = touched is None or folder in touched
        if wanted and folder not in missing and time_of(folder) != time:
            with suppress(OSError):
                os.utime(folder, ns=(os.lstat(folder).st_atime_ns, time), follow_symlinks=False)


def tidy(workspace: WorkspacePaths, pieces: Iterable[Piece]) -> None:
    """Let ``latest`` of the experiments whose runs these are name the last one there is."""
    runs = (piece for piece in pieces if piece.kind is PieceKind.RUN)
    tidy_experiments(workspace, frozenset(run.names[0] for run in runs))


def _lies(trash: TrashPaths, piece: Piece) -> bool:
    return os.path.lexists(trash.piece(piece.kind.value, piece.names))


def lead_away(workspace: WorkspacePaths, piece: Piece) -> None:
    """A piece left its place: where it is a log, its link leads to the packed copy."""
    if piece.kind is not PieceKind.LOG or piece.key is None:
        return
    job = workspace.job(piece.key)
    if not links_between(workspace, job.logs):
        lead_to_packed(job, piece.names[2])


def unpack(workspace: WorkspacePaths, piece: Piece) -> None:
    """A log stands in its place: its packed copy goes, and its link is as it was.

    Unless somebody is at work on its job: an attempt, which has links of its own, or a cleaner, who
    may be packing this very log.
    """
    path = place_of(workspace, piece)
    key = piece.key
    if key is None or links_between(workspace, os.path.dirname(path)):
        return
    lock = tickets.hold(workspace.job(key).lock, patience=0.0)
    if lock is None:
        return
    try:
        unpacked_again(path)
        lead_to_log(workspace.job(key), piece.names[2], piece.link_time)
    finally:
        os.close(lock)
