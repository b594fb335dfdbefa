"""Where pieces stand in the workspace, and the times by which their places are known."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

from xpm_engine.workspace.cleaning.log_links import link_time
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.trash import Piece, PieceKind


def place_of(workspace: WorkspacePaths, piece: Piece) -> str:
    """Where a piece stands in the workspace."""
    names = piece.names
    key = piece.key
    if piece.kind is PieceKind.RUN:
        return workspace.run(*names).root
    if key is None:
        return workspace.shared_folder("/".join(names))
    job = workspace.job(key)
    if piece.kind is PieceKind.LEFTOVERS:
        return job.leftovers(piece.attempt)
    return job.log(names[2]) if piece.kind is PieceKind.LOG else f"{job.root}/{names[2]}"


def with_times(workspace: WorkspacePaths, pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """The pieces, each with the times of the folder that it stands in and of its job.

    What is not there, perhaps because another clean has it, leaves its folder as it is.
    """
    return tuple(piece if piece.key is None else _timed(workspace, piece) for piece in pieces)


def _timed(workspace: WorkspacePaths, piece: Piece) -> Piece:
    place = place_of(workspace, piece)
    there = os.path.lexists(place)
    linked = job_time = None
    if piece.kind is PieceKind.LOG and piece.key is not None and there:
        job = workspace.job(piece.key)
        linked = link_time(job, piece.names[2])
        job_time = None if linked is None else time_of(job.root)
    return replace(
        piece,
        folder_time=time_of(os.path.dirname(place)) if there else None,
        made=made_at(workspace, piece),
        link_time=linked,
        job_time=job_time,
    )


def times_of(workspace: WorkspacePaths, piece: Piece) -> dict[str, int]:
    """The folders that change when a piece leaves its place, with the times that they had."""
    times: dict[str, int] = {}
    if piece.folder_time is not None:
        times[os.path.dirname(place_of(workspace, piece))] = piece.folder_time
    if piece.job_time is not None and piece.key is not None:
        times[workspace.job(piece.key).root] = piece.job_time
    return times


def made_at(workspace: WorkspacePaths, piece: Piece) -> int | None:
    """When the job of a piece was first launched; another time is another job of that name."""
    return None if piece.key is None else time_of(workspace.job(piece.key).launch(1))


def time_of(path: str) -> int | None:
    """The modification time, in nanoseconds; None where nothing stands there."""
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return None
