"""Numbers, times and what users wrote, in words that fit a line of a terminal."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

from rich.text import Text

from xpm_engine.workspace.records.fields import parse_time

MAX_PLAIN = 10_000
"""Characters of a user's text that are looked at; more would never fit on a screen."""


def plain(text: object) -> str:
    """What a user wrote, safe to draw in one line: no control or escape characters, no markup.

    A line break becomes ``⏎``, every other character that could steer a terminal, turn the
    direction of writing or stand for nothing becomes ``�``. Give the result to `rich.text.Text`,
    never to something that reads markup.
    """
    words = str(text)[:MAX_PLAIN]
    if words.isascii() and words.isprintable():
        return words
    return "".join(map(_plain_character, words))


def _plain_character(character: str) -> str:
    if character.isprintable():
        return character
    if character == "\n":
        return "⏎"
    if character == "\t" or unicodedata.category(character) == "Zs":
        return " "
    return "�"


def percent(fraction: float) -> str:
    """``58 %``; 100 only for the whole."""
    return f"{100 if fraction >= 1.0 else min(99, int(fraction * 100 + 0.5))} %"


def duration(seconds: float) -> str:
    """``12 s``, ``9 min``, ``2 h``, ``3 d``: one unit, two below ten of the larger."""
    seconds = max(0.0, seconds)
    if seconds < 59.5:
        return f"{seconds:.0f} s" if seconds >= 9.95 or seconds == 0 else f"{seconds:.1f} s"
    minutes = seconds / 60
    if minutes < 59.5:
        return f"{minutes:.0f} min"
    hours, rest = divmod(round(minutes), 60)
    if hours < 10 and rest:
        return f"{hours} h {rest} min"
    if hours < 48:
        return f"{round(minutes / 60)} h"
    return f"{round(minutes / 60 / 24)} d"


def size(count: int) -> str:
    """``580 MB``, ``1.1 GB``: decimal units, as disks are sold and quotas counted."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5 or (unit == "GB" and value < 9999.5):
            return f"{value:.1f} {unit}" if unit != "B" and value < 9.95 else f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def when(text: str | None, now: float) -> str:
    """A record's time for people, in the local zone: ``09:12``, ``yesterday``, ``3 Nov``.

    `now` is seconds since 1970. Empty for an absent time, the raw text for one that is damaged.
    """
    if not text:
        return ""
    seconds = parse_time(text)
    if seconds is None:
        return plain(text)
    then, today = datetime.fromtimestamp(seconds), datetime.fromtimestamp(now)  # noqa: DTZ006
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if then.date() == today.date() - timedelta(days=1):
        return "yesterday"
    return f"{then.day} {then:%b}" if then.year == today.year else f"{then.day} {then:%b %Y}"


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


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``13th``."""
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def plural(count: int, word: str, words: str | None = None) -> str:
    """``1 job``, ``1,204 jobs``."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"


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
