"""A screen to pick one thing from a list: the help, the palette, in which form to copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from xpm_tui import look
from xpm_tui.look.compositor import compose_sparingly
from xpm_tui.widgets.pick_list import Pick, PickList
from xpm_tui.widgets.words import Words


class PickerField(Input):
    """The field of a picker; in an empty one backspace is one step back."""

    class GivenUp(Message):
        """Nothing is to be picked after all."""

    def action_delete_left(self) -> None:
        if self.value:
            super().action_delete_left()
        else:
            self.post_message(self.GivenUp())


class Picker(ModalScreen[str | None]):
    """Offers choices; ends with the name of the one that was picked, or with None."""

    CSS_PATH = "picker.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "step(1)", show=False),
        Binding("up", "step(-1)", show=False),
        Binding("pagedown,ctrl+d", "page(1)", show=False),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("enter", "pick", show=False),
        Binding("escape", "leave", show=False),
        Binding("j", "step(1)", show=False),
        Binding("k", "step(-1)", show=False),
        Binding("g,home", "end(False)", show=False),
        Binding("G,end", "end(True)", show=False),
        Binding("backspace,q", "leave", show=False),
    ]

    def __init__(
        self,
        title: str,
        picks: Sequence[Pick] = (),
        *,
        widths: tuple[int, int],
        field: bool = False,
        note: str = "enter do it   esc back",
    ) -> None:
        """`widths` are those of the first two columns; `field` brings one to type in."""
        super().__init__()
        compose_sparingly(self)
        self._title = title
        self._picks = picks
        self._widths = widths
        self._field = field
        self._pick_soon = False
        """Whether the first one is to be picked as soon as there is one."""
        self._note = note

    def compose(self) -> ComposeResult:
        with Vertical(id="picker"):
            yield Words(id="title")
            if self._field:
                yield PickerField(placeholder=self._title, compact=True)
            yield PickList(widths=self._widths)
            yield Words(id="note")

    def on_mount(self) -> None:
        if self._field:
            self.query_one(PickerField).focus()
        else:
            self.query_one("#title", Words).show(Text(self._title, "xpm.title"))
            self._list.focus()
        self._say(self._note, "xpm.faint")
        self._offer("")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._offer(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_pick()

    def on_picker_field_given_up(self, event: PickerField.GivenUp) -> None:
        event.stop()
        self.action_leave()

    def on_pick_list_picked(self, message: PickList.Picked) -> None:
        message.stop()
        self.dismiss(message.pick.name)

    def on_pick_list_refused(self, message: PickList.Refused) -> None:
        message.stop()
        self._say(message.pick.why, "xpm.bad")

    def action_step(self, rows: int) -> None:
        self._list.step(rows)
        self._say(self._note, "xpm.faint")

    def action_page(self, pages: int) -> None:
        self._list.step(pages * max(1, self._list.page - 1))

    def action_end(self, last: bool) -> None:
        self._list.move_to_end(last=last)
        self._list.step(0)

    def action_pick(self) -> None:
        self._pick_soon = self.more_to_come and self._list.row is None
        self._list.pick()

    def action_leave(self) -> None:
        self.dismiss(None)

    def choices(self, typed: str) -> Sequence[Pick]:
        """What is offered for what was typed."""
        return self._picks

    @property
    def more_to_come(self) -> bool:
        """Whether more choices are still being looked for."""
        return False

    def offer_more(self) -> None:
        """More choices were found for what was typed; the cursor stays where it is."""
        self._offer(self.query_one(PickerField).value, more=True)
        if self._pick_soon:
            self.action_pick()

    def _offer(self, typed: str, *, more: bool = False) -> None:
        found = self.choices(typed)
        self._list.offer(found, more=more)
        self._pick_soon = self._pick_soon and more
        if self.more_to_come:
            self._say(f"looking for jobs…   {self._note}", "xpm.faint")
        elif not found:
            self._say("nothing is called that", "xpm.bad")
        elif typed:
            self._say(f"{look.plural(len(found), 'match', 'matches')}   {self._note}", "xpm.faint")

    def _say(self, words: str, style: str) -> None:
        self.query_one("#note", Words).show(Text(look.plain(words), style))

    @property
    def _list(self) -> PickList:
        return self.query_one(PickList)
