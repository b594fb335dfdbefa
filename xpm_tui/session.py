"""What is kept of a workspace's view between sessions: place, folds, grouping, columns and sort.

Never the filter, never the marks: what hides or selects must be typed anew. The files stand in the
user's state directory; a broken one counts as none.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xpm_engine.errors import XpmError
from xpm_engine.workspace.atomic import dumps, make_folders, read_object, write_atomic
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_tui.store import (
    AllJobsSubject,
    CleanedSubject,
    EarlierRunsSubject,
    ExperimentSubject,
    FailedSubject,
    Grouping,
    GroupKey,
    GroupSubject,
    JobSubject,
    LogSubject,
    ObsoleteSubject,
    RunKey,
    RunSubject,
    Stream,
    Subject,
    TrashSubject,
    WorkspaceSubject,
)

VERSION = 1
MOST_RECENT = 8
"""Workspaces that were used lately, as far as they are offered."""


WHOLE = WorkspaceSubject()


@dataclass(frozen=True)
class Session:
    """How a workspace was left."""

    at: str = ""
    """When, as records state time."""
    cursor: Subject = WHOLE
    unfolded: tuple[Subject, ...] = ()
    met: tuple[str, ...] = ()
    """Experiments that were seen: one that runs and is met for the first time is unfolded."""
    grouping: Grouping = Grouping.TASK
    sorted_by: str = ""
    """The title of the column that jobs are sorted by; empty for their own order."""
    reverse: bool = False
    columns: Mapping[str, bool] = field(default_factory=dict[str, bool])
    """Columns of jobs that were chosen, and chosen to be hidden."""

    def to_json(self) -> dict[str, Any]:
        """For the file."""
        return {
            "v": VERSION,
            "at": self.at,
            "cursor": _subject_to_json(self.cursor),
            "unfolded": [_subject_to_json(subject) for subject in self.unfolded],
            "met": list(self.met),
            "grouping": self.grouping.value,
            "sorted_by": self.sorted_by,
            "reverse": self.reverse,
            "columns": dict(self.columns),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Session:
        """Read what `to_json` wrote. Raises LookupError, TypeError or ValueError otherwise."""
        if data["v"] != VERSION:
            raise ValueError("another version wrote it")
        return cls(
            at=str(data["at"]),
            cursor=_subject_from_json(data["cursor"]),
            unfolded=tuple(map(_subject_from_json, data["unfolded"])),
            met=tuple(map(str, data["met"])),
            grouping=Grouping(data["grouping"]),
            sorted_by=str(data["sorted_by"]),
            reverse=bool(data["reverse"]),
            columns={str(name): bool(shown) for name, shown in data["columns"].items()},
        )


class Sessions:
    """The sessions that are kept in a folder, a file a workspace."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, workspace: WorkspacePaths) -> Session:
        """How the workspace was left; a new session where that is not known."""
        return self._read(self._path(workspace))[1]

    def keep(self, workspace: WorkspacePaths, session: Session) -> None:
        """Keep how the workspace is left. Where that fails, nothing is kept: it is no result."""
        data = {**session.to_json(), "workspace": workspace.root, "at": session.at or now()}
        with suppress(XpmError, OSError):
            make_folders(str(self._folder))
            write_atomic(str(self._path(workspace)), dumps(data))

    def recent(self) -> tuple[str, ...]:
        """The workspaces that were used lately and are still there, the last one first."""
        try:
            paths = list(self._folder.glob("*.json"))
        except OSError:
            return ()
        found = [self._read(path) for path in paths]
        found.sort(key=lambda pair: pair[1].at, reverse=True)
        roots = [root for root, _ in found if root and os.path.isdir(root)]
        return tuple(roots[:MOST_RECENT])

    def _path(self, workspace: WorkspacePaths) -> Path:
        name = hashlib.sha256(os.path.realpath(workspace.root).encode("utf-8", "surrogateescape"))
        return self._folder / f"{name.hexdigest()[:32]}.json"

    def _read(self, path: Path) -> tuple[str, Session]:
        try:
            data = read_object(str(path))
            return str(data.get("workspace", "")), Session.from_json(data)
        except (XpmError, OSError, LookupError, TypeError, ValueError, AttributeError):
            return "", Session()


def users_sessions() -> Sessions:
    """Those of the user who runs the app."""
    return Sessions(Path(users_state()) / "sessions")


def users_state() -> str:
    """The folder of what the app keeps for its user."""
    import platformdirs

    return platformdirs.user_state_dir("xpm-tui")


def _subject_to_json(subject: Subject) -> list[Any]:
    match subject:
        case CleanedSubject():
            return ["TrashSubject"]
        case (
            WorkspaceSubject()
            | FailedSubject()
            | AllJobsSubject()
            | ObsoleteSubject()
            | TrashSubject()
        ):
            return [type(subject).__name__]
        case ExperimentSubject(name) | EarlierRunsSubject(name):
            return [type(subject).__name__, name]
        case RunSubject(run):
            return ["RunSubject", *_run(run)]
        case GroupSubject(run, group):
            return ["GroupSubject", *_run(run), group.by.value, list(group.path)]
        case JobSubject(key, run):
            return ["JobSubject", str(key), _run(run)]
        case LogSubject(key, run, stream):
            return ["LogSubject", str(key), _run(run), stream.value]


def _subject_from_json(data: Any) -> Subject:
    kind, *rest = data
    simple: dict[str, Subject] = {
        "WorkspaceSubject": WorkspaceSubject(),
        "FailedSubject": FailedSubject(),
        "AllJobsSubject": AllJobsSubject(),
        "ObsoleteSubject": ObsoleteSubject(),
        "TrashSubject": TrashSubject(),
    }
    match kind:
        case "ExperimentSubject":
            return ExperimentSubject(str(rest[0]))
        case "EarlierRunsSubject":
            return EarlierRunsSubject(str(rest[0]))
        case "RunSubject":
            return RunSubject(RunKey(str(rest[0]), str(rest[1])))
        case "GroupSubject":
            group = GroupKey(Grouping(rest[2]), tuple(map(str, rest[3])))
            return GroupSubject(RunKey(str(rest[0]), str(rest[1])), group)
        case "JobSubject":
            return JobSubject(JobKey.parse(str(rest[0])), _run_from(rest[1]))
        case "LogSubject":
            return LogSubject(JobKey.parse(str(rest[0])), _run_from(rest[1]), Stream(rest[2]))
        case _:
            return simple[kind]


def _run(run: RunKey | None) -> list[str]:
    return [] if run is None else [run.experiment, run.run]


def _run_from(data: Any) -> RunKey | None:
    return RunKey(str(data[0]), str(data[1])) if data else None
