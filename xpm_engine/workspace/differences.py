"""One difference between two configurations, and the sentence that says it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from xpm_engine.workspace.layout import JobKey


class DifferenceKind(Enum):
    """What differs."""

    CHANGED = "changed"
    ADDED = "added"
    """A parameter that the old one does not have."""
    REMOVED = "removed"
    """A parameter that the new one does not have."""
    TYPE = "type"
    """Another class stands there."""
    RENAMED = "renamed"
    """The class has another name, and the same parameters with the same values."""
    UPSTREAM = "upstream"
    """It comes from another job; in a drift: from the same job, made with other defaults."""
    DEFAULT = "default"
    """The default, hence what is left out of the identifier."""
    OPTION = "option"
    """Does not change the outcome: not in the identifier."""


@dataclass(frozen=True)
class Difference:
    """One place where two configurations differ."""

    path: str
    """Dotted names from the compared object, ``model.layers.2.size``; empty for itself."""
    kind: DifferenceKind
    old: str = ""
    """What stood there, as short text."""
    new: str = ""
    subject: str = ""
    """Of a default: the class that has it and the parameter's name, ``Learner.max_iter``."""
    old_job: JobKey | None = None
    """Of an upstream: the job it came from."""
    new_job: JobKey | None = None
    cause: str = ""
    """Of an upstream that drifted: what changed in it, as a sentence."""

    @property
    def drifted_job(self) -> JobKey | None:
        """The upstream job that is the same, and was made with other defaults."""
        return self.old_job if self.old_job == self.new_job else None

    def text(self) -> str:
        """The difference as a sentence without a full stop: ``lr 0.1 → 0.01``."""
        kind = self.kind
        if kind is DifferenceKind.ADDED:
            return f"new parameter {self.path} = {self.new}"
        if kind is DifferenceKind.REMOVED:
            return f"parameter {self.path} is gone (was {self.old})"
        change = f"{self.old} → {self.new}"
        if kind is DifferenceKind.DEFAULT:
            if not self.old and not self.new:
                return f"what is left out of the identifier of {self.subject}"
            return f"default of {self.subject} {change}"
        if kind is DifferenceKind.OPTION:
            return f"option {self.path} {change}"
        if kind in (DifferenceKind.TYPE, DifferenceKind.RENAMED):
            word = "class" if kind is DifferenceKind.TYPE else "class renamed"
            return f"{self.path}: {word} {change}" if self.path else f"{word} {change}"
        if self.drifted_job is not None:
            return f"upstream {self.old}: {self.cause or 'made with other defaults'}"
        if kind is DifferenceKind.UPSTREAM:
            return f"{self.path}: upstream {change}"
        return f"{self.path} {change}" if self.path else change

    def to_json(self) -> dict[str, Any]:
        """For ``--json``: every part, and the sentence."""
        data: dict[str, Any] = {
            "path": self.path,
            "kind": self.kind.value,
            "old": self.old,
            "new": self.new,
            "text": self.text(),
        }
        if self.subject:
            data["subject"] = self.subject
        if self.old_job is not None or self.new_job is not None:
            data["old_job"] = None if self.old_job is None else str(self.old_job)
            data["new_job"] = None if self.new_job is None else str(self.new_job)
        return data


def job_text(key: JobKey) -> str:
    """A job for people: the class's name and six digits, ``learner/ab12cd``."""
    return f"{key.task.rpartition('.')[2]}/{key.short}"
