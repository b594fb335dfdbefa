"""Which jobs are obsolete, for which stated reason, and who needs them all the same.

Pure: from the runs and jobs as they were read to a `Survey`; it touches no disk.

A run is *current* until a later complete run of the same experiment and scope takes its place, and
while it goes on; it needs every job that it references. What no current run needs may be obsolete,
unless something that nobody could read might say otherwise: then nobody can tell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from xpm_engine.workspace.cleaning.needs import Need, NeedKind
from xpm_engine.workspace.index import (
    JobRow,
    PackedReferences,
    Records,
    keys_of,
    record_of,
    records,
    state_of,
)
from xpm_engine.workspace.index.packing import dependencies_in
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import Manifest, PlanState, RunKind, Scope
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.replaced import Replacement, RunValues
from xpm_engine.workspace.scan import JobRecord, RunView, Unseen

NOTHING_UNSEEN = Unseen()


class ObsoleteReason(StrEnum):
    """Why a job is offered, in the words and the order of the screens."""

    LEFTOVERS = "leftovers"
    """Files of an attempt that ended before the last one began."""
    FAILED = "failed"
    """It did not end well, and no current run names it."""
    REPLACED = "replaced"
    """A later complete run of the same scope no longer references it."""
    IN_NO_RUN = "in no run"
    CANNOT_TELL = "cannot tell"
    """Something that would say whether it is needed can't be read."""


@dataclass(frozen=True, slots=True)
class Obsolete:
    """A job that is offered, or the leftovers of one of its attempts."""

    key: JobKey
    row: JobRow = field(repr=False)
    """What is known of the job."""
    reason: ObsoleteReason
    needs: tuple[Need, ...] = ()
    """Who needs it all the same; empty for nobody."""
    replacement: Replacement | None = None
    """What took its place, where a run did."""
    problem: str = ""
    """What can't be read, with the file's name; only where nobody can tell."""
    attempt: int = 0
    """Whose leftovers these are; 0 for the whole job."""

    @property
    def job(self) -> JobRecord:
        """The same, unpacked; made when it is asked for, since there may be very many."""
        return record_of(self.key, self.row)

    @property
    def free(self) -> bool:
        """Whether it may be offered for ticking without a warning: nobody needs it."""
        return not self.needs and self.reason is not ObsoleteReason.CANNOT_TELL

    @property
    def ticked(self) -> bool:
        """Whether it is ticked at first: nothing is lost, and nobody needs it."""
        return self.free and self.reason in (ObsoleteReason.LEFTOVERS, ObsoleteReason.FAILED)


@dataclass(frozen=True)
class Survey:
    """What is obsolete in a workspace, and who needs what."""

    obsolete: tuple[Obsolete, ...]
    """By reason in the order of `ObsoleteReason`, then by job."""
    jobs: Records
    blockers: tuple[str, ...]
    """What can't be read, so that nothing counts as obsolete; with the files' names."""
    _graph: _Graph = field(repr=False, compare=False)

    def needs(self, key: JobKey) -> tuple[Need, ...]:
        """Who needs this job: current runs, jobs that stay, new names, a pin, itself if live."""
        return tuple(self._graph.needs(key))

    def dependencies(self, key: JobKey) -> frozenset[JobKey]:
        """The jobs that this one is made from directly, adopted ones included."""
        return frozenset(self._graph.made_from(key, self.jobs.rows.get(key)))


def survey(
    runs: Iterable[RunView],
    jobs: Mapping[JobKey, JobRecord],
    *,
    pinned: Collection[JobKey] = (),
    leftovers: Mapping[JobKey, Collection[int]] | None = None,
    unseen: Unseen = NOTHING_UNSEEN,
) -> Survey:
    """Find every job's reason to go, if it has one.

    `runs` are all runs of the workspace, `jobs` all jobs whose folder stands, `leftovers` the
    attempts of a job that left files behind, `unseen` what may hold more of either.
    """
    known = records(jobs)
    history = _History(known)
    for group in groups_of(runs):
        history.add(group)
    graph = _Graph(history, known, frozenset(pinned))
    blockers = (*history.blockers, *unseen.runs)
    hidden = (*unseen.jobs, *_hidden_needs(history, known))
    found: list[Obsolete] = []
    for key, row in known.rows.items():
        reason, problem = _reason(history, key, row, blockers, hidden)
        if reason is not None:
            needs = tuple(graph.needs(key))
            replacement = history.replaced.get(key) if not problem else None
            found.append(Obsolete(key, row, reason, needs, replacement, problem))
    for key, attempts in (leftovers or {}).items():
        found.extend(_leftovers(known[key], attempts, pinned=key in graph.pinned))
    order = {reason: place for place, reason in enumerate(ObsoleteReason)}
    found.sort(key=lambda item: (order[item.reason], item.key.task, item.key.identifier))
    return Survey(tuple(found), known, (*blockers, *hidden), graph)


def _reason(
    history: _History, key: JobKey, row: JobRow, blockers: tuple[str, ...], hidden: tuple[str, ...]
) -> tuple[ObsoleteReason | None, str]:
    """Why a job is offered, and, where nobody can tell, what can't be read."""
    state = state_of(row)
    if state is JobState.UNREADABLE:
        return ObsoleteReason.CANNOT_TELL, record_of(key, row).problem
    held, replaced = key in history.holders, key in history.replaced
    badly = state.ended_badly
    if state.live or (held and (badly or not replaced)):
        return None, ""
    # What is hidden may be made from a result, and never from a failure.
    problem = next(iter(blockers if badly else (*blockers, *hidden)), "")
    if problem:
        return ObsoleteReason.CANNOT_TELL, problem
    if badly:
        return ObsoleteReason.FAILED, ""
    return (ObsoleteReason.REPLACED if replaced else ObsoleteReason.IN_NO_RUN), ""


def _leftovers(record: JobRecord, attempts: Iterable[int], *, pinned: bool) -> Iterator[Obsolete]:
    if record.state.live or record.state is JobState.UNREADABLE:
        return
    needs = (Need(NeedKind.PIN, "a pin"),) if pinned else ()
    for attempt in attempts:
        if attempt < record.attempt:
            reason = ObsoleteReason.LEFTOVERS
            yield Obsolete(record.key, record, reason, needs, attempt=attempt)


def _hidden_needs(history: _History, jobs: Records) -> Iterator[str]:
    """The jobs that can't be read and that no manifest names: they may be made from any other."""
    for key, state in jobs.states():
        if state is JobState.UNREADABLE and key not in history.upstream:
            yield jobs[key].problem


def groups_of(runs: Iterable[RunView]) -> list[list[RunView]]:
    """The runs that may take each other's place, oldest first, as their names sort."""
    found: dict[tuple[str, Scope | None, str], list[RunView]] = {}
    for run in runs:
        scope = None if run.record is None else run.record.scope
        # Nobody knows the scope of a run whose record can't be read: it stands alone.
        found.setdefault((run.experiment, scope, "" if scope else run.run), []).append(run)
    for group in found.values():
        group.sort(key=lambda run: run.run)
    return list(found.values())


def retires(run: RunView) -> bool:
    """Whether a run takes the place of the earlier ones of its scope."""
    record = run.record
    return (
        record is not None
        and run.plan is PlanState.COMPLETE
        and record.kind is RunKind.PLAN
        and record.selection is None
        and run.manifest.trustworthy
        and not run.problem
    )


class _History:
    """What all runs together say: who holds a job, what took its place, what it is made from."""

    def __init__(self, jobs: Records) -> None:
        self._jobs = jobs
        self.holders: dict[JobKey, tuple[RunView, ...]] = {}
        """Job -> the current runs that reference it; of most jobs of a run the same tuple."""
        self.replaced: dict[JobKey, Replacement] = {}
        self.upstream: dict[JobKey, set[JobKey]] = {}
        """Job -> what the manifests say it is made from, by its own name or an adopted one.

        Left out where both the line and the job's record are packed: the record says the same.
        """
        self.blockers: list[str] = []

    def add(self, group: list[RunView]) -> None:
        """Add the runs of one scope, oldest first."""
        last = max((place for place, run in enumerate(group) if retires(run)), default=0)
        current = [run for place, run in enumerate(group) if place >= last or run.live]
        holders = self.holders
        for run in current:
            only = (run,)
            for key, _ in _named_in(run.manifest):
                holders[key] = (*holders[key], run) if key in holders else only
        for place, run in enumerate(group):
            self._add_upstream(run)
            blocker = _blocker(run, replaced=place < last)
            if blocker:
                self.blockers.append(blocker)
        self._add_replaced(group, last, current)

    def _add_upstream(self, run: RunView) -> None:
        lines = run.manifest.references
        if isinstance(lines, PackedReferences):
            rows = self._jobs.rows
            unpacked = {
                place
                for place, row in enumerate(map(rows.get, lines.keys))
                if not isinstance(row, bytes)
            }
            lines = [lines[place] for place in sorted(unpacked.union(lines.adopting()))]
        for line in lines:
            known = self.upstream.setdefault(line.key, set())
            known.update(line.dependencies)
            if line.alias is not None:
                known.add(line.alias)

    def _add_replaced(self, group: list[RunView], last: int, current: list[RunView]) -> None:
        if not last:
            return
        mentioned: dict[JobKey, tuple[int, int]] = {}
        for place, run in enumerate(group[:last]):
            for key, at in _named_in(run.manifest):
                mentioned[key] = place, at
        kept = {key for run in current for key, _ in _named_in(run.manifest)}
        values = {place: RunValues(run) for place, run in enumerate(group) if retires(run)}
        for key, (place, at) in mentioned.items():
            if key in kept:
                continue
            by = values[min(later for later in values if later > place)]
            known = self.replaced.get(key)
            if known is None or known.at < by.at:
                lines = group[place].manifest.references
                self.replaced[key] = Replacement(lines, at, by)


def _named_in(manifest: Manifest) -> Iterator[tuple[JobKey, int]]:
    """The jobs that a manifest names, adopted ones too, each with the place of its line."""
    lines = manifest.references
    for place, key in enumerate(keys_of(manifest)):
        yield key, place
    adopting = lines.adopting() if isinstance(lines, PackedReferences) else range(len(lines))
    for place in adopting:
        alias = lines[place].alias
        if alias is not None:
            yield alias, place


def _blocker(run: RunView, *, replaced: bool) -> str:
    """What of a run can't be read, so that it may need any job; empty if it is whole.

    A run that goes on has no closing line yet. One whose driver is dead will never have it: what
    it may have lost could only say that it needs more, and it needs nothing once a later complete
    run has taken its place.
    """
    name = f"{run.experiment}/{run.run}"
    if run.problem:
        return f"run {name}: {run.problem}"
    if run.manifest.damage:
        return f"run {name}: jobs.jsonl: {run.manifest.damage[0]}"
    if run.manifest.ended or run.live or (replaced and run.plan is PlanState.CRASHED):
        return ""
    return f"run {name}: jobs.jsonl ends without its closing line"


class _Graph:
    """Who needs whom, among the jobs that stay."""

    def __init__(self, history: _History, jobs: Records, pinned: frozenset[JobKey]) -> None:
        self.pinned = pinned
        self._history = history
        self._jobs = jobs
        self._adopters: dict[JobKey, list[JobKey]] = {}
        for key, alias in jobs.aliases():
            self._adopters.setdefault(alias, []).append(key)
        self._downstream: dict[JobKey, list[JobKey]] = {}
        self._mark_kept()

    def upstream(self, key: JobKey) -> frozenset[JobKey]:
        """What a job is made from directly, under all its names."""
        found = set(self._history.upstream.get(key, ()))
        found.update(self._jobs.dependencies(key))
        alias = self._jobs.alias(key)
        if alias is not None:
            # A name may have been adopted over other names: all of one target stay together.
            found.add(alias)
            found.update(self._adopters[alias])
        found.discard(key)
        return frozenset(found)

    def made_from(self, key: JobKey, row: JobRow | None) -> Collection[JobKey]:
        """As `upstream`; of most jobs their packed record alone tells it."""
        if not isinstance(row, bytes) or key in self._history.upstream:
            return self.upstream(key)
        found = dependencies_in(row)
        return found if len(found) < 2 else frozenset(found)

    def needs(self, key: JobKey) -> Iterator[Need]:
        if self._live(key):
            yield Need(NeedKind.ITSELF, "itself", live=True)
        if key in self.pinned:
            yield Need(NeedKind.PIN, "a pin")
        for run in self._history.holders.get(key, ()):
            kind = NeedKind.RUN if run.live else NeedKind.LATEST
            yield Need(kind, f"{run.experiment}/{run.run}", live=run.live)
        for name in self._downstream.get(key, ()):
            kind = NeedKind.ALIAS if self._jobs.alias(name) == key else NeedKind.JOB
            yield Need(kind, str(name), name, live=self._live(name))

    def _live(self, key: JobKey) -> bool:
        row = self._jobs.rows.get(key)
        return row is not None and state_of(row).live

    def _mark_kept(self) -> None:
        """Record every need of a job that stays, at any depth."""
        kept = set(self._history.holders) | self.pinned
        for key, state in self._jobs.states():
            if state.live or state is JobState.UNREADABLE:
                kept.add(key)
        rows = self._jobs.rows
        # One object for one job, wherever it is named: there are very many of these.
        same = dict(zip(rows, rows, strict=True))
        downstream = self._downstream
        pending = [*sorted(kept - rows.keys()), *(key for key in rows if key in kept)]
        while pending:
            key = pending.pop()
            for name in self.made_from(key, rows.get(key)):
                known = downstream.get(name)
                if known is not None:
                    known.append(key)
                    continue
                found = same.get(name, name)
                downstream[found] = [key]
                if found not in kept:
                    kept.add(found)
                    pending.append(found)
