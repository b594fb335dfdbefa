"""What lies in the trash: list it, take it back, delete it for good, mend what a crash left.

A transaction is a folder ``.xpm/trash/NAME/`` with its journal and the jobs it holds. Its lock
file is there only while it is unfinished, so that one look at the trash's folders tells which ones
a crash left behind.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from xpm_engine.errors import OccupiedError, StorageError, UnreadableError, UsageError
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import append_bytes, dumps, make_folders, storage_error
from xpm_engine.workspace.cleaning.plan import workspace_trouble
from xpm_engine.workspace.cleaning.trees import delete_tree, remove_empty
from xpm_engine.workspace.layout import (
    JobKey,
    JobPaths,
    TrashPaths,
    WorkspacePaths,
    is_identifier,
    is_name,
    is_task_folder,
    list_folders,
)
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.tickets import LaunchedBy, Start
from xpm_engine.workspace.records.trash import (
    Journal,
    Left,
    Removal,
    moved_line,
    parse_journal,
    undone_line,
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

    @property
    def size(self) -> int | None:
        """Bytes; None where one of its jobs was not measured."""
        sizes = [removal.size for removal in self.removals if removal.size is not None]
        return sum(sizes) if len(sizes) == len(self.removals) else None


@dataclass(frozen=True)
class UndoReport:
    """What an undo did."""

    transaction: str
    returned: tuple[JobKey, ...]
    kept: tuple[Left, ...]
    """The jobs that stay in the trash, with why."""


@dataclass(frozen=True)
class Cleaner:
    """Who cleans: what the tickets of one transaction have in common."""

    me: ProcessIdentity
    user: str
    at: str

    @classmethod
    def here(cls) -> Cleaner:
        """This process, at this moment."""
        return cls(processes.own_identity(), processes.user_name(), now())

    def void(self, job: JobPaths, number: int, nonce: str, *, why: str) -> None:
        """Void a cleaner's ticket. Raises StorageError."""
        start = Start(tickets.new_nonce(), nonce, self.me, self.at, self.user, void=True, why=why)
        tickets.claim_start(job, number, start)
        tickets.complete_void(job, number, by=self.me)

    def release(self, job: JobPaths, removal: Removal, *, why: str) -> bool:
        """Void a transaction's ticket if that is what stands in the job's place; whether it was.

        Raises StorageError.
        """
        number = removal.attempt
        try:
            attempt = tickets.read_attempt(job, number, {"launch"})
        except (FileNotFoundError, UnreadableError):
            return False
        if attempt.launch.nonce != removal.nonce:
            return False
        if not os.path.lexists(job.end(number)):
            self.void(job, number, removal.nonce, why=why)
        return True


@contextmanager
def begin(workspace: WorkspacePaths) -> Generator[TrashPaths, None, None]:
    """A new transaction's folder, its lock held inside the block.

    Raises OccupiedError where a link stands in the way, StorageError.
    """
    _check(workspace)
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


def list_trash(workspace: WorkspacePaths) -> tuple[Transaction, ...]:
    """What lies in the trash, newest first; reads only."""
    names = sorted(filter(is_name, list_folders(workspace.trash)), reverse=True)
    found = [read_transaction(workspace, name) for name in names]
    return tuple(item for item in found if item.removals)


def read_transaction(workspace: WorkspacePaths, name: str) -> Transaction:
    """One transaction, as it lies in the trash now; a damaged journal is told as a `problem`."""
    trash = workspace.transaction(name)
    lying = list(jobs_in(trash))
    unfinished = os.path.lexists(trash.lock)
    try:
        journal = read_journal(trash)
    except (FileNotFoundError, UnreadableError) as error:
        what = error.what if isinstance(error, UnreadableError) else "is missing"
        unknown = tuple(unknown_removal(key) for key in lying)
        problem = f"{trash.journal}: {what}"
        return Transaction(name, "", "", "", unknown, unfinished=unfinished, problem=problem)
    known = {removal.key: removal for removal in journal.removals}
    removals = tuple(known.get(key) or unknown_removal(key) for key in sorted(lying))
    head = journal.head
    return Transaction(
        name, head.at, head.user, head.by.host, removals, journal.left, unfinished=unfinished
    )


def undo(workspace: WorkspacePaths, name: str) -> UndoReport:
    """Move the jobs of a transaction back to where they were.

    Nothing is overwritten: where a folder stands in a job's place, the job stays in the trash, and
    the report says so. Afterwards each job is in the state that it was in before. Raises UsageError
    where there is no such transaction, OccupiedError while somebody works on it, StorageError.
    """
    recover(workspace)
    with _held(workspace, name) as trash:
        removals = _removals_of(trash)
        cleaner = Cleaner.here()
        returned: list[JobKey] = []
        kept: list[Left] = []
        for key in jobs_in(trash):
            why = _bring_back(workspace, trash, key, removals.get(key), cleaner)
            if why:
                kept.append(Left(key, why))
            else:
                returned.append(key)
        if kept:
            line = undone_line(now(), cleaner.user, len(returned), kept)
            with suppress(StorageError):
                append_bytes(trash.journal, dumps(line) + b"\n")
        _finish(trash)
    return UndoReport(name, tuple(sorted(returned)), tuple(sorted(kept, key=lambda x: x.key)))


def purge(workspace: WorkspacePaths, name: str) -> None:
    """Delete a transaction for good.

    Its jobs are renamed first, at once, so that a purge that was cut short can only be finished,
    never undone by half. Raises UsageError, OccupiedError, StorageError.
    """
    recover(workspace)
    with _held(workspace, name) as trash:
        try:
            os.rename(trash.jobs, trash.purging)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise storage_error(error, trash.jobs, "rename this folder") from error
        delete_tree(trash.purging)
        _finish(trash)


def recover(workspace: WorkspacePaths) -> tuple[str, ...]:
    """Mend the transactions that a crash left, and return their names.

    What was moved stays in the trash, and can be taken back; what was not is free again. A
    transaction that somebody works on, that began on another machine or that belongs to somebody
    else is left alone. Costs one look a transaction where there is nothing to mend.
    """
    mended: list[str] = []
    if workspace_trouble(workspace):
        return ()
    for name in filter(is_name, list(list_folders(workspace.trash))):
        trash = workspace.transaction(name)
        if os.path.lexists(trash.journal) and not os.path.lexists(trash.lock):
            continue
        with suppress(StorageError):
            lock = tickets.hold(trash.lock, patience=0.0)
            if lock is None:
                continue
            try:
                if _mend(workspace, trash):
                    mended.append(name)
            finally:
                os.close(lock)
    return tuple(mended)


def settle(workspace: WorkspacePaths, journal: Journal, *, why: str) -> list[Left]:
    """Void the tickets of this journal's jobs that stand in the workspace; who they were.

    Raises StorageError.
    """
    cleaner = Cleaner.here()
    return [
        Left(removal.key, why)
        for removal in journal.removals
        if cleaner.release(workspace.job(removal.key), removal, why=why)
    ]


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
    for task in list(list_folders(trash.jobs)):
        if is_task_folder(task):
            for identifier in list(list_folders(f"{trash.jobs}/{task}")):
                if is_identifier(identifier):
                    yield JobKey(task, identifier)


def discard(trash: TrashPaths) -> None:
    """Remove a transaction that holds nothing; one that holds something stays as it is.

    The lock goes last but for the folder, so that a crash in between is seen. Raises StorageError.
    """
    remove_empty(trash.jobs)
    if os.path.lexists(trash.jobs) or os.path.lexists(trash.purging):
        return
    try:
        for path in (trash.journal, trash.lock):
            with suppress(FileNotFoundError):
                os.unlink(path)
        os.rmdir(trash.root)
    except OSError as error:
        raise storage_error(error, trash.root, "remove this folder") from error


def _finish(trash: TrashPaths) -> None:
    """What every change of a transaction ends with: nothing left of it, or its lock gone."""
    discard(trash)
    with suppress(FileNotFoundError):
        os.unlink(trash.lock)


def _mend(workspace: WorkspacePaths, trash: TrashPaths) -> bool:
    """Finish or roll back one transaction, whose lock is held; whether there was anything to do."""
    delete_tree(trash.purging)
    try:
        journal = read_journal(trash)
    except (FileNotFoundError, UnreadableError):
        # Nothing is touched before the whole list is on the disk.
        _finish(trash)
        return True
    by = journal.head.by
    if (by.machine_id, by.host) != (processes.machine_id(), processes.host_name()):
        return False
    if journal.listed:
        free = settle(workspace, journal, why="the clean was interrupted")
        append_bytes(trash.journal, dumps(moved_line(now(), free)) + b"\n")
    _finish(trash)
    return True


def _bring_back(
    workspace: WorkspacePaths,
    trash: TrashPaths,
    key: JobKey,
    removal: Removal | None,
    cleaner: Cleaner,
) -> str:
    """Move one job back; why it stays, or an empty text."""
    source, job = trash.job(key), workspace.job(key)
    above = os.path.dirname(job.root)
    if os.path.islink(above):
        return f"{above} is a symbolic link, and links are not followed"
    # rename(2) would replace an empty folder.
    if os.path.lexists(job.root):
        return "a newer folder stands in its place"
    try:
        make_folders(above)
        os.rename(source.root, job.root)
        number, nonce = _ticket(job, removal)
        if number:
            cleaner.void(job, number, nonce, why="the clean was undone")
    except OSError as error:
        return f"can't be moved: {error.strerror or error}"
    except StorageError as error:
        return error.what
    except UnreadableError as error:
        return f"{error.where}: {error.what}"
    return ""


def _ticket(job: JobPaths, removal: Removal | None) -> tuple[int, str]:
    """The cleaner's ticket in a job that the journal may not tell of; 0 where there is none."""
    if removal is not None:
        return removal.attempt, removal.nonce
    attempt = tickets.newest_attempt(job)
    if attempt is None or attempt.end is not None or attempt.launch.by is not LaunchedBy.CLEAN:
        return 0, ""
    return attempt.number, attempt.launch.nonce


def _removals_of(trash: TrashPaths) -> dict[JobKey, Removal]:
    try:
        return {removal.key: removal for removal in read_journal(trash).removals}
    except (FileNotFoundError, UnreadableError):
        return {}


@contextmanager
def _held(workspace: WorkspacePaths, name: str) -> Generator[TrashPaths, None, None]:
    _check(workspace)
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


def _check(workspace: WorkspacePaths) -> None:
    trouble = workspace_trouble(workspace)
    if trouble:
        raise OccupiedError(trouble, hint="put a real folder in its place")


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
