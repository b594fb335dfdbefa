"""Fewer bytes for the terminal: what is on it is remembered, and only what differs is written.

Textual writes every line that it draws, and every change of colour in full. This stands between
its compositor and the terminal, and so knows two private names of it: the two kinds of updates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

NEAR = 4
"""Cells that are written again because to leap over them costs as much."""

_SHOWN_ON_BLANKS = frozenset(("4", "5", "6", "7", "9", "21", "51", "52", "53"))
"""What of a style a blank shows, besides its background: underline, reverse, frames…"""

MANY = 12
"""Blanks one after another that take less to erase, and leap over, than to write."""

_BLANKS = re.compile(f" {{{MANY},}}")

_EXTENDED = {"5": 3, "2": 5}
"""After 38 or 48: how many numbers belong together."""


class Look(NamedTuple):
    """A style as the terminal is told of it: numbers of `SGR`, and how each part is set."""

    attributes: frozenset[str]
    colour: str
    background: str

    @property
    def bare(self) -> bool:
        """Whether a blank shows nothing of it but the background."""
        return not self.attributes & _SHOWN_ON_BLANKS


PLAIN = Look(frozenset(), "", "")


@lru_cache(1024)
def _blank(look: Look) -> Look:
    """What a blank shows of it."""
    return Look(frozenset(), "", look.background)


@dataclass
class _Row:
    """The cells of one row of the terminal; those are empty of which it is not known what is there.

    A strip with signs that do not take one cell each is all in its first cell, as it was written;
    its others are empty.
    """

    signs: list[str]
    looks: list[Look]


class Canvas:
    """What the terminal shows, as far as this wrote it."""

    def __init__(self, *, erases: bool = False) -> None:
        """`erases` says that the terminal leaves what it erases in the colour that is set."""
        self._erases = erases
        self._rows: dict[int, _Row] = {}
        self._looks: dict[tuple[Style, ColorSystem], Look] = {}
        self._steps: dict[tuple[Look, Look], str] = {}

    def forget(self) -> None:
        """Something else may have written to the terminal: the next update is written in full."""
        self._rows.clear()

    def changes(self, update: Any) -> Any:
        """What of an update of Textual's is to be written; what is none is handed on."""
        if isinstance(update, (LayoutUpdate, ChopsUpdate)):
            return _Changes(self, update)
        if update is not None:
            self.forget()
        return update

    def write(self, update: LayoutUpdate | ChopsUpdate, console: Console) -> str:
        """What makes the terminal look like this, from what it looks like."""
        pen = _Pen(self._steps, erases=self._erases)
        system = COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
        for x, y, strip in _pieces(update):
            signs, looks = self._cells(strip, system)
            if signs is None:
                written = strip.render(console)
                signs = [written, *[""] * (strip.cell_length - 1)]
                if signs != self._put(x, y, signs, looks)[0]:
                    pen.raw(x, y, written, strip.cell_length)
                continue
            old_signs, old_looks = self._put(x, y, signs, looks)
            if "" in old_signs:
                pen.draw(x, y, signs, looks)
            elif signs != old_signs or looks != old_looks:
                for start, end in _differing(signs, looks, old_signs, old_looks):
                    pen.draw(x + start, y, signs[start:end], looks[start:end])
        return pen.end()

    def _put(
        self, x: int, y: int, signs: list[str], looks: list[Look]
    ) -> tuple[list[str], list[Look]]:
        """Remember these cells; what was there before."""
        row = self._rows.get(y)
        if row is None:
            row = self._rows[y] = _Row([], [])
        end = x + len(signs)
        missing = end - len(row.signs)
        if missing > 0:
            row.signs += [""] * missing
            row.looks += [PLAIN] * missing
        before = row.signs[x:end], row.looks[x:end]
        row.signs[x:end] = signs
        row.looks[x:end] = looks
        return before

    def _cells(self, strip: Strip, system: ColorSystem) -> tuple[list[str] | None, list[Look]]:
        """The cells of a strip; no signs if these do not take one cell each, or are links.

        Terminals disagree about how wide some are, so such a strip is written as a whole.
        """
        signs: list[str] = []
        looks: list[Look] = []
        for text, style, _ in strip:
            look = PLAIN if style is None else self._look(style, system)
            if text.isspace() and look.bare:
                look = _blank(look)
            looks += [look] * len(text)
            if (style is not None and style.link) or not (text.isascii() or _even(text)):
                return None, [PLAIN] * strip.cell_length
            signs += text
        return signs, looks

    def _look(self, style: Style, system: ColorSystem) -> Look:
        known = self._looks.get((style, system))
        if known is None:
            known = self._looks[style, system] = look_of(style, system)
        return known


class _Changes(CompositorUpdate):
    """An update of which only what differs is written, once it is."""

    def __init__(self, canvas: Canvas, update: LayoutUpdate | ChopsUpdate) -> None:
        self._canvas = canvas
        self._update = update

    def render_segments(self, console: Console) -> str:
        return self._canvas.write(self._update, console)


class _Run(NamedTuple):
    """Cells one after another that are written in one style."""

    x: int
    y: int
    look: Look
    text: str
    cells: int
    raw: bool = False
    """Whether it begins and ends in the plain style, and tells its own between them."""


class _Pen:
    """Writes cells in as few bytes as it knows how to: line by line, or one style after another."""

    def __init__(self, steps: dict[tuple[Look, Look], str], *, erases: bool) -> None:
        self._steps = steps
        self._erases = erases
        self._runs: list[_Run] = []

    def draw(self, x: int, y: int, signs: list[str], looks: list[Look]) -> None:
        """Draw these cells from here on."""
        place = 0
        for look, run in groupby(looks):
            end = place + len(list(run))
            self._add(_Run(x + place, y, look, "".join(signs[place:end]), end - place))
            place = end

    def raw(self, x: int, y: int, text: str, cells: int) -> None:
        """Write what begins and ends in the plain style."""
        self._runs.append(_Run(x, y, PLAIN, text, cells, raw=True))

    def end(self) -> str:
        """All of it. To go back to a place mostly takes less than to tell a colour again."""
        in_order = self._written(self._runs)
        styles = {run.look: place for place, run in reversed(list(enumerate(self._runs)))}
        if len(styles) == len(self._runs):
            return in_order
        by_style = self._written(sorted(self._runs, key=lambda run: styles[run.look]))
        return min(in_order, by_style, key=_bytes)

    def _add(self, run: _Run) -> None:
        """One with the run that it goes on, where blanks let both look right in one style."""
        last = self._runs[-1] if self._runs else None
        if last is not None and not last.raw and (last.x + last.cells, last.y) == (run.x, run.y):
            both = last._replace(text=last.text + run.text, cells=last.cells + run.cells)
            if _shows(last.look, run.look, run.text):
                self._runs[-1] = both
                return
            if _shows(run.look, last.look, last.text):
                self._runs[-1] = both._replace(look=run.look)
                return
        self._runs.append(run)

    def _written(self, runs: Sequence[_Run]) -> str:
        written: list[str] = []
        look, at = PLAIN, (-1, -1)
        for run in runs:
            if at != (run.x, run.y):
                line = run.y == at[1]
                written.append(f"\x1b[{run.x + 1}G" if line else f"\x1b[{run.y + 1};{run.x + 1}H")
            if not _shows(look, run.look, run.text) or run.raw:
                written.append(self._step(look, run.look))
                look = run.look
            text = run.text if run.raw else self._sparing(run)
            written.append(text)
            # How wide a terminal finds what is written as it is, is not known.
            lost = run.raw or (text != run.text and run.text[-1:] == " ")
            at = (-1 if lost else run.x + run.cells, run.y)
        written.append(self._step(look, PLAIN))
        return "".join(written)

    def _sparing(self, run: _Run) -> str:
        """The text of a run, or what erases where it has many blanks."""
        if not run.look.bare or (run.look.background and not self._erases):
            return run.text

        def erase(found: re.Match[str]) -> str:
            start, end = found.span()
            leap = f"\x1b[{run.x + end + 1}G" if end < run.cells else ""
            return f"\x1b[{end - start}X{leap}"

        return _BLANKS.sub(erase, run.text)

    def _step(self, before: Look, after: Look) -> str:
        step = (before, after)
        words = self._steps.get(step)
        if words is None:
            words = self._steps[step] = step_between(*step)
        return words


def _shows(now: Look, look: Look, text: str) -> bool:
    """Whether a text looks right in another style: of a blank only what lies behind it is seen."""
    return look == now or (
        look.background == now.background and look.bare and now.bare and text.isspace()
    )


def _bytes(text: str) -> int:
    return len(text.encode())


def erases_in_colour(environment: Mapping[str, str]) -> bool:
    """Whether the terminal leaves what it erases in the colour that is set.

    GNU screen does not; tmux does, whatever its description says.
    """
    if environment.get("STY"):
        return False
    if environment.get("TMUX"):
        return True
    try:
        # Not every Python was built with it.
        import curses
    except ImportError:
        return False
    try:
        curses.setupterm(environment.get("TERM") or "dumb", 1)
    except curses.error:
        return False
    return curses.tigetflag("bce") > 0


def look_of(style: Style, system: ColorSystem) -> Look:
    """How a style is told to a terminal that knows these colours."""
    rendered = style.render("x", color_system=system)
    if not rendered.startswith("\x1b["):
        return PLAIN
    numbers = rendered[2 : rendered.index("m")].split(";")
    attributes: list[str] = []
    colour = background = ""
    while numbers:
        count = _EXTENDED[numbers[1]] if numbers[0] in ("38", "48") else 1
        part, numbers = ";".join(numbers[:count]), numbers[count:]
        first = int(part.partition(";")[0])
        if 30 <= first <= 38 or 90 <= first <= 97:
            colour = part
        elif 40 <= first <= 48 or 100 <= first <= 107:
            background = part
        elif first not in (39, 49):
            attributes.append(part)
    return Look(frozenset(attributes), colour, background)


def step_between(before: Look, after: Look) -> str:
    """What the terminal is told so that it writes on in another style."""
    if before == after:
        return ""
    if after == PLAIN:
        return "\x1b[m"
    parts: list[str] = []
    if not before.attributes <= after.attributes:
        parts.append("0")
        before = PLAIN
    parts += sorted(after.attributes - before.attributes)
    if after.colour != before.colour:
        parts.append(after.colour or "39")
    if after.background != before.background:
        parts.append(after.background or "49")
    return f"\x1b[{';'.join(parts)}m"


def _pieces(update: LayoutUpdate | ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Which strips are drawn where."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                yield x, y, strip
                x += strip.cell_length
        return
    for y, left, right in update.spans:
        for end, (x, drawn) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if drawn is not None and x < right and end > left:
                yield x, y, drawn.crop(0, end - x)


@lru_cache(4096)
def _even(text: str) -> bool:
    """Whether every sign takes one cell."""
    return all(get_character_cell_size(sign) == 1 for sign in text)


def _differing(
    signs: list[str],
    looks: list[Look],
    old_signs: list[str],
    old_looks: list[Look],
) -> Iterator[tuple[int, int]]:
    """The ranges of cells that look different; near ones are one."""
    start = end = -1
    for place in range(len(signs)):
        if signs[place] == old_signs[place] and looks[place] == old_looks[place]:
            continue
        if start < 0:
            start = place
        elif place - end > NEAR:
            yield start, end
            start = place
        end = place + 1
    if start >= 0:
        yield start, end
