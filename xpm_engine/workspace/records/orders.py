"""``orders.jsonl``: the whole orders of jobs that a run has not launched yet.

A job that has an attempt has its order in ``N.launch``. One that waits for another has nothing,
and may be blocked with its plan long dead: a retry finds its order here.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, Optional, Tuple, cast

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import VERSION, Fields, no_values
from xpm_engine.workspace.records.reasons import read_key, read_keys
from xpm_engine.workspace.records.tickets import NO_RETRIES, Launch, Retrying, awaited


@dataclass(frozen=True)
class StoredOrder:
    """All that running a job takes, without its class."""

    key: JobKey
    params: Dict[str, Any]
    """A `ParamsRecord` as JSON: parameters, hash tree, and where the code is."""
    resolved: str
    dependencies: Tuple[JobKey, ...] = ()
    early: Tuple[str, ...] = ()
    """``task/identifier/path``: files of jobs that it does not wait for."""
    tags: Dict[str, Any] = field(default_factory=no_values)
    resources: Dict[str, Any] = field(default_factory=no_values)
    launcher: str = ""
    resumable: bool = False
    shared: Tuple[str, ...] = ()
    """``task/name/identifier`` of the folders that it shares."""
    retrying: Retrying = NO_RETRIES

    @classmethod
    def of_launch(cls, launch: Launch) -> "StoredOrder":
        """The order that an attempt was made from."""
        return cls(
            key=launch.key,
            params=launch.params,
            resolved=launch.resolved,
            dependencies=launch.dependencies,
            early=launch.early,
            tags=launch.tags,
            resources=launch.resources,
            launcher=launch.launcher,
            resumable=launch.resumable,
            shared=launch.shared,
            retrying=launch.retrying,
        )

    @property
    def awaited(self) -> Tuple[JobKey, ...]:
        """The jobs that must be done before it starts."""
        return awaited(self.dependencies, self.early)

    def to_json(self) -> Dict[str, Any]:
        """``task`` and ``id`` come first: a line is known by its beginning."""
        return {
            "task": self.key.task,
            "id": self.key.identifier,
            "v": VERSION,
            "params": self.params,
            "resolved": self.resolved,
            "deps": [str(key) for key in self.dependencies],
            "early": list(self.early),
            "tags": self.tags,
            "resources": self.resources,
            "launcher": self.launcher,
            "resumable": self.resumable,
            "shared": list(self.shared),
            **self.retrying.to_json(),
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "StoredOrder":
        fields = Fields(data, where)
        fields.version()
        return cls(
            key=read_key(fields),
            params=fields.mapping("params"),
            resolved=fields.text("resolved"),
            dependencies=read_keys(fields, "deps"),
            early=tuple(fields.texts("early")),
            tags=fields.mapping("tags"),
            resources=fields.mapping("resources"),
            launcher=fields.text("launcher"),
            resumable=fields.flag("resumable"),
            shared=tuple(fields.texts("shared")),
            retrying=Retrying.read(fields),
        )


class OrderLines:
    """``orders.jsonl``, read: each order is parsed when it is asked for."""

    def __init__(self, data: bytes, where: str) -> None:
        self._where = where
        self._lines: Dict[bytes, Tuple[int, bytes]] = {}
        for number, line in enumerate(data.split(b"\n"), start=1):
            self._lines[line[: line.find(b',"v":') + 1]] = number, line

    def get(self, key: JobKey) -> Optional[StoredOrder]:
        """The order of a job; None if it is not there, or its line is damaged."""
        return self._parse(*self._lines.get(_beginning(key), (0, b"")))

    def sharing(self) -> Iterator[StoredOrder]:
        """The orders of jobs that share folders; damaged lines are left out."""
        for number, line in self._lines.values():
            if b'"shared":[' in line and b'"shared":[]' not in line:
                order = self._parse(number, line)
                if order is not None and order.shared:
                    yield order

    def _parse(self, number: int, line: bytes) -> Optional[StoredOrder]:
        try:
            value = json.loads(line)
            data = cast("Dict[str, Any]", value) if isinstance(value, dict) else {}
            return StoredOrder.from_json(data, "%s:%d" % (self._where, number))
        except (UnreadableError, ValueError, RecursionError):
            return None


def _beginning(key: JobKey) -> bytes:
    """How the line of a job begins, as `dumps` writes it."""
    names = json.dumps({"task": key.task, "id": key.identifier}, separators=(",", ":"))
    return names[:-1].encode("ascii") + b","
