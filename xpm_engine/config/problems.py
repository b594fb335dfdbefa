"""Bad values, collected and told at once."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import FrameType

from xpm_engine.errors import ParameterError

_PACKAGE = __name__.partition(".")[0] + "."


class Mismatch(Exception):  # noqa: N818 (never leaves this package)
    """A value is not of the declared type."""

    def __init__(self, expected: str, got: object, *, path: str = "", note: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.got = got
        self.path = path
        """Where inside the value: ``[2]``, ``['key']``."""
        self.note = note
        """More about it: why an almost right value is refused."""

    def inside(self, step: str) -> Mismatch:
        """The same, seen from the container that holds the value."""
        return Mismatch(self.expected, self.got, path=step + self.path, note=self.note)

    def __str__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        return f"expected {self.expected}, got {describe(self.got)}{note}"


@dataclass(frozen=True)
class Problem:
    """One bad field."""

    field: str
    """``Class.name``, with the place inside a container."""
    text: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text}"


def parameter_error(
    owner: str, problems: Sequence[Problem], *, where: str, hint: str | None = None
) -> ParameterError:
    """The error that names every problem."""
    if len(problems) == 1:
        return ParameterError(str(problems[0]), where=where, hint=hint)
    lines = "".join(f"\n  {problem}" for problem in problems)
    return ParameterError(f"{owner}: {len(problems)} problems{lines}", where=where, hint=hint)


def describe(value: object, limit: int = 60) -> str:
    """A value and its type, for a message; never raises, whatever the value's own repr does."""
    kind = type(value).__name__
    if value is None:
        return "None"
    if type(value) is int and value.bit_length() > 2000:
        return f"an int of {value.bit_length():,} bits"
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 (a user's repr may raise anything)
        return f"{kind} (its repr raises {type(error).__name__})"
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return f"{text} ({kind})"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` where a known name is near, else nothing."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def user_frame() -> FrameType:
    """The nearest frame that is not ours."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        frame = frame.f_back
    return frame


def caller() -> str:
    """``file:line`` of the nearest frame that is not ours."""
    frame = user_frame()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
