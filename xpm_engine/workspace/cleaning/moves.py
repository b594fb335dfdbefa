"""Carrying a plan out: journal, ticket, verify, rename.

What is waited for on the disk: the journal, once, before anything is touched, because recovery
reads it. The tickets and renames are not waited for: a rename is in the file system's own journal
whole or not at all, so that after a power cut each job stands in one place or the other, and the
journal tells what to do about both.
"""

from __future__ import annotations

import errno
import os
import resource
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.workspace import tickets
from xpm_engine.workspace.atomic import append_bytes, dumps, is_full, make_folders, sync_folder
from xpm_engine.workspace.cleaning.cleaner import Cleaner
from xpm_engine.workspace.cleaning.folders import OTHER_DISK, PINNED, FolderCheck
from xpm_engine.workspace.cleaning.needs import Need, RunWatch
from xpm_engine.workspace.cleaning.piece_places import with_times
from xpm_engine.workspace.cleaning.pieces import move_pieces
from xpm_engine.workspace.cleaning.plan import RemovalPlan, RemovalRow
from xpm_engine.workspace.cleaning.recovery import recover
from xpm_engine.workspace.cleaning.transactions import Transaction, begin, discard, finish
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.trash import Head, Left, Piece, Removal, listing_lines, moved_line
from xpm_engine.workspace.reserve import free_room, keep_room

LOCK_PATIENCE = 1.0
"""Seconds to wait for a job's lock: its supervisor may be writing its last line."""

MOST_LOCKS = 256
"""Jobs that are moved together: each holds an open file for its lock."""

FULL = "free a few kB: `xpm clean --empty-trash`, or delete a large file by hand"
"""What to do where there is no room for the journal of what would make room."""

_BLOCKED = {
    errno.EXDEV: OTHER_DISK,
    errno.EBUSY: "a file system is mounted in it, or it is in use",
}


def carry_out(workspace: WorkspacePaths, plan: RemovalPlan, *, cause: str = "") -> Transaction:
    """Move the rows of a plan that are ready to the trash, each verified again just before.

    `cause` says what asked for it, where no person did.

    A job that somebody needs by now, that runs again, or that can't be moved is left as it was,
    and the transaction says why. Raises OccupiedError where a link stands in place of a folder of
    ours, StorageError where the journal can't be written; then nothing was touched.
    """
    recover(workspace)
    refused = tuple(Left(row.key, row.refused) for row in plan.rows if row.refused)
    rows = _made_first(plan.ready)
    removals = [_removal(row) for row in rows]
    pieces = with_times(workspace, plan.pieces)
    with ExitStack() as stack:
        cleaner, head = _begun(stack, workspace, removals, pieces, cause)
        trash = cleaner.trash
        move = _Move(workspace, plan, cleaner)
        at_once = _lock_limit()
        for first in range(0, len(rows), at_once):
            last = first + at_once
            move.batch(list(zip(rows[first:last], removals[first:last], strict=True)))
        gone, stayed = move_pieces(workspace, cleaner, pieces, at_once=at_once, over=plan.over)
        left = (*refused, *move.left, *stayed)
        with suppress(StorageError):
            # For people; what was moved is told by the folders.
            append_bytes(trash.journal, dumps(moved_line(now(), left)) + b"\n")
        finish(trash)
    keep_room(workspace)
    by_key = {removal.key: removal for removal in move.moved}
    moved = tuple(by_key[row.key] for row in plan.ready if row.key in by_key)
    return Transaction(
        head.name, head.at, head.user, head.by.host, moved, left, pieces=gone, cause=cause
    )


@dataclass
class _Claimed:
    """A job whose ticket and lock are the cleaner's."""

    row: RemovalRow
    job: JobPaths
    removal: Removal
    lock: int


@dataclass
class _Move:
    """One transaction on its way."""

    workspace: WorkspacePaths
    plan: RemovalPlan
    cleaner: Cleaner
    moved: list[Removal] = field(default_factory=list[Removal])
    left: list[Left] = field(default_factory=list[Left])

    def __post_init__(self) -> None:
        self._watch = RunWatch(self.workspace, over=self.plan.over)
        self._folders = FolderCheck(self.workspace)
        self._made: set[str] = set()
        self._staying: set[JobKey] = set()

    def batch(self, pairs: Sequence[tuple[RemovalRow, Removal]]) -> None:
        """Claim these jobs, then ask the runs again, then move what nobody needs."""
        claimed: deque[_Claimed] = deque()
        try:
            for row, removal in pairs:
                self._claim(row, removal, claimed)
            needs = self._watch.needs([item.removal.key for item in claimed])
            while claimed:
                item = claimed[0]
                need = needs.get(item.removal.key) or self._needed_by_one_that_stays(item.row)
                why = str(need) if need is not None else self._rename(item)
                if why:
                    self._give_up(item)
                    self._leave(item.removal.key, why)
                else:
                    self.moved.append(item.removal)
                claimed.popleft()
                os.close(item.lock)
        finally:
            # Something above was interrupted; what can't be released now, recovery will.
            for item in claimed:
                with suppress(StorageError):
                    self._give_up(item)
                os.close(item.lock)

    def _claim(self, row: RemovalRow, removal: Removal, claimed: deque[_Claimed]) -> None:
        job = self.workspace.job(row.key)
        why = self._folders.trouble(row.key)
        lock = None
        try:
            if not why and row.last and not os.path.lexists(job.end(row.last)):
                why = _end_last(job, row.last)
            if not why:
                lock = tickets.hold(job.lock, patience=LOCK_PATIENCE)
                why = "" if lock is not None else "its lock is held: something of it still runs"
            if lock is not None and self.cleaner.claim(job, removal.attempt):
                claimed.append(_Claimed(row, job, removal, lock))
                return
        except (StorageError, UnreadableError) as error:
            why = error.what
        if lock is not None:
            os.close(lock)
        self._leave(row.key, why or "it was started again after this was planned")

    def _leave(self, key: JobKey, why: str) -> None:
        self.left.append(Left(key, why))
        self._staying.add(key)

    def _needed_by_one_that_stays(self, row: RemovalRow) -> Need | None:
        """What was to go with it, is made from it, and stays after all."""
        return next((need for need in row.needs if need.job in self._staying), None)

    def _give_up(self, item: _Claimed) -> None:
        self.cleaner.release(item.job, item.removal)

    def _rename(self, item: _Claimed) -> str:
        # Whoever pins it looks for our ticket afterwards: one of the two sees the other.
        if os.path.lexists(item.job.pin):
            return PINNED
        target = self.cleaner.trash.job(item.removal.key).root
        above = os.path.dirname(target)
        try:
            if above not in self._made:
                make_folders(above)
                self._made.add(above)
            os.rename(item.job.root, target)
        except OSError as error:
            return _BLOCKED.get(error.errno or 0, f"can't be moved: {error.strerror}")
        except StorageError as error:
            return error.what
        return ""


def _made_first(rows: Sequence[RemovalRow]) -> list[RemovalRow]:
    """The rows, each behind those that are made from it: if one of these stays, so does it."""
    if not any(row.needs for row in rows):
        return list(rows)
    by_key = {row.key: row for row in rows}
    found: dict[JobKey, RemovalRow] = {}
    begun: set[JobKey] = set()
    pending = list(reversed(rows))
    while pending:
        row = pending[-1]
        before = () if row.key in begun else _among(row, by_key)
        begun.add(row.key)
        waiting = [each for each in before if each.key not in begun]
        if waiting:
            pending += waiting
        else:
            found.setdefault(pending.pop().key, row)
    return list(found.values())


def _among(row: RemovalRow, rows: Mapping[JobKey, RemovalRow]) -> list[RemovalRow]:
    """Those of `rows` that are made from a row."""
    return [rows[need.job] for need in row.needs if need.job is not None and need.job in rows]


def _end_last(job: JobPaths, number: int) -> str:
    """Record the end of a last attempt that is proved to be over; why that can't be done."""
    names = tickets.ticket_names(job)
    if number not in names:
        return "it was replaced after this was planned"
    attempt = tickets.read_attempt(job, number, names[number])
    if attempt.void:
        tickets.complete_void(job, number)
    elif tickets.proved_dead(job, attempt):
        tickets.reap(job, attempt)
    elif attempt.end is None:
        return "it is not proved to be over"
    return ""


def _removal(row: RemovalRow) -> Removal:
    record = row.job
    return Removal(
        key=row.key,
        attempt=row.last + 1,
        state=record.state,
        ended=record.ended,
        tags=dict(record.tags),
        params=dict(record.params),
        size=row.size,
    )


def _begun(
    stack: ExitStack,
    workspace: WorkspacePaths,
    removals: Sequence[Removal],
    pieces: Sequence[Piece],
    cause: str,
) -> tuple[Cleaner, Head]:
    """A transaction whose journal is on the disk, if need be in the room that is kept for it."""

    def begin_it() -> tuple[Cleaner, Head]:
        trash = stack.enter_context(begin(workspace))
        cleaner = Cleaner(trash, tickets.new_nonce())
        name = os.path.basename(trash.root)
        head = Head(name, cleaner.at, cleaner.user, cleaner.me, cleaner.nonce, cause)
        _write_journal(cleaner, listing_lines(head, removals, pieces))
        return cleaner, head

    try:
        return begin_it()
    except StorageError as error:
        if not is_full(error) or not free_room(workspace):
            raise
    return begin_it()


def _write_journal(cleaner: Cleaner, lines: Iterable[dict[str, Any]]) -> None:
    trash = cleaner.trash
    data = b"".join(dumps(line) + b"\n" for line in lines)
    try:
        cleaner.write_launch()
        cleaner.write_void()
        append_bytes(trash.journal, data, durable=True)
    except StorageError as error:
        with suppress(StorageError):
            discard(trash)
        if is_full(error):
            error.hint = FULL
        raise
    sync_folder(trash.root)
    sync_folder(os.path.dirname(trash.root))


def _lock_limit() -> int:
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_LOCKS if soft == resource.RLIM_INFINITY else max(1, min(MOST_LOCKS, soft // 4))
