"""Which classes of the plan's file its jobs can reach: they read it only down to an experiment.

A job imports the plan under another name than ``__main__``, and its reading stops where the plan
enters an experiment. A class that stands below, or under the plan's own guard, is not there.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable
from functools import cache
from types import FrameType, ModuleType

from xpm_engine.config.problems import caller
from xpm_engine.errors import DefinitionError, UsageError
from xpm_engine.runtime.child import NONCE_VARIABLE


class PlanReach:
    """Where the plan's file first entered an experiment, and what its jobs can reach."""

    def __init__(self) -> None:
        self._main: ModuleType | None = None
        self._stop = 0
        """The line, of the module's own code, that was being run; 0 if there was none."""
        self._fine: set[type] = set()

    def entered(self) -> None:
        """An experiment is entered; only the first time in a plan's file counts."""
        main = sys.modules.get("__main__")
        if main is not None and main is not self._main:
            self._main = main
            self._stop = _line_in(main)
            self._fine.clear()

    def check(self, objects: Iterable[object]) -> None:
        """Raise DefinitionError for an object whose class no job would find."""
        for each in objects:
            cls = type(each)
            if cls not in self._fine:
                self._check(cls)
                self._fine.add(cls)

    def _check(self, cls: type) -> None:
        file = getattr(self._main, "__file__", None)
        if cls.__module__ != "__main__" or not file:
            return
        name = cls.__qualname__.partition(".")[0]
        statements = list(_statements(_read(file), guarded=False))
        stops = self._stop and not any(
            guarded and node.lineno <= self._stop <= (node.end_lineno or node.lineno)
            for node, guarded in statements
        )
        found = [
            (node.lineno, guarded)
            for node, guarded in statements
            if isinstance(node, ast.ClassDef) and node.name == name
        ]
        if not found or any(
            not guarded and not (stops and line > self._stop) for line, guarded in found
        ):
            return
        line, guarded = found[0]
        where = f"{os.path.abspath(file)}:{line}"
        if guarded:
            raise DefinitionError(
                f'{name} is defined under `if __name__ == "__main__":`, which no job runs',
                where=where,
                hint="move the class above it, or into a module",
            )
        raise DefinitionError(
            f"{name} is defined below the experiment at line {self._stop}, and a job reads the "
            "plan only down to there",
            where=where,
            hint="move the class above it, or put the experiments under "
            '`if __name__ == "__main__":`',
        )


def refuse_in_worker() -> None:
    """Raise UsageError in a process that multiprocessing starts for a job: it imports the plan.

    Each worker would run the plan again, in the job's folder, and the jobs of that one its own.
    """
    workers = sys.modules.get("multiprocessing.process")
    if workers is None or NONCE_VARIABLE not in os.environ:
        return
    # As multiprocessing itself asks: it is set while a worker prepares itself.
    if getattr(workers.current_process(), "_inheriting", False):
        raise UsageError(
            "a worker process of a job enters the experiment again, as it imports the plan",
            where=caller(),
            hint='put what the plan does under `if __name__ == "__main__":`',
        )


def _line_in(main: ModuleType) -> int:
    """The line of the module's own code that runs now; 0 where none does."""
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        if frame.f_globals is vars(main) and frame.f_code.co_name == "<module>":
            return frame.f_lineno
        frame = frame.f_back
    return 0


def _statements(body: Iterable[ast.stmt], *, guarded: bool) -> Iterable[tuple[ast.stmt, bool]]:
    """The statements that a module's own code runs, and whether each is under the guard."""
    for node in body:
        yield node, guarded
        below = guarded or (isinstance(node, ast.If) and _names_main(node.test))
        if isinstance(node, ast.If):
            yield from _statements(node.body, guarded=below)
            yield from _statements(node.orelse, guarded=guarded)
        elif isinstance(node, ast.With | ast.For | ast.While):
            yield from _statements(node.body, guarded=guarded)
        elif isinstance(node, ast.Try):
            for part in (node.body, node.orelse, node.finalbody):
                yield from _statements(part, guarded=guarded)


def _names_main(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))


@cache
def _read(file: str) -> tuple[ast.stmt, ...]:
    try:
        with open(file, "rb") as source:
            return tuple(ast.parse(source.read()).body)
    except (OSError, SyntaxError, ValueError):
        # It was changed since it was run: its jobs will tell.
        return ()


reach = PlanReach()
"""That of this process, which runs one plan."""
