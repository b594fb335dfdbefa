"""Other programs in the app's terminal: the user's editor, pager and shell; no Textual in it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from xpm_engine.errors import StorageError, UsageError
from xpm_tui.outside.unpacking import Unpacking, readable

EDITORS = ("sensible-editor", "vi", "vim", "nano", "emacs")
"""Looked for where the user named none."""

PAGERS = ("less", "more")

COLON = frozenset(("hx", "helix", "subl", "zed", "micro"))
"""Editors that take ``FILE:LINE``."""

GOTO = frozenset(("code", "codium", "code-insiders", "cursor"))
"""Editors that take ``--goto FILE:LINE``; without ``--wait`` they come back at once."""

TRACEBACK_LINE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
"""A frame of a Python traceback, as CPython's traceback module prints it."""


END = 1_000_000_000
"""As a line's number: the last one; every editor takes it so."""


@dataclass(frozen=True)
class FileLine:
    """A line of a file, from 1."""

    file: str
    line: int = 1

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.line}"


@dataclass(frozen=True)
class Errand:
    """What is run in the terminal while the app is away."""

    command: tuple[str, ...]
    folder: str | None = None
    environment: Mapping[str, str] | None = None
    greeting: str = ""
    """A line that is printed first."""
    unpacking: Unpacking | None = None
    """What is to be made before."""


def editor(at: FileLine, environment: Mapping[str, str]) -> Errand:
    """The user's editor ($VISUAL, else $EDITOR) at the line. Raises UsageError, StorageError."""
    file, unpacking = readable(at.file)
    if unpacking is None and not os.path.isfile(file):
        raise StorageError("the file is not there", where=file)
    words = _chosen(environment, ("VISUAL", "EDITOR"), EDITORS, "an editor")
    name = os.path.basename(words[0])
    if name in GOTO:
        words += ("--goto", f"{file}:{at.line}")
    elif name in COLON:
        words += (f"{file}:{at.line}",)
    else:
        words += (f"+{at.line}", file)
    return Errand(words, unpacking=unpacking)


def pager(at: FileLine, environment: Mapping[str, str], *, secure: bool) -> Errand:
    """The user's pager ($PAGER) on the file, less at the line. Raises UsageError, StorageError.

    With `secure` less runs no shell and writes no file.
    """
    file, unpacking = readable(at.file)
    if unpacking is None and not os.path.isfile(file):
        raise StorageError("there is no log yet", where=file)
    words = _chosen(environment, ("PAGER",), PAGERS, "a pager")
    if os.path.basename(words[0]) == "less":
        words += ("+G" if at.line == END else f"+{at.line}g",)
    # Colours of the log are shown; other escape sequences are not.
    own = {"LESS": environment.get("LESS", "-R")}
    if secure:
        own["LESSSECURE"] = "1"
    return Errand((*words, file), environment=own, unpacking=unpacking)


def shell(folder: str, environment: Mapping[str, str]) -> Errand:
    """The user's shell ($SHELL) in a folder. Raises StorageError where it is gone."""
    if not os.path.isdir(folder):
        raise StorageError("the folder is not there", where=folder)
    greeting = f"{folder}\nexit, or ctrl+d, leads back to xpm-tui"
    return Errand((environment.get("SHELL") or "/bin/sh",), folder, greeting=greeting)


def run(errand: Errand) -> int:
    """Run it in this terminal, which nobody else reads or draws on; its exit code.

    Raises StorageError where it can't be started.
    """
    if errand.unpacking is not None:
        errand.unpacking.run()
    if errand.greeting:
        print(errand.greeting, flush=True)  # noqa: T201 (the terminal is the user's meanwhile)
    environment = {**os.environ, **(errand.environment or {})}
    try:
        with _signals_left_to_the_child():
            return subprocess.run(
                errand.command, cwd=errand.folder, env=environment, check=False
            ).returncode
    except OSError as error:
        words = error.strerror or "failed"
        raise StorageError(f"can't start it: {words}", where=errand.command[0]) from error


@contextmanager
def _signals_left_to_the_child() -> Generator[None]:
    """ctrl+c in the child reaches this process too, which shall not end by it.

    A handler, and not SIG_IGN, which the child would inherit. ctrl+z stops both, and `fg` brings
    both back, so that the shell is never without the terminal.
    """
    handlers: dict[signal.Signals, Any] = {
        signal.SIGINT: _nothing,
        signal.SIGQUIT: _nothing,
        signal.SIGTSTP: signal.SIG_DFL,
        signal.SIGCONT: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _nothing(_number: int, _frame: object) -> None:
    """The child has it."""


def _chosen(
    environment: Mapping[str, str], names: Sequence[str], others: Sequence[str], what: str
) -> tuple[str, ...]:
    for name in names:
        if environment.get(name, "").strip():
            try:
                return tuple(shlex.split(environment[name]))
            except ValueError as error:
                raise UsageError(
                    f"${name} can't be read: {error}", where=environment[name]
                ) from None
    for program in others:
        if shutil.which(program, path=environment.get("PATH")):
            return (program,)
    raise UsageError(f"{what} was not found", hint=f"set ${names[0]} to one")


def frame_of(text: str) -> FileLine | None:
    """The file and line that a line of a traceback names."""
    found = TRACEBACK_LINE.search(text)
    return None if found is None else FileLine(found["file"], int(found["line"]))
