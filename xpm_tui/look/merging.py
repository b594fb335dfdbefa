"""Fewer bytes for the terminal: neighbours that look the same are written as one."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter


class MergeFilter(LineFilter):
    """Joins segments of one style; a blank shows only its background, whatever its other colour.

    Every change of style costs the terminal some 25 bytes, and a row of a table has thirty.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same cells in fewer segments."""
        merged: list[Segment] = []
        for segment in segments:
            if merged and segment.control is None and merged[-1].control is None:
                before = merged[-1]
                style = _joined(before, segment)
                if style is not None:
                    merged[-1] = Segment(before.text + segment.text, style)
                    continue
            merged.append(segment)
        return merged


def _joined(left: Segment, right: Segment) -> Style | None:
    """The style in which both look as they do now; None if there is none."""
    one, other = left.style, right.style
    if one is None or other is None:
        return None
    if one == other:
        return one
    if one.bgcolor != other.bgcolor or _meta(one) != _meta(other):
        return None
    if right.text.isspace() and not _drawn(other) and not _drawn(one):
        return one
    if left.text.isspace() and not _drawn(one) and not _drawn(other):
        return other
    return None


def _meta(style: Style) -> tuple[object, object]:
    return (style.link, style.meta)


def _drawn(style: Style) -> bool:
    """Whether a blank shows more than its background."""
    return bool(style.underline or style.reverse or style.strike or style.overline)
