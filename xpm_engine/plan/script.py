"""Running a plan's file as Python would, with errors that point into the user's own code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import CodeType, ModuleType

from xpm_engine.config.arguments import set_arguments
from xpm_engine.errors import PlanFileError, UsageError, XpmError
from xpm_engine.tracebacks import in_words, is_installed, users_frames
from xpm_engine.workspace.layout import absolute


def run_script(path: str, arguments: Mapping[str, str]) -> None:
    """Execute a plan's file as ``__main__``; what it exits with is raised as SystemExit.

    Raises PlanFileError where the file is missing, is no Python, or raises; what the engine
    itself refuses is raised as it is.
    """
    file = absolute(path)
    code = _compiled(file)
    main = ModuleType("__main__")
    main.__file__ = file
    main.__builtins__ = __builtins__  # type: ignore[attr-defined]
    sys.modules["__main__"] = main
    sys.argv[:] = [path, *(f"{name}={value}" for name, value in arguments.items())]
    sys.path.insert(0, os.path.dirname(file))
    set_arguments(arguments)
    try:
        exec(code, main.__dict__)
    except XpmError as error:
        if isinstance(error, UsageError) and not error.where:
            error.where = _place(error, file)
        raise
    except Exception as error:
        raise _raised(error, file) from error


def _compiled(file: str) -> CodeType:
    try:
        with open(file, "rb") as source:
            text = source.read()
    except FileNotFoundError:
        raise PlanFileError("there is no such plan", where=file, hint="check the path") from None
    except IsADirectoryError:
        raise PlanFileError(
            "the plan is a folder", where=file, hint="give the Python file in it"
        ) from None
    except OSError as error:
        raise PlanFileError(f"the plan can't be read: {error.strerror}", where=file) from error
    try:
        return compile(text, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise PlanFileError(
            f"the plan is not Python: {error.msg}", where=f"{file}:{error.lineno or 1}"
        ) from error
    except ValueError as error:
        raise PlanFileError(f"the plan is not Python: {error}", where=file) from error


def _raised(error: Exception, file: str) -> PlanFileError:
    """The plan's own exception, at the last line of the user's code that it came through."""
    return PlanFileError(f"the plan raised {in_words(error)}", where=_place(error, file))


def _place(error: Exception, file: str) -> str:
    """The last line of the user's code that an exception came through."""
    frames = users_frames(error.__traceback__)
    frames = [frame for frame in frames if not is_installed(frame.filename)] or frames
    return f"{frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else file
