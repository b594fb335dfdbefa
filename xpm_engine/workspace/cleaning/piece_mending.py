"""What is left to do where pieces came or went: by an undo, or after a crash in the middle of one.

All of it may be done again, and by who mends as well as by who moves.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from xpm_engine.workspace import tickets
from xpm_engine.workspace.cleaning.folders import links_between
from xpm_engine.workspace.cleaning.latest import tidy_experiments
from xpm_engine.workspace.cleaning.packing import unpacked_again
from xpm_engine.workspace.cleaning.piece_places import made_at, place_of, time_of
from xpm_engine.workspace.layout import TrashPaths, WorkspacePaths
from xpm_engine.workspace.records.trash import Piece, PieceKind


def mend_pieces(workspace: WorkspacePaths, trash: TrashPaths, pieces: Iterable[Piece]) -> None:
    """Leave nothing half of what a crash cut short; raises StorageError.

    A log that stands in its place has no packed copy, the folders have the times that they had
    before, and each experiment's ``latest`` names its last run.
    """
    listed = tuple(pieces)
    for piece in listed:
        if piece.kind is PieceKind.LOG and not _lies(trash, piece):
            _without_copy(workspace, piece)
    restore_times(workspace, trash, listed)
    tidy(workspace, listed)


def restore_times(workspace: WorkspacePaths, trash: TrashPaths, pieces: Iterable[Piece]) -> None:
    """Give the folders of these pieces the times that they had, where all are back that left."""
    times: dict[str, int] = {}
    missing: set[str] = set()
    for piece in pieces:
        if piece.folder_time is None:
            continue
        place = place_of(workspace, piece)
        folder = os.path.dirname(place)
        back = os.path.lexists(place) and not _lies(trash, piece)
        if not back or piece.made != made_at(workspace, piece):
            missing.add(folder)
        else:
            times[folder] = piece.folder_time
    for folder, time in times.items():
        if folder not in missing and time_of(folder) != time:
            with suppress(OSError):
                os.utime(folder, ns=(os.lstat(folder).st_atime_ns, time), follow_symlinks=False)


def tidy(workspace: WorkspacePaths, pieces: Iterable[Piece]) -> None:
    """Let ``latest`` of the experiments whose runs these are name the last one there is."""
    runs = (piece for piece in pieces if piece.kind is PieceKind.RUN)
    tidy_experiments(workspace, frozenset(run.names[0] for run in runs))


def _lies(trash: TrashPaths, piece: Piece) -> bool:
    return os.path.lexists(trash.piece(piece.kind.value, piece.names))


def _without_copy(workspace: WorkspacePaths, piece: Piece) -> None:
    """Remove the packed copy of a log, unless somebody is at work on its job."""
    path = place_of(workspace, piece)
    key = piece.key
    if key is None or not os.path.lexists(path):
        return
    if links_between(workspace, os.path.dirname(path)):
        return
    lock = tickets.hold(workspace.job(key).lock, patience=0.0)
    if lock is None:
        return
    try:
        unpacked_again(path)
    finally:
        os.close(lock)
