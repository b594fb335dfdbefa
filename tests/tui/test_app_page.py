"""The page about the app is current: its keys are those of the table, its pictures exist.

With ``XPM_PICTURES`` set, the keys are written anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from xpm_tui.actions.action import Place
from xpm_tui.actions.table import ACTIONS
from xpm_tui.screens.help import action_keys

PAGE = Path(__file__).parents[2] / "docs" / "app.md"
BEGIN, END = "<!-- keys -->\n", "<!-- end of keys -->\n"


def test_the_keys_of_the_page_are_those_of_the_app() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    told, _, after = rest.partition(END)
    current = "".join(f"{line}\n" for line in keys_table())
    if os.environ.get("XPM_PICTURES"):
        PAGE.write_text(before + BEGIN + current + END + after, encoding="utf-8")
    else:
        assert told == current, "run this test with XPM_PICTURES=1"


def test_the_pictures_of_the_page_exist() -> None:
    found = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert found
    for path in found:
        assert (PAGE.parent / path).is_file(), path


def keys_table() -> Iterator[str]:
    """A table for each place, in the order of the help."""
    for place in Place:
        actions = [action for action in ACTIONS if action.place is place]
        if not actions:
            continue
        yield f"### {place.value[0].upper()}{place.value[1:]}"
        yield ""
        yield "| keys | |"
        yield "|---|---|"
        for action in actions:
            keys = " ".join(f"<kbd>{_html(key)}</kbd>" for key in action_keys(action))
            yield f"| {keys} | {_html(action.help)} |"
        yield ""


def _html(text: str) -> str:
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;")):
        text = text.replace(sign, name)
    return text
