"""A workspace that is moved away at the n-th look at something in it.

As a program it stands for the Python of another machine: ``vanishing.py ROOT N -I -c CODE``.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

AWAY = "-away"

_LOOKS = ((os, "lstat"), (os, "stat"), (os, "listdir"), (os, "scandir"), (os, "open"))


class Vanishing:
    """Counts the looks, and moves the workspace away just before one of them."""

    def __init__(self, root: str, at: int) -> None:
        """`at` counts from 1; 0 is never."""
        self.root = root
        self.looks = 0
        self._at = at

    @property
    def gone(self) -> bool:
        return 0 < self._at <= self.looks

    def come_back(self) -> None:
        if self.gone:
            os.rename(self.root + AWAY, self.root)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Meanwhile the looks of this process are counted."""
        places: list[tuple[Any, str]] = [*_LOOKS, (builtins, "open")]
        real = [(place, name, getattr(place, name)) for place, name in places]
        for place, name, function in real:
            setattr(place, name, self._counted(function))
        try:
            yield
        finally:
            for place, name, function in real:
                setattr(place, name, function)

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(path: Any = ".", *arguments: Any, **options: Any) -> Any:
            if isinstance(path, str) and path.startswith(self.root):
                self.looks += 1
                if self.looks == self._at:
                    os.rename(self.root, self.root + AWAY)
            return function(path, *arguments, **options)

        return counted


if __name__ == "__main__":
    code = sys.argv[-1]
    with Vanishing(sys.argv[1], int(sys.argv[2])).watching():
        exec(code)
