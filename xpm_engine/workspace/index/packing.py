"""A job's record, and a line of a manifest, as bytes: a tenth of the memory, and no work to load.

Only what can't change by itself is packed. The first byte of a packed job is its state, then comes
when it ended, so that lists are counted and sorted without unpacking anything.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import starmap
from typing import Any, TypeAlias, cast, overload

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.jobs import Progress, ProgressLevel
from xpm_engine.workspace.records.reasons import Frame, Reason, ReasonKind
from xpm_engine.workspace.records.runs import How, Manifest, Reference
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import Usage
from xpm_engine.workspace.scan import JobRecord

FORMAT = 2
"""Of marshal: the last one in which equal values are equal bytes."""

JobRow: TypeAlias = JobRecord | bytes
"""What is known of a job: packed if it can't change by itself."""

PACKED_STATES = (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.DIED)
"""The states that are packed, by their codes."""

_CODES = {state: code for code, state in enumerate(PACKED_STATES)}
_HOWS = tuple(How)
HOW_CODES = {how: code for code, how in enumerate(_HOWS)}
"""What the first byte of a packed line says of how the run came by the job."""

_USAGE = 4
_TAGS = 11
_PARAMS = 12
_DEPENDENCIES = 13
"""Their place among the packed fields."""

_LINE_DEPENDENCIES = 3

_TIME = len("2026-11-23T05:52:01.123456Z")
_BODY = 1 + _TIME


def pack_job(record: JobRecord) -> JobRow:
    """The record as bytes; as it is if it may change by itself, or is like no other."""
    code = _CODES.get(record.state)
    ended = record.ended
    if code is None or ended is None or record.problem or record.pinned:
        return record
    if record.alias is not None:
        return record
    if len(ended) != _TIME or not ended.isascii():
        return record
    try:
        return bytes((code,)) + ended.encode("ascii") + marshal.dumps(_fields(record), FORMAT)
    except ValueError:  # nested deeper than marshal goes
        return record


def record_of(key: JobKey, row: JobRow | None) -> JobRecord:
    """The record of a row; of none, that the job never started."""
    if row is None:
        return JobRecord(key, JobState.NOT_SUBMITTED)
    if isinstance(row, JobRecord):
        return row
    fields: tuple[Any, ...] = marshal.loads(row[_BODY:])
    attempt, run, launched, started, usage, reason, exit_code, signal, *fields_left = fields
    supervisor, task, user, tags, params, dependencies, metrics, progress, *ends = fields_left
    resolved, launcher, shared = ends
    return JobRecord(
        key=key,
        state=PACKED_STATES[row[0]],
        attempt=attempt,
        run=run,
        launched=launched,
        started=started,
        ended=row[1:_BODY].decode("ascii"),
        usage=None if usage is None else Usage(*usage),
        reason=None if reason is None else _reason(*reason),
        exit_code=exit_code,
        signal=signal,
        supervisor=None if supervisor is None else ProcessIdentity(*supervisor),
        task=None if task is None else ProcessIdentity(*task),
        user=user,
        tags=tags,
        params=params,
        dependencies=_keys(dependencies),
        metrics=metrics,
        progress=None if progress is None else _progress(*progress),
        resolved=resolved,
        launcher=launcher,
        shared=None if shared is None else tuple(shared),
    )


def state_of(row: JobRow) -> JobState:
    """The state of a row."""
    return row.state if isinstance(row, JobRecord) else PACKED_STATES[row[0]]


def fields_of_row(row: JobRow) -> tuple[Any, ...]:
    """Of a record, as packed: attempt, run, launched, started, usage, reason, exit code, signal,
    supervisor, task, user, tags, parameters, dependencies, metrics, progress, resolved digest,
    launcher, shared folders."""
    return _fields(row) if isinstance(row, JobRecord) else marshal.loads(row[_BODY:])


def fields_of_line(line: bytes) -> tuple[Any, ...]:
    """Of a line: time, tags, parameters, dependencies, drift, resolved digest, alias; as packed."""
    fields: tuple[Any, ...] = marshal.loads(line[1:])
    return fields


def dependency_names(row: JobRow) -> Sequence[str]:
    """``task/identifier`` of what a row's job is made from directly."""
    names: Sequence[str] = fields_of_row(row)[_DEPENDENCIES]
    return names


def dependency_names_of_line(line: bytes) -> Sequence[str]:
    """``task/identifier`` of what the job of a line is made from directly."""
    names: Sequence[str] = marshal.loads(line[1:])[_LINE_DEPENDENCIES]
    return names


def dependencies_in(row: JobRow) -> tuple[JobKey, ...]:
    """The jobs that a row's is made from directly."""
    if isinstance(row, JobRecord):
        return row.dependencies
    return _keys(marshal.loads(row[_BODY:])[_DEPENDENCIES])


def tags_in(row: JobRow) -> Mapping[str, Any]:
    """The tags of a row's job."""
    return named_in(row)[0]


def named_in(row: JobRow) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The tags and the parameters of a row's job."""
    if isinstance(row, JobRecord):
        return row.tags, row.params
    fields = marshal.loads(row[_BODY:])
    return fields[_TAGS], fields[_PARAMS]


def tried_once(row: JobRow) -> bool:
    """Whether a row's job had one attempt; told by the first of its packed fields."""
    if isinstance(row, JobRecord):
        return row.attempt == 1
    return row.startswith(_TRIED_ONCE, _BODY)


def seconds_of(row: JobRow) -> float | None:
    """How long a row's last attempt took, by its writer's clock."""
    if isinstance(row, JobRecord):
        return None if row.usage is None else row.usage.seconds
    usage = marshal.loads(row[_BODY:])[_USAGE]
    return None if usage is None else float(usage[0])


def shared_in(row: JobRow) -> Sequence[str] | None:
    """The folders that a row's job shares; None if only its order says. Told by the last field."""
    if isinstance(row, JobRecord):
        return row.shared
    if row.endswith(_NO_FOLDERS):
        return ()
    found: Sequence[str] | None = marshal.loads(row[_BODY:])[-1]
    return found


def alias_in(row: JobRow) -> JobKey | None:
    """The job whose result a row's adopted; none that is packed did."""
    return row.alias if isinstance(row, JobRecord) else None


def ended_of(row: JobRow) -> str:
    """When the row's last attempt ended, as records state time; empty if it has not."""
    return row.ended or "" if isinstance(row, JobRecord) else row[1:_BODY].decode("ascii")


def last_end(rows: Iterable[JobRow | None]) -> str:
    """When the last of these ended, as records state time; empty if none has."""
    packed: list[bytes] = []
    texts = [""]
    for row in rows:
        if isinstance(row, bytes):
            packed.append(row[1:_BODY])
        elif row is not None:
            texts.append(row.ended or "")
    return max(*texts, max(packed, default=b"").decode("ascii"))


def ended_since(rows: Mapping[JobKey, JobRow], moment: str) -> list[JobKey]:
    """The jobs that ended at this time or later."""
    since = moment.encode()
    return [
        key
        for key, row in rows.items()
        if (row[1:_BODY] >= since if isinstance(row, bytes) else (row.ended or "") >= moment)
    ]


def _fields(record: JobRecord) -> tuple[Any, ...]:
    usage, reason, progress = record.usage, record.reason, record.progress
    return (
        record.attempt,
        record.run,
        record.launched,
        record.started,
        None if usage is None else (usage.seconds, usage.cpu_seconds, usage.peak_bytes),
        None if reason is None else _reason_fields(reason),
        record.exit_code,
        record.signal,
        _process_fields(record.supervisor),
        _process_fields(record.task),
        record.user,
        record.tags,
        record.params,
        [str(key) for key in record.dependencies],
        record.metrics,
        None if progress is None else _progress_fields(progress),
        record.resolved,
        record.launcher,
        None if record.shared is None else list(record.shared),
    )


def _process_fields(process: ProcessIdentity | None) -> tuple[Any, ...] | None:
    if process is None:
        return None
    return (
        process.machine_id,
        process.boot_id,
        process.pid_ns,
        process.pid,
        process.start_ticks,
        process.host,
    )


def _reason_fields(reason: Reason) -> tuple[Any, ...]:
    frame = reason.frame
    place = None if frame is None else (frame.file, frame.line, frame.function, frame.source)
    return (reason.kind.value, reason.text, reason.exception, place)


def _reason(kind: str, text: str, exception: str | None, place: Any) -> Reason:
    return Reason(ReasonKind(kind), text, exception, None if place is None else Frame(*place))


def _progress_fields(progress: Progress) -> tuple[Any, ...]:
    levels = [(level.fraction, level.text) for level in progress.levels]
    return (progress.attempt, progress.at, progress.seconds, levels)


def _progress(attempt: int, at: str, seconds: float, levels: list[tuple[float, str]]) -> Progress:
    return Progress(attempt, at, seconds, tuple(starmap(ProgressLevel, levels)))


def _keys(texts: list[str]) -> tuple[JobKey, ...]:
    """As they were written by us: not checked again."""
    return tuple([JobKey(*text.split("/", 1)) for text in texts])


# Manifests


def pack_manifest(manifest: Manifest) -> Manifest:
    """The same manifest, its lines as bytes."""
    if isinstance(manifest.references, PackedReferences):
        return manifest
    return replace(manifest, references=PackedReferences.of(manifest.references))


def keys_of(manifest: Manifest) -> Sequence[JobKey]:
    """The jobs that a manifest references, without unpacking its lines."""
    lines = manifest.references
    return lines.keys if isinstance(lines, PackedReferences) else [line.key for line in lines]


class PackedReferences(Sequence[Reference]):
    """The lines of a manifest, each unpacked when it is asked for; never changed."""

    def __init__(self, keys: Sequence[JobKey], rows: Sequence[bytes]) -> None:
        self.keys = keys
        self.rows = rows

    @classmethod
    def of(cls, references: Sequence[Reference]) -> PackedReferences:
        """Pack these."""
        return cls([line.key for line in references], list(map(_pack_reference, references)))

    def how(self, place: int) -> How:
        """How the run came by the job of a line."""
        return _HOWS[self.rows[place][0]]

    def tags(self, place: int) -> dict[str, Any]:
        """The tags of a line."""
        return cast("dict[str, Any]", marshal.loads(self.rows[place][1:])[1])

    def named(self, place: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """The tags and the parameters of a line."""
        fields = marshal.loads(self.rows[place][1:])
        return fields[1], fields[2]

    def upstream(self, place: int) -> list[str]:
        """The jobs that a line is made from, as they are written: ``TASK/ID``."""
        return cast("list[str]", marshal.loads(self.rows[place][1:])[3])

    def extends(self, other: PackedReferences) -> bool:
        """Whether these are all lines of another manifest, unchanged, and perhaps more."""
        count = len(other)
        return self.keys[:count] == other.keys and self.rows[:count] == other.rows

    def adopting(self) -> list[int]:
        """The places of the lines that name a job whose result is taken over; told by their last
        field."""
        return [place for place, row in enumerate(self.rows) if not row.endswith(_NONE)]

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Reference: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Reference]: ...
    def __getitem__(self, place: int | slice) -> Reference | Sequence[Reference]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        return reference_of(self.keys[place], self.rows[place])

    def __iter__(self) -> Iterator[Reference]:
        return map(reference_of, self.keys, self.rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PackedReferences):
            return NotImplemented
        return self is other or (self.rows == other.rows and self.keys == other.keys)

    __hash__ = None  # type: ignore[assignment]  # as large as it is, it is no key


_NONE = marshal.dumps(None, FORMAT)


def _pack_reference(line: Reference) -> bytes:
    fields = (
        line.at,
        line.tags,
        line.params,
        [str(key) for key in line.dependencies],
        list(line.drift),
        line.resolved,
        None if line.alias is None else str(line.alias),
    )
    return bytes((HOW_CODES[line.how],)) + marshal.dumps(fields, FORMAT)


def reference_of(key: JobKey, row: bytes) -> Reference:
    """The line of a packed one."""
    at, tags, params, dependencies, drift, resolved, alias = marshal.loads(row[1:])
    return Reference(
        key=key,
        how=_HOWS[row[0]],
        at=at,
        tags=tags,
        params=params,
        dependencies=_keys(dependencies),
        drift=tuple(drift),
        resolved=resolved,
        alias=None if alias is None else JobKey(*alias.split("/", 1)),
    )


NO_FIELDS = _fields(JobRecord(JobKey("", ""), JobState.NOT_SUBMITTED))
"""The fields of a job without a folder."""

NO_LINE: tuple[Any, ...] = ("", {}, {}, (), (), "", None)
"""The fields of no line."""

_NO_FOLDERS = marshal.dumps([], FORMAT)

_TRIED_ONCE = marshal.dumps((1, *NO_FIELDS[1:]), FORMAT)[: 1 + 4 + 1 + 4]
"""How the fields of a job begin that had one attempt: a tuple, its length, an int, and 1."""
