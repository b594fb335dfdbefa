"""The keys, and what they do here: also those that do nothing here, with why."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from xpm_tui.actions.action import Action, Place, key_name
from xpm_tui.screens.picker import Picker
from xpm_tui.widgets.pick_list import Pick, heading

KEYS_WIDTH = 13
TITLE_WIDTH = 13


class HelpScreen(Picker):
    """Every action of the table, by place; enter carries one out."""

    def __init__(self, actions: Iterable[tuple[Action, str]]) -> None:
        """`actions` with why each can't be carried out now; empty if it can."""
        super().__init__(
            "Keys and actions here; enter carries one out",
            help_picks(actions),
            widths=(KEYS_WIDTH, TITLE_WIDTH),
        )


def help_picks(actions: Iterable[tuple[Action, str]]) -> tuple[Pick, ...]:
    """What can be done here first, each place under its name."""
    by_place: dict[Place, list[Pick]] = {place: [] for place in Place}
    for action, why in actions:
        by_place[action.place].append(action_pick(action, why))
    picks: list[Pick] = []
    for place, found in by_place.items():
        if found:
            picks += [heading(place.value), *sorted(found, key=lambda pick: bool(pick.why))]
    return tuple(picks)


def action_pick(action: Action, why: str) -> Pick:
    """An action as a line of help or palette."""
    keys = Text(" ".join(action_keys(action)), "xpm.key")
    return Pick(action.id, keys, Text(action.title), Text(action.help), why)


def action_keys(action: Action) -> list[str]:
    """The keys of an action for people; the digits as a range."""
    return ["1-9"] if action.id == "tab" else [key_name(key) for key in action.keys]
