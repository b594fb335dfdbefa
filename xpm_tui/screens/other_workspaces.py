"""The workspaces that could be opened instead of this one."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich.text import Text

from xpm_tui import look
from xpm_tui.screens.picker import Picker
from xpm_tui.widgets.pick_list import Pick

NOTE = "enter open   esc back"
NAME_WIDTH = 24
"""Cells of a folder's own name: a long path is cut before it."""

NEAR, LATELY = "near here", "used lately"


class OtherWorkspaces(Picker):
    """Those near and those used lately; ends with the path of the one that was chosen."""

    def __init__(self, near: Sequence[str], lately: Sequence[str]) -> None:
        known = (*((NEAR, path) for path in near), *((LATELY, path) for path in lately))
        widths = NAME_WIDTH, len(LATELY)
        picks = [_pick(path, where) for where, path in known]
        super().__init__("Open another workspace", picks, widths=widths, note=NOTE)


def _pick(path: str, where: str) -> Pick:
    name = os.path.basename(path)
    return Pick(path, Text(look.plain(name)), Text(where), Text(look.plain(path)))
