"""Frames for what they show: only the lines that changed are asked for, of the widget on top there.

Textual asks every widget near a change for all of its lines, also those that lie under others, and
cuts each at all edges of its neighbours: of a line that was added to a log that is two thirds of
the work. This knows private names of its compositor, as `look.canvas` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from textual._compositor import ChopsUpdate, Compositor
from textual._context import visible_screen_stack
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from xpm_tui.look.pace import draw_soon

Span = tuple[int, int, int]
"""A line of the screen, and from where to where in it."""

Chops = dict[int, dict[int, "Strip | None"]]
"""A line's pieces by where they begin; one that is not needed is None."""


class SparingCompositor(Compositor):
    """Makes the same frames as Textual's."""

    def render_partial_update(self) -> ChopsUpdate | None:
        screen = self.size.region
        changed = [region.intersection(screen) for region in self._dirty_regions]
        self._dirty_regions.clear()
        spans = list(self._regions_to_spans(filter(None, changed)))
        if not spans:
            return None
        chops: Any = self._pieces(spans)
        cuts: Sequence[list[int]] = self.cuts
        ends: Any = {y: cuts[y][1:] for y, _, _ in spans}
        return ChopsUpdate(chops, spans, ends)

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        lines = range(max(crop.y, 0), min(crop.bottom, len(self.cuts)))
        chops: Any = self._pieces([(y, crop.x, crop.right) for y in lines if is_rendered_line(y)])
        return [chops.get(y, {}) for y in range(len(self.cuts))]

    def _pieces(self, spans: Iterable[Span]) -> Chops:
        """What is seen there."""
        chops: Chops = {}
        missing: dict[int, list[tuple[int, int]]] = {}
        all_cuts: Sequence[list[int]] = self.cuts
        for y, left, right in spans:
            cuts = all_cuts[y]
            if y not in chops:
                chops[y] = dict.fromkeys(cuts[:-1])
            pieces = [(x, end) for x, end in pairwise(cuts) if x < right and end > left]
            missing.setdefault(y, []).extend(pieces)
        for widget, (region, clip) in self.visible_widgets.items():
            if not missing:
                break
            seen = region.intersection(clip)
            wanted = list(_within(seen, missing))
            for lines in _runs(wanted):
                at = Region(seen.x, lines.start, seen.width, len(lines)).translate(-region.offset)
                for y, strip in zip(lines, _lines_of(widget, at), strict=False):
                    _take(y, strip, seen, chops[y], missing)
        return chops

    def reaches(self, region: Region) -> bool:
        """Whether this was laid out for a screen that holds all of a region."""
        cuts: Sequence[list[int]] = self.cuts
        return region.bottom <= len(cuts) and all(
            cuts[y][-1] >= region.right for y in range(region.y, region.bottom)
        )

    def lines(self, lines: range) -> list[Strip]:
        """These lines over their whole width."""
        chops = self._pieces([(y, 0, self.size.width) for y in lines])
        return [Strip.join(chops[y].values()) for y in lines]


def compose_sparingly(screen: Screen[Any]) -> None:
    """Let a screen that shows nothing yet make its frames so, and soon."""
    draw_soon(screen)
    screen._compositor = SparingCompositor()  # pyright: ignore[reportPrivateUsage]


def _lines_of(widget: Widget, at: Region) -> list[Strip]:
    """What a widget shows; of a screen that can be seen through, what is below it as it is there.

    Textual lets Rich draw the whole of that anew, 15 ms a frame, and there are three as a palette
    comes.
    """
    stack = visible_screen_stack.get([]) if isinstance(widget, Screen) else []
    if not stack or stack[-1] is widget or widget.styles.background.a:
        return widget.render_lines(at)
    below = stack[-1]._compositor  # pyright: ignore[reportPrivateUsage]
    # While the terminal is resized, what lies below may not have been laid out anew yet.
    if not isinstance(below, SparingCompositor) or not below.reaches(at):
        return widget.render_lines(at)
    token = visible_screen_stack.set(stack[:-1])
    try:
        return below.lines(range(at.y, at.bottom))
    finally:
        visible_screen_stack.reset(token)


def _within(seen: Region, missing: Mapping[int, Sequence[tuple[int, int]]]) -> Iterator[int]:
    """The lines of which something that is missing lies there, from above."""
    if len(missing) < seen.height:
        lines: Iterable[int] = sorted(y for y in missing if seen.y <= y < seen.bottom)
    else:
        lines = filter(missing.__contains__, range(seen.y, seen.bottom))
    for y in lines:
        if any(x >= seen.x and end <= seen.right for x, end in missing[y]):
            yield y


def _runs(lines: Iterable[int]) -> Iterator[range]:
    """The same, as ranges of lines one below the other."""
    start = end = -1
    for y in lines:
        if y != end:
            if end > start:
                yield range(start, end)
            start = y
        end = y + 1
    if end > start:
        yield range(start, end)


def _take(
    y: int,
    strip: Strip,
    seen: Region,
    chops: dict[int, Strip | None],
    missing: dict[int, list[tuple[int, int]]],
) -> None:
    """Take the pieces of a line that are missing there."""
    left: list[tuple[int, int]] = []
    for x, end in missing[y]:
        if x >= seen.x and end <= seen.right:
            chops[x] = strip.crop(x - seen.x, end - seen.x)
        else:
            left.append((x, end))
    if left:
        missing[y] = left
    else:
        del missing[y]
