"""What took a job's place: the run, what it was asked, and the values that it left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xpm_engine.workspace.records.params import short_text
from xpm_engine.workspace.records.runs import Reference
from xpm_engine.workspace.scan import RunView


@dataclass(frozen=True)
class LeftValue:
    """A tag or parameter value of a job that the run which replaced it uses no more."""

    name: str
    old: str
    new: str | None = None
    """What the run uses instead; None where that is several values, or none."""

    def __str__(self) -> str:
        return f"{self.name} {self.old}" + ("" if self.new is None else f" → {self.new}")


class RunValues:
    """The tags and parameters that a run uses, by task; gathered when they are asked for."""

    def __init__(self, run: RunView) -> None:
        self.run = run
        self.at = "" if run.record is None else run.record.started
        self._tasks: dict[str, dict[str, set[str]]] | None = None

    def of(self, task: str) -> Mapping[str, set[str]] | None:
        """Name -> its values as text, in all jobs of a task; None where the task is not used."""
        if self._tasks is None:
            self._tasks = {}
            for line in self.run.manifest.references:
                values = self._tasks.setdefault(line.key.task, {})
                for name, value in (*line.params.items(), *line.tags.items()):
                    values.setdefault(name, set()).add(short_text(value))
        return self._tasks.get(task)


@dataclass(frozen=True, eq=False, slots=True)
class Replacement:
    """A job's last mention, and the complete run of the same scope that names it no more."""

    lines: Sequence[Reference]
    place: int
    values: RunValues

    @property
    def last(self) -> Reference:
        """The line that mentions it last."""
        return self.lines[self.place]

    @property
    def at(self) -> str:
        """When that run began."""
        return self.values.at

    @property
    def run(self) -> str:
        """``experiment/run``"""
        return f"{self.values.run.experiment}/{self.values.run.run}"

    @property
    def arguments(self) -> tuple[tuple[str, str], ...]:
        """The NAME=VALUE pairs of that run, which are those of the runs that it replaced."""
        record = self.values.run.record
        return () if record is None else record.scope.arguments

    @property
    def commit(self) -> str | None:
        """What the project was at in that run, if that is known."""
        record = self.values.run.record
        return None if record is None or record.git is None else record.git.commit

    @property
    def left(self) -> tuple[LeftValue, ...]:
        """The values of the job that no job of its task has any more, tags first.

        Empty where each value is still used, in other jobs, or the whole task is not.
        """
        values = self.values.of(self.last.key.task)
        if values is None:
            return ()
        found: dict[tuple[str, str], LeftValue] = {}
        for name, value in _pairs(self.last):
            now = values.get(name, set())
            text = short_text(value)
            if text not in now:
                new = next(iter(now)) if len(now) == 1 else None
                # A tag that stands in a parameter has the parameter's last name and value.
                found.setdefault((name.rpartition(".")[2], text), LeftValue(name, text, new))
        return tuple(found.values())

    @property
    def task_left(self) -> bool:
        """Whether that run uses no job of the whole task."""
        return self.values.of(self.last.key.task) is None


def _pairs(line: Reference) -> tuple[tuple[str, Any], ...]:
    return (*line.tags.items(), *line.params.items())
