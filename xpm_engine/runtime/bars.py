"""Loops that say how far they are: `track`, and a stand-in for the tqdm package."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any, Generic, TextIO, TypeVar

from xpm_engine.runtime.progress import one_line, reporter
from xpm_engine.workspace.records.jobs import ProgressLevel

T = TypeVar("T")


def track(
    iterable: Iterable[T],
    *,
    desc: str | None = None,
    total: float | None = None,
    level: int | None = None,
) -> Iterator[T]:
    """Go through `iterable`, and say how far that is.

    `total` is how many items there are, where that can't be asked. A loop inside another one is
    a level below it, unless `level` says otherwise (see `progress`). Outside of a job the items
    are all there is.
    """
    with tqdm(iterable, desc, total, position=level) as bar:
        yield from bar


class tqdm(Generic[T]):  # noqa: N801 (the name it stands in for)
    """A progress bar in place of tqdm's: the same calls, told to the app, nothing printed.

    Options that are about how a bar looks are taken and not used. A bar inside another one is a
    level below it; `position` says the level itself. Safe to use outside of a job.
    """

    def __init__(
        self,
        iterable: Iterable[T] | None = None,
        desc: str | None = None,
        total: float | None = None,
        leave: bool | None = True,
        *,
        initial: float = 0,
        position: int | None = None,
        disable: bool | None = False,
        **look: object,
    ) -> None:
        if total is None and isinstance(iterable, Sized):
            total = len(iterable)
        self.iterable = iterable
        self.disable = bool(disable)
        self.leave = leave
        self._count = _Count(initial, total, desc)
        self._reporter = None if disable else reporter()
        if self._reporter is not None:
            level = len(_open) if position is None else abs(position)
            self.pos = self._reporter.show(self._count, level)
            _open.add(self)

    def __iter__(self) -> Iterator[T]:
        count, reporter_ = self._count, self._reporter
        try:
            for item in self.iterable or ():
                yield item
                count.n += 1
                if reporter_ is not None and not reporter_.dirty:
                    reporter_.moved()
        finally:
            self.close()

    def __len__(self) -> int:
        if self._count.total is not None:
            return int(self._count.total)
        if isinstance(self.iterable, Sized):
            return len(self.iterable)
        raise TypeError("the length of this bar is not known")

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> tqdm[T]:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    @property
    def n(self) -> float:
        """How many are done."""
        return self._count.n

    @n.setter
    def n(self, value: float) -> None:
        self._count.n = value
        self.refresh()

    @property
    def total(self) -> float | None:
        """How many there are."""
        return self._count.total

    @total.setter
    def total(self, value: float | None) -> None:
        self._count.total = value
        self.refresh()

    @property
    def desc(self) -> str:
        """What is going on."""
        return self._count.desc

    def update(self, n: float | None = 1) -> None:
        """Say that `n` more are done."""
        self._count.n += 1 if n is None else n
        self.refresh()

    def set_description(self, desc: str | None = None, refresh: bool = True) -> None:
        """Say what is going on."""
        self._count.desc = "" if desc is None else one_line(desc)
        self.refresh()

    set_description_str = set_description

    def set_postfix(
        self,
        ordered_dict: Mapping[str, object] | None = None,
        refresh: bool = True,
        **values: object,
    ) -> None:
        """Say some values along with how far it is."""
        told = {**(ordered_dict or {}), **values}
        self.set_postfix_str(", ".join(f"{name}={_short(value)}" for name, value in told.items()))

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        """Say something along with how far it is."""
        self._count.postfix = one_line(s)
        self.refresh()

    def refresh(self, *args: object, **look: object) -> None:
        """Have it written soon."""
        if self._reporter is not None and not self._reporter.dirty:
            self._reporter.moved()

    def reset(self, total: float | None = None) -> None:
        """Begin again."""
        self._count.n = 0
        if total is not None:
            self._count.total = total
        self.refresh()

    def close(self) -> None:
        """Let it go; a second time does nothing."""
        told, self._reporter = getattr(self, "_reporter", None), None
        if told is not None:
            _open.discard(self)
            told.hide(self._count)

    def clear(self, *args: object, **look: object) -> None:
        """Nothing is on a screen that could be cleared."""

    unpause = clear

    @classmethod
    def write(
        cls, s: str, file: TextIO | None = None, end: str = "\n", nolock: bool = False
    ) -> None:
        """Print a text, as print does."""
        (sys.stdout if file is None else file).write(s + end)


def trange(*args: int, **options: Any) -> tqdm[int]:
    """``tqdm(range(...))``."""
    return tqdm(range(*args), **options)


class _Count:
    """Where a bar is: what the reporter asks, and keeps when the bar itself is forgotten."""

    def __init__(self, n: float, total: float | None, desc: str | None) -> None:
        self.n = n
        self.total = total
        self.desc = "" if desc is None else one_line(desc)
        self.postfix = ""

    def now(self) -> ProgressLevel:
        n, total = self.n, self.total
        done = f"{n:,g}" if isinstance(n, float) else f"{n:,}"
        if total:
            done += f"/{total:,}"
        fraction = min(1.0, max(0.0, n / total)) if total else 0.0
        return ProgressLevel(fraction, " ".join(filter(None, (self.desc, done, self.postfix))))


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value).strip()


_open: weakref.WeakSet[tqdm[Any]] = weakref.WeakSet()
"""The bars that are not closed."""
