"""One run, ready to be asked: the state of its jobs, its groups, and what each job is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.runs import How, Reference
from xpm_engine.workspace.records.states import JobState, seen_by_run
from xpm_engine.workspace.scan import JobRecord, RunView
from xpm_tui.store.labels import Labelling, differing, labelling, pair, task_names
from xpm_tui.store.model import FAILURES, IMPORTANCE, RANK, Counts, Group, Job
from xpm_tui.store.subjects import Grouping, GroupKey, RunKey


class RunIndex:
    """A run's jobs in the light of that run.

    Built once for a manifest; a job that changes later costs as much as one job.
    """

    def __init__(
        self, key: RunKey, view: RunView, record_of: Callable[[JobKey], JobRecord]
    ) -> None:
        self.key = key
        self.view = view
        self.references: dict[JobKey, Reference] = {
            reference.key: reference for reference in view.manifest.references
        }
        self.last_ended = ""
        """When a job of it last ended, as records state time."""
        self._record_of = record_of
        self._waits = _waits(view)
        self._states: dict[JobKey, JobState] = {}
        self._failed: set[JobKey] = set()
        self._order = {key: place for place, key in enumerate(self.references)}
        self._all = _Tally()
        self._of_task: dict[str, _Tally] = {}
        self._jobs: dict[JobKey, Job] = {}
        self._tasks: dict[str, list[Reference]] = {}
        self._labels: dict[str, Labelling] = {}
        self._names_of: dict[JobKey, str] = {}
        self._members: dict[GroupKey, list[JobKey]] = {}
        self._sorted: dict[GroupKey, tuple[JobKey, ...]] = {}
        for reference in view.manifest.references:
            self._tasks.setdefault(reference.key.task, []).append(reference)
            self._of_task.setdefault(reference.key.task, _Tally())
            self._count(reference.key)
        self.names = task_names(self._tasks)
        """Task -> its short name in this run."""

    def update(self, key: JobKey) -> None:
        """The job's folder was read again."""
        before = self._states[key]
        self._tally(key, before, -1)
        self._jobs.pop(key, None)
        self._count(key)
        if self._states[key] is not before:
            self._sorted.clear()
            for group in [group for group in self._members if group.by is Grouping.STATE]:
                del self._members[group]

    def job(self, key: JobKey) -> Job:
        """A job in the light of this run, which references it."""
        found = self._jobs.get(key)
        if found is None:
            reference = self.references[key]
            found = self._jobs[key] = Job(
                key=key,
                state=self._states[key],
                record=self._record_of(key),
                run=self.key,
                tags=reference.tags,
                params=reference.params,
                dependencies=reference.dependencies,
                how=reference.how,
                drift=reference.drift,
                wait=self._waits.get(key),
            )
        return found

    def state(self, key: JobKey) -> JobState:
        """The state of a job that this run references."""
        return self._states[key]

    def label(self, key: JobKey) -> str:
        """What the job is called among the jobs of its task in this run."""
        if key in self._names_of:
            return self._names_of[key]
        task = key.task
        if task not in self._labels:
            self._labels[task] = labelling(self._tasks[task])
        reference = self.references[key]
        found = self._names_of[key] = self._labels[task].label(
            key, reference.tags, reference.params
        )
        return found

    def failed(self) -> list[JobKey]:
        """The jobs that failed or died, in the order of the plan."""
        return sorted(self._failed, key=self._order.__getitem__)

    @property
    def counts(self) -> Counts:
        """Of all its jobs."""
        return self._all.counts()

    # Groups

    def groups(self, by: Grouping, path: tuple[str, ...] = ()) -> tuple[Group, ...]:
        """The groups right inside the group at `path`, or of the whole run; none for jobs."""
        if by is Grouping.TASK and not path:
            return tuple(self._group(by, (task,), self.names[task]) for task in self._tasks)
        if by is Grouping.STATE and not path:
            states = [state for state in IMPORTANCE if self._all.of[state]]
            return tuple(self._group(by, (state.value,), state.value) for state in states)
        if by is Grouping.TAG:
            return self._tag_groups(path)
        return ()

    def counts_of(self, group: GroupKey) -> Counts:
        """Of the jobs of a group."""
        if group.by is Grouping.TASK and group.path:
            return (
                self._of_task[group.path[0]].counts()
                if group.path[0] in self._of_task
                else Counts()
            )
        tally = _Tally()
        for key in self.members(group):
            tally.add(self._states[key], self._reused(key, self._states[key]), 1)
        return tally.counts()

    def members(self, group: GroupKey) -> Sequence[JobKey]:
        """The jobs of a group, in the order of the plan."""
        found = self._members.get(group)
        if found is None:
            found = self._members[group] = [
                reference.key
                for reference in self._candidates(group)
                if self._is_in(reference, group)
            ]
        return found

    def listing(self, group: GroupKey) -> tuple[JobKey, ...]:
        """The jobs of a group, failed and live first, else in the order of the plan."""
        found = self._sorted.get(group)
        if found is None:
            states = self._states
            ordered = sorted(self.members(group), key=lambda key: RANK[states[key]])
            found = self._sorted[group] = tuple(ordered)
        return found

    def _tag_groups(self, path: tuple[str, ...]) -> tuple[Group, ...]:
        """By the first tag in which the jobs of the group outside differ."""
        members = self.members(GroupKey(Grouping.TAG, path))
        different = differing([self.references[key].tags for key in members])
        if not different:
            return ()
        name = different[0]
        parts: dict[str, list[JobKey]] = {}
        for key in members:
            parts.setdefault(_tag_part(self.references[key], name), []).append(key)
        for part, keys in parts.items():
            self._members[GroupKey(Grouping.TAG, (*path, part))] = keys
        inner = len(different) > 1
        return tuple(
            self._group(
                Grouping.TAG, (*path, part), f"no {name}" if part == name else part, inner=inner
            )
            for part in sorted(parts, key=lambda part: part == name)
        )

    def _group(
        self, by: Grouping, path: tuple[str, ...], label: str, *, inner: bool = False
    ) -> Group:
        key = GroupKey(by, path)
        return Group(key, self.key, label, self.counts_of(key), inner)

    def _candidates(self, group: GroupKey) -> Iterable[Reference]:
        if group.by is Grouping.TASK and group.path:
            return self._tasks.get(group.path[0], ())
        return self.references.values()

    def _is_in(self, reference: Reference, group: GroupKey) -> bool:
        if group.by is Grouping.STATE and group.path:
            return self._states[reference.key].value == group.path[0]
        if group.by is Grouping.TAG:
            return all(_tag_part(reference, part.partition("=")[0]) == part for part in group.path)
        return True

    def _count(self, key: JobKey) -> None:
        record = self._record_of(key)
        wait = self._waits.get(key)
        state = seen_by_run(
            record.state, wait=None if wait is None else wait.kind, expected=self.view.live
        )
        self._states[key] = state
        if state in FAILURES:
            self._failed.add(key)
        else:
            self._failed.discard(key)
        self._tally(key, state, 1)
        if record.ended is not None and record.ended > self.last_ended:
            self.last_ended = record.ended

    def _tally(self, key: JobKey, state: JobState, step: int) -> None:
        reused = self._reused(key, state)
        self._all.add(state, reused, step)
        self._of_task[key.task].add(state, reused, step)

    def _reused(self, key: JobKey, state: JobState) -> bool:
        return state is JobState.DONE and self.references[key].how is How.REUSED


class _Tally:
    """Counts that are kept while jobs change."""

    def __init__(self) -> None:
        self.of: Counter[JobState] = Counter()
        self.reused = 0

    def add(self, state: JobState, reused: bool, step: int) -> None:
        self.of[state] += step
        self.reused += step * reused

    def counts(self) -> Counts:
        return Counts({state: count for state, count in self.of.items() if count}, self.reused)


def _tag_part(reference: Reference, name: str) -> str:
    """``lr=0.1``; the name alone for a job that has no such tag."""
    return pair(name, reference.tags[name]) if name in reference.tags else name


def _waits(view: RunView) -> dict[JobKey, Wait]:
    return {} if view.queue is None else {wait.key: wait for wait in view.queue.waits}
