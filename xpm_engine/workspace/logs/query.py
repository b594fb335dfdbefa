"""What makes a line a hit: a text, or trouble."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from xpm_engine.workspace.logs.text import last_writing, shown_of_long, without_sequences

_TROUBLE = re.compile(
    rb"^Traceback \(most recent call last\):"
    rb"|^(?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|Interrupt)(?::|$)"
    rb"|\b(?:ERROR|CRITICAL|FATAL)\b"
)
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_TROUBLE_WORDS = (
    b"Traceback",
    b"Error",
    b"Exception",
    b"Interrupt",
    b"ERROR",
    b"CRITICAL",
    b"FATAL",
)

_MANY_HITS = 300
"""From so many hits a page on, looking at every line is quicker than looking for hits."""


@dataclass(frozen=True)
class Query:
    """A line is a hit if what is shown holds one of ``words`` (and matches ``pattern``)."""

    words: tuple[bytes, ...]
    fold: bool = False
    """ASCII letters match in both cases; ``words`` are lower case then."""
    pattern: re.Pattern[bytes] | None = None

    def matches(self, line: bytes) -> bool:
        """Whether a line, as it is shown, is a hit."""
        text = line.lower() if self.fold else line
        if not any(word in text for word in self.words):
            return False
        return self.pattern is None or self.pattern.search(text) is not None

    def places(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where the words stand in a shown text, as start and end; for drawing."""
        searched = text.translate(_ASCII_LOWER) if self.fold else text
        found: list[tuple[int, int]] = []
        for word in (raw.decode("utf-8", "surrogateescape") for raw in self.words):
            at = searched.find(word)
            while at >= 0:
                found.append((at, at + len(word)))
                at = searched.find(word, at + len(word))
        return tuple(found)


TROUBLE = Query(_TROUBLE_WORDS, pattern=_TROUBLE)
"""Where ``e`` stops. A line is trouble if it

- begins with ``Traceback (most recent call last):``;
- begins with the (dotted) name of an exception, ending in ``Error``, ``Exception`` or
  ``Interrupt``, alone or before a colon: the last line of a traceback;
- or holds ``ERROR``, ``CRITICAL`` or ``FATAL`` as a whole word in capitals.
"""


def text_query(needle: str) -> Query:
    """Plain text with smart case: a capital letter in it makes capitals matter.

    Letters beyond ASCII are matched as they are written.
    """
    needle = needle.partition("\n")[0]
    word = needle.encode("utf-8", "surrogateescape")
    return Query((word,) if word else (), fold=needle == needle.lower())


def hits(lines: bytes, query: Query, *, line_limit: int) -> list[int]:
    r"""Which lines of a block are hits, as line numbers from 0 in the block.

    ``lines`` are whole lines between ``\n``. One pass of ``bytes.find`` a word; only lines
    found by it are looked at.
    """
    if not lines:
        return []
    plain = without_sequences(lines)
    sure = query.pattern is None and b"\r" not in plain
    folded = plain.lower() if query.fold else plain
    if sure and len(query.words) == 1 and folded.count(query.words[0]) > _MANY_HITS:
        return [
            number
            for number, line in enumerate(folded.split(b"\n"))
            if query.words[0] in (line if len(line) <= line_limit else _shown(line, line_limit))
        ]
    found: list[int] = []
    seen, number = 0, 0
    for start, end in _lines_with(folded, query.words):
        if not (sure and end - start <= line_limit):
            shown = _shown(plain[start:end], line_limit)
            if not query.matches(shown):
                continue
        number += folded.count(b"\n", seen, start)
        seen = start
        found.append(number)
    return found


def _lines_with(text: bytes, words: tuple[bytes, ...]) -> Iterator[tuple[int, int]]:
    """Bounds of the lines that hold one of the words, in order, each once."""
    if len(words) == 1:
        yield from _lines_with_word(text, words[0])
        return
    yield from sorted({bounds for word in words for bounds in _lines_with_word(text, word)})


def _lines_with_word(text: bytes, word: bytes) -> Iterator[tuple[int, int]]:
    at = text.find(word)
    while at >= 0:
        end = text.find(b"\n", at)
        if end < 0:
            end = len(text)
        yield text.rfind(b"\n", 0, at) + 1, end
        at = text.find(word, end)


def _shown(line: bytes, limit: int) -> bytes:
    if len(line) <= limit:
        return last_writing(line)[0]
    return shown_of_long(line[:limit], lambda: line[-limit:])[0]
