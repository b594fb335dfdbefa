"""What a terminal would show of one line: clean text, its colours, how often it was rewritten."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

_SEQUENCE = (
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*(?:[@-~]|$)"  # CSI: colours, cursor moves; cut off at the end of a live line
    r"|\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)"  # OSC: titles, links
    r"|[PX^_][^\x1b\r\n]*\x1b\\"  # DCS and the like
    r"|[ -/]*[0-OQ-WYZ`-~\\]"  # two or three characters: character sets, save cursor
    r")"
)
_TOKEN = re.compile(
    _SEQUENCE + r"|[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
_BYTES_SEQUENCE = re.compile(_SEQUENCE.replace("|$)", ")").encode())
_TAB = 8

Colour = int | tuple[int, int, int] | None
"""A number of the terminal's palette (0 to 255), red-green-blue, or the default colour."""


@dataclass(frozen=True)
class Look:
    """How a stretch of text was coloured by its writer (SGR, ECMA-48 8.3.117)."""

    foreground: Colour = None
    background: Colour = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False


PLAIN = Look()


@dataclass(frozen=True)
class Span:
    """The look of ``text[start:end]``."""

    start: int
    end: int
    look: Look


@dataclass(frozen=True)
class Line:
    """One line of a log, safe to print: no control character is left in it."""

    text: str
    spans: tuple[Span, ...] = ()
    """Where the writer asked for a colour, in order; colours end with their line."""
    rewrites: int = 0
    r"""How many times a progress bar wrote the line again (``\r``); its last text is shown."""
    hidden: int = 0
    """How many bytes of a very long line are not in ``text``."""


def last_writing(raw: bytes) -> tuple[bytes, int]:
    r"""What is left on screen of a line without its ``\n``, and how often it was rewritten.

    A text after a carriage return replaces the one before it. Returns at either end write
    nothing (``\r\n`` ends a line; progress bars start with ``\r``), so they are not counted.
    """
    if b"\r" not in raw:
        return raw, 0
    written = raw.strip(b"\r")
    return written[written.rfind(b"\r") + 1 :], written.count(b"\r")


def without_sequences(raw: bytes) -> bytes:
    """Bytes without terminal sequences; line ends stay where they are."""
    return _BYTES_SEQUENCE.sub(b"", raw) if b"\x1b" in raw else raw


def clean(raw: bytes, *, cut: bool = False) -> tuple[str, tuple[Span, ...]]:
    r"""Text and looks of bytes that hold no line end; never raises.

    Bytes that are not UTF-8 are shown as ``\xff``, control characters as their pictures (``␀``),
    tabs as blanks; backspaces are dropped. With ``cut``, a character cut at the end is dropped.
    """
    text, _ = codecs.utf_8_decode(raw, "backslashreplace", not cut)
    if _TOKEN.search(text) is None:
        return text, ()
    pieces: list[str] = []
    spans: list[Span] = []
    look, length, done = PLAIN, 0, 0

    def add(piece: str) -> None:
        nonlocal length
        if not piece:
            return
        if look != PLAIN:
            if spans and spans[-1].end == length and spans[-1].look == look:
                spans[-1] = replace(spans[-1], end=length + len(piece))
            else:
                spans.append(Span(length, length + len(piece), look))
        pieces.append(piece)
        length += len(piece)

    for token in _TOKEN.finditer(text):
        add(text[done : token.start()])
        done = token.end()
        found = token.group()
        if found == "\t":
            add(" " * (_TAB - length % _TAB))
        elif len(found) == 1:
            add(_picture(found))
        elif found.startswith("\x1b[") and found.endswith("m"):
            look = _after(look, found[2:-1])
    add(text[done:])
    return "".join(pieces), tuple(spans)


def _picture(control: str) -> str:
    code = ord(control)
    if code == 0x08:
        return ""
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"


_SWITCHES: dict[int, dict[str, bool]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"reverse": True},
    9: {"strike": True},
    21: {"underline": True},
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    27: {"reverse": False},
    29: {"strike": False},
}


def _after(look: Look, parameters: str) -> Look:
    """The look after one SGR sequence; what is not understood changes nothing."""
    numbers = [int(part[:4]) if part.isdecimal() else 0 for part in re.split("[;:]", parameters)]
    at = 0
    while at < len(numbers):
        number = numbers[at]
        at += 1
        if number == 0:
            look = PLAIN
        elif number in _SWITCHES:
            look = replace(look, **_SWITCHES[number])
        elif number in (38, 48):
            colour, at = _long_colour(numbers, at)
            look = _coloured(look, background=number == 48, colour=colour)
        elif 30 <= number <= 37 or 90 <= number <= 97:
            look = replace(look, foreground=number - 30 if number < 40 else number - 82)
        elif 40 <= number <= 47 or 100 <= number <= 107:
            look = replace(look, background=number - 40 if number < 50 else number - 92)
        elif number in (39, 49):
            look = _coloured(look, background=number == 49, colour=None)
    return look


def _coloured(look: Look, *, background: bool, colour: Colour) -> Look:
    return replace(look, background=colour) if background else replace(look, foreground=colour)


def _long_colour(numbers: list[int], at: int) -> tuple[Colour, int]:
    """The colour behind ``38`` or ``48`` (``5;N`` or ``2;R;G;B``), and where to read on."""
    kind = numbers[at] if at < len(numbers) else None
    if kind == 5 and at + 1 < len(numbers):
        return min(numbers[at + 1], 255), at + 2
    if kind == 2 and at + 3 < len(numbers):
        red, green, blue = (min(value, 255) for value in numbers[at + 1 : at + 4])
        return (red, green, blue), at + 4
    return None, len(numbers)


def shown_of_long(head: bytes, tail: Callable[[], bytes]) -> tuple[bytes, bool]:
    """What is shown of a line longer than the limit: its start, or the end of a progress bar.

    ``head`` and ``tail()`` are its first and last bytes, as many as the limit. Also tells whether
    the end was taken.
    """
    if b"\r" not in head.strip(b"\r"):
        return head.strip(b"\r"), False
    return last_writing(tail())[0], True


def edge_returns(head: bytes, tail: bytes) -> int:
    """How many returns at the two ends of a long line write nothing."""
    return len(head) - len(head.lstrip(b"\r")) + len(tail) - len(tail.rstrip(b"\r"))
