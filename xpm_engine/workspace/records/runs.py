"""run.json, jobs.jsonl and queue.json: what a run was asked, what it referenced, what waits."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple, cast

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import VERSION, Fields, no_values
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import (
    Wait,
    member,
    read_key,
    read_keys,
    read_optional_key,
)


class PlanState(str, Enum):
    """How far the plan of a run came."""

    RUNNING = "running"
    COMPLETE = "complete"
    """The ``with`` block ended without an exception and without a selection."""
    PARTIAL = "partial"
    """It ended well, but a selection left something out."""
    RAISED = "raised"
    INTERRUPTED = "interrupted"
    CRASHED = "crashed"
    """Derived, never stored: it says running, and its driver is dead."""


class JobsState(str, Enum):
    """Whether all jobs of an ended run ended well."""

    OK = "ok"
    FAILED = "failed"


class RunKind(str, Enum):
    """What started a run."""

    PLAN = "plan"
    RETRY = "retry"


class How(str, Enum):
    """How a run came by a job."""

    NEW = "new"
    REUSED = "reused"
    ATTACHED = "attached"
    """It ran already, for another run."""
    RETRIED = "retried"


@dataclass(frozen=True)
class Scope:
    """What a run was asked to do: a run supersedes only earlier runs of the same scope."""

    plan: str
    """The plan's file."""
    arguments: Tuple[Tuple[str, str], ...] = ()
    """The NAME=VALUE pairs, sorted by name."""
    argv: Tuple[str, ...] = ()

    def to_json(self) -> Dict[str, Any]:
        return {
            "plan": self.plan,
            "arguments": [list(pair) for pair in self.arguments],
            "argv": list(self.argv),
        }

    @classmethod
    def read(cls, fields: Fields) -> "Scope":
        pairs: List[Tuple[str, str]] = []
        for item in fields.items("arguments"):
            pair = Fields({"pair": item}, fields.where).items("pair")
            if len(pair) != 2:
                raise UnreadableError("'arguments' is not a list of pairs", where=fields.where)
            pairs.append((str(pair[0]), str(pair[1])))
        return cls(fields.text("plan"), tuple(pairs), tuple(fields.texts("argv")))


@dataclass(frozen=True)
class GitState:
    """The commit that a run's plan was at."""

    commit: str
    dirty: bool
    branch: str = ""


@dataclass(frozen=True)
class Note:
    """What a plan wrote down about its run."""

    at: str
    text: str


@dataclass(frozen=True)
class RunRecord:
    """``run.json``: one run of an experiment."""

    experiment: str
    run: str
    scope: Scope
    plan: PlanState
    kind: RunKind
    driver: ProcessIdentity
    user: str
    started: str
    ended: Optional[str] = None
    jobs: Optional[JobsState] = None
    """None until it ended."""
    selection: Optional[str] = None
    """What ``--only`` said; None for everything."""
    git: Optional[GitState] = None
    environment: Dict[str, Any] = field(default_factory=no_values)
    """The interpreter, its version and the packages."""
    error: Optional[str] = None
    """What the plan raised, in one line."""
    notes: Tuple[Note, ...] = ()

    def to_json(self) -> Dict[str, Any]:
        git = self.git
        return {
            "v": VERSION,
            "experiment": self.experiment,
            "run": self.run,
            "scope": self.scope.to_json(),
            "plan": self.plan.value,
            "kind": self.kind.value,
            "driver": self.driver.to_json(),
            "user": self.user,
            "started": self.started,
            "ended": self.ended,
            "jobs": None if self.jobs is None else self.jobs.value,
            "selection": self.selection,
            "git": None
            if git is None
            else {"commit": git.commit, "dirty": git.dirty, "branch": git.branch},
            "environment": self.environment,
            "error": self.error,
            "notes": [{"t": note.at, "text": note.text} for note in self.notes],
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "RunRecord":
        fields = Fields(data, where)
        fields.version()
        git = fields.optional_part("git")
        return cls(
            experiment=fields.text("experiment"),
            run=fields.text("run"),
            scope=Scope.read(fields.part("scope")),
            plan=member(PlanState, fields, "plan"),
            kind=member(RunKind, fields, "kind"),
            driver=ProcessIdentity.read(fields.part("driver")),
            user=fields.text("user"),
            started=fields.text("started"),
            ended=fields.optional_text("ended"),
            jobs=None if data.get("jobs") is None else member(JobsState, fields, "jobs"),
            selection=fields.optional_text("selection"),
            git=None
            if git is None
            else GitState(git.text("commit"), git.flag("dirty"), git.text("branch")),
            environment=fields.mapping("environment"),
            error=fields.optional_text("error"),
            notes=tuple(Note(note.text("t"), note.text("text")) for note in fields.parts("notes")),
        )


@dataclass(frozen=True)
class Reference:
    """A line of ``jobs.jsonl``: this run needs that job, under these tags."""

    key: JobKey
    how: How
    at: str
    tags: Dict[str, Any] = field(default_factory=no_values)
    params: Dict[str, Any] = field(default_factory=no_values)
    """The parameters that are not at their default, flattened by dotted path."""
    dependencies: Tuple[JobKey, ...] = ()
    drift: Tuple[str, ...] = ()
    """What changed since the result was made: ``max_iter 4 → 5``; empty for no drift."""
    resolved: str = ""
    """The resolved digest of today, where there is drift: what accepting it means."""
    alias: Optional[JobKey] = None
    """The job under its former name whose result was adopted: it is referenced as well."""

    def to_json(self) -> Dict[str, Any]:
        data: Dict[str, Any] = {
            "v": VERSION,
            "task": self.key.task,
            "id": self.key.identifier,
            "tags": self.tags,
            "params": self.params,
            "deps": [str(key) for key in self.dependencies],
            "how": self.how.value,
            "t": self.at,
        }
        if self.drift:
            data["drift"] = list(self.drift)
            data["resolved"] = self.resolved
        if self.alias is not None:
            data["alias"] = str(self.alias)
        return data

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "Reference":
        fields = Fields(data, where)
        fields.version()
        return cls(
            key=read_key(fields),
            how=member(How, fields, "how"),
            at=fields.text("t"),
            tags=fields.mapping("tags"),
            params=fields.mapping("params"),
            dependencies=read_keys(fields, "deps"),
            drift=tuple(fields.texts("drift")),
            resolved=fields.optional_text("resolved") or "",
            alias=read_optional_key(fields, "alias"),
        )


@dataclass(frozen=True)
class Manifest:
    """``jobs.jsonl``, read: what a run referenced."""

    references: Sequence[Reference]
    """One a job, in the order of first mention; a later line of a job replaces the earlier.

    Never changed."""
    ended: bool
    """Whether the closing line with the right count is there."""
    damage: Tuple[str, ...] = ()
    """What could not be read, line by line; an unfinished last line is damage only if ended."""

    @property
    def trustworthy(self) -> bool:
        """Whether it is whole: nothing may be retired while a manifest is not."""
        return self.ended and not self.damage


def end_line(count: int) -> Dict[str, Any]:
    """The closing line of a manifest: how many lines stand before it."""
    return {"end": count}


class ManifestLines:
    """Reads ``jobs.jsonl`` as it grows; what is damaged is told, and the rest still read."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._number = 0
        self._count = 0
        self._ended = False
        self._damage: List[str] = []
        self._unfinished = b""

    def feed(self, data: bytes) -> List[Reference]:
        """The references in what comes next of the file, as far as its lines are finished."""
        lines = (self._unfinished + data).split(b"\n")
        self._unfinished = lines.pop()
        found: List[Reference] = []
        for line in lines:
            self._number += 1
            if self._ended:
                self._ended = False
                self._tell("after the closing line")
            try:
                value = json.loads(line)
                fields = cast("Dict[str, Any]", value) if isinstance(value, dict) else {}
                if "end" in fields:
                    self._ended = fields["end"] == self._count
                    if not self._ended:
                        self._tell(f"says {fields['end']} lines, {self._count} are here")
                    continue
                self._count += 1
                found.append(Reference.from_json(fields, f"{self._where}:{self._number}"))
            except UnreadableError as error:
                self._tell(error.what)
            except (ValueError, RecursionError):
                self._count += 1
                self._tell("truncated or no JSON")
        return found

    def ending(self) -> Tuple[bool, Tuple[str, ...]]:
        """Whether it has ended, if nothing comes any more, and what of it is damaged."""
        if self._unfinished and self._ended:
            return False, (*self._damage, "text after the closing line")
        return self._ended, tuple(self._damage)

    def _tell(self, what: str) -> None:
        self._damage.append(f"line {self._number}: {what}")


def parse_manifest(data: bytes, where: str) -> Manifest:
    """Read ``jobs.jsonl``; what is damaged is told, and the rest still read."""
    lines = ManifestLines(where)
    found = {reference.key: reference for reference in lines.feed(data)}
    ended, damage = lines.ending()
    return Manifest(tuple(found.values()), ended, damage)


@dataclass(frozen=True)
class Queue:
    """``queue.json``: why each job of a live run waits."""

    at: str
    waits: Tuple[Wait, ...]

    def to_json(self) -> Dict[str, Any]:
        return {"v": VERSION, "at": self.at, "waits": [wait.to_json() for wait in self.waits]}

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "Queue":
        fields = Fields(data, where)
        fields.version()
        return cls(
            at=fields.text("at"),
            waits=tuple(Wait.read(wait) for wait in fields.parts("waits")),
        )


def queue_bytes(at: str, waits: Iterable[Wait]) -> bytes:
    """``queue.json`` of these waits, without a second copy of a hundred thousand of them."""
    rows = [json.dumps(wait.to_json(), separators=(",", ":")) for wait in waits]
    head = json.dumps({"v": VERSION, "at": at}, separators=(",", ":"))
    return (head[:-1] + ',"waits":[' + ",".join(rows) + "]}").encode("ascii")
