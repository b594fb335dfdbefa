"""The jobs of a workspace there, made from what the agent tells of their files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from xpm_engine.errors import UnreadableError
from xpm_engine.remote.connection import Connection
from xpm_engine.remote.frames import Message
from xpm_engine.workspace import scan
from xpm_engine.workspace.atomic import parse_object
from xpm_engine.workspace.index import JobRow, Known, pack_job
from xpm_engine.workspace.index.stamps import FRESH
from xpm_engine.workspace.layout import JobKey, WorkspacePaths, attempts_in
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobFiles, JobRecord
from xpm_tui.far.living import Living
from xpm_tui.store.model import Delta

KNOWN_PART = 4_000
"""Stamps in one message: it must stay below 1 MiB."""

LONGEST = 1 << 17
"""Bytes of a file that is kept while its job lives."""

ASKED = 500
"""Jobs that one question is about at most."""

_TIME = (1 << 64) - 1


class FarJobs:
    """What was read of the jobs."""

    def __init__(self, root: str, known: Known, living: Living) -> None:
        self._root = root
        self._there = WorkspacePaths(root)
        self._known = known
        self._living = living
        self._stamps: dict[JobKey, list[int]] = {}
        """Of the live ones, as the agent told them."""
        self._over: dict[JobKey, list[int]] = {}
        """The same of those that ended badly, and may be started again."""
        self._texts: dict[JobKey, dict[str, str]] = {}
        """Theirs, of which only what changes is told again."""
        self._coming: dict[JobKey, float] = {}
        """The folders that had no ticket yet, and until when one is looked for."""
        self.closed: dict[str, str] = {}
        """The folders there that can't be listed, and why."""
        self._tasks: frozenset[str] = frozenset()
        """Whose folders were there when they were listed, empty ones too."""

    @property
    def live(self) -> frozenset[JobKey]:
        """The jobs that can still change by themselves."""
        return frozenset(self._stamps)

    @property
    def tasks(self) -> list[str]:
        """The tasks that have jobs, or in whose folder one may come."""
        return sorted(self._tasks.union(key.task for key in self._known.jobs))

    def tell_known(self, connection: Connection) -> None:
        """A new agent knows nothing of what was seen. Raises XpmError."""
        self._texts.clear()
        stamps: dict[str, dict[str, list[int]]] = {}
        count = 0
        for key, (stamp, row) in self._known.jobs.items():
            if not stamp or not isinstance(row, bytes):
                continue
            stamps.setdefault(key.task, {})[key.identifier] = [stamp >> 64, stamp & _TIME]
            count += 1
            if count % KNOWN_PART == 0:
                connection.ask("known", root=self._root, stamps=stamps)
                stamps = {}
        connection.ask("known", root=self._root, stamps=stamps)

    def forget_texts(self) -> None:
        """A look was broken off: what the agent has told may never have come, and is read."""
        self._texts.clear()

    def changes(self, connection: Connection, tasks: Sequence[str] | None) -> Iterator[Delta]:
        """What differs from what was seen; of these tasks only what came or went.

        Raises XpmError.
        """
        only: dict[str, Any] = {} if tasks is None else {"tasks": tasks}
        listed = None if tasks is None else {f"{self._there.jobs}/{task}" for task in tasks}
        for path in list(self.closed):
            if listed is None or path in listed:
                del self.closed[path]
        for part in connection.stream("changes", root=self._root, **only):
            yield self._taken(connection, part)
            self._tasks = frozenset(part.body.get("tasks", self._tasks))

    def look_at(self, connection: Connection, keys: Iterable[JobKey]) -> Iterator[Delta]:
        """What differs of these jobs; nothing of those that can't be looked at. Raises XpmError."""
        now = time.monotonic()
        self._coming = {key: until for key, until in self._coming.items() if now < until}
        ordered = sorted(filter(self._may_look, {*keys, *self._coming}))
        for start in range(0, len(ordered), ASKED):
            part = ordered[start : start + ASKED]
            known = {
                str(key): stamps[key]
                for key in part
                for stamps in (self._stamps, self._over)
                if key in stamps
            }
            named = [str(key) for key in part]
            asked: dict[str, Any] = {"keys": named, "known": known, "again": True}
            for told in connection.stream("jobs", root=self._root, **asked):
                yield self._taken(connection, told)

    def _may_look(self, key: JobKey) -> bool:
        jobs = self._there.jobs
        return jobs not in self.closed and f"{jobs}/{key.task}" not in self.closed

    def died(self, connection: Connection) -> list[JobKey]:
        """The running jobs whose supervisor has died: no file there says so. Raises XpmError."""
        running = {
            key: row.supervisor
            for key in self._stamps
            if isinstance(row := self._known.jobs[key][1], JobRecord)
            and row.state is JobState.RUNNING
            and row.supervisor is not None
        }
        self._living.ask(connection, running.values())
        dead = [key for key, process in running.items() if self._living.is_dead(process)]
        for key in dead:
            # Its files are as they were: without a stamp they are told again.
            self._stamps[key] = []
        return dead

    def _taken(self, connection: Connection, part: Message) -> Delta:
        found: dict[JobKey, JobRow] = {}
        self.closed.update([part.body["closed"]] if "closed" in part.body else ())
        for task, identifier in part.body.get("gone", ()):
            self._forget(JobKey(task, identifier), found)
        rows = [self._whole(row) for row in part.body.get("jobs", ())]
        records = [self._record(connection, row) for row in rows]
        processes = [
            record.supervisor
            for record in records
            if record.state is JobState.RUNNING and record.supervisor is not None
        ]
        if self._living.ask(connection, processes):
            records = [self._record(connection, row) for row in rows]
        for row, record in zip(rows, records, strict=True):
            if record.state is JobState.NOT_SUBMITTED:
                if record.key not in self._known.jobs:
                    self._coming.setdefault(record.key, time.monotonic() + FRESH)
                self._forget(record.key, found)
                if row[2] is not None:
                    self._known.unstarted.add(record.key)
            else:
                self._coming.pop(record.key, None)
                self._keep(row[2], record, found)
        return Delta(jobs=found, checked=part.body.get("checked", 0.0))

    def _whole(self, row: Sequence[Any]) -> Sequence[Any]:
        """A row with the texts that were told before, and are as they were."""
        task, identifier, stamp, names, texts = row
        known = self._texts.get(JobKey(task, identifier), {})
        there = frozenset(names)
        whole = {name: text for name, text in {**known, **texts}.items() if name in there and text}
        self._texts[JobKey(task, identifier)] = whole
        return task, identifier, stamp, names, whole

    def _keep(self, stamp: list[int], record: JobRecord, found: dict[JobKey, JobRow]) -> None:
        key = record.key
        row = pack_job(record)
        known = self._known.jobs.get(key)
        self._known.jobs[key] = (stamp[0] << 64 | stamp[1], row)
        self._known.unstarted.discard(key)
        self._known.differs = True
        self._over.pop(key, None)
        if record.state.ended_badly:
            self._over[key] = stamp
        if record.state.live:
            self._stamps[key] = stamp
        else:
            self._stamps.pop(key, None)
            self._texts.pop(key, None)
        if known is None or known[1] != row:
            found[key] = row

    def _forget(self, key: JobKey, found: dict[JobKey, JobRow]) -> None:
        self._stamps.pop(key, None)
        self._over.pop(key, None)
        self._texts.pop(key, None)
        self._known.unstarted.discard(key)
        if self._known.jobs.pop(key, None) is not None:
            self._known.differs = True
            found[key] = JobRecord(key, JobState.NOT_SUBMITTED)

    def _record(self, connection: Connection, row: Sequence[Any]) -> JobRecord:
        """What the files of a job tell; one that is too long to be told with the others is read."""
        task, identifier, stamp, names, texts = row
        key = JobKey(task, identifier)
        if stamp is None:
            return JobRecord(key, JobState.NOT_SUBMITTED)

        def read(path: str) -> dict[str, Any]:
            name = os.path.basename(path)
            if name in texts:
                return parse_object(texts[name].encode(), path)
            if name not in names:
                raise FileNotFoundError(path)
            parts = connection.stream("read", path=path)
            data = b"".join(part.data for part in parts)
            if len(data) <= LONGEST:
                texts[name] = data.decode("utf-8", "replace")
            return parse_object(data, path)

        files = JobFiles(self._there.job(key), attempts_in(names), read)
        try:
            return scan.record_from(files, key, dead=self._living.is_dead)
        except FileNotFoundError:
            return JobRecord(key, JobState.NOT_SUBMITTED)
        except UnreadableError as error:
            problem = f"{error.where}: {error.what}"
            return JobRecord(key, JobState.UNREADABLE, problem=problem)
