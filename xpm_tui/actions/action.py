"""What an action is: its keys, its words, where it belongs and when it can't be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum


class Place(Enum):
    """Where an action belongs, in the words of the help."""

    EVERYWHERE = "everywhere"
    LISTS = "in the tree and in tables"
    TREE = "in the tree"
    TABLE = "in a table"
    JOB = "on a job"
    JOBS = "on jobs: the marked ones, else those under the cursor"
    LOG = "in a log"
    PLAN = "in a plan of what to remove"
    TRASH = "after a change, and in Trash"
    EMPTY = "in an empty workspace"


class Stage(Enum):
    """What the keys are about: what matters most in the key bar differs."""

    LISTS = "lists"
    LOG = "a log"
    PLAN = "a plan of what to remove"


@dataclass(frozen=True)
class Situation:
    """What an action's being possible depends on, besides the widget that has the focus."""

    readonly: bool = False
    host: str = ""
    """The machine that the workspace is on, if it is not this one."""
    web: bool = False
    """Whether the app is shown in a browser."""
    jobs: int = 0
    """How many jobs it would act on: the marked ones, else what is under the cursor."""
    things: int = 0
    """What else could be removed: runs, what is obsolete, cleans in the trash."""
    changes: int = 0
    """How many changes of this session can still be taken back."""
    fetching: bool = False
    """Whether results of other hosts are on their way: the key stops that."""


@dataclass(frozen=True)
class Bar:
    """How an action stands in the key bar."""

    title: str
    weight: int
    shown: str = ""
    """The keys; by default those of the action."""


@dataclass(frozen=True)
class Action:
    """Something that a key does."""

    id: str
    keys: tuple[str, ...]
    """As Textual names them; the first is the one that is shown."""
    title: str
    """For the key bar: a word or two."""
    help: str
    """For the help and the palette: a sentence without its full stop."""
    place: Place = Place.EVERYWHERE
    shown: str = ""
    """The keys as the key bar shows them; by default the first key."""
    dangerous: bool = False
    """Whether it changes something on the disk or in other processes."""
    weight: int = 0
    """The key bar shows those with the highest weights that fit; 0: never there."""
    log: Bar | None = None
    """How it stands in the key bar while a log is read, if not as elsewhere."""
    plan: Bar | None = None
    """The same while a plan of what to remove is on the screen."""
    why_disabled: Callable[[Situation], str] = lambda situation: ""
    """Why it can't be done now; empty if it can."""

    def bar(self, stage: Stage) -> Bar:
        """How it stands in the key bar."""
        special = {Stage.LISTS: None, Stage.LOG: self.log, Stage.PLAN: self.plan}[stage]
        found = special or Bar(self.title, self.weight)
        return replace(found, shown=found.shown or self.key_text)

    @property
    def key_text(self) -> str:
        """``enter``, ``n N``: the keys for people."""
        return self.shown or " ".join(map(key_name, self.keys[:2]))


_KEY_NAMES = {
    "slash": "/",
    "question_mark": "?",
    "full_stop": ".",
    "comma": ",",
    "colon": ":",
    "vertical_line": "|",
    "exclamation_mark": "!",
    "ampersand": "&",
    "asterisk": "*",
    "escape": "esc",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "pagedown": "pgdn",
    "pageup": "pgup",
}


def key_name(key: str) -> str:
    """A key of Textual's for people: ``question_mark`` is ``?``."""
    return _KEY_NAMES.get(key, key)
