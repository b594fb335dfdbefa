"""What a row of the tree says, in the width there is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.text import Text

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import ReasonKind
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import RunView
from xpm_tui.look import (
    DRIFTED,
    FOLDED,
    MARKED,
    STATES,
    UNFOLDED,
    ago,
    bar,
    count_text,
    cut,
    duration,
    ordinal,
    percent,
    plain,
    plural,
    silence_words,
    size,
    state_glyph,
    wait_text,
    when,
    when_long,
)
from xpm_tui.store import (
    AllJobsSubject,
    Counts,
    EarlierRunsSubject,
    ExperimentSubject,
    FailedSubject,
    GroupSubject,
    Job,
    JobSubject,
    LogSubject,
    ObsoleteSubject,
    RunSubject,
    Store,
    TrashSubject,
)
from xpm_tui.widgets.damage import damaged_file
from xpm_tui.widgets.tree.model import Part, RowKey, TreeRow

STEP = 2
"""Cells that a row inside another stands further right."""

WIDE = 60
"""Cells from which on there is room for more than one fact a row."""

BRIEF = 44
"""Cells of why a job failed, before where it did."""


MIN_BAR = 4

MIN_LABEL = 12
"""Cells for a set's name, with what it stands behind, however little room there is."""

_TOP = (AllJobsSubject, ObsoleteSubject, TrashSubject)

MIN_RIGHT = 9
"""Cells that what stands right may take from a long label: ``free core``."""

SETS = (ExperimentSubject, GroupSubject, RunSubject)


@dataclass(frozen=True)
class LogFacts:
    """What a log's row says, looked up apart from drawing."""

    size: int
    changed: float
    """Seconds since 1970."""


@dataclass(frozen=True)
class Drawing:
    """What rows are drawn from."""

    store: Store
    width: int
    now: float
    logs: Mapping[RowKey, LogFacts]
    marks: Set[JobKey]
    bar_width: int
    done_width: int
    """For ``41/80``, with a blank before it."""
    label_width: int = 0
    causes: int = 0
    """Of what failed; 0 while that is not counted."""

    @property
    def wide(self) -> bool:
        return self.width >= WIDE


@dataclass(frozen=True)
class Widths:
    """How wide the parts of the rows of sets are: the same for all, so that bars stand in line."""

    bar: int
    done: int
    label: int

    def given_to(self, drawing: Drawing) -> Drawing:
        """The drawing with these."""
        return replace(drawing, bar_width=self.bar, done_width=self.done, label_width=self.label)


def widths_of(drawing: Drawing, rows: Sequence[TreeRow]) -> Widths:
    """The bars begin behind the longest name of a set, as far as what stands right leaves room."""
    longest, right, done = MIN_LABEL, 0, drawing.done_width
    for row in rows:
        if isinstance(row.subject, SETS) and row.key.part is Part.WHOLE:
            longest = max(longest, _indent(row) + cell_len(_name(row, drawing)))
            right = max(right, _sides(row, drawing)[1].cell_len)
            done = max(done, len(_done_words(_counts_of(row, drawing.store))) + 1)
    room = drawing.width - 1 - drawing.bar_width - done - right - 2
    shorter = min(max(0, longest - room), drawing.bar_width - MIN_BAR)
    return Widths(
        bar=drawing.bar_width - shorter,
        done=done,
        label=max(MIN_LABEL, min(longest, room + shorter)),
    )


def draw_row(row: TreeRow, drawing: Drawing) -> Text:
    """The row, exactly as wide as the drawing; its first cell is left to the cursor."""
    left, right = _sides(row, drawing)
    marker = UNFOLDED if row.unfolded else FOLDED if row.unfolded is False else " "
    if is_job(row):
        marked = isinstance(row.subject, JobSubject) and row.subject.key in drawing.marks
        marker = MARKED if marked else UNFOLDED if row.unfolded else " "
    place, indent = marker_place(row), _indent(row)
    line = Text(" " * place, no_wrap=True, end="")
    line.append(marker, "xpm.marked" if marker == MARKED else "")
    line.append(" " * (indent - place - 1)).append_text(left)
    room = drawing.width - 1
    if right.cell_len:
        right = _shortened(right, max(MIN_RIGHT, room - line.cell_len - 1))
        right = cut(right, min(right.cell_len, room - min(room // 2, line.cell_len + 1)))
        line = cut(line, max(0, room - right.cell_len - 1))
        line.append(" ").append_text(right)
    return cut(line, room).append(" ")


def _shortened(right: Text, room: int) -> Text:
    """What stands right without its last facts, as many as it takes to leave the label whole."""
    while right.cell_len > room and (end := right.plain.rstrip().rfind("  ")) > 0:
        right = right[:end]
        right.rstrip()
    return right


def _indent(row: TreeRow) -> int:
    """Where a row's text begins: behind its marker, where it has one.

    A job's own sign stands where its group's text does, and its marker where its group's marker.
    """
    marked = row.unfolded is not None or isinstance(row.subject, _TOP)
    return 1 + STEP * row.depth + (2 if marked and not is_job(row) else 0)


def marker_place(row: TreeRow) -> int:
    """Where a row's fold marker, or its mark, stands."""
    return max(0, _indent(row) - 2)


def is_job(row: TreeRow) -> bool:
    """Whether the row stands for a job, and not for a part of one."""
    return isinstance(row.subject, JobSubject) and row.key.part is Part.WHOLE


def _sides(row: TreeRow, drawing: Drawing) -> tuple[Text, Text]:
    """What stands left and what stands right."""
    store, subject = drawing.store, row.subject
    if row.key.part is Part.MORE:
        return Text(f"… {row.more:,} more (enter: all in a table)", "xpm.faint"), Text()
    if row.key.part is Part.LEVEL and isinstance(subject, JobSubject):
        return _level(row, store.job(subject.key, subject.run))
    match subject:
        case FailedSubject():
            return _failed(store.size(subject), drawing.causes)
        case ExperimentSubject(name):
            return _experiment(row, name, drawing)
        case GroupSubject():
            counts = _counts_of(row, store)
            return _set_left(row, counts, drawing), _troubles(counts)
        case EarlierRunsSubject(name):
            experiment = store.experiment(name)
            count = 0 if experiment is None else len(experiment.earlier)
            words = "other runs" if store.later_runs(name) else "earlier runs"
            return Text(words), Text(f"{count:,}", "xpm.faint")
        case RunSubject(run):
            return _run(row, store.run(run), drawing)
        case AllJobsSubject() | ObsoleteSubject() | TrashSubject():
            return _branch(subject, store)
        case JobSubject(key, run):
            return _job(row, store.job(key, run), drawing)
        case LogSubject(_, _, stream):
            return Text(stream.value, "xpm.faint"), _log(row, drawing)
        case _:
            return Text(plain(row.label)), Text()


def _failed(jobs: int, causes: int) -> tuple[Text, Text]:
    look = STATES[JobState.FAILED]
    words = f"{jobs:,}" + (f" · {plural(causes, 'cause')}" if causes else "")
    return Text(f"{look.glyph} Failed", look.style), Text(words)


def _experiment(row: TreeRow, name: str, drawing: Drawing) -> tuple[Text, Text]:
    experiment = drawing.store.experiment(name)
    if experiment is None:
        return Text(plain(row.label)), Text()
    counts = _counts_of(row, drawing.store)
    right = _joined(_damage(experiment.view), _troubles(counts))
    if experiment.plan is None and experiment.view is not None:
        return _set_left(row, counts, drawing), right
    later = drawing.store.later_runs(name)
    if later:
        right = _joined(_joined(right, _damage(later[0])), _how(later[0]))
    elif not experiment.live:
        right = _joined(right, Text(when(experiment.active, drawing.now), "xpm.faint"))
    return _set_left(row, counts, drawing), right


def _run(row: TreeRow, view: RunView | None, drawing: Drawing) -> tuple[Text, Text]:
    counts = _counts_of(row, drawing.store)
    right = _joined(_damage(view), _troubles(counts))
    return _set_left(row, counts, drawing), _joined(right, _how(view))


def _how(view: RunView | None) -> Text:
    """How far a run's plan came; nothing where that is all the way."""
    if view is None or view.plan is None or view.plan is PlanState.COMPLETE:
        return Text()
    return Text(view.plan.value, "xpm.warning")


def _damage(view: RunView | None) -> Text:
    """``? jobs.jsonl``: which file of a run could not be read."""
    if view is None or not view.problem:
        return Text()
    return Text(f"? {plain(os.path.basename(damaged_file(view)))}", "xpm.unreadable")


def _name(row: TreeRow, drawing: Drawing) -> str:
    """What a set is called: an earlier run by when it began."""
    if isinstance(row.subject, RunSubject):
        view = drawing.store.run(row.subject.run)
        if view is not None and view.record is not None:
            return when_long(view.record.started, drawing.now)
    return plain(row.label)


def _set_left(row: TreeRow, counts: Counts, drawing: Drawing) -> Text:
    """The name, a bar, and done/total."""
    name = Text(_name(row, drawing), "xpm.title" if row.depth == 0 else "")
    line = cut(name, max(1, drawing.label_width - _indent(row)))
    if counts.total:
        style = "xpm.done" if counts.done == counts.total else "xpm.running"
        line.append(" ").append_text(
            bar(counts.done / counts.total, drawing.bar_width, style=style)
        )
        line.append(_done_words(counts).rjust(drawing.done_width))
    return line


def _counts_of(row: TreeRow, store: Store) -> Counts:
    """Of the jobs that a set's row stands for."""
    return store.counts(row.subject) if row.group is None else row.group.counts


def _done_words(counts: Counts) -> str:
    return f"{counts.done}/{counts.total}"


def _troubles(counts: Counts) -> Text:
    """``✗23 ●4``, what is zero left out."""
    parts: list[Text] = []
    if counts.failed:
        parts.append(count_text(JobState.FAILED, counts.failed))
    if counts.running:
        parts.append(count_text(JobState.RUNNING, counts.running))
    return Text(" ").join(parts)


def _job(row: TreeRow, job: Job, drawing: Drawing) -> tuple[Text, Text]:
    left = state_glyph(job.state).append(" ")
    left.append(plain(row.label), "" if job.state is not JobState.DONE else "xpm.faint")
    return left, _job_right(job, drawing)


def _job_right(job: Job, drawing: Drawing) -> Text:
    """Progress and time left, or the reason, or when it ended."""
    record = job.record
    look = STATES[job.state]
    if job.drift:
        return Text(f"{DRIFTED} drifted", "xpm.warning")
    if job.trashed:
        return Text("in the trash", "xpm.faint")
    if job.state is JobState.UNREADABLE:
        return Text(plain(os.path.basename(record.problem.partition(":")[0])), look.style)
    if job.wait is not None and job.state in (JobState.WAITING, JobState.BLOCKED):
        if job.state is JobState.WAITING and drawing.wide:
            return Text(f"waits for {wait_text(job.wait, held=True)}", look.style)
        words = wait_text(replace(job.wait, place=0), held=drawing.wide)
        place = f"  {ordinal(job.wait.place)}" if job.wait.place else ""
        return Text(words + place, look.style)
    if job.state is JobState.UNREACHABLE:
        return _out_of_sight(job, drawing)
    if job.state is JobState.RUNNING and record.progress is not None:
        return _progress(job, drawing)
    if job.state.ended_badly and record.reason is not None:
        return _reason(job, drawing)
    if job.state is JobState.DONE:
        return Text(when(record.ended, drawing.now), "xpm.faint")
    return Text(look.word, look.style)


def _out_of_sight(job: Job, drawing: Drawing) -> Text:
    """Of a job on a host that can't be asked from here: how far it is, and how long it is silent.

    Where there is no room for both, its silence.
    """
    silence = Text(silence_words(job.record.sign, drawing.now), "xpm.warning")
    progress = _progress(job, drawing)
    if silence and progress and not drawing.wide:
        return silence
    supervisor = job.record.supervisor
    host = Text() if supervisor is None else Text(f"on {plain(supervisor.host)}", "xpm.faint")
    return _joined(progress, silence) if progress or silence else host


def _progress(job: Job, drawing: Drawing) -> Text:
    progress = job.record.progress
    if progress is None:
        return Text()
    text = Text()
    if drawing.wide and progress.levels and progress.levels[0].text:
        text.append(plain(progress.levels[0].text) + "  ", "xpm.faint")
    text.append(percent(progress.fraction).rjust(5), "xpm.running")
    left = progress.seconds_left
    return text.append("" if left is None else f"  {f'~{duration(left)}':>6}", "xpm.faint")


def _reason(job: Job, drawing: Drawing) -> Text:
    reason = job.record.reason
    if reason is None:
        return Text()
    words = reason.kind.value if reason.kind is ReasonKind.NO_EXIT_RECORD else reason.text
    text = Text(plain(words), STATES[job.state].style)
    if drawing.wide and reason.frame is not None:
        # What happened may be long: where it did is worth more than its last words.
        text.truncate(BRIEF, overflow="ellipsis")
        place = f"  {os.path.basename(reason.frame.file)}:{reason.frame.line}"
        text.append(plain(place), "xpm.faint")
    return text


def _level(row: TreeRow, job: Job) -> tuple[Text, Text]:
    progress = job.record.progress
    if progress is None or row.key.level >= len(progress.levels):
        return Text("no progress told", "xpm.faint"), Text()
    level = progress.levels[row.key.level]
    words = plain(level.text) or ("progress" if not row.key.level else "inside")
    return Text(words), Text(percent(level.fraction), "xpm.running")


def _log(row: TreeRow, drawing: Drawing) -> Text:
    facts = drawing.logs.get(row.key)
    if facts is None:
        return Text("–", "xpm.faint")
    words = f"{size(facts.size)}{ago(drawing.now - facts.changed).rjust(11)}"
    return Text(words if facts.size else "empty", "xpm.faint")


def _branch(
    subject: AllJobsSubject | ObsoleteSubject | TrashSubject, store: Store
) -> tuple[Text, Text]:
    """What stands below the experiments."""
    match subject:
        case AllJobsSubject():
            name, words = "All jobs", f"{store.size(subject):,}"
        case ObsoleteSubject():
            name, words = "Obsolete", obsolete_words(store)
        case TrashSubject():
            name, words = "Trash", _trash_words(store)
    return Text(name), Text(words, "xpm.faint")


def obsolete_words(store: Store) -> str:
    """``40 · 8.5 GB``; at least so much while it is measured."""
    found = store.obsolete
    if found is None:
        return ""
    unsure = "" if found.measured else "≥ "
    return f"{len(found.rows):,} · {unsure}{size(found.size)}"


def _trash_words(store: Store) -> str:
    if not store.trash:
        return f"{store.purged:,} purged"
    sizes = [transaction.size for transaction in store.trash]
    known = sum(count for count in sizes if count is not None)
    unsure = "≥ " if any(count is None for count in sizes) else ""
    words = plural(len(sizes), "clean")
    return f"{words} · {unsure}{size(known)}" if known else words


def _joined(left: Text, right: Text) -> Text:
    return Text("  ").join([part for part in (left, right) if part.cell_len])
