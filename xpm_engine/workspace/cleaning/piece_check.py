"""Whether a piece may be moved at this moment, and holding off who would use it meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.cleaning.folders import FolderCheck, links_between
from xpm_engine.workspace.cleaning.needs import is_over
from xpm_engine.workspace.cleaning.shared import users_of_shared
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Piece, PieceKind


class PieceCheck:
    """Checks pieces, one after the other, just before each is moved."""

    def __init__(self, workspace: WorkspacePaths) -> None:
        self._workspace = workspace
        self._folders = FolderCheck(workspace)

    @contextmanager
    def held(self, piece: Piece, path: str) -> Generator[str, None, None]:
        """Why the piece at `path` stays, empty if it may go; its lock is held inside the block.

        Raises StorageError.
        """
        why = self._trouble(piece, path)
        lock = None
        if not why and piece.kind is not PieceKind.RUN:
            lock = tickets.hold(self._lock_path(piece), patience=0.0)
            why = "" if lock is not None else self._busy(piece)
        try:
            yield why or self._use(piece)
        finally:
            if lock is not None:
                os.close(lock)

    def trouble(self, piece: Piece, path: str) -> str:
        """Why the piece at `path` can't be moved now, as far as a look tells; takes no lock."""
        return self._trouble(piece, path) or self._use(piece)

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
        return self._folders.status_trouble(status)

    def _use(self, piece: Piece) -> str:
        """Who uses it, so that it stays."""
        key = piece.key
        if piece.kind is PieceKind.RUN:
            return self._run_trouble(piece)
        if key is None:
            users = users_of_shared(self._workspace).get("/".join(piece.names), ())
            return f"{users[0]} uses it" if users else ""
        if piece.kind is PieceKind.LEFTOVERS:
            return ""
        state = scan.read_job(self._workspace, key).state
        if piece.kind is PieceKind.FILE and state is not JobState.DONE:
            return f"the job is {state.value}"
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

    def _busy(self, piece: Piece) -> str:
        return "a job that uses it runs" if piece.key is None else "the job runs"
