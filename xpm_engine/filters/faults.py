"""What is wrong with a filter, with the place underlined."""

from __future__ import annotations

from xpm_engine.errors import FilterError
from xpm_engine.filters.grammar import Span

SHOWN = 60
"""Characters of a long filter that are shown around a fault."""


def fault(what: str, *, text: str, span: Span, hint: str | None = None) -> FilterError:
    """An error that shows the filter `text` with the fault underlined."""
    return FilterError(what, span=span, where=_underlined(text, span), hint=hint)


def shown(text: str) -> str:
    """A piece of a filter as an error quotes it: safe to print, and not too long."""
    safe = "".join(character if character.isprintable() else "�" for character in text)
    return safe if len(safe) <= SHOWN else safe[: SHOWN - 1] + "…"


def _underlined(text: str, span: Span) -> str:
    start, end = span
    first = max(0, start - SHOWN // 2)
    line = "".join(c if c.isprintable() else "�" for c in text[first : first + SHOWN])
    width = max(1, min(end, first + SHOWN) - start)
    margin = " " * len("  where: ")
    return f"{line}\n{margin}{' ' * (start - first)}{'^' * width}"
