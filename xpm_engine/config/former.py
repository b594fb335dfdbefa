"""What a class or a parameter was called before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

C = TypeVar("C", bound=type)


class NoFormer(Exception):  # noqa: N818 (an answer of a converter, not an error)
    """Raised by a converter: today's value could not be written the old way."""


@dataclass(frozen=True, eq=False)
class Deprecated:
    """A former name, of a class (as its decorator) or of a parameter (in `field`)."""

    name: str
    to_former: Callable[[Any], object] | None = None
    to_current: Callable[[Any], object] | None = None

    NoFormer: ClassVar[type[NoFormer]] = NoFormer

    def __call__(self, cls: C) -> C:
        """Say that the class was called so."""
        former: tuple[str, ...] = cls.__dict__.get("_xpm_former", ())
        cls._xpm_former = (*former, self.name)  # type: ignore[attr-defined]
        _renamed[self.name] = cls
        return cls


def deprecated(
    name: str,
    *,
    to_former: Callable[[Any], object] | None = None,
    to_current: Callable[[Any], object] | None = None,
) -> Deprecated:
    """Say what a class or a parameter was called, so that old results are found and adopted.

    On a class: ``@deprecated("old.module.OldName")`` (its full type name). On a parameter:
    ``epochs: Param[int] = field(default=4, deprecated=deprecated("max_epoch"))``; where its
    meaning changed too, `to_former` turns today's value into the old one (raise
    ``Deprecated.NoFormer`` where there was none) and `to_current` an old one into today's.
    """
    global _any  # noqa: PLW0603 (a process has former names or none)
    _any = True
    return Deprecated(name, to_former, to_current)


_any = False

_renamed: dict[str, type] = {}
"""Former full type name -> the class that says it was called so."""


def renamed_class(name: str) -> type | None:
    """The class that was called so, if it was met in this process."""
    return _renamed.get(name)


def former_names() -> bool:
    """Whether anything in this process was called otherwise."""
    return _any
