"""The palette: every action, job, experiment, tab and theme by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from rich.text import Text

from xpm_engine.workspace.layout import JobKey
from xpm_tui import look
from xpm_tui.actions.action import Action
from xpm_tui.look.themes import PALETTES
from xpm_tui.screens.help import action_pick
from xpm_tui.screens.picker import Picker
from xpm_tui.store import Job, Store
from xpm_tui.widgets.pick_list import Pick

MOST_JOBS = 50
"""Jobs that are offered; who types more finds the others."""

NOT_OFFERED = ("palette", "tab")
WIDTHS = (11, 34)


class Kind(Enum):
    """What an entry of the palette is."""

    ACTION = "action"
    TAB = "tab"
    JOB = "job"
    EXPERIMENT = "experiment"
    THEME = "theme"


@dataclass(frozen=True)
class Chosen:
    """What was picked: its kind, and its name among those."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Chosen:
        """What `__str__` wrote."""
        kind, _, name = text.partition(":")
        return cls(Kind(kind), name)


Find = Callable[[str, Callable[[Iterable[JobKey]], None]], None]
"""Tells the jobs that a text means, at once or later."""


class Palette(Picker):
    """A field to type in, and what is called so; jobs come last, and may come later."""

    def __init__(self, entries: Sequence[Pick], store: Store | None, find: Find) -> None:
        super().__init__(
            "an action, a job by its id, tags or task, an experiment", widths=WIDTHS, field=True
        )
        self._entries, self._store, self._find = entries, store, find
        self._jobs: list[Pick] = []
        self._found_for = ""
        """What was typed when the jobs were found."""
        self._seeking = False

    def choices(self, typed: str) -> Sequence[Pick]:
        found = matching(self._entries, typed)
        if self._store is None or not typed:
            self._found_for, self._jobs = typed, []
        elif typed != self._found_for:
            self._seek(typed)
        return [*found, *self._jobs] if typed == self._found_for else found

    @property
    def more_to_come(self) -> bool:
        return self._seeking

    def _seek(self, typed: str) -> None:
        """One after the other: what was typed meanwhile is looked for when this was found."""
        if self._seeking:
            return
        self._seeking, at_once = True, True

        def take(keys: Iterable[JobKey]) -> None:
            self._seeking = False
            store = self._store
            self._jobs = [] if store is None else list(_jobs(store, keys))
            self._found_for = typed
            if not at_once and self.is_current:
                self.offer_more()

        self._find(typed, take)
        at_once = False


def action_entries(actions: Iterable[tuple[Action, str]]) -> list[Pick]:
    """The actions: what can be done here first, the others with why not."""
    picks: list[Pick] = []
    for action, why in actions:
        if action.id not in NOT_OFFERED:
            made = action_pick(action, why)
            name = str(Chosen(Kind.ACTION, action.id))
            picks.append(Pick(name, made.left, made.middle, made.right, made.why))
    return sorted(picks, key=lambda pick: bool(pick.why))


def other_entries(store: Store, tabs: Sequence[str]) -> list[Pick]:
    """The tabs of what is open, the experiments, the themes."""
    entries = [
        _entry(Kind.TAB, str(number), title, f"the tab {number}")
        for number, title in enumerate(tabs, 1)
    ]
    for experiment in store.experiments():
        counts = experiment.counts
        note = f"{counts.done:,}/{counts.total:,} done"
        entries.append(_entry(Kind.EXPERIMENT, experiment.name, experiment.name, note))
    return entries


def theme_entries() -> list[Pick]:
    """The themes."""
    return [
        _entry(Kind.THEME, name, name.removeprefix("xpm-"), "other colours") for name in PALETTES
    ]


def matching(entries: Sequence[Pick], typed: str) -> list[Pick]:
    """Those that hold every word that was typed; first those whose name begins with it."""
    words = typed.casefold().split()
    found = [pick for pick in entries if all(word in _haystack(pick) for word in words)]
    if words:
        found.sort(key=lambda pick: (bool(pick.why), *_rank(pick, words[0])))
    return found


def _rank(pick: Pick, word: str) -> tuple[bool, bool]:
    middle = pick.middle.plain.casefold()
    return not middle.startswith(word), word not in middle


def _haystack(pick: Pick) -> str:
    return f"{pick.left.plain} {pick.middle.plain} {pick.right.plain}".casefold()


def _entry(kind: Kind, name: str, title: str, note: str) -> Pick:
    left = Text(kind.value, "xpm.faint")
    return Pick(str(Chosen(kind, name)), left, Text(look.plain(title)), Text(note, "xpm.faint"))


def _jobs(store: Store, keys: Iterable[JobKey]) -> Iterable[Pick]:
    for _, key in zip(range(MOST_JOBS), keys, strict=False):
        yield job_pick(store, store.job(key, store.home_of(key)))


def job_pick(store: Store, job: Job) -> Pick:
    """A job as a line of the palette."""
    where = "" if job.run is None else job.run.experiment
    right = Text.assemble(look.state_text(job.state), f"  {look.plain(where)}")
    left = Text(job.key.short, "xpm.faint")
    return Pick(
        str(Chosen(Kind.JOB, str(job.key))), left, Text(look.plain(store.title(job))), right
    )
