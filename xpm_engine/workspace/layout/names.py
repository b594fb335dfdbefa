"""Which names folders may have: those of experiments, runs, tasks and identifiers."""

from __future__ import annotations

import re
from typing import NamedTuple

from xpm_engine.errors import BadNameError

RETRY_SUFFIX = ".retry"
"""How the id of a retry's run ends: a listing tells it from a plan's run without reading it."""

MAX_TASK_BYTES = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_IDENTIFIER = re.compile(r"[0-9a-f]{32}\Z")
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_.")


def check_name(name: object, *, what: str = "experiment") -> str:
    """Return `name` if it can name a folder: an experiment or a run.

    Raises BadNameError for anything but ``[A-Za-z0-9][A-Za-z0-9._-]{0,99}``.
    """
    if not isinstance(name, str) or not _NAME.match(name):
        raise BadNameError(
            f"{name!r} can't name an {what}"
            if what[0] in "aeiou"
            else f"{name!r} can't name a {what}",
            hint="a letter or digit, then up to 99 letters, digits, dots, dashes or underscores",
        )
    return name


def is_retry(run: str) -> bool:
    """Whether a run's id is that of a retry, which shows nothing but what it runs again."""
    return run.endswith(RETRY_SUFFIX)


def is_name(name: str) -> bool:
    """Whether a folder's name can be an experiment's or a run's."""
    return bool(_NAME.match(name))


def task_folder(type_name: str) -> str:
    """The TASK-ID of a type name: lower case, anything but ``[a-z0-9_.]`` percent-encoded.

    Raises BadNameError where the result is empty, has an empty dotted part (``a..b``, which
    could climb out of the folder), or is longer than 200 bytes.
    """
    lowered = type_name.lower().encode("utf-8", "surrogatepass")
    folder = "".join(chr(b) if b in _PLAIN else "%%%02x" % b for b in lowered)
    if not all(folder.split(".")):
        raise BadNameError(
            f"the type name {type_name!r} has an empty part",
            hint="give the class a name of dotted parts, with __xpmid__ or by its module",
        )
    if len(folder) > MAX_TASK_BYTES:
        raise BadNameError(
            f"the type name {type_name[:60]!r}… needs {len(folder)} bytes as a folder's name, "
            f"and {MAX_TASK_BYTES} is the most",
            hint="set a shorter __xpmid__ in the class",
        )
    return folder


def is_task_folder(name: str) -> bool:
    """Whether a folder's name can be a TASK-ID."""
    return 0 < len(name) <= MAX_TASK_BYTES and all(
        part and all(c in "abcdefghijklmnopqrstuvwxyz0123456789_%" for c in part)
        for part in name.split(".")
    )


def is_identifier(name: str) -> bool:
    """Whether a folder's name is 32 lower-case hexadecimal digits."""
    return bool(_IDENTIFIER.match(name))


class JobKey(NamedTuple):
    """The name of a job: its task's folder and its identifier.

    A tuple, because a workspace has very many of these, and all of them are keys.
    """

    task: str
    """TASK-ID, as `task_folder` makes it."""
    identifier: str
    """32 hexadecimal digits."""

    def __str__(self) -> str:
        return self.task + "/" + self.identifier

    @property
    def short(self) -> str:
        """Six digits, for people."""
        return self.identifier[:6]

    @classmethod
    def parse(cls, text: str) -> "JobKey":
        """Read ``task/identifier``; raises ValueError for anything else."""
        task, slash, identifier = text.rpartition("/")
        if not slash or not is_task_folder(task) or not is_identifier(identifier):
            raise ValueError(f"not a job: {text!r}")
        return cls(task, identifier)
