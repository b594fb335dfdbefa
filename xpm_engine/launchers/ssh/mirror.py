"""What comes back from a host while a job runs there, as the files of the local job folder.

The one who mirrors holds the local job's lock, so that there is one of them, whatever plans do.
The order of its writes is the supervisor's: N.start, leftovers moved, params.json, job.json, and
at the end N.end, then job.json. The number of the attempt may be another one there.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.launchers.ssh.work import Work
from xpm_engine.runtime import leftovers
from xpm_engine.workspace import tickets
from xpm_engine.workspace.atomic import (
    append_line,
    dumps,
    make_folders,
    parse_object,
    read_object,
    replace_link,
    storage_error,
    write_atomic,
)
from xpm_engine.workspace.layout import XPM, JobPaths, link_to_log
from xpm_engine.workspace.records.events import Event, EventType
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.jobs import JobSummary, Progress
from xpm_engine.workspace.records.mirror import Mirror, MirrorState
from xpm_engine.workspace.records.tickets import End, Start

OFTEN = 2.0
"""Seconds between two notes how far lines were copied."""

THERE = JobPaths("")
"""Names below the job's folder there."""


class JobMirror:
    """The copy of one far attempt; used by one thread at a time."""

    def __init__(self, work: Work, host: str) -> None:
        """Go on where an earlier mirror of the same attempt was; raises StorageError."""
        self._work = work
        self._job = work.job
        self._host = host
        self._state = self._known_state()
        make_folders(self._job.logs)
        self._saved = 0.0
        """When (time.monotonic) it was noted last how far lines were copied."""
        self._far_summary: JobSummary | None = None
        self._end_told = False
        """Whether events.jsonl has its last line: there it comes after N.end."""
        self._trim(self._job.events, self._state.events[1])
        self._trim(self._job.metrics, self._state.metrics[1])
        self._save()
        number = work.far_attempt
        self._names = {
            _name(THERE.start(number)): self._started,
            _name(THERE.summary): self._summary,
            _name(THERE.progress): self._progress,
        }

    def files(self) -> list[tuple[str, str, int]]:
        """What to follow there, and from where on: `following.follow`."""
        number, attempt = self._work.far_attempt, self._work.attempt
        return [
            (_name(THERE.start(number)), "whole", 0),
            (_name(THERE.summary), "whole", 0),
            (_name(THERE.progress), "whole", 0),
            (_name(THERE.stdout(number)), "tail", _size(self._job.stdout(attempt))),
            (_name(THERE.stderr(number)), "tail", _size(self._job.stderr(attempt))),
            (_name(THERE.events), "tail", self._state.events[0]),
            (_name(THERE.metrics), "tail", self._state.metrics[0]),
            (_name(THERE.end(number)), "last", 0),
        ]

    def take(self, body: dict[str, Any], data: bytes) -> bool:
        """Write one part of what is followed; whether tickets of here changed by it.

        The end is only kept, in `work.end`: it is recorded when the result is here. Raises
        StorageError, UnreadableError.
        """
        name = body.get("name")
        number, attempt = self._work.far_attempt, self._work.attempt
        if not isinstance(name, str) or body.get("gone"):
            return False
        if name in self._names:
            return self._names[name](parse_object(data, f"{self._host}:{name}"))
        if name == _name(THERE.end(number)):
            where = f"{self._host}:{name}"
            self._work.end = End.from_json(parse_object(data, where), where)
            return False
        at, reset = int(body.get("at") or 0), bool(body.get("reset"))
        if name == _name(THERE.stdout(number)):
            _write_at(self._job.stdout(attempt), at, data, reset=reset)
        elif name == _name(THERE.stderr(number)):
            _write_at(self._job.stderr(attempt), at, data, reset=reset)
        elif name == _name(THERE.events):
            moved = self._append(self._job.events, self._state.events, at, data)
            self._state = replace(self._state, events=moved)
            self._save_now_and_then()
        elif name == _name(THERE.metrics):
            moved = self._append(self._job.metrics, self._state.metrics, at, data)
            self._state = replace(self._state, metrics=moved)
            self._save_now_and_then()
        return False

    def finish(self, end: End) -> None:
        """Record how the attempt ended; raises StorageError."""
        if not self._work.started:
            raise UnreadableError("an end without a start", where=self._job.root)
        tickets.record_end(self._job, self._work.attempt, end)
        if not self._end_told:
            by = f"{end.by.host}:{end.by.pid}"
            told = {"outcome": end.outcome.value}
            event = Event(EventType.ENDED, self._work.attempt, end.at, by, told)
            with suppress(StorageError):
                append_line(self._job.events, event.to_json())
        summary = self._far_summary
        if summary is None:
            return
        done = replace(
            self._translated(summary),
            outcome=end.outcome,
            ended=end.at,
            exit_code=end.exit_code,
            signal=end.signal,
            reason=end.reason,
            usage=end.usage,
            metrics=end.metrics,
        )
        with suppress(StorageError):
            write_atomic(self._job.summary, dumps(done.to_json()))

    def refresh(self) -> None:
        """Say that what is here was true a moment ago; raises StorageError."""
        if self._far_summary is not None:
            self._write_summary(self._far_summary)

    def _started(self, data: dict[str, Any]) -> bool:
        """The attempt has started there: so it has here, in the supervisor's order."""
        work, job = self._work, self._job
        start = Start.from_json(data, self._host)
        if start.void or work.started:
            return start.void
        mine = replace(start, launch=work.launch.nonce, mirror=self._mirror())
        if not tickets.claim_start(job, work.attempt, mine):
            path = job.start(work.attempt)
            if Start.from_json(read_object(path), path).void:
                # Somebody here voided what had started there: it must not run on for nobody.
                work.kill = True
        work.started = True
        leftovers.move_aside(job, work.attempt, resumable=work.launch.resumable)
        write_atomic(job.params, dumps(work.launch.params))
        for link, path in (
            (job.stdout_link, job.stdout(work.attempt)),
            (job.stderr_link, job.stderr(work.attempt)),
        ):
            replace_link(link, link_to_log(os.path.basename(path)))
        return True

    def _summary(self, data: dict[str, Any]) -> bool:
        summary = JobSummary.from_json(data, self._host)
        if summary.attempt != self._work.far_attempt or not self._work.started:
            return False
        self._far_summary = summary
        if summary.outcome is None:
            self._write_summary(summary)
        return False

    def _write_summary(self, summary: JobSummary) -> None:
        write_atomic(self._job.summary, dumps(self._translated(summary).to_json()))

    def _translated(self, summary: JobSummary) -> JobSummary:
        """A summary of there as one of here: what is the plan's is that of this plan."""
        launch = self._work.launch
        return replace(
            summary,
            attempt=launch.attempt,
            run=launch.run,
            tags=launch.tags,
            mirror=self._mirror(),
        )

    def _progress(self, data: dict[str, Any]) -> bool:
        progress = Progress.from_json(data, self._host)
        if progress.attempt == self._work.far_attempt:
            mine = replace(progress, attempt=self._work.attempt)
            write_atomic(self._job.progress, dumps(mine.to_json()))
        return False

    def _append(self, path: str, known: tuple[int, int], at: int, data: bytes) -> tuple[int, int]:
        """Append the whole lines of this attempt, with the number that it has here."""
        far, here = known
        if at != far:
            return known
        whole = data[: data.rfind(b"\n") + 1]
        lines = b"".join(self._lines(whole))
        _write_at(path, here, lines, reset=False)
        return far + len(whole), here + len(lines)

    def _lines(self, data: bytes) -> Iterator[bytes]:
        number, attempt = self._work.far_attempt, self._work.attempt
        for line in data.splitlines(keepends=True):
            try:
                value = json.loads(line)
                if value["n"] != number:
                    continue
                self._end_told = self._end_told or value.get("type") == EventType.ENDED.value
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            yield line if number == attempt else dumps({**value, "n": attempt}) + b"\n"

    def _mirror(self) -> Mirror:
        return Mirror(self._host, now())

    def _known_state(self) -> MirrorState:
        path = self._job.mirror(self._work.attempt)
        try:
            known = MirrorState.from_json(read_object(path), path)
        except (FileNotFoundError, UnreadableError):
            known = None
        if known is not None and known.attempt and known.nonce == self._work.far_nonce:
            return known
        return MirrorState(
            self._host,
            self._work.far_attempt,
            self._work.far_nonce,
            self._work.machine,
            events=(0, _size(self._job.events)),
            metrics=(0, _size(self._job.metrics)),
        )

    def _save_now_and_then(self) -> None:
        """How far lines were copied; what was not noted is forgotten and copied again."""
        if time.monotonic() >= self._saved + OFTEN:
            self._save()

    def _save(self) -> None:
        self._saved = time.monotonic()
        write_atomic(self._job.mirror(self._work.attempt), dumps(self._state.to_json()))

    def _trim(self, path: str, size: int) -> None:
        """Forget lines that were written by a mirror that did not live to say so."""
        with suppress(FileNotFoundError):
            if os.stat(path).st_size > size:
                os.truncate(path, size)


def _name(path: str) -> str:
    """The name below a job's ``.xpm/``."""
    return path.removeprefix(f"/{XPM}/")


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _write_at(path: str, at: int, data: bytes, *, reset: bool) -> None:
    """Write at a place of a file; `reset`: it began again there."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if reset:
                os.ftruncate(descriptor, 0)
            view = memoryview(data)
            while view:
                written = os.pwrite(descriptor, view, at)
                view, at = view[written:], at + written
        finally:
            os.close(descriptor)
    except OSError as error:
        raise storage_error(error, path, "write this file") from error
