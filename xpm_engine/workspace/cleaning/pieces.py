"""What is moved to the trash and back without being a whole job: see `PieceKind`.

What belongs to a job is moved under the job's lock, and only where nothing writes it any more; a
file of its result only while the job is claimed, for a plan may go on from it; a run is moved when
it is over for certain; a shared folder under its own lock.
In the trash they lie below its folder of jobs, so that whatever is done to that is done to them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress

from xpm_engine.errors import StorageError
from xpm_engine.workspace.atomic import make_folders
from xpm_engine.workspace.cleaning.cleaner import Cleaner
from xpm_engine.workspace.cleaning.folders import link_trouble, links_between
from xpm_engine.workspace.cleaning.needs import RunName
from xpm_engine.workspace.cleaning.packing import pack
from xpm_engine.workspace.cleaning.piece_check import PieceCheck
from xpm_engine.workspace.cleaning.piece_mending import lead_away, restore_times, tidy, unpack
from xpm_engine.workspace.cleaning.piece_places import made_at, place_of, times_of
from xpm_engine.workspace.layout import (
    JobPaths,
    TrashPaths,
    WorkspacePaths,
    is_identifier,
    is_name,
    is_task_folder,
    list_folders,
)
from xpm_engine.workspace.records.trash import Left, Piece, PieceKind

_Test = Callable[[str], bool]


def list_leftovers(job: JobPaths) -> tuple[int, ...]:
    """The attempts of a job that left files behind, oldest first; none that may not be seen."""
    if os.path.islink(job.attempts):
        return ()
    with suppress(PermissionError):
        return tuple(sorted(int(name) for name in list_folders(job.attempts) if _is_number(name)))
    return ()


def pieces_in(trash: TrashPaths) -> Iterator[Piece]:
    """What lies in a transaction besides jobs, in no order; how much it takes is not told."""
    if os.path.islink(trash.jobs):
        return
    for kind, tests in _FOLDERS.items():
        root = trash.pieces(kind.value)
        if os.path.islink(root):
            continue
        for names in _folders_below(root, tests):
            if kind in _FILES:
                yield from (Piece(kind, (*names, path)) for path in _files_below(root, names))
            else:
                yield Piece(kind, names)


def move_pieces(
    workspace: WorkspacePaths,
    cleaner: Cleaner,
    pieces: Iterable[Piece],
    *,
    at_once: int,
    over: Collection[RunName] = (),
) -> tuple[tuple[Piece, ...], tuple[Left, ...]]:
    """Move pieces to the trash: what was moved, and what was left with why.

    So many locks are held `at_once`; runs that are `over` are not asked again.
    """
    check = PieceCheck(workspace, cleaner, over)
    moved: list[Piece] = []
    left: list[Left] = []
    for some in _batches(pieces, at_once):
        with check.held(some) as stays:
            for piece in some:
                why = stays[piece] or _move_out(workspace, cleaner.trash, piece)
                if why:
                    left.append(Left(piece.key, f"{piece.words}: {why}"))
                else:
                    moved.append(piece)
    tidy(workspace, moved)
    return tuple(moved), tuple(left)


def _batches(pieces: Iterable[Piece], at_once: int) -> Iterator[list[Piece]]:
    """The pieces, so many at a time; a log alone, for packing it takes as long as it is large."""
    found: list[Piece] = []
    for piece in pieces:
        if found and (len(found) >= at_once or PieceKind.LOG in (piece.kind, found[-1].kind)):
            yield found
            found = []
        found.append(piece)
    if found:
        yield found


def return_pieces(
    workspace: WorkspacePaths, trash: TrashPaths, known: Iterable[Piece]
) -> tuple[tuple[Piece, ...], tuple[Left, ...]]:
    """Move the pieces of a transaction back: what was, and what stays with why.

    `known` are those that the journal tells of: with the times of their folders.
    """
    listed = {piece: piece for piece in known}
    returned: list[Piece] = []
    kept: list[Left] = []
    for piece in sorted(pieces_in(trash)):
        why = _move_back(workspace, trash, listed.get(piece, piece))
        if why:
            kept.append(Left(piece.key, f"{piece.words}: {why}"))
        else:
            returned.append(listed.get(piece, piece))
    touched = {folder for piece in returned for folder in times_of(workspace, piece)}
    restore_times(workspace, trash, listed.values(), touched)
    tidy(workspace, returned)
    return tuple(returned), tuple(kept)


def remove_empty_pieces(trash: TrashPaths) -> None:
    """Remove the folders that held pieces, as far as they are empty."""
    if os.path.islink(trash.jobs):
        return
    for kind, tests in _FOLDERS.items():
        root = trash.pieces(kind.value)
        if os.path.isdir(root) and not os.path.islink(root):
            _remove_empty(root, None if kind in _FILES else len(tests))


def _move_out(workspace: WorkspacePaths, trash: TrashPaths, piece: Piece) -> str:
    """Move one to the trash; why it stays, or an empty text."""
    source, target = place_of(workspace, piece), trash.piece(piece.kind.value, piece.names)
    try:
        make_folders(os.path.dirname(target))
        if piece.kind is PieceKind.LOG:
            pack(source)
        os.rename(source, target)
        lead_away(workspace, piece)
    except StorageError as error:
        return error.what
    except OSError as error:
        return f"can't be moved: {error.strerror or error}"
    return ""


def _move_back(workspace: WorkspacePaths, trash: TrashPaths, piece: Piece) -> str:
    """Move one back; why it stays in the trash, or an empty text."""
    target = place_of(workspace, piece)
    if piece.key is not None:
        job = workspace.job(piece.key)
        if not os.path.isdir(job.xpm) or os.path.islink(job.root) or os.path.islink(job.xpm):
            return "the job's folder is gone"
        if piece.made is not None and piece.made != made_at(workspace, piece):
            return "the job was computed again since"
    if os.path.lexists(target):
        return "something newer stands in its place"
    try:
        folder = os.path.dirname(target)
        why = links_between(workspace, folder) or link_trouble(folder)
        if not why:
            make_folders(folder)
            os.rename(trash.piece(piece.kind.value, piece.names), target)
            if piece.kind is PieceKind.LOG:
                unpack(workspace, piece)
    except StorageError as error:
        return error.what
    except OSError as error:
        return f"can't be moved: {error.strerror or error}"
    return why


def _folders_below(
    path: str, tests: tuple[_Test, ...], names: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """The names of the real folders so many levels below, each level by its test."""
    if not tests:
        yield names
        return
    for name in filter(tests[0], list(list_folders(path))):
        yield from _folders_below(f"{path}/{name}", tests[1:], (*names, name))


def _files_below(root: str, names: tuple[str, ...]) -> Iterator[str]:
    """The paths of what is no folder in a folder and all below it, from there."""
    start = "/".join((root, *names))
    for folder, _, files in os.walk(start):
        for name in files:
            yield os.path.relpath(f"{folder}/{name}", start)


def _remove_empty(folder: str, levels: int | None) -> None:
    """Remove the folders so many levels deep that hold nothing; None: however deep.

    What lies at the last level is a piece, and stays even if it is empty.
    """
    if levels == 0:
        return
    for name in list(list_folders(folder)):
        _remove_empty(f"{folder}/{name}", None if levels is None else levels - 1)
    with suppress(OSError):
        os.rmdir(folder)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and not name.startswith("0")


_FILES = (PieceKind.FILE, PieceKind.LOG)

_FOLDERS: dict[PieceKind, tuple[_Test, ...]] = {
    PieceKind.LEFTOVERS: (is_task_folder, is_identifier, _is_number),
    PieceKind.FILE: (is_task_folder, is_identifier),
    PieceKind.LOG: (is_task_folder, is_identifier),
    PieceKind.RUN: (is_name, is_name),
    PieceKind.SHARED: (is_task_folder, bool, is_identifier),
}
