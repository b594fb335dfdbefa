"""Tracebacks as a user wants them: their own frames, and none of ours."""

from __future__ import annotations

import os
import sys
import traceback
from types import TracebackType

from xpm_engine.errors import XpmError

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
_LIBRARY = os.path.dirname(os.__file__) + os.sep
_MACHINERY = ("<frozen runpy>", "<frozen importlib")


def users_frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    """The frames of a traceback that are neither ours nor the import system's, outermost first."""
    frames = traceback.extract_tb(trace)
    return [
        frame
        for frame in frames
        if not frame.filename.startswith(_OURS) and not frame.filename.startswith(_MACHINERY)
    ]


def is_installed(file: str) -> bool:
    """Whether a source file is the library's or an installed package's, not the user's own."""
    return (
        file.startswith(("<", _LIBRARY)) or "/site-packages/" in file or "/dist-packages/" in file
    )


def format_users_part(error: BaseException) -> str:
    """A traceback of the user's frames alone, with the error's own text."""
    lines = ["Traceback (most recent call last):\n"]
    lines += traceback.format_list(users_frames(error.__traceback__))
    lines += traceback.format_exception_only(type(error), error)
    return "".join(lines)


def message_of(error: BaseException) -> str:
    """An exception's own text, also where its class can't tell it."""
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 (a user's __str__ may raise anything)
        return f"(its message can't be read: {type(broken).__name__})"


def in_words(error: BaseException) -> str:
    """``ValueError: its text``, or the type's name alone where there is no text."""
    name, message = type(error).__name__, message_of(error)
    return f"{name}: {message}" if message else name


def hide_our_frames() -> None:
    """Print an uncaught error of ours without our frames: a user's mistake is in the user's code.

    Leaves alone what another library, a debugger or a notebook has installed.
    """
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _print_uncaught


def _print_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if not isinstance(error, XpmError):
        sys.__excepthook__(kind, error, trace)
        return
    for frame in users_frames(trace)[-1:]:
        sys.stderr.write(f"{frame.filename}:{frame.lineno}: {frame.line}\n")
    sys.stderr.write(f"{kind.__name__}: {error}\n")
