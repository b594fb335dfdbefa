"""Numbers, times and what users wrote, in words that fit a line of a terminal.

Most are the command line's words too, and come from there.
"""

from __future__ import annotations

from datetime import datetime

from rich.text import Text

from xpm_engine.words import duration, ordinal, percent, plain, plural, size, when
from xpm_engine.workspace.records.fields import parse_time

__all__ = [
    "ago",
    "cut",
    "duration",
    "hidden_words",
    "ordinal",
    "percent",
    "plain",
    "plural",
    "silence_words",
    "size",
    "when",
    "when_long",
]

SILENT = 90.0
"""Seconds without a sign of a supervisor, which gives one every 30, that are worth telling."""


def silence_words(sign: float | None, now: float) -> str:
    """``no sign for 4 min``; empty where there was one lately, or none is known of."""
    if sign is None or now - sign < SILENT:
        return ""
    return f"no sign for {duration(now - sign)}"


def when_long(text: str | None, now: float) -> str:
    """With day and minute: ``today 09:12``, ``3 Nov 18:40``."""
    day = when(text, now)
    seconds = parse_time(text) if text else None
    if seconds is None:
        return day
    clock = f"{datetime.fromtimestamp(seconds):%H:%M}"  # noqa: DTZ006
    return f"today {clock}" if day == clock else f"{day} {clock}"


def ago(seconds: float) -> str:
    """``now``, ``2 s ago``, ``4 min ago``."""
    return "now" if seconds < 1.5 else f"{duration(round(seconds))} ago"


def cut(text: Text, width: int, *, right: bool = False) -> Text:
    """A copy that is exactly `width` cells wide: padded, or cut with an ellipsis."""
    if width <= 0:
        return Text(end=text.end)
    text = text.copy()
    if text.cell_len > width:
        text.truncate(width, overflow="ellipsis")
    pad = width - text.cell_len
    if pad > 0 and right:
        text.pad_left(pad)
    elif pad > 0:
        text.pad_right(pad)
    return text


def hidden_words(marks: int) -> str:
    """What is said of marked jobs that the filter hides, whenever something acts on marks."""
    return f"{plural(marks, 'marked job')} hidden by the filter: left alone"
