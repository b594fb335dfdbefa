"""The columns of a table of jobs: state, what tells them apart, progress, time, metrics, note."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.text import Text

from xpm_engine.filters.names import METRIC, PARAM, TAG
from xpm_engine.workspace.records.fields import parse_time
from xpm_engine.workspace.records.params import short_text
from xpm_engine.workspace.records.reasons import WaitKind
from xpm_tui import clock, look
from xpm_tui.look.notes import note_words
from xpm_tui.store.labels import differing, labelling, last_part, pair, task_names
from xpm_tui.store.model import RANK, Job
from xpm_tui.widgets.jobs.column_titles import Titles, names_in, titles_of
from xpm_tui.widgets.table.model import Column

LONGEST_NUMBER = 11
"""Cells of ``-1.235e+100``."""

WIDEST = 24
"""Cells that a column of values takes at most."""

LOOKED_AT = 60
"""Rows whose values decide how wide a column is."""

MOST_METRICS = 3
MOST_PARAMS = 6

MOST_COMPARED = 1_000
"""Jobs that are compared by their parameters, which can be many."""

SAMPLE = 200
"""Jobs of more than these that are compared: each must be made first."""

FEW = 10
"""One row in so many may have values that are cut."""

NARROW = 8
"""Cells of a tag or a task where there is no room for more."""

BAR = 7


@dataclass(frozen=True)
class Layout:
    """How some jobs are laid out as a table."""

    columns: tuple[Column[Job], ...]
    same: str
    """``same for all 80: ranker=drmm``: the tags that every job has alike; empty for none."""


Choice = Mapping[str, bool]
"""Title of a column -> whether the user wants it; of the others the table decides."""

NO_CHOICE: Choice = {}


def looked_at(jobs: Sequence[Job]) -> Sequence[Job]:
    """Those of very many jobs that decide about columns: the first, and of each part some."""
    if len(jobs) <= MOST_COMPARED:
        return jobs
    return [*jobs[:LOOKED_AT], *jobs[LOOKED_AT :: 1 + len(jobs) // SAMPLE]]


def lay_out(jobs: Sequence[Job], choice: Choice = NO_CHOICE) -> Layout:
    """The columns for these jobs, and what needs none because it is the same for all."""
    count, jobs = len(jobs), list(looked_at(jobs))
    tags = differing([job.tags for job in jobs])
    columns = [column for column in _usual(jobs, tags) if choice.get(column.title, True)]
    if any(choice.values()):
        more = [column for column in _unusual(jobs, tags) if choice.get(column.title)]
        columns[-1:-1] = more
    # Of a part of them nobody knows what is the same for all.
    return Layout(tuple(columns), _same_words(jobs, tags) if count == len(jobs) else "")


def possible_columns(jobs: Sequence[Job]) -> tuple[tuple[Column[Job], ...], frozenset[str]]:
    """All columns that these jobs can have, and the titles of those shown without a choice."""
    jobs = list(looked_at(jobs))
    tags = differing([job.tags for job in jobs])
    usual = _usual(jobs, tags)
    titles = frozenset(column.title for column in usual)
    return (*usual, *_unusual(jobs, tags)), titles


def _usual(jobs: Sequence[Job], tags: Sequence[str]) -> list[Column[Job]]:
    columns = [
        Column[Job](
            "state",
            lambda job: look.state_text(job.state),
            _state_order,
            by="state",
            width=9,
            widest=15,
        )
    ]
    columns += _telling_apart(jobs, tags)
    if any(job.record.progress is not None for job in jobs):
        columns.append(_progress_column())
    columns.append(
        Column(
            "time",
            lambda job: _time_cell(job, clock.now()),
            lambda job: seconds_of(job, clock.now()),
            by="time",
            width=7,
            widest=10,
            right=True,
            yields=40,
        )
    )
    names = _metric_names(jobs)
    columns += [
        replace(_metric(name), yields=10 - place) for place, name in enumerate(names[:MOST_METRICS])
    ]
    columns.append(_note_column())
    return columns


def _unusual(jobs: Sequence[Job], tags: Sequence[str]) -> list[Column[Job]]:
    """Those that are shown only where the user chose them."""
    known = {column.title for column in _usual(jobs, tags)}
    params = [job.params for job in jobs]
    titles = titles_of(jobs)
    found = [
        _values("task", jobs, lambda job: last_part(job.key.task), by="task"),
        _id_column(jobs),
        *(_tag_column(name, jobs, titles) for name in names_in([job.tags for job in jobs])),
        *(_param_column(name, jobs, titles) for name in names_in(params)),
        *map(_metric, _metric_names(jobs)[MOST_METRICS:]),
        _values("host", jobs, _host, by="host"),
        _values("user", jobs, lambda job: job.record.user or None, by="user"),
        _values("attempt", jobs, lambda job: job.record.attempt or None, by="attempt"),
        _when("started", lambda job: job.record.started),
        _when("ended", lambda job: job.record.ended),
        _values("exit code", jobs, lambda job: job.record.exit_code, by="exit code"),
        _values("memory", jobs, _memory, by="memory", shown=look.size),
        _values("how", jobs, lambda job: None if job.how is None else job.how.value, by="how"),
    ]
    fresh: dict[str, Column[Job]] = {}
    for column in found:
        if column.title not in known:
            fresh.setdefault(column.title, column)
    return list(fresh.values())


def _progress_column() -> Column[Job]:
    away = Column[Job](
        "progress", percent_cell, _fraction, by="progress", width=8, right=True, yields=30
    )
    return replace(
        away, cell=progress_cell, width=BAR + 9, widest=24, right=False, yields=1, narrower=away
    )


def _note_column() -> Column[Job]:
    def note(job: Job) -> str | None:
        return _note(job) or None

    tight = Column[Job]("note", short_note_cell, note, by="note", width=22, grows=True)
    return replace(tight, cell=note_cell, width=8, widest=28, yields=2, narrower=tight)


def _telling_apart(jobs: Sequence[Job], tags: Sequence[str]) -> list[Column[Job]]:
    """The task, tags and parameters in which jobs differ; digits where these are not enough.

    Of many jobs a part decides about parameters and digits: it is only about what is useful.
    """
    tasks = dict.fromkeys(job.key.task for job in jobs)
    by_task: dict[str, list[Job]] = {}
    for job in jobs:
        by_task.setdefault(job.key.task, []).append(job)
    labels = [labelling(alike) for alike in by_task.values() if len(alike) > 1]
    params = tuple(dict.fromkeys(name for label in labels for name in label.params))
    columns: list[Column[Job]] = []
    if len(tasks) > 1:
        # For a moment a table may draw the rows of before in these columns.
        names = task_names(tasks)
        columns.append(_values("task", jobs, lambda job: names.get(job.key.task), by="task"))
    titles = titles_of(jobs)
    columns += [_tag_column(name, jobs, titles) for name in tags]
    for place, name in enumerate(params[:MOST_PARAMS]):
        column = _param_column(name, jobs, titles)
        columns.append(replace(column, yields=MOST_PARAMS - place + 10))
    if not columns or any(label.digits for label in labels):
        columns.append(_id_column(jobs))
    return [column if column.yields else _narrowing(column) for column in columns]


def _narrowing(column: Column[Job]) -> Column[Job]:
    """A column that names a row becomes narrow, but never goes away."""
    if column.width <= NARROW:
        return column
    return replace(column, yields=50, narrower=replace(column, width=NARROW))


def _same_words(jobs: Sequence[Job], tags: Sequence[str]) -> str:
    if len(jobs) < 2:
        return ""
    same = [(name, value) for name, value in jobs[0].tags.items() if name not in tags]
    if not same:
        return ""
    words = "  ".join(pair(name, value) for name, value in same)
    return look.plain(f"same for all {len(jobs):,}: {words}")


def progress_cell(job: Job) -> Text:
    """A bar for what runs; for what ended badly, how far it came."""
    progress = job.record.progress
    if progress is None:
        return Text()
    percent = f"{look.percent(progress.fraction):>6}"
    if job.state.live:
        return look.bar(progress.fraction, BAR) + Text(percent)
    words = progress.levels[0].text if progress.levels else ""
    return Text(look.plain(f"{words} {percent}".strip()))


def percent_cell(job: Job) -> Text:
    """How far it is, or came, where there is no room for more."""
    progress = job.record.progress
    return Text() if progress is None else Text(look.percent(progress.fraction))


def seconds_of(job: Job, now: float) -> float | None:
    """How long the last attempt took, or has run until `now`; None if it did not start."""
    record = job.record
    if record.usage is not None:
        return record.usage.seconds
    began = None if record.started is None else parse_time(record.started)
    if began is None:
        return None
    ended = None if record.ended is None else parse_time(record.ended)
    if ended is None and not job.state.live:
        return None
    return max(0.0, (now if ended is None else ended) - began)


def note_cell(job: Job) -> Text:
    """What there is to say about a job in a few words."""
    return Text(look.plain(_note(job)))


def short_note_cell(job: Job) -> Text:
    """The same where there is little room: the place in the queue instead of how busy all is."""
    room = job.wait is not None and job.wait.kind in (WaitKind.CORE, WaitKind.RESOURCE)
    if job.wait is not None and room and job.wait.place and not job.state.ended_badly:
        return Text(look.plain(look.wait_text(job.wait)))
    return note_cell(job)


def _note(job: Job) -> str:
    return note_words(
        job.state,
        job.record,
        wait=job.wait,
        drift=job.drift,
        how=job.how,
        trashed=bool(job.trashed),
        now=clock.now(),
    )


def _state_order(job: Job) -> int:
    return RANK[job.state]


def _fraction(job: Job) -> float | None:
    return None if job.record.progress is None else job.record.progress.fraction


def _time_cell(job: Job, now: float) -> Text:
    seconds = seconds_of(job, now)
    return Text("" if seconds is None else look.duration(seconds))


def _id_column(jobs: Sequence[Job]) -> Column[Job]:
    return _values("id", jobs, lambda job: job.key.short, by="id")


def _tag_column(name: str, jobs: Sequence[Job], titles: Titles) -> Column[Job]:
    by = TAG + name
    return _values(titles[by], jobs, lambda job: job.tags.get(name), by=by)


def _param_column(name: str, jobs: Sequence[Job], titles: Titles) -> Column[Job]:
    by = PARAM + name
    return _values(titles[by], jobs, lambda job: job.params.get(name), by=by)


def _host(job: Job) -> str | None:
    return None if job.record.supervisor is None else job.record.supervisor.host


def _memory(job: Job) -> int | None:
    return None if job.record.usage is None else job.record.usage.peak_bytes


def _when(title: str, moment: Callable[[Job], str | None]) -> Column[Job]:
    def cell(job: Job) -> Text:
        return Text(look.when_long(moment(job), clock.now()))

    def order(job: Job) -> float | None:
        text = moment(job)
        return None if text is None else parse_time(text)

    return Column(title, cell, order, by=title, width=12)


def _values(
    title: str,
    jobs: Sequence[Job],
    value: Callable[[Job], Any],
    *,
    by: str,
    shown: Callable[[Any], str] = short_text,
) -> Column[Job]:
    def cell(job: Job) -> Text:
        found = value(job)
        return Text("" if found is None else look.plain(shown(found)))

    title = look.plain(title)
    # Those that come last in a plan are often the longest: `n=100` after `n=9`.
    some = [*jobs[:LOOKED_AT], *jobs[LOOKED_AT :: 1 + len(jobs) // LOOKED_AT]]
    widths = sorted(cell(job).cell_len for job in some)
    # A few long values, such as the lists of a report of all others, do not push others away.
    most = widths[-1 - len(widths) // FEW] if widths else 0
    numbers = [cell(job).cell_len for job in some if isinstance(value(job), int | float)]
    # A number that is cut is another one.
    most = max(most, *numbers, 0)
    width = min(WIDEST, max(len(title), most))
    wish = min(WIDEST, max(widths, default=0))
    return Column(title, cell, value, by=by, width=width, wish=wish)


def _metric_names(jobs: Sequence[Job]) -> list[str]:
    names: dict[str, None] = {}
    for job in jobs:
        if job.record.metrics:
            names.update(dict.fromkeys(job.record.metrics))
            if len(names) >= 10 * MOST_METRICS:
                break
    return list(names)


def _metric(name: str) -> Column[Job]:
    def value(job: Job) -> float | None:
        return job.record.metrics.get(name)

    def cell(job: Job) -> Text:
        found = value(job)
        return Text("" if found is None else look.plain(f"{found:.4g}"))

    width = min(WIDEST, max(6, len(name)))
    # A number that is cut is another one.
    widest = max(width, LONGEST_NUMBER)
    by = METRIC + name
    return Column(look.plain(name), cell, value, by=by, width=width, widest=widest, right=True)
