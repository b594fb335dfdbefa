"""Every error of the engine, in one tree.

::

    XpmError                    what is wrong, where, and what to do next
    ├── UsageError              a command or a call was used the wrong way
    │   ├── PlanFileError       the plan's file is missing, or raises while it is read
    │   ├── BadNameError        a name that cannot name a folder of the workspace
    │   ├── FilterError         a filter that cannot be read
    │   └── SettingsError       xpm.toml or the user's file has a fault
    ├── ConfigError             a configuration was written or filled the wrong way
    │   ├── DefinitionError     the class itself (found when it is made or submitted)
    │   ├── ParameterError      the values given to it, all bad ones at once
    │   ├── SealedError         it was submitted and can no longer change
    │   ├── CycleError          it holds itself, by the path that is named
    │   └── LoadError           saved parameters do not fit the classes of today
    ├── DriftError              a finished result was made with other defaults
    ├── WorkspaceError          the folder on disk
    │   ├── NotAWorkspaceError  it is no workspace
    │   ├── UnreadableError     a file of ours is damaged, newer or foreign
    │   ├── StorageError        the system refused: permission, disk full, read-only
    │   └── OccupiedError       something is in the way and is left untouched
    ├── LaunchError             a launcher could not start, find or stop a job
    ├── RemoteError             another host
    │   ├── UnreachableError    it can't be reached, or the connection to it was cut
    │   ├── RefusedError        it can be reached, and does not let us in
    │   └── ProtocolError       what came from it is not what was agreed on
    └── JobError                a job ended badly
        ├── FailedJobs          some jobs of an experiment failed
        ├── JobFailed           the job whose result was asked for failed
        ├── JobBlocked          the same, something upstream failed
        ├── JobNotRun           the same, its plan starts nothing more
        ├── GracefulTimeout     this job stopped before its time was over
        └── TaskCancelled       this job was asked to stop

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

from typing import Optional, Tuple


class XpmError(Exception):
    """An error that says what is wrong, where, and what to do next."""

    exit_code = 2
    """What a command that ends with this error exits with."""

    def __init__(
        self, what: str, *, where: Optional[str] = None, hint: Optional[str] = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append("  where: " + self.where)
        if self.hint:
            lines.append("  next:  " + self.hint)
        return "\n".join(lines)


class UsageError(XpmError):
    """A command or a call was used the wrong way."""


class PlanFileError(UsageError):
    """The plan's file is missing, or raises while it is read."""


class BadNameError(UsageError):
    """A name that cannot name a folder of the workspace."""


class FilterError(UsageError):
    """A filter that cannot be read, or asks for a name that no job has."""

    def __init__(
        self,
        what: str,
        *,
        span: Tuple[int, int] = (0, 0),
        where: Optional[str] = None,
        hint: Optional[str] = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.span = span
        """Where the fault begins and ends in the filter, in characters."""


class SettingsError(UsageError):
    """A settings file has a fault; names the file and the line."""


class ConfigError(XpmError):
    """A configuration was written or filled the wrong way."""


class DefinitionError(ConfigError):
    """The class of a configuration is wrong; found when the class is made."""


class ParameterError(ConfigError):
    """Values given to a configuration are wrong; names all of them at once."""


class SealedError(ConfigError):
    """A configuration was submitted, and can no longer change."""


class CycleError(ConfigError):
    """A configuration holds itself; names the path."""


class LoadError(ConfigError):
    """Saved parameters do not fit the classes of today."""


class DriftError(XpmError):
    """A finished result was made with other defaults than today's."""

    exit_code = 3


class WorkspaceError(XpmError):
    """The folder on disk is not as it should be."""


class NotAWorkspaceError(WorkspaceError):
    """The folder is missing, or is no workspace."""


class UnreadableError(WorkspaceError):
    """A file of ours is damaged, of a newer version, or not ours."""


class StorageError(WorkspaceError):
    """The system refused to read or write: permission, full disk, read-only."""


class OccupiedError(WorkspaceError):
    """Something is in the way, and is left untouched."""


class LaunchError(XpmError):
    """A launcher could not start, find or stop a job."""


class RemoteError(XpmError):
    """Something failed on another host, or on the way to it."""


class UnreachableError(RemoteError):
    """Another host can't be reached, or the connection to it was cut: it may come back."""


class RefusedError(RemoteError):
    """Another host can be reached, and does not let us in: a person must do something."""


class ProtocolError(RemoteError):
    """What came from the other end is not what both agreed on."""


class JobError(XpmError):
    """A job ended badly."""

    exit_code = 1


class FailedJobs(JobError):  # noqa: N818 (read as the sentence "these failed")
    """Some jobs of an experiment failed; the text lists them with both log paths."""


class JobFailed(JobError):  # noqa: N818 (read as the sentence "this job failed")
    """A job whose result was asked for failed; the text has its reason, `where` both logs."""


class JobBlocked(JobError):  # noqa: N818 (as above)
    """A job whose result was asked for will not run: something that it is made from failed."""


class JobNotRun(JobError):  # noqa: N818 (as above)
    """A job whose result was asked for was not started, and its plan starts nothing more."""


class GracefulTimeout(JobError):  # noqa: N818 (the name users know from other managers)
    """This job has saved what it has and stops, since its time is nearly over; raised by a task."""

    def __init__(self, what: str = "stopped itself because its time was nearly over") -> None:
        super().__init__(what)


class TaskCancelled(JobError):  # noqa: N818 (the name users know from other managers)
    """This job was asked to stop; raise or let through to end as cancelled."""
