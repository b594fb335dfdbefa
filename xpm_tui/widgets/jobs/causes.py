"""The causes of what failed, each said once; below, the line of code and the jobs of one cause."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from xpm_engine.verbs.causes import Cause, same_in_all
from xpm_engine.workspace.layout import JobKey
from xpm_tui import clock, look
from xpm_tui.facts.causes import Causes
from xpm_tui.store import Job, Store, pair
from xpm_tui.widgets.jobs.columns import seconds_of
from xpm_tui.widgets.table.keys import KeyTable
from xpm_tui.widgets.table.lines import GAP, GUTTER
from xpm_tui.widgets.table.model import Column
from xpm_tui.widgets.table.table import Table
from xpm_tui.widgets.words import Words

WIDE = 100
"""Cells from which on a job's line names its host."""

MOST_COMPARED = 500
"""Jobs that are looked at to tell what is not special about a cause."""

MOST_LISTED = 100
"""Jobs of a cause that are listed below the table."""

MOST_NAMED = 24
"""Cells of a job's label at most."""


class CauseTable(KeyTable[Cause[Job]]):
    """Causes, a row each: marking one marks all of its jobs."""

    def __init__(self) -> None:
        super().__init__(lambda cause: cause.key)
        self._jobs: frozenset[Hashable] = frozenset()

    def show_jobs_marked(self, jobs: frozenset[JobKey]) -> None:
        """Draw those causes as marked all of whose jobs are."""
        self._jobs = frozenset(jobs)
        causes = self.model.rows if jobs else ()
        self.show_marks(frozenset(cause.key for cause in causes if jobs.issuperset(cause.keys)))

    def toggle_mark(self) -> None:
        if self.row is None:
            return
        jobs = frozenset[Hashable](self.row.keys)
        marked = self._jobs - jobs if jobs <= self._jobs else self._jobs | jobs
        self.post_message(self.MarksWanted(self, marked))
        self.move_by(1)

    def begin_range(self) -> None:
        self.toggle_mark()

    def mark_shown(self) -> None:
        jobs = frozenset[Hashable](key for cause in self.model.shown for key in cause.keys)
        self.post_message(self.MarksWanted(self, self._jobs | jobs))


class CausePane(Vertical):
    """A cause a row; opening one asks for its jobs."""

    DEFAULT_CSS = "CausePane { height: 1fr; } CausePane Words { padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.table = CauseTable()
        self._head = Words(classes="head")
        self._detail = Words(classes="detail")
        self._store: Store | None = None
        self._same_of: dict[Hashable, tuple[tuple[JobKey, ...], str]] = {}
        self._jobs: Sequence[Job] = ()
        self._marks: frozenset[JobKey] = frozenset()

    def compose(self) -> ComposeResult:
        yield self.table
        yield self._head
        yield self._detail

    def show(self, causes: Causes, jobs: Sequence[Job], store: Store) -> None:
        """Show these causes of what failed among the jobs."""
        self._store = store
        self._jobs = jobs[:: 1 + len(jobs) // MOST_COMPARED]
        self.table.show(causes, columns=columns(self._same, self.size.width))
        self.table.show_jobs_marked(self._marks)
        self._fit()

    def show_marks(self, marks: frozenset[JobKey]) -> None:
        """These jobs are the marked ones."""
        self._marks = marks
        self.table.show_jobs_marked(marks)

    @property
    def cause(self) -> Cause[Job] | None:
        """The cause under the cursor."""
        return self.table.row

    def _same(self, cause: Cause[Job]) -> str:
        """What is the same in all jobs of a cause; of many jobs that takes long to find out."""
        known = self._same_of.get(cause.key)
        if known is None or known[0] != cause.keys:
            known = (cause.keys, same_words(cause, self._jobs))
            self._same_of[cause.key] = known
        return known[1]

    def on_resize(self) -> None:
        self.table.show(self.table.model.rows, columns=columns(self._same, self.size.width))
        self._fit()

    def on_table_moved(self, message: Table.Moved) -> None:
        message.stop()
        self._draw()

    def _fit(self) -> None:
        """The table takes what it needs, at most half."""
        rows = len(self.table.model.shown)
        self.table.styles.height = max(2, min(rows + 1, self.size.height // 2))
        self._draw()

    def _draw(self) -> None:
        cause, store = self.cause, self._store
        if cause is None or store is None:
            none = Text("nothing failed here", "xpm.faint")
            self._head.show(*(() if self.table.model.shown else (none,)))
            self._detail.show()
            return
        room = max(0, self.size.height - len(self.table.model.shown) - 3)
        width = max(20, self.size.width - 2)
        self._head.show(rule_line(cause, width))
        self._detail.show(
            *detail_lines(cause, store, same=self._same(cause), width=width, room=room)
        )


def columns(same: Callable[[Cause[Job]], str], width: int) -> tuple[Column[Cause[Job]], ...]:
    """The columns in this width; a narrow screen says what is the same in all only below."""
    wide = width >= WIDE
    where, same_width, advice = 22, 28, 20
    room = max(24, width - GUTTER - 5 - GAP)
    cause_width = room - GAP - where - (2 * GAP + same_width + advice if wide else 0)
    found: list[Column[Cause[Job]]] = [
        Column(
            "jobs",
            lambda cause: Text(f"{len(cause.jobs):,}", "xpm.failed"),
            lambda cause: len(cause.jobs),
            width=5,
            right=True,
        ),
        Column(
            "cause",
            lambda cause: Text(look.plain(cause.text)),
            lambda cause: cause.text,
            width=max(18, cause_width),
        ),
        Column(
            "where",
            lambda cause: Text(look.plain(cause.where)),
            lambda cause: cause.where,
            width=where,
        ),
        Column("same in all", lambda cause: Text(same(cause)), same, width=same_width),
        Column("try", lambda cause: Text(try_words(cause), "xpm.faint"), try_words, width=advice),
    ]
    return tuple(found)


def same_words(cause: Cause[Job], among: Sequence[Job] = ()) -> str:
    """What is the same in all jobs of a cause, what is special about them first."""
    same = same_in_all(cause.jobs, among=among)
    return look.plain(" ".join(pair(name, value) for name, value in same.items()))


def try_words(cause: Cause[Job]) -> str:
    """What to do about it: ``R with more memory``."""
    return f"R {cause.advice}".strip()


def rule_line(cause: Cause[Job], width: int) -> Text:
    """``─ 19 × CUDA out of memory at train.py:88 step ─────``."""
    where = cause.where.replace("on ", "", 1) if cause.where.startswith("on ") else cause.where
    place = Text(f" at {look.plain(where)}" if where else "")
    text = Text(f"─ {len(cause.jobs):,} × {look.plain(cause.text)}")
    # What happened may be long: where it did is worth more than its last words.
    text.truncate(max(0, width - 2 - place.cell_len), overflow="ellipsis")
    text = Text.assemble(text, place, " ", style="xpm.title")
    return text.append("─" * max(0, width - text.cell_len))


def detail_lines(
    cause: Cause[Job], store: Store, *, same: str, width: int, room: int
) -> list[Text]:
    """The line of code as it was, what to try, and the jobs with what they block."""
    lines: list[Text] = []
    reason = cause.reason
    if cause.source and reason is not None and reason.frame is not None:
        line = Text(f"> {reason.frame.line}   {look.plain(cause.source)}", "bold")
        line.append(f"   {look.plain(reason.exception or '')}", "xpm.faint")
        lines.append(line)
    lines.append(Text(_when_words(cause, clock.now()), "xpm.faint"))
    lines.append(Text().append("same    ", "xpm.faint").append(same or "nothing"))
    lines.append(Text().append("try     ", "xpm.faint").append(try_words(cause)))
    left = max(1, min(MOST_LISTED, room - len(lines) - 1))
    lines += job_lines(cause.jobs[:left], store, width=width)
    if len(cause.jobs) > left:
        lines.append(Text(f"┊ {look.plural(len(cause.jobs) - left, 'more row')}", "xpm.faint"))
    return lines


def _when_words(cause: Cause[Job], now: float) -> str:
    ends = sorted(job.record.ended for job in cause.jobs if job.record.ended)
    if not ends:
        return "without an end on record"
    first, last = look.when_long(ends[0], now), look.when_long(ends[-1], now)
    return f"ended {first}" if first == last else f"ended {first} to {last}"


def job_lines(jobs: Sequence[Job], store: Store, *, width: int) -> Iterator[Text]:
    """A job a line: its label, how long it took, where, and what it blocks."""
    one_task = len({job.key.task for job in jobs}) == 1
    name: Callable[[Job], str] = store.label if one_task else store.title
    labels = [look.plain(name(job)) for job in jobs]
    widest = min(MOST_NAMED, max(map(len, labels), default=0))
    for job, label in zip(jobs, labels, strict=True):
        seconds = seconds_of(job, clock.now())
        line = look.state_glyph(job.state).append(" ")
        line.append_text(look.cut(Text(label), widest))
        line.append(f"  {'' if seconds is None else look.duration(seconds):>8}")
        supervisor = job.record.supervisor
        if width >= WIDE - 30 and supervisor is not None:
            line.append(f"  {look.plain(supervisor.host)[:14]:<14}", "xpm.faint")
        if job.key.short not in label:
            line.append(f"  {job.key.short}", "xpm.faint")
        blocked = blocked_words(store, job)
        if blocked:
            line.append(f"  blocks {blocked}", "xpm.blocked")
        yield line


def blocked_words(store: Store, job: Job) -> str:
    """``evaluate 04aa12 and 3 more``: what can't run before this did; empty for nothing."""
    found = all_dependants(store, job)
    if not found:
        return ""
    first = found[0]
    words = f"{store.task_name(first.task, job.run)} {first.short}"
    return look.plain(words if len(found) == 1 else f"{words} and {len(found) - 1:,} more")


def all_dependants(store: Store, job: Job, *, most: int = 1_000) -> list[JobKey]:
    """The jobs made from this one in its run, over any number of steps, nearest first."""
    if job.run is None:
        return []
    found: dict[JobKey, None] = {}
    ring = [job.key]
    while ring and len(found) < most:
        below = [key for up in ring for key in store.dependants(up, job.run)]
        ring = [key for key in dict.fromkeys(below) if key not in found]
        found.update(dict.fromkeys(ring))
    return list(found)
