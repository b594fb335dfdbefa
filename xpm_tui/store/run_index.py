"""One run, ready to be asked: the state of its jobs, its groups, and what each job is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from itertools import compress

from xpm_engine.verbs.jobs.snapshots import STATES as CODED_STATES
from xpm_engine.verbs.jobs.snapshots import SeenRun
from xpm_engine.workspace.index import (
    JobRow,
    PackedReferences,
    ended_of,
    last_end,
    pack_manifest,
    record_of,
)
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.runs import How
from xpm_engine.workspace.records.states import JobState, seen_by_run
from xpm_engine.workspace.scan import RunView
from xpm_tui.store.labels import differing, frozen, pair, task_names
from xpm_tui.store.model import IMPORTANCE, Counts, Group, Job
from xpm_tui.store.references import References
from xpm_tui.store.rows import FAILED_CODES, STATES, codes_of
from xpm_tui.store.run_labels import RunLabels
from xpm_tui.store.selected import Selected
from xpm_tui.store.subjects import Grouping, GroupKey, RunKey
from xpm_tui.store.tally import FOUND_DONE, Tally, counts_in

MOST_KEPT = 4_096
"""Jobs that are kept ready; more are made again when they are asked for."""

_CODED = bytes(map(CODED_STATES.index, STATES)).ljust(256, b"\0")
"""From the codes of states here to those of columns."""
_ENDED = frozenset(
    map(STATES.index, (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.DIED))
)


class RunIndex:
    """A run's jobs in the light of that run.

    Built once for a manifest, without unpacking its lines; a job that changes or is named later
    costs as much as one job.
    """

    def __init__(
        self, key: RunKey, view: RunView, row_of: Callable[[JobKey], JobRow | None]
    ) -> None:
        self.key = key
        self.view = view
        lines = pack_manifest(view.manifest).references
        assert isinstance(lines, PackedReferences)
        self.keys: Sequence[JobKey] = lines.keys
        """Its jobs in the order of the plan."""
        self.references = References(lines)
        self._lines = lines
        self._row_of = row_of
        self._waits = _waits(view)
        self._last_ended: str | None = ""
        self._codes = bytearray()
        """The state of each job: a place in `STATES`, which is in the order of importance."""
        self._reused = b""
        self._found_done = 0
        self._all = Tally()
        self._of_task: dict[str, Tally] = {}
        self.names: Mapping[str, str] = {}
        """Task -> its short name in this run."""
        self._jobs: dict[JobKey, Job] = {}
        self._labels = RunLabels(self._places_of_task)
        self._ahead: list[Callable[[], object]] | None = None
        """What is still to be prepared."""
        self._members: dict[GroupKey, list[int]] = {}
        self._sorted: dict[GroupKey, tuple[JobKey, ...]] = {}
        self._tag_parts: dict[tuple[str, ...], tuple[str, tuple[str, ...], bool]] = {}

        self._take(0)

    def grow(self, view: RunView) -> None:
        """The same run was read on: it has its jobs of before, and perhaps more."""
        self.requeue(view)
        lines = pack_manifest(view.manifest).references
        assert isinstance(lines, PackedReferences)
        start = len(self.keys)
        self.keys, self._lines = lines.keys, lines
        self.references.grow(lines)
        self._take(start)
        self._sorted.clear()
        self._members.clear()
        self._tag_parts.clear()
        self._labels.grow(lines, start)

    def _take(self, start: int) -> None:
        """Read and count the jobs from this place on."""
        keys = self.keys[start:] if start else self.keys
        rows = [*map(self._row_of, keys)]
        if self._last_ended is not None:
            self._last_ended = max(self._last_ended, last_end(rows))
        codes = bytearray(map(self._code, keys)) if self.view.live else codes_of(rows)
        self._codes += codes
        for job in () if self.view.live else self._waits:
            if job in self.references:
                self._codes[self._places[job]] = self._code(job)
        reused = bytes(row[0] == _REUSED for row in self._lines.rows[start:])
        self._reused += reused
        self._found_done = int.from_bytes(self._reused, "little") * FOUND_DONE
        tasks = [job.task for job in keys]
        counted = Counter(zip(tasks, self._codes[start:], reused, strict=True))
        for (task, code, again), count in counted.items():
            self._all.add(code, again, count)
            self._of_task.setdefault(task, Tally()).add(code, again, count)
        if self.names.keys() != self._of_task.keys():
            self.names = task_names(dict.fromkeys([*self.names, *tasks]))

    @property
    def _places(self) -> Mapping[JobKey, int]:
        return self.references.places

    def update(self, key: JobKey) -> None:
        """The job's folder was read again."""
        place = self._places[key]
        before, now = self._codes[place], self._code(key)
        self._jobs.pop(key, None)
        row = self._row_of(key)
        ended = "" if row is None else ended_of(row)
        if self._last_ended is not None and ended >= self._last_ended:
            self._last_ended = ended
        elif before in _ENDED:
            self._last_ended = None  # this one may have been the last
        if before == now:
            return
        self._codes[place] = now
        for tally in (self._all, self._of_task[key.task]):
            tally.add(before, self._reused[place], -1)
            tally.add(now, self._reused[place], 1)
        self._sorted.clear()
        for group in [group for group in self._members if group.by is Grouping.STATE]:
            del self._members[group]

    @property
    def last_ended(self) -> str:
        """When a job of it last ended, as records state time; empty if none has."""
        if self._last_ended is None:
            self._last_ended = last_end(map(self._row_of, self.keys))
        return self._last_ended

    def requeue(self, view: RunView) -> None:
        """The same run with the same jobs was read again: some may wait for something else."""
        before, self._waits = self._waits, _waits(view)
        self.view = view
        for key in before.keys() | self._waits.keys():
            if key in self._places and before.get(key) != self._waits.get(key):
                self.update(key)

    def job(self, key: JobKey) -> Job:
        """A job in the light of this run, which references it."""
        found = self._jobs.get(key)
        if found is None:
            reference = self.references[key]
            row = self._row_of(key)
            state = self.state(key)
            if len(self._jobs) >= MOST_KEPT:
                self._jobs.clear()
            found = self._jobs[key] = Job(
                key=key,
                state=state,
                record=record_of(key, row),
                run=self.key,
                tags=reference.tags,
                params=reference.params,
                dependencies=reference.dependencies,
                how=reference.how,
                drift=reference.drift,
                wait=self._waits.get(key) if state.held_up else None,
            )
        return found

    def state(self, key: JobKey) -> JobState:
        """The state of a job that this run references."""
        return STATES[self._codes[self._places[key]]]

    def seen(self, *, latest: bool) -> SeenRun:
        """What this run tells of its jobs, for other threads."""
        record = self.view.record
        return SeenRun(
            experiment=self.key.experiment,
            run=self.key.run,
            latest=latest,
            user="" if record is None else record.user,
            lines=self._lines,
            codes=bytes(self._codes).translate(_CODED),
            waits=self._waits,
        )

    @property
    def waits(self) -> Mapping[JobKey, Wait]:
        """What it says that jobs wait for; never changed."""
        return self._waits

    def is_reused(self, key: JobKey) -> bool:
        """Whether the run found the job done."""
        return bool(self._reused[self._places[key]])

    def codes_of(self, keys: Iterable[JobKey]) -> bytes:
        """The states of these jobs, all of which it references, as places in `STATES`."""
        return bytes(map(self._codes.__getitem__, map(self._places.__getitem__, keys)))

    def codes(self) -> Iterable[tuple[JobKey, int]]:
        """Every job with its state, as a place in `STATES`."""
        return zip(self.keys, self._codes, strict=True)

    def label(self, key: JobKey) -> str:
        """What the job is called among the jobs of its task in this run."""
        reference = self.references[key]
        labels = self._labels.of(key.task, self._lines)
        return labels.label(key, reference.tags, reference.params)

    def dependants(self) -> dict[JobKey, tuple[JobKey, ...]]:
        """The jobs that are made from each, by one step."""
        lists: dict[str, list[JobKey]] = {}
        for place, key in enumerate(self.keys):
            for upstream in self._lines.upstream(place):
                lists.setdefault(upstream, []).append(key)
        # One object for one job, wherever it is named: there are very many of these.
        keys, places = self.keys, self._places
        found: dict[JobKey, tuple[JobKey, ...]] = {}
        for name, down in lists.items():
            key = JobKey(*name.split("/", 1))
            at = places.get(key)
            found[key if at is None else keys[at]] = tuple(down)
        return found

    def prepare(self) -> bool:
        """Work out one thing that a key may ask for; False if there is none left.

        Each once: what a run that grows makes worthless every second is left to the key.
        """
        if self._ahead is None:
            self._ahead = [partial(self._tag_groups, ())]
            self._ahead += [partial(self._labels.of, task, self._lines) for task in self.names]
        if not self._ahead:
            return False
        self._ahead.pop()()
        return True

    def failed(self) -> list[JobKey]:
        """The jobs that failed or died, in the order of the plan."""
        return [key for key, code in self.codes() if code in FAILED_CODES]

    @property
    def counts(self) -> Counts:
        """Of all its jobs."""
        return self._all.counts()

    def counts_without(self, keys: Iterable[JobKey]) -> Counts:
        """Of all its jobs but these, all of which it references."""
        tally = Tally()
        tally.of.update(self._all.of)
        tally.reused = self._all.reused
        for place in map(self._places.__getitem__, keys):
            tally.add(self._codes[place], self._reused[place], -1)
        return tally.counts()

    # Groups

    def groups(self, by: Grouping, path: tuple[str, ...] = ()) -> tuple[Group, ...]:
        """The groups right inside the group at `path`, or of the whole run; none for jobs."""
        if by is Grouping.TASK and not path:
            return tuple(self._group(by, (task,), self.names[task]) for task in self.names)
        if by is Grouping.STATE and not path:
            states = [state for code, state in enumerate(STATES) if self._all.of[code]]
            return tuple(self._group(by, (state.value,), state.value) for state in states)
        if by is Grouping.TAG:
            return self._tag_groups(path)
        return ()

    def counts_of(self, group: GroupKey) -> Counts:
        """Of the jobs of a group."""
        if group.by is Grouping.TASK and group.path:
            tally = self._of_task.get(group.path[0])
            return Counts() if tally is None else tally.counts()
        return counts_in(_picked(self._cells(), self._places_in(group)))

    def counts_within(self, group: GroupKey, wanted: Selected) -> Counts:
        """Of the wanted jobs of a group."""
        mask, cells, places = wanted.mask_of(self.keys), self._cells(), self._places_in(group)
        if len(places) != len(self.keys):
            mask, cells = _picked(mask, places), _picked(cells, places)
        return counts_in(bytes(compress(cells, mask)))

    def _cells(self) -> bytes:
        """For each job its state's code, and whether the run found it done, in one byte."""
        cells = int.from_bytes(self._codes, "little") | self._found_done
        return cells.to_bytes(len(self._codes), "little")

    def members(self, group: GroupKey) -> Sequence[JobKey]:
        """The jobs of a group, in the order of the plan."""
        return [self.keys[place] for place in self._places_in(group)]

    def listing(self, group: GroupKey) -> tuple[JobKey, ...]:
        """The jobs of a group, failed and live first, else in the order of the plan."""
        found = self._sorted.get(group)
        if found is None:
            ordered = sorted(self._places_in(group), key=self._codes.__getitem__)
            found = self._sorted[group] = tuple(map(self.keys.__getitem__, ordered))
        return found

    def _tag_groups(self, path: tuple[str, ...]) -> tuple[Group, ...]:
        """By the first tag in which the jobs of the group outside differ."""
        if path not in self._tag_parts:
            self._tag_parts[path] = self._split(path)
        name, parts, inner = self._tag_parts[path]
        return tuple(
            self._group(
                Grouping.TAG, (*path, part), f"no {name}" if part == name else part, inner=inner
            )
            for part in parts
        )

    def _split(self, path: tuple[str, ...]) -> tuple[str, tuple[str, ...], bool]:
        """A tag, the groups by it, and whether these can be split further; tags never change."""
        places = self._places_in(GroupKey(Grouping.TAG, path))
        tags = [self._lines.tags(place) for place in places]
        different = differing(tags)
        if not different:
            return "", (), False
        name = different[0]
        parts: dict[str, list[int]] = {}
        called: dict[Hashable, str] = {}
        for place, values in zip(places, tags, strict=True):
            value = frozen(values[name]) if name in values else ()
            part = called.get(value)
            if part is None:
                part = called[value] = _tag_part(values, name)
            parts.setdefault(part, []).append(place)
        for part, members in parts.items():
            self._members[GroupKey(Grouping.TAG, (*path, part))] = members
        return name, tuple(sorted(parts, key=lambda part: part == name)), len(different) > 1

    def _group(
        self, by: Grouping, path: tuple[str, ...], label: str, *, inner: bool = False
    ) -> Group:
        key = GroupKey(by, path)
        return Group(key, self.key, label, self.counts_of(key), inner)

    def _places_of_task(self, task: str) -> Sequence[int]:
        return self._places_in(GroupKey(Grouping.TASK, (task,)))

    def _places_in(self, group: GroupKey) -> Sequence[int]:
        """The places in the plan of a group's jobs."""
        if not group.path:
            return range(len(self.keys))
        if group not in self._members and group.by is Grouping.TASK:
            of_task: dict[str, list[int]] = {task: [] for task in self._of_task}
            for place, key in enumerate(self.keys):
                of_task[key.task].append(place)
            for task, places in of_task.items():
                self._members[GroupKey(Grouping.TASK, (task,))] = places
        elif group not in self._members and group.by is Grouping.STATE:
            code = [state.value for state in STATES].index(group.path[0])
            self._members[group] = [
                place for place, found in enumerate(self._codes) if found == code
            ]
        elif group not in self._members:
            self._members[group] = [
                place
                for place in range(len(self.keys))
                if _has_parts(self._lines.tags(place), group.path)
            ]
        return self._members.get(group, ())

    def _code(self, key: JobKey) -> int:
        row, wait = self._row_of(key), self._waits.get(key)
        state = STATES[codes_of((row,))[0]]
        return IMPORTANCE.index(
            seen_by_run(state, wait=None if wait is None else wait.kind, expected=self.view.live)
        )


_REUSED = tuple(How).index(How.REUSED)


def _picked(values: bytes, places: Sequence[int]) -> bytes:
    return bytes([values[place] for place in places])


def _tag_part(tags: Mapping[str, object], name: str) -> str:
    """``lr=0.1``; the name alone for a job that has no such tag."""
    return pair(name, tags[name]) if name in tags else name


def _has_parts(tags: Mapping[str, object], parts: Iterable[str]) -> bool:
    return all(_tag_part(tags, part.partition("=")[0]) == part for part in parts)


def _waits(view: RunView) -> dict[JobKey, Wait]:
    return {} if view.queue is None else {wait.key: wait for wait in view.queue.waits}
