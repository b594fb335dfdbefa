"""A transaction of the trash: a folder ``.xpm/trash/NAME/`` with its journal and the jobs it holds.

Its lock file is there only while it is unfinished, so that one look at the trash's folders tells
which ones a crash left behind.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from xpm_engine.errors import OccupiedError, UnreadableError, UsageError
from xpm_engine.workspace import tickets
from xpm_engine.workspace.atomic import make_folders, storage_error
from xpm_engine.workspace.cleaning.folders import workspace_trouble
from xpm_engine.workspace.cleaning.pieces import pieces_in, remove_empty_pieces
from xpm_engine.workspace.cleaning.trees import remove_empty
from xpm_engine.workspace.layout import (
    JobKey,
    TrashPaths,
    WorkspacePaths,
    is_identifier,
    is_name,
    is_task_folder,
    list_folders,
)
from xpm_engine.workspace.records.trash import (
    Journal,
    Left,
    Piece,
    Removal,
    parse_journal,
    unknown_removal,
)

PATIENCE = 5.0
"""Seconds to wait for somebody else who works on the same transaction."""


@dataclass(frozen=True)
class Transaction:
    """A clean: what it moved to the trash, and what it left."""

    name: str
    at: str
    user: str
    host: str
    removals: tuple[Removal, ...]
    """The jobs that lie in the trash."""
    left: tuple[Left, ...] = ()
    """The jobs that were not moved, with why."""
    unfinished: bool = False
    """Somebody works on it, or a crash left it; the next clean or undo mends it."""
    problem: str = ""
    """Why its journal can't be read; its jobs can still be taken back."""
    pieces: tuple[Piece, ...] = ()
    """What lies in the trash besides: leftovers, files, logs, runs, shared folders."""
    cause: str = ""
    """What asked for it, where no person did."""

    @property
    def empty(self) -> bool:
        """Whether nothing of it lies in the trash."""
        return not self.removals and not self.pieces

    @property
    def size(self) -> int | None:
        """Bytes; None where something was not measured."""
        sizes = [item.size for item in self.removals] + [item.size for item in self.pieces]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None


@contextmanager
def begin(workspace: WorkspacePaths) -> Generator[TrashPaths, None, None]:
    """A new transaction's folder, its lock held inside the block.

    Raises OccupiedError where a link stands in the way, StorageError.
    """
    _refuse_links(workspace)
    make_folders(workspace.trash)
    while True:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        trash = workspace.transaction(f"{stamp}-{secrets.token_hex(3)}")
        try:
            os.mkdir(trash.root)
        except FileExistsError:
            continue
        except OSError as error:
            raise storage_error(error, trash.root, "create this folder") from error
        # None where somebody took the empty folder for a leftover and removed it.
        lock = tickets.hold(trash.lock, patience=PATIENCE)
        if lock is not None:
            break
    try:
        yield trash
    finally:
        os.close(lock)


@contextmanager
def held(workspace: WorkspacePaths, name: str) -> Generator[TrashPaths, None, None]:
    """A transaction that lies in the trash, its lock held inside the block.

    Raises UsageError where there is none of that name, OccupiedError while somebody works on it.
    """
    _refuse_links(workspace)
    trash = workspace.transaction(name)
    if not is_name(name) or not _is_folder(trash.root):
        raise UsageError(
            f"there is no clean {name!r} in the trash",
            where=workspace.trash,
            hint="xpm undo --list names those that can be undone",
        )
    lock = tickets.hold(trash.lock, patience=PATIENCE)
    if lock is None:
        raise OccupiedError(
            f"somebody works on the clean {name} just now", where=trash.root, hint="try again"
        )
    try:
        yield trash
    finally:
        os.close(lock)


def list_trash(workspace: WorkspacePaths) -> tuple[Transaction, ...]:
    """What lies in the trash, newest first; reads only."""
    names = filter(is_name, list(list_folders(workspace.trash)))
    found = [read_transaction(workspace, name) for name in names]
    return tuple(sorted((item for item in found if not item.empty), key=_age, reverse=True))


def read_transaction(workspace: WorkspacePaths, name: str) -> Transaction:
    """One transaction, as it lies in the trash now; a damaged journal is told as a `problem`."""
    trash = workspace.transaction(name)
    lying = list(jobs_in(trash))
    found = sorted(pieces_in(trash))
    unfinished = os.path.lexists(trash.lock)
    try:
        journal = read_journal(trash)
    except (FileNotFoundError, UnreadableError) as error:
        what = error.what if isinstance(error, UnreadableError) else "is missing"
        unknown = tuple(unknown_removal(key) for key in lying)
        problem = f"{trash.journal}: {what}"
        return Transaction(
            name,
            "",
            "",
            "",
            unknown,
            unfinished=unfinished,
            problem=problem,
            pieces=tuple(found),
        )
    known = {removal.key: removal for removal in journal.removals}
    removals = tuple(known.get(key) or unknown_removal(key) for key in sorted(lying))
    measured = {item: item for item in journal.pieces}
    pieces = tuple(measured.get(item, item) for item in found)
    head = journal.head
    return Transaction(
        name,
        head.at,
        head.user,
        head.by.host,
        removals,
        journal.left,
        unfinished=unfinished,
        pieces=pieces,
        cause=head.cause,
    )


def read_journal(trash: TrashPaths) -> Journal:
    """The journal of a transaction; raises FileNotFoundError, UnreadableError."""
    try:
        with open(trash.journal, "rb") as file:
            return parse_journal(file.read(), trash.journal)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableError(f"can't be read: {error.strerror}", where=trash.journal) from error


def jobs_in(trash: TrashPaths) -> Iterator[JobKey]:
    """The jobs that lie in a transaction, in no order."""
    if os.path.islink(trash.jobs):
        return
    for task in list(list_folders(trash.jobs)):
        if is_task_folder(task):
            for identifier in list(list_folders(f"{trash.jobs}/{task}")):
                if is_identifier(identifier):
                    yield JobKey(task, identifier)


def discard(trash: TrashPaths) -> None:
    """Remove a transaction that holds nothing; one that holds something stays as it is.

    The lock goes last but for the folder, so that a crash in between is seen. Raises StorageError.
    """
    remove_empty_pieces(trash)
    remove_empty(trash.jobs)
    if os.path.lexists(trash.jobs) or os.path.lexists(trash.purging):
        return
    try:
        with os.scandir(trash.root) as entries:
            paths = [entry.path for entry in entries if entry.path != trash.lock]
        for path in (*paths, trash.lock):
            with suppress(FileNotFoundError):
                os.unlink(path)
        os.rmdir(trash.root)
    except OSError as error:
        raise storage_error(error, trash.root, "remove this folder") from error


def finish(trash: TrashPaths) -> None:
    """What every change of a transaction ends with: nothing left of it, or its lock gone."""
    discard(trash)
    with suppress(FileNotFoundError):
        os.unlink(trash.lock)


def _age(item: Transaction) -> tuple[str, str]:
    """By when it began, to the microsecond; where no journal tells, by its name."""
    return "".join(filter(str.isdigit, item.at or item.name[:15])), item.name


def _refuse_links(workspace: WorkspacePaths) -> None:
    trouble = workspace_trouble(workspace)
    if trouble:
        raise OccupiedError(trouble, hint="put a real folder in its place")


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
