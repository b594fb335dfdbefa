"""The keys, and what they do here: also those that do nothing here, with why."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from xpm_tui.actions import Action, Place, key_name
from xpm_tui.look import cut

KEYS_WIDTH = 15
TITLE_WIDTH = 16


class HelpScreen(ModalScreen[str | None]):
    """Every action of the table, by place; enter carries one out."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,q,question_mark", "leave", show=False),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]

    def __init__(self, actions: tuple[tuple[Action, str], ...]) -> None:
        """`actions` with why each can't be carried out now; empty if it can."""
        super().__init__()
        self._actions = actions

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield Static(Text("Keys and actions here; enter carries one out", "xpm.title"))
            yield OptionList(*self._options(), compact=True)
            yield Static(Text("enter do it   esc back", "xpm.faint"))

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def _options(self) -> list[Option]:
        options: list[Option] = []
        for place in Place:
            found = [(action, why) for action, why in self._actions if action.place is place]
            found.sort(key=lambda pair: bool(pair[1]))
            if found:
                options.append(Option(Text(place.value, "xpm.title"), disabled=True))
            options += [Option(_line(action, why), id=action.id) for action, why in found]
        return options

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        why = next((why for action, why in self._actions if action.id == event.option_id), "")
        if why:
            self.notify(why, markup=False, timeout=3)
        else:
            self.dismiss(event.option_id)

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()


def _line(action: Action, why: str) -> Text:
    line = Text("  ", no_wrap=True, overflow="ellipsis")
    line.append_text(cut(Text(" ".join(action_keys(action)), "xpm.key"), KEYS_WIDTH))
    line.append_text(cut(Text(action.title), TITLE_WIDTH)).append(action.help)
    if why:
        line.append(f" ({why})")
        line.stylize("xpm.faint")
    return line


def action_keys(action: Action) -> list[str]:
    """The keys of an action for people; the digits as a range."""
    return ["1-9"] if action.id == "tab" else [key_name(key) for key in action.keys]
