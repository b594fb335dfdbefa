"""Numbers, times and what users wrote, in words that fit a line."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

from xpm_engine.workspace.records.fields import parse_time
from xpm_engine.workspace.records.reasons import Wait, WaitKind
from xpm_engine.workspace.scan import JobRecord

MAX_PLAIN = 10_000
"""Characters of a user's text that are looked at; more would never fit on a screen."""


def plain(text: object) -> str:
    """What a user wrote, safe to print in one line: no control or escape characters.

    A line break becomes ``⏎``; every other character that could steer a terminal, turn the
    direction of writing or stand for nothing becomes ``�``.
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
    """``12 s``, ``9 min``, ``2 h``, ``3 d``: one unit, two below ten hours."""
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


def plural(count: int, word: str, words: str | None = None) -> str:
    """``1 job``, ``1,204 jobs``."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``13th``."""
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


STALE = 60.0
"""Seconds after which the word of another host is told with its time."""


def as_of_words(record: JobRecord, now: float) -> str:
    """``as of 17:40 on alpha`` where what is known of a live far job is old; else empty."""
    mirror = record.mirror
    if mirror is None or not record.state.live:
        return ""
    at = parse_time(mirror.as_of)
    if at is None or now - at <= STALE:
        return ""
    return f"as of {when(mirror.as_of, now)} on {plain(mirror.of)}"


def wait_words(wait: Wait) -> str:
    """Why a job waits: ``waits for a free core, 1st``."""
    place = f", {ordinal(wait.place)}" if wait.place else ""
    taken = (f" on {plain(wait.host)}" if wait.host else "") + _taken(wait)
    names = [f"{key.task} {key.short}" for key in wait.on]
    on = ", ".join(names[:2])
    if len(names) > 2:
        on += f" and {len(names) - 2} more"
    match wait.kind:
        case WaitKind.UPSTREAM_FAILED:
            root = names[-1] if names else "something upstream"
            through = f", upstream of {names[0]}" if len(names) > 1 else ""
            return f"blocked: {root} {plain(wait.what) or 'failed'}{through}"
        case WaitKind.STOPPED:
            return f"is not started any more: {on or 'a job'} failed"
        case WaitKind.DEPENDENCY:
            return f"waits for {on or 'a job'}"
        case WaitKind.CORE:
            return f"waits for a free core{place}{taken}"
        case WaitKind.RETRY:
            return "waits to be tried again" + (f": {plain(wait.what)}" if wait.what else "")
        case WaitKind.SHARED:
            return f"waits for {on or 'another job'} to leave the folder that they share{taken}"
        case WaitKind.HOST:
            return f"waits for {plain(wait.host)}: {plain(wait.what)}; it was not sent yet"
        case WaitKind.RESULT:
            trouble = f" ({plain(wait.what)})" if wait.what else ""
            return f"waits for the result of {on or 'a job'} from {plain(wait.host)}{trouble}"
        case WaitKind.SENT:
            return (
                f"was sent to {plain(wait.host)}, and may run there: {plain(wait.what)}; "
                "it goes on when the host is back (is it gone for good? end the plan, then "
                f"xpm retry {wait.key.short} --assume-dead)"
            )
        case WaitKind.CLEANING:
            return "waits for a clean to end"
        case WaitKind.RESOURCE | WaitKind.TOKEN:
            return f"waits for {plain(wait.what) or wait.kind.value}{place}{taken}"


def _taken(wait: Wait) -> str:
    """``: 2 of 2 taken by ir.learn 13377a``; empty where that is not told."""
    if not wait.total:
        return ""
    count = size if wait.what == "memory" and wait.kind is WaitKind.RESOURCE else str
    text = f": {count(wait.used)} of {count(wait.total)} taken"
    if wait.on:
        text += " by " + ", ".join(f"{key.task} {key.short}" for key in wait.on)
    if wait.behind:
        text += f", and {plain(wait.behind)} was here before"
    return text
