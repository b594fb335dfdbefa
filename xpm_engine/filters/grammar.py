"""What a filter is made of: frozen trees, and the characters that names and words may have.

::

    filter = [ any ] ;                      any = all { "or" all } ;
    all    = one { [ "and" ] one } ;        one = ( "not" | "-" ) one | "(" any ")" | test | text ;
    test   = name op value { "," value } ;  (no blanks around op and comma; a list after : = !=)
    op     = ":" | "=" | "!=" | "~" | "!~" | "<" | "<=" | ">" | ">=" ;
    value  = quoted | range | bare ;        range = number ".." [ number ] | ".." number ;
    text   = quoted | bare ;                name = ident { "." ident } ;
    bare   = char { char } ;                (no blank, quote, comma, parenthesis)
    quoted = '"' { char | '\\"' | '\\\\' } '"' ;
    number = decimal [ unit ] | date | "today" | "yesterday" ;
    date   = YYYY-MM-DD [ "T" hh:mm [ ":" ss ] ] ;

Beyond the grammar, a bare text or value may not begin with an operator: ``lr >0.01`` and ``a==b``
are slips, and read as text they would select the wrong jobs. Quoted, it may.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

MOST_CHARACTERS = 100_000
"""The longest filter that is read."""

MOST_LEVELS = 50
"""How deep parentheses and negations may stand in each other."""

Span: TypeAlias = tuple[int, int]
"""Where something begins and ends in the text of a filter."""

_IDENT = r"\w[\w@/+%-]*"
_DECIMAL = r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:e[+-]?[0-9]+)?"
_UNIT = r"(?:ms|s|m|h|d|w|%|b|kb|mb|gb|tb|kib|mib|gib|tib)"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:t[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?"
_NUMBER = rf"(?:{_DATE}|today|yesterday|{_DECIMAL}{_UNIT}?)"

NAME = re.compile(rf"{_IDENT}(?:\.{_IDENT})*")
"""A name; besides letters, digits and ``_``, what metrics and tags are called: ``ndcg@10``."""

OPERATOR = re.compile(r"!=|!~|<=|>=|[:=~<>]")
BARE = re.compile(r"[^\s\",()]+")
QUOTED = re.compile(r'"((?:[^"\\]|\\["\\]|\\(?!["\\]))*)"')
"""A backslash that stands before neither a quote nor a backslash is itself."""

BLANKS = re.compile(r"\s*")
NUMBER = re.compile(_NUMBER, re.IGNORECASE | re.ASCII)
DECIMAL = re.compile(rf"({_DECIMAL})({_UNIT}?)", re.IGNORECASE | re.ASCII)
RANGE = re.compile(rf"({_NUMBER})?\.\.({_NUMBER})?", re.IGNORECASE | re.ASCII)

KEYWORDS = frozenset(("and", "or", "not"))


class Op(Enum):
    """How a test compares."""

    HOLDS = ":"
    """Numbers equal, text contains."""
    EQUAL = "="
    """Numbers equal, the whole text is the same."""
    NOT_EQUAL = "!="
    """Exactly what `EQUAL` does not select."""
    MATCHES = "~"
    """A regular expression is found in the text."""
    NOT_MATCHES = "!~"
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="

    @property
    def takes_lists(self) -> bool:
        """Whether several values, and ranges, may follow."""
        return self in (Op.HOLDS, Op.EQUAL, Op.NOT_EQUAL)

    @property
    def negative(self) -> bool:
        """Whether it selects exactly what its counterpart does not."""
        return self in (Op.NOT_EQUAL, Op.NOT_MATCHES)


@dataclass(frozen=True)
class Value:
    """What a name is compared with, as it was typed."""

    text: str
    """Without its quotes."""
    quoted: bool = False
    """Quoted, it is text, whatever it looks like."""
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Range:
    """From a number to a number, both included; None where a side is open, never both."""

    low: str | None
    high: str | None
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Text:
    """Something that the job's id, task, experiment, tags or reason holds."""

    text: str
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Comparison:
    """A name, compared with values: one match is enough."""

    name: str
    op: Op
    values: tuple[Value | Range, ...]
    """More than one, and ranges, only where the operator takes lists."""
    span: Span = field(default=(0, 0), compare=False)
    """Of the name."""


@dataclass(frozen=True)
class Not:
    part: Expression


@dataclass(frozen=True)
class All:
    parts: tuple[Expression, ...]
    """None at all in an empty filter, which selects every job; else two or more."""


@dataclass(frozen=True)
class Any:
    parts: tuple[Expression, ...]
    """Two or more."""


Expression: TypeAlias = Text | Comparison | Not | All | Any
EMPTY = All(())
