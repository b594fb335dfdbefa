"""Whether pieces may be moved at this moment, and holding off who would use them meanwhile.

Who starts a job waits for its lock, or for that of a folder that it shares. Who finds a job done
and goes on from its files takes no lock: for a file the job is claimed as if it went as a whole,
so that a plan waits, and is free again when the file is gone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.cleaning.cleaner import Cleaner
from xpm_engine.workspace.cleaning.folders import PINNED, FolderCheck, links_between
from xpm_engine.workspace.cleaning.needs import Need, RunName, RunWatch, is_over
from xpm_engine.workspace.cleaning.piece_places import place_of
from xpm_engine.workspace.cleaning.shared import users_of_shared
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Piece, PieceKind


class PieceCheck:
    """Checks pieces, some at a time, just before they are moved."""

    def __init__(
        self, workspace: WorkspacePaths, cleaner: Cleaner, over: Collection[RunName]
    ) -> None:
        """Runs that are `over` are not asked whether they need the job of a file."""
        self._workspace = workspace
        self._cleaner = cleaner
        self._folders = FolderCheck(workspace)
        self._watch = RunWatch(workspace, over=over)

    @contextmanager
    def held(self, pieces: Sequence[Piece]) -> Generator[dict[Piece, str], None, None]:
        """Why each of these stays, empty if it may go; their locks are held inside the block.

        Who uses them is read when all locks and claims are had: whoever comes later waits for one
        of them, or finds the piece gone before it looked.
        """
        with ExitStack() as holding:
            found: dict[Piece, str] = {}
            held: dict[str, str] = {}
            for piece in pieces:
                found[piece] = self._trouble(piece, place_of(self._workspace, piece))
                if found[piece] or piece.kind is PieceKind.RUN:
                    continue
                claim = self._claim_path(piece)
                for path, take in ((self._lock_path(piece), self._lock), (claim, self._claim)):
                    if path and not found[piece]:
                        if path not in held:
                            held[path] = _taken(take, holding, piece)
                        found[piece] = held[path]
            free = [piece for piece, why in found.items() if not why]
            yield {**found, **self._uses(free)}

    def _lock(self, holding: ExitStack, piece: Piece) -> str:
        lock = tickets.hold(self._lock_path(piece), patience=0.0)
        if lock is None:
            return "a job that uses it runs" if piece.key is None else "the job runs"
        holding.callback(os.close, lock)
        return ""

    def _claim(self, holding: ExitStack, piece: Piece) -> str:
        """Keep plans from going on from a finished job, whose lock is held."""
        assert piece.key is not None
        job = self._workspace.job(piece.key)
        number = max(tickets.ticket_names(job), default=0) + 1
        state = scan.read_job(self._workspace, piece.key).state
        if state is not JobState.DONE:
            return f"the job is {state.value}"
        if not self._cleaner.claim(job, number):
            return "the job was started again after this was planned"
        holding.callback(self._release, job, number)
        return ""

    def _release(self, job: JobPaths, number: int) -> None:
        """Let the job be as it was; what can't be released now, recovery will."""
        with suppress(StorageError):
            self._cleaner.void(job, number)

    def _uses(self, pieces: Sequence[Piece]) -> dict[Piece, str]:
        """Who uses each of these, so that it stays."""
        keys = {piece.key for piece in pieces if piece.kind is PieceKind.FILE and piece.key}
        needs = self._watch.needs(keys) if keys else {}
        shared = any(piece.kind is PieceKind.SHARED for piece in pieces)
        users = users_of_shared(self._workspace) if shared else {}
        return {piece: self._use(piece, needs, users) for piece in pieces}

    def _trouble(self, piece: Piece, path: str) -> str:
        if piece.key is not None:
            why = self._folders.trouble(piece.key)
        else:
            why = self._folders.workspace_trouble
        why = why or links_between(self._workspace, os.path.dirname(path))
        if why:
            return why
        try:
            status = os.lstat(path)
        except OSError as error:
            missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
            return "it is gone" if missing else f"can't be read: {error.strerror}"
        is_file = piece.kind in (PieceKind.FILE, PieceKind.LOG)
        if not (stat.S_ISREG if is_file else stat.S_ISDIR)(status.st_mode):
            return "it is no file" if is_file else "it is a symbolic link or a file, not a folder"
        return self._folders.status_trouble(status) or self._folders.mount_trouble(path)

    def _use(
        self, piece: Piece, needs: Mapping[JobKey, Need], users: Mapping[str, Sequence[str]]
    ) -> str:
        key = piece.key
        if piece.kind is PieceKind.RUN:
            return self._run_trouble(piece)
        if key is None:
            who = users.get("/".join(piece.names), ())
            return f"{who[0]} uses it" if who else ""
        if piece.kind is PieceKind.FILE:
            # Whoever pins it looks for our ticket afterwards: one of the two sees the other.
            if os.path.lexists(self._workspace.job(key).pin):
                return PINNED
            return str(needs[key]) if key in needs else ""
        if piece.kind is PieceKind.LEFTOVERS:
            return ""
        state = scan.read_job(self._workspace, key).state
        return f"the job is {state.value}" if state.live or state is JobState.UNREADABLE else ""

    def _run_trouble(self, piece: Piece) -> str:
        paths = self._workspace.run(*piece.names)
        if not is_over(paths):
            return "nothing proves that it is over"
        try:
            scan.read_run_record(paths)
        except (FileNotFoundError, UnreadableError) as error:
            return f"can't be read: {error}"
        damage = scan.read_manifest(paths).damage
        return f"nobody knows what it needs: {paths.manifest}: {damage[0]}" if damage else ""

    def _lock_path(self, piece: Piece) -> str:
        if piece.key is None:
            return self._workspace.shared_lock("/".join(piece.names))
        return self._workspace.job(piece.key).lock

    def _claim_path(self, piece: Piece) -> str:
        """What stands for the claim of a piece; empty where it needs none."""
        if piece.kind is not PieceKind.FILE or piece.key is None:
            return ""
        return self._workspace.job(piece.key).xpm


def _taken(take: Callable[[ExitStack, Piece], str], holding: ExitStack, piece: Piece) -> str:
    """Why it was not; empty if it was."""
    try:
        return take(holding, piece)
    except (StorageError, UnreadableError) as error:
        return error.what
