"""What the lines around a log say: its streams above, the place in it below."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

WIDE = 100
"""Cells from which on there is room for line numbers and whole words."""


@dataclass(frozen=True)
class Place:
    """Which of how many; None where it is not known or not on one."""

    at: int | None
    of: int
    more: bool = False
    """There may be more than ``of``: not everything is searched."""


@dataclass(frozen=True)
class LogStatus:
    """All that is said about the log on screen."""

    labels: tuple[str, ...] = ()
    line_counts: tuple[int | None, ...] = ()
    """Lines of each stream; None while they are not counted."""
    current: int = 0
    line: int | None = None
    """Number of the cursor's line; None while the lines before it are not counted."""
    lines: int | None = None
    error: Place | None = None
    needle: str = ""
    hits: Place | None = None
    hits_only: bool = False
    chosen: int = 0
    """Lines in the range, 0 without a range."""
    following: bool = True
    missed: int = 0
    wrap: bool = False
    size: int = 0
    live: bool = False
    problem: str = ""
    """Why there is nothing to read."""
    notice: str = ""
    """What happened last."""


def size_words(size: int) -> str:
    """A number of bytes in words: ``1.2 MB``."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def tabs_text(status: LogStatus, width: int, *, current: Style) -> Text:
    """The line of streams, the one on screen in brackets, and always in view."""
    text = Text(no_wrap=True, end="")
    for index, words in _tabs(status, width):
        text.append("─")
        text.append(words, current if index == status.current else "")
        text.append("─")
    text.append("─" * (width - text.cell_len))
    text.truncate(width, overflow="ellipsis")
    return text


def tab_at(status: LogStatus, width: int, column: int) -> int | None:
    """The stream whose tab is at a column."""
    end = 0
    for index, words in _tabs(status, width):
        end += cell_len(words) + 2
        if column < end:
            return index
    return None


def _tabs(status: LogStatus, width: int) -> list[tuple[int, str]]:
    """The words of the tabs; where not all fit, they begin with the one on screen."""
    tabs: list[tuple[int, str]] = []
    for index, (label, count) in enumerate(zip(status.labels, status.line_counts, strict=True)):
        words = label if count is None else f"{label} {count:,}"
        tabs.append((index, f"[{words}]" if index == status.current else words))
    fits = sum(cell_len(words) + 2 for _, words in tabs) <= width
    return tabs if fits else tabs[status.current :]


def place_words(status: LogStatus, *, wide: bool) -> str:
    """Left part of the status line: where the cursor is, among errors and hits too."""
    if status.problem:
        return status.problem
    parts = [_line_words(status, wide=wide)]
    if status.chosen:
        parts.append(f"{status.chosen:,} lines chosen")
    if status.error is not None:
        parts.append(_place("error", status.error, wide=wide))
    if status.needle:
        parts.append(_hits(status, wide=wide))
    if status.notice:
        parts.append(status.notice)
    return " · ".join(parts)


def follow_words(status: LogStatus, *, wide: bool) -> str:
    """Right part: following or why not, size, live."""
    follow = "follow" if status.following else "follow off"
    if wide and not status.following:
        follow += " (you scrolled up)"
    parts = [follow]
    if status.wrap:
        parts.append("wrap")
    if wide:
        parts.append(size_words(status.size))
    if status.live:
        parts.append("● live")
    return " · ".join(parts)


def missed_words(status: LogStatus, *, wide: bool) -> str:
    """What is written at the lower right when lines came that are not on screen."""
    words = f"+{status.missed:,} line{'s' * (status.missed != 1)} · G"
    return words + " or click" if wide else words


def _line_words(status: LogStatus, *, wide: bool) -> str:
    if status.lines == 0:
        return "empty"
    lines = f"{status.lines:,}" if status.lines is not None else "…"
    if status.line is None:
        return "counting lines" if wide else "counting"
    return f"line {status.line:,} of {lines}" if wide else f"{status.line:,}/{lines}"


def _place(word: str, place: Place, *, wide: bool) -> str:
    total = f"{place.of:,}{'+' * place.more}"
    if place.at is None:
        return f"{total} {word}{'s' * (place.of != 1 or place.more)}"
    return f"{word} {place.at:,} of {total}" if wide else f"{word} {place.at:,}/{total}"


def _hits(status: LogStatus, *, wide: bool) -> str:
    if status.hits is None:
        return f"/{status.needle}"
    total = f"{status.hits.of:,}{'+' * status.hits.more}"
    words = f"/{status.needle} {total}"
    if wide:
        words += " hit" if status.hits.of == 1 and not status.hits.more else " hits"
    return words + (" only" if status.hits_only else "")
