"""The folder that a reading stands on: one that is moved or unmounted meanwhile seems empty.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import os

from xpm_engine.errors import NotAWorkspaceError


class Footing:
    """A folder, as it was when its reading began."""

    def __init__(self, root: str) -> None:
        """Raises NotAWorkspaceError where there is none, OSError where that can't be seen."""
        self.root = root
        self._first = self._identity()

    def check(self) -> None:
        """That it is still the same folder, so that what was absent in it was really absent.

        To be asked after something was read, and before it is believed. Raises NotAWorkspaceError,
        OSError.
        """
        if self._identity() != self._first:
            raise self._gone()

    def _identity(self) -> "tuple[int, int]":
        try:
            found = os.stat(self.root)
        except (FileNotFoundError, NotADirectoryError):
            raise self._gone() from None
        return found.st_dev, found.st_ino

    def _gone(self) -> NotAWorkspaceError:
        return NotAWorkspaceError("the folder is not there any more", where=self.root)
