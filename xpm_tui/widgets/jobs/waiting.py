"""What waits for what, in which place of the queue, since when, and who has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from rich.text import Text

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import parse_time
from xpm_engine.workspace.records.reasons import WaitKind
from xpm_engine.workspace.records.states import JobState
from xpm_tui import clock, look
from xpm_tui.store import WAITS, Job, Store, jobs_among
from xpm_tui.widgets.table.keys import KeyTable
from xpm_tui.widgets.table.lines import GAP, GUTTER
from xpm_tui.widgets.table.model import Column

SHOWN = (*WAITS, JobState.BLOCKED, JobState.QUEUED)
"""The states that are no one's fault and no one's work yet."""

MOST_HOLDERS = 2
"""Jobs that are named as having what is waited for."""

WIDE = 100

_HELD = (WaitKind.CORE, WaitKind.RESOURCE, WaitKind.TOKEN, WaitKind.SHARED)


class WaitingTable(KeyTable[Job]):
    """A job a row, those first that come next; opening one asks for the job."""

    markable = False

    def __init__(self) -> None:
        super().__init__(lambda job: job.key)
        self.nothing = "nothing waits here"
        self._store: Store | None = None

    def show_waiting(self, jobs: Sequence[Job], store: Store) -> None:
        """Show those of the jobs that wait."""
        self._store = store
        self.show(waiting_jobs(jobs), columns=columns(store, self.size.width))

    def on_resize(self) -> None:
        if self._store is not None:
            self.show(self.model.rows, columns=columns(self._store, self.size.width))


def columns(store: Store, width: int) -> tuple[Column[Job], ...]:
    """The columns in this width; what is waited for gets all that the others leave."""
    wide = width >= WIDE
    name = 36 if wide else 20
    rest = max(24, width - GUTTER - (9 + 5 + 10 + name) - 4 * GAP)
    held = partial(waits_words, store, names=wide)
    since = partial(waits_since, store)
    return (
        Column("state", lambda job: look.state_text(job.state), _state_order, width=9),
        Column("place", _place_cell, place, width=5, right=True),
        Column("since", partial(_since_cell, store), since, width=10, right=True),
        Column("job", lambda job: Text(look.plain(store.title(job))), store.title, width=name),
        Column("waits for", lambda job: Text(held(job)), held, width=rest),
    )


def waits_words(store: Store, job: Job, *, names: bool = True) -> str:
    """``token gpu: learn 9b2e41``: what it waits for, and who has it; with `names` as labels."""
    held = held_by(store, job, names=names)
    return wait_words(job) + (f": {held}" if held else "")


def waiting_jobs(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Those that wait, are blocked or were told to a launcher, in the order of the queue."""
    found = jobs_among(jobs, SHOWN)
    return tuple(sorted(found, key=lambda job: (SHOWN.index(job.state), place(job) or 1 << 30)))


def place(job: Job) -> int | None:
    """Its place in the queue, from 1; None where it has none."""
    return job.wait.place if job.wait is not None and job.wait.place else None


def wait_words(job: Job) -> str:
    """What it waits for; of jobs, with the whole chain."""
    wait = job.wait
    if wait is None:
        return "its launcher" if job.state is JobState.QUEUED else "its turn"
    words = look.wait_text(replace(wait, place=0))
    if wait.kind is WaitKind.UPSTREAM_FAILED:
        chain = [f"{key.task.rpartition('.')[2]} {key.short}" for key in wait.on[-2::-1]]
        return look.plain(" → ".join([words, *chain]))
    if wait.kind is WaitKind.RETRY and wait.what:
        words += f": {wait.what}"
    if wait.until:
        words += f", at {look.when_long(wait.until, clock.now())}"
    return look.plain(words)


def held_by(store: Store, job: Job, *, names: bool = True) -> str:
    """Who has what it waits for, how much of it is taken, and who was here before."""
    wait = job.wait
    if wait is None or wait.kind not in _HELD:
        return ""
    parts: list[str] = []
    if wait.total > 1 or (wait.total and not wait.on):
        count = look.size if wait.what == "memory" and wait.kind is WaitKind.RESOURCE else str
        parts.append(f"{count(wait.used)} of {count(wait.total)} busy")
    if wait.on:
        held = [_name(store, key, full=names) for key in wait.on[:MOST_HOLDERS]]
        more = len(wait.on) - MOST_HOLDERS
        parts.append(", ".join(held) + (f" and {more} more" if more > 0 else ""))
    if wait.behind:
        parts.append(f"{wait.behind} was here before")
    return look.plain(" · ".join(parts))


def waits_since(store: Store, job: Job) -> float | None:
    """Since when it waits, in seconds since 1970: since its run asked for it; None if untold."""
    asked = job.record.launched if job.state is JobState.QUEUED else None
    index = None if job.run is None else store.index(job.run)
    if asked is None and index is not None and job.key in index.references:
        asked = index.references[job.key].at
        ended = job.record.ended
        # One that is to be tried again waits since it failed.
        asked = ended if ended is not None and ended > asked else asked
    return None if asked is None else parse_time(asked)


def _name(store: Store, key: JobKey, *, full: bool) -> str:
    home = store.home_of(key)
    if not full:
        return f"{store.task_name(key.task, home)} {key.short}"
    job = store.job(key, home)
    title = store.title(job)
    return title if key.short in title else f"{title} {key.short}"


def _since_cell(store: Store, job: Job) -> Text:
    since = waits_since(store, job)
    return Text("" if since is None else look.duration(clock.now() - since))


def _state_order(job: Job) -> int:
    return SHOWN.index(job.state)


def _place_cell(job: Job) -> Text:
    found = place(job)
    return Text("" if found is None else look.ordinal(found))
