"""From a filter's text to its tree: recursive descent, one method a rule of `grammar`."""

from __future__ import annotations

import re

from xpm_engine.errors import FilterError
from xpm_engine.filters.faults import fault, shown
from xpm_engine.filters.grammar import (
    BARE,
    BLANKS,
    EMPTY,
    KEYWORDS,
    MOST_CHARACTERS,
    MOST_LEVELS,
    NAME,
    OPERATOR,
    QUOTED,
    RANGE,
    All,
    Any,
    Comparison,
    Expression,
    Not,
    Op,
    Range,
    Text,
    Value,
)

_ESCAPED = re.compile(r'\\(["\\])')


def parse(text: str) -> Expression:
    """The tree of a filter; `EMPTY` for one of blanks only.

    Raises FilterError, with the span of the first fault.
    """
    if len(text) > MOST_CHARACTERS:
        raise FilterError(
            f"a filter of {len(text):,} characters: {MOST_CHARACTERS:,} are the most",
            span=(MOST_CHARACTERS, len(text)),
            hint="say what the jobs have in common, instead of naming each",
        )
    parser = _Parser(text)
    if parser.at_end:
        return EMPTY
    found = parser.any_of(level=0)
    if not parser.at_end:
        raise parser.fault_here("this parenthesis closes nothing", hint="leave it out, or quote it")
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._skip_blanks()

    @property
    def at_end(self) -> bool:
        return self._at == len(self._text)

    def any_of(self, *, level: int) -> Expression:
        parts = [self._all_of(level)]
        while self._keyword() == "or":
            self._take_keyword("or")
            parts.append(self._all_of(level))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all_of(self, level: int) -> Expression:
        parts = [self._one(level)]
        while not self.at_end and not self._here(")") and (word := self._keyword()) != "or":
            if word == "and":
                self._take_keyword("and")
            parts.append(self._one(level))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self, level: int) -> Expression:
        if level > MOST_LEVELS:
            raise self.fault_here(
                f"more than {MOST_LEVELS} levels of parentheses and negations",
                hint="leave out those that change nothing",
            )
        if self._here("-"):
            self._at += 1
            self._skip_blanks()
            return Not(self._one(level + 1))
        if self._here("("):
            return self._group(level)
        if self._here('"'):
            start = self._at
            return self._ended(Text(self._quoted(), (start, self._at)))
        name = NAME.match(self._text, self._at)
        if name is not None and OPERATOR.match(self._text, name.end()):
            return self._ended(self._test(name))
        word = self._keyword()
        if word == "not":
            self._take_keyword("not")
            return Not(self._one(level + 1))
        if word is not None:
            raise self.fault_here(
                f"{word!r} stands between two conditions, and there is none before it",
                length=len(word),
                hint=f'write "{word}" in quotes to look for the word',
            )
        return self._ended(self._bare_text())

    def _group(self, level: int) -> Expression:
        start = self._at
        self._at += 1
        self._skip_blanks()
        found = self.any_of(level=level + 1)
        if not self._here(")"):
            raise fault(
                "this parenthesis is never closed",
                text=self._text,
                span=(start, start + 1),
                hint="add ) where it ends, or quote it to look for it",
            )
        self._at += 1
        self._skip_blanks()
        return found

    def _test(self, name: re.Match[str]) -> Expression:
        self._at = name.end()
        operator = OPERATOR.match(self._text, self._at)
        assert operator is not None
        op = Op(operator[0])
        self._at = operator.end()
        values = [self._value(op)]
        while self._here(","):
            if not op.takes_lists:
                raise self.fault_here(
                    f"no list can follow {op.value}", hint="lists follow : = and !="
                )
            self._at += 1
            values.append(self._value(op))
        return Comparison(name[0], op, tuple(values), name.span())

    def _value(self, op: Op) -> Value | Range:
        start = self._at
        if self._here('"'):
            return Value(self._quoted(), True, (start, self._at))
        bare = BARE.match(self._text, start)
        if bare is None:
            raise self.fault_here(
                f"a value is missing after {self._text[start - 1]}",
                length=0,
                hint="no blanks around an operator or a comma: lr>0.01, seed:1,2",
            )
        self._refuse_operator("a value")
        self._at = bare.end()
        bounds = RANGE.fullmatch(bare[0]) if op.takes_lists else None
        if bounds is not None and (bounds[1] or bounds[2]):
            return Range(bounds[1], bounds[2], bare.span())
        return Value(bare[0], False, bare.span())

    def _bare_text(self) -> Expression:
        bare = BARE.match(self._text, self._at)
        if bare is None:
            raise self._nothing_here()
        self._refuse_operator("a word")
        self._at = bare.end()
        return Text(bare[0], bare.span())

    def _quoted(self) -> str:
        quoted = QUOTED.match(self._text, self._at)
        if quoted is None:
            raise fault(
                "this quote is never closed",
                text=self._text,
                span=(self._at, len(self._text)),
                hint='add " where the text ends; a quote inside it is written \\"',
            )
        self._at = quoted.end()
        return _ESCAPED.sub(r"\1", quoted[1])

    def _ended(self, found: Expression) -> Expression:
        """`found`, which a blank, a parenthesis or the end must follow."""
        before = self._at
        self._skip_blanks()
        if self._at > before or self.at_end or self._here(")"):
            return found
        if self._here(","):
            raise self.fault_here(
                "a comma outside of a list", hint="a list follows a name: seed:1,2,3; else quote it"
            )
        raise self.fault_here(
            f"{shown(self._text[self._at])} in the middle of a word",
            hint='put a blank before it, or quote the whole: "train(x)"',
        )

    def _refuse_operator(self, what: str) -> None:
        operator = OPERATOR.match(self._text, self._at)
        if operator is not None:
            raise self.fault_here(
                f"{what} begins with {operator[0]}",
                length=len(operator[0]),
                hint="no blanks around an operator, and one is enough: lr>0.01; else quote it",
            )

    def _nothing_here(self) -> FilterError:
        if self.at_end:
            return self.fault_here("a condition is missing at the end", length=0)
        if self._here(","):
            return self.fault_here(
                "a comma outside of a list", hint="no blanks around it: seed:1,2"
            )
        return self.fault_here("a condition is missing before this parenthesis")

    def _keyword(self) -> str | None:
        """The keyword that stands here; None if the word is any other, or names a test."""
        bare = BARE.match(self._text, self._at)
        word = None if bare is None else bare[0].lower()
        return word if word in KEYWORDS else None

    def _take_keyword(self, word: str) -> None:
        self._at += len(word)
        self._skip_blanks()

    def _here(self, character: str) -> bool:
        return self._text.startswith(character, self._at)

    def _skip_blanks(self) -> None:
        blanks = BLANKS.match(self._text, self._at)
        assert blanks is not None
        self._at = blanks.end()

    def fault_here(self, what: str, *, length: int = 1, hint: str | None = None) -> FilterError:
        return fault(what, text=self._text, span=(self._at, self._at + length), hint=hint)
