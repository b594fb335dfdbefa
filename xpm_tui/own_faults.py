"""What nobody foresaw: a fault of this app's own. It is told, and kept in a log to be reported."""

from __future__ import annotations

import os
import traceback
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Lock

from xpm_engine._version import __version__
from xpm_engine.errors import XpmError
from xpm_engine.tracebacks import in_words
from xpm_engine.workspace.atomic import make_folders
from xpm_engine.workspace.records.fields import now
from xpm_tui.session import users_state

MOST_KEPT = 256 * 1024
"""Bytes of the log from which on it begins anew; what was there is kept once more."""

_writing = Lock()


def log_path() -> str:
    """Where the faults of the app are kept: in the user's state folder, never in a workspace."""
    return os.path.join(users_state(), "faults.log")


class OwnFaultError(XpmError):
    """What nobody foresaw; where says in which log it is."""


def told(error: XpmError) -> str:
    """An error in one line."""
    return ": ".join(filter(None, (error.what, error.where, error.hint)))


def own_fault(error: BaseException) -> OwnFaultError:
    """Keep an error that nobody foresaw; the same for people, with the log that tells more."""
    path = log_path()
    lines = traceback.format_exception(error)
    text = f"{now()} xpm-tui {__version__}\n{''.join(lines)}\n"
    # A full disk must not hide the fault itself.
    with suppress(OSError, XpmError), _writing:
        make_folders(os.path.dirname(path))
        if os.path.exists(path) and os.path.getsize(path) > MOST_KEPT:
            os.replace(path, f"{path}.1")
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    return OwnFaultError(f"a fault of xpm-tui itself: {in_words(error)}", where=path)


@contextmanager
def foreseen() -> Generator[None]:
    """Whatever is raised inside and is no XpmError is kept, and raised as one."""
    try:
        yield
    except XpmError:
        raise
    except Exception as error:
        raise own_fault(error) from error
