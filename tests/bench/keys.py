"""What each key costs: ``python -m tests.bench.keys [--jobs N] [--workspace FOLDER]``.

Opens the app on a workspace of N jobs in pseudo-terminals of 120×40 and 80×24 cells, presses every
kind of key many times, and prints a line a kind: how long until what has the focus looked as it
does in the end (`frame`) and how long the thread that draws was busy until then (`busy`, which
says more on a machine that has something else to do); the same for all of the screen, where the
right side follows the tree's cursor; and what was written. Each in the middle and at most, in
milliseconds and bytes; an exclamation mark stands at what is over the budget.

``--workspace`` keeps the workspace for the next time. What idleness costs: ``tests.bench.idle``.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.app import ours
from tests.bench.screen import WIDE, Region, Reply, Screen
from tests.big_workspace import Shape, make, revive

SIZES = (WIDE, (80, 24))
FRAME_MS = 50
BYTES = 6_000
WIDEST = 29
QUIET = 0.35
"""Seconds without a byte after which nothing more comes of a key."""

PGUP, PGDN, ESC = "\x1b[5~", "\x1b[6~", "\x1b"
BACKSPACE, CTRL_D, CTRL_U = "\x7f", "\x04", "\x15"


@dataclass(frozen=True)
class Press:
    """Keys of one kind; those without a name only lead somewhere."""

    name: str
    keys: Sequence[str]
    tree: bool = False
    """Whether its frame is that of the tree, and not of the whole screen."""


TREE = (
    Press("move in the tree", "jkjkjjkk", tree=True),
    Press("fold an experiment", "h", tree=True),
    Press("unfold an experiment", "l", tree=True),
    Press("fold an experiment", "h", tree=True),
    Press("change of experiment", "jjkj", tree=True),
    Press("unfold an experiment", "l", tree=True),
    Press("", "j"),
    Press("unfold a group", "l", tree=True),
    Press("", "jj"),
    Press("unfold a job", "l", tree=True),
    Press("fold a job", "h", tree=True),
    Press("move among jobs", "jjkj", tree=True),
    Press("page in the tree", (PGDN, PGUP, CTRL_D, PGDN, CTRL_U, "G", "g", "G"), tree=True),
    Press("", "gjjjjj"),
    Press("group by another", "ttttt", tree=True),
    Press("sibling", ".,.", tree=True),
    Press("trouble", "eeE", tree=True),
    Press("mark a job", "   ", tree=True),
    Press("mark a range", "vjj ", tree=True),
    Press("mark all shown", "*", tree=True),
    Press("unmark all", "u", tree=True),
    Press("", "h"),
    Press("fold a group", "h", tree=True),
    Press("", "h"),
    Press("mark a set", " ", tree=True),
    Press("", "u"),
    Press("this pane alone", "mm"),
)
SET = (
    Press("open a set", "\r"),
    Press("move in a table", "jkjjj"),
    Press("page in a table", (PGDN, PGDN, PGUP, CTRL_D, CTRL_U, "G", "g")),
    Press("sort", "sss"),
    Press("reverse the order", "SS"),
    Press("mark a row", "   "),
    Press("mark all rows", "*"),
    Press("", "u"),
    Press("tab of a set", "2341"),
    Press("open a job", "\r"),
    Press("tab of a job", "234561"),
    Press("job beside it", "..,"),
    Press("log of a job", "L"),
    Press("back", (BACKSPACE, BACKSPACE)),
)
FILTERS = ("lr>0.01 -ranker:bm25", "state:failed out", "seed:7")
OTHERS = (
    Press("palette, opened", ":"),
    Press("palette, a letter", "learn"),
    Press("palette, left", (ESC,)),
    Press("help, opened", "?"),
    Press("help, left", (ESC,)),
)


@dataclass
class Journal:
    """What came of the keys of each kind."""

    screen: Screen
    size: tuple[int, int]
    replies: dict[str, list[Reply]] = field(default_factory=dict[str, list[Reply]])

    def press(self, presses: Sequence[Press]) -> None:
        for press in presses:
            area = self._tree if press.tree else (0, 0, *self.size)
            for key in press.keys:
                reply = self.screen.reply(key, area, quiet=QUIET)
                if press.name:
                    self.replies.setdefault(press.name, []).append(reply)

    @property
    def _tree(self) -> Region:
        columns, rows = self.size
        return (0, 2, 42, rows - 3) if columns >= 100 else (0, 1, columns, 13)

    def lines(self) -> Iterator[str]:
        titles = "  n     frame          busy        screen      all busy           bytes"
        yield f"{self.size[0]}×{self.size[1]}".ljust(WIDEST) + titles
        for name, replies in self.replies.items():
            yield f"{name:{WIDEST}}{len(replies):3}" + "".join(
                (
                    *_pair([reply.frame for reply in replies], limit=FRAME_MS),
                    *_pair([reply.frame_busy for reply in replies], limit=FRAME_MS),
                    *_pair([reply.all for reply in replies]),
                    *_pair([reply.busy for reply in replies]),
                    *_sizes([reply.bytes for reply in replies]),
                )
            )


def _pair(seconds: Sequence[float | None], *, limit: float = 0) -> Iterator[str]:
    """In the middle and at most."""
    found = [round(each * 1000) for each in seconds if each is not None]
    if not found:
        yield f"{'-':>6}{'-':>7} "
        return
    most = max(found)
    yield f"{round(statistics.median(found)):6}{most:7}{'!' if limit and most > limit else ' '}"


def _sizes(sizes: Sequence[int]) -> Iterator[str]:
    most = max(sizes)
    yield f"{round(statistics.median(sizes)):8,}{most:8,}{'!' if most > BYTES else ''}"


def is_checked(screen: Screen) -> bool:
    """Whether everything was compared with the folders; where it is narrow no job need be seen."""
    return "● live" in screen.text or "◌ every" in screen.text


def measure(command: Sequence[str], cache: Path, size: tuple[int, int]) -> Journal:
    """All keys, one after another, in one terminal."""
    screen = Screen(command, cache=cache, size=size)
    journal = Journal(screen, size)
    try:
        screen.until(lambda: is_checked(screen))
        screen.rest()
        journal.press(TREE)
        journal.press(SET)
        _to_all_jobs(screen)
        journal.press(_named(SET[:8], " of all jobs"))
        journal.press([Press("", (BACKSPACE,))])
        for text in FILTERS:
            journal.press(_filter(text))
        journal.press([Press("", "g")])
        journal.press(_filter(FILTERS[0]))
        journal.press(OTHERS)
    finally:
        screen.close()
    return journal


def _named(presses: Sequence[Press], more: str) -> list[Press]:
    return [Press(press.name and press.name + more, press.keys, press.tree) for press in presses]


def _filter(text: str) -> list[Press]:
    return [
        Press("filter, opened", "/"),
        Press("filter, first letter", text[:1]),
        Press("filter, a letter", text[1:]),
        Press("filter, a letter back", BACKSPACE * 3),
        Press("filter, kept", "\r"),
        Press("move, filtered", "jjk", tree=True),
        Press("filter, given up", (ESC,)),
        Press("", (ESC,)),
    ]


def _to_all_jobs(screen: Screen) -> None:
    screen.type("G")
    for _ in range(5):
        screen.quiet(QUIET)
        if re.search(r"▌ +All jobs", screen.text):
            return
        screen.type("k")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--workspace", type=Path, help="kept, and used again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.workspace or Path(name, "ws")
        if folder.exists():
            revive(folder)
        else:
            make(folder, Shape(options.jobs))
        for size in SIZES:
            journal = measure(ours(folder), Path(name, "cache"), size)
            print("\n".join(journal.lines()), "\n", flush=True)


if __name__ == "__main__":
    main()
