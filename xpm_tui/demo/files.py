"""The demo's files: the plan that is shipped, and its copy in the user's folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.workspace.atomic import storage_error, write_atomic

FOLDER = "xpm-demo"
"""The demo's folder, in the working directory."""
PLAN = "plan.py"
"""The plan, in the demo's folder."""
WORKSPACE = "workspace"
"""Where the plan puts its jobs, in the demo's folder."""
LOG = "plan.log"
"""What the plan's own process prints, in the demo's folder."""
TASKS = 23
"""How many tasks the plan has; one more where a failure is asked for."""

_MARK = ".plan.sha256"
"""Holds the digest of the plan as we wrote it: another digest is the user's edit."""


def write_demo(folder: Path) -> Path:
    """Put the demo's plan into `folder` and return its path.

    A plan that is there is replaced only if it is as an earlier version wrote it; once edited it
    is the user's. Raises StorageError, and UnreadableError where the plan there can't be read.
    """
    plan, mark = folder / PLAN, folder / _MARK
    shipped = Path(__file__).with_name(PLAN).read_bytes()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise StorageError(
            "the demo needs a folder of this name, and a file has it",
            where=str(folder),
            hint="move the file away, or start the demo in another folder",
        ) from error
    except OSError as error:
        raise storage_error(error, str(folder), "make the demo's folder") from error

    present = _read(plan)
    if present == shipped:
        return plan
    if present is not None and _read(mark) != _digest(present):
        return plan
    # The mark first: after a crash in between, the old plan counts as edited and is left alone.
    write_atomic(str(mark), _digest(shipped))
    write_atomic(str(plan), shipped)
    return plan


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode("ascii")


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableError(f"can't be read: {error.strerror}", where=str(file)) from error
