r"""Regular expressions that a person types while a screen waits: those that could stall it are
refused.

Python's `re` goes back over a text when a match fails: with each repeat the ways to divide the text
multiply, and a repeat in a repeat, ``(a+)+``, makes them exponential. So a group that repeats may
neither repeat nor branch inside, few repeats are open, and only the beginning of a text is looked
at. Searching needs no more: ``(nan|inf)+`` finds what ``nan|inf`` does.
"""

from __future__ import annotations

import re
import warnings

LOOKED_AT = 500
"""Characters of a text that a pattern is looked for in."""

MOST_REPEATS = 2
"""Repeats without a bound that one pattern may have, those of digits and blanks left aside."""

NARROW = 20
"""So long the runs of digits and of blanks are taken to be."""

MOST_CHARACTERS = 1_000

_MOST_WAYS = (NARROW + 1) ** 3 * 16
"""Of dividing a text among the other repeats: three numbers, and four ``?`` besides."""

_NARROW_ATOMS = frozenset((r"\d", r"\s", "[0-9]", "[0-9.]", " "))
_LEADING = re.compile(r"\.\*(?![?+*{])")
"""What a search does by itself, and then again at every place of the text."""

_TOKEN = re.compile(
    r"""
      (?P<escape>  \\. )
    | (?P<set>     \[ \^? \]? (?: \\. | [^\]\\] )* \] )
    | (?P<hidden>  \(\? (?: \# | \( | [a-wyz]*x ) )
    | (?P<open>    \( (?: \? (?: P?<[^=!>)][^>)]*> | <[=!] | [^)] ) )? )
    | (?P<close>   \) )
    | (?P<branch>  \| )
    | (?P<repeat>  (?: [*+?] | \{ (?: \d+ (?: ,\d* )? | , \d* ) \} ) [?+]? )
    | (?P<other>   . )
    """,
    re.VERBOSE | re.DOTALL,
)


def compile_pattern(text: str) -> re.Pattern[str]:
    """The pattern, for searching without regard to case.

    Raises ValueError, with what is wrong in words, for one that cannot be read or could take
    for ever.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"a pattern has at most {MOST_CHARACTERS:,} characters")
    text = text[leading.end() :] if (leading := _LEADING.match(text)) else text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what `re` warns of is what a later Python refuses
            pattern = re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    _refuse_slow(text)
    return pattern


def _refuse_slow(text: str) -> None:
    """Walk over a pattern that `re` accepts; raises ValueError where it could take for ever."""
    varied = [False]  # for each group that is open: whether something in it repeats or branches
    group_varies = False  # whether what stands right before is a group of which that is so
    dots = False  # whether nothing but dots stands since the last .*
    atom = ""
    wide, ways = 0, 1
    for token in _TOKEN.finditer(text):
        kind, found = token.lastgroup, token[0]
        if kind == "repeat":
            spread = _spread(found)
            if group_varies and found[0] != "?":
                raise ValueError("a group that repeats may neither repeat nor branch inside")
            if atom == "." and spread >= LOOKED_AT:
                if dots:
                    raise ValueError("one .* does what two in a row do")
                dots = True
            if spread > NARROW and atom not in _NARROW_ATOMS:
                wide += 1
            else:
                ways *= 1 + min(spread, NARROW)
            varied[-1] = varied[-1] or spread > 0
            continue
        if kind == "hidden":
            raise ValueError("comments, conditions and the flag x are not known here")
        group_varies = False
        if kind == "open":
            varied.append(False)
        elif kind == "close":
            group_varies = varied.pop()
            varied[-1] = varied[-1] or group_varies
        elif kind == "branch":
            varied[-1] = True
        atom = found
        dots = dots and atom == "."
    if wide > MOST_REPEATS or ways > _MOST_WAYS:
        raise ValueError(f"too many repeats: at most {MOST_REPEATS} without a bound")


def _spread(repeat: str) -> int:
    """How many counts a repeat allows besides its least, as far as they matter."""
    kind = repeat.rstrip("?+") or repeat[0]
    if kind == "?":
        return 1
    if kind[0] != "{":
        return LOOKED_AT
    low, comma, high = kind.strip("{}").partition(",")
    if not comma:
        return 0
    return min(LOOKED_AT, int(high) - int(low or 0)) if high else LOOKED_AT
