r"""Regular expressions that a person types while a screen waits: those that could stall it are
refused.

Python's `re` goes back over a text when a match fails. A repeat in a repeat, ``(a+)+``, makes that
exponential, and each further open repeat, ``.*``, costs another factor of the text's length. So
groups that repeat may neither repeat nor branch inside, open repeats are few, and only the
beginning of a text is looked at. Searching needs no more: ``(nan|inf)+`` finds what ``nan|inf``
does.
"""

from __future__ import annotations

import re
import warnings

LOOKED_AT = 500
"""Characters of a text that a pattern is looked for in."""

MOST_REPEATS = 3
"""Repeats without a bound that one pattern may have."""

MOST_CHARACTERS = 1_000

_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_GROUP = re.compile(r"\((?:\?(?:P?<[^=!>)][^>)]*>|<[=!]|[^)]))?")
_QUANTIFIER = re.compile(r"([*+?]|\{\d*(?:,\d*)?\})[?+]?")
_VERBOSE = re.compile(r"\(\?[a-wyz]*x", re.IGNORECASE)
_FIXED = re.compile(r"\{\d+\}")


def compile_pattern(text: str) -> re.Pattern[str]:
    """The pattern, for searching without regard to case.

    Raises ValueError, with what is wrong in words, for one that cannot be read or could take
    for ever.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"a pattern has at most {MOST_CHARACTERS:,} characters")
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
    if _VERBOSE.search(text):
        raise ValueError("the flag x is not known here")
    varied = [False]  # for each group that is open: whether something in it repeats or branches
    last_varies = False
    repeats = 0
    at = 0
    while at < len(text):
        character = text[at]
        quantifier = _QUANTIFIER.match(text, at)
        if quantifier is not None and quantifier[1] != "{}":
            at = quantifier.end()
            kind = quantifier[1]
            if last_varies and kind != "?":
                raise ValueError("a group that repeats may neither repeat nor branch inside")
            varied[-1] = varied[-1] or not _FIXED.fullmatch(kind)
            repeats += kind in "*+" or kind.endswith(",}")
            continue
        last_varies = False
        if character == "\\":
            at += 2
        elif character == "[" and (found := _CLASS.match(text, at)):
            at = found.end()
        elif character == "(" and (found := _GROUP.match(text, at)):
            varied.append(False)
            at = found.end()
        elif character == ")" and len(varied) > 1:
            last_varies = varied.pop()
            varied[-1] = varied[-1] or last_varies
            at += 1
        else:
            varied[-1] = varied[-1] or character == "|"
            at += 1
    if repeats > MOST_REPEATS:
        raise ValueError(f"at most {MOST_REPEATS} repeats without a bound (* + {{n,}})")
