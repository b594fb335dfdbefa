"""From a filter's tree to its text."""

from __future__ import annotations

from xpm_engine.filters.grammar import (
    BARE,
    KEYWORDS,
    NAME,
    OPERATOR,
    RANGE,
    All,
    Any,
    Comparison,
    Expression,
    Not,
    Range,
    Text,
    Value,
)


def unparse(expression: Expression) -> str:
    """The text that `parse` reads as the same tree."""
    match expression:
        case Text(text):
            return text if _is_bare_text(text) else quote(text)
        case Comparison(name, op, values):
            return name + op.value + ",".join(map(_value, values))
        case Not(part):
            return "-" + _inner(part)
        case All(parts):
            return " ".join(map(_inner, parts))
        case Any(parts):
            return " or ".join(
                f"({unparse(part)})" if isinstance(part, Any) else unparse(part) for part in parts
            )


def quote(text: str) -> str:
    """A text in quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def is_bare(text: str) -> bool:
    """Whether a value can stand without quotes, and is read as it is."""
    return (
        BARE.fullmatch(text) is not None
        and OPERATOR.match(text) is None
        and RANGE.fullmatch(text) is None
    )


def _inner(part: Expression) -> str:
    return f"({unparse(part)})" if isinstance(part, (All, Any)) else unparse(part)


def _value(value: Value | Range) -> str:
    if isinstance(value, Range):
        return f"{value.low or ''}..{value.high or ''}"
    return quote(value.text) if value.quoted else value.text


def _is_bare_text(text: str) -> bool:
    if BARE.fullmatch(text) is None or OPERATOR.match(text) or text.startswith("-"):
        return False
    name = NAME.match(text)
    is_test = name is not None and OPERATOR.match(text, name.end()) is not None
    return not is_test and text.lower() not in KEYWORDS
