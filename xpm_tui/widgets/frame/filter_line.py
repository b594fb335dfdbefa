"""The line in which the filter is typed: how many jobs it selects, its fault, what may follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.highlighter import Highlighter
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from xpm_engine.errors import FilterError
from xpm_engine.filters import Completions
from xpm_tui import look
from xpm_tui.widgets.words import Words

Complete = Callable[[int], Completions]
"""What may stand at a place of what is typed."""

WIDE = 100
"""Columns from which all keys of the field are told."""


class FilterInput(Input):
    """The field; tab takes the completion that is chosen, up and down choose another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "back", show=False),
        Binding("tab", "take", "complete", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("up", "choose(-1)", show=False),
    ]

    typing_keys = (("enter", "keep"), ("tab", "complete"), ("↓ ↑", "another"), ("esc", "give up"))
    """What is said of its keys while this is typed into."""

    class GivenUp(Message):
        """What was typed is taken back."""

    class Taken(Message):
        """The completion is wanted."""

    class Chosen(Message):
        """Another completion is to be the one that is taken."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def action_give_up(self) -> None:
        self.post_message(self.GivenUp())

    def action_take(self) -> None:
        self.post_message(self.Taken())

    def action_choose(self, step: int) -> None:
        self.post_message(self.Chosen(step))

    def action_delete_left(self) -> None:
        """In an empty field backspace is one step back, as it is everywhere else."""
        if self.value:
            super().action_delete_left()
        else:
            self.action_give_up()


class _Underlined(Highlighter):
    """Underlines the place of a fault."""

    def __init__(self) -> None:
        self.span: tuple[int, int] | None = None

    def highlight(self, text: Text) -> None:
        if self.span is not None:
            start, end = self.span
            text.stylize("xpm.bad underline", start, max(end, start + 1))


class FilterLine(Vertical):
    """Hidden until it is opened; posts what is typed whenever that changes.

    It lies over what it is put beside, so that nothing else has to make room for it.
    """

    DEFAULT_CSS = """
    FilterLine { height: 2; display: none; background: $background; }
    FilterLine.open { display: block; }
    FilterLine Horizontal { height: 1; }
    FilterLine #slash { width: 2; padding-left: 1; }
    FilterLine #count { width: auto; padding: 0 1; }
    FilterLine FilterInput { width: 1fr; border: none; height: 1; padding: 0; }
    FilterLine #below { width: 1fr; padding: 0 2; }
    FilterLine #typing { width: auto; padding: 0 1; }
    """

    class Changed(Message):
        """This is typed now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The focus goes back to where it was."""

        def __init__(self, *, kept: bool) -> None:
            """What was typed is `kept`, or was given up."""
            super().__init__()
            self.kept = kept

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._underlined = _Underlined()
        self._fault: FilterError | None = None
        self._broken = False
        self._complete: Complete | None = None
        self._completions: Completions | None = None
        self._choice = 0
        self._before = ""

    def compose(self) -> ComposeResult:
        with Horizontal():
            slash = Words(id="slash")
            slash.show(Text("/"))
            yield slash
            yield FilterInput(compact=True, highlighter=self._underlined, select_on_focus=False)
            yield Words(id="count")
        with Horizontal():
            yield Words(id="below")
            yield Words(id="typing")

    def on_resize(self, event: events.Resize) -> None:
        """Tell the keys of the field, which lies over those of the screen."""
        keys = FilterInput.typing_keys
        line = Text()
        for key, does in keys if event.size.width >= WIDE else (keys[0], keys[-1]):
            line.append("  " if line else "")
            line.append(key, "xpm.key")
            line.append(f" {does}", "xpm.faint")
        self.query_one("#typing", Words).show(line)

    def open(self, text: str) -> None:
        """Show the field with a filter in it, and focus it at once: what was typed belongs there.

        Giving up brings this filter back.
        """
        self._before = text
        self.add_class("open")
        field = self._field
        with self.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        self.screen.set_focus(field)

    def show(
        self, count: str, fault: FilterError | None, complete: Complete, *, broken: bool
    ) -> None:
        """Show how many jobs are selected, what is wrong, and what may come next.

        A `broken` filter can't be read, so that it can't be kept.
        """
        self._fault = fault
        self._broken = broken
        self._complete = complete
        self._underlined.span = None if fault is None else fault.span
        self.query_one("#count", Words).show(Text(count, "xpm.faint"))
        self._field.refresh()
        self._look_ahead()

    @property
    def is_open(self) -> bool:
        """Whether something is being typed."""
        return self.has_class("open")

    def _look_ahead(self) -> None:
        """Ask again what may stand where the cursor is."""
        self._choice = 0
        if self._complete is not None:
            self._completions = self._complete(self._field.cursor_position)
        self._draw_below()

    def _draw_below(self) -> None:
        below = self.query_one("#below", Words)
        found = self._completions
        line = Text()
        begun = found is not None and self._begun(found)
        fault = None if begun else self._fault
        # What is wrong has the whole row where there is little room.
        self.query_one("#typing").display = fault is None or self.size.width >= WIDE
        if fault is not None:
            line.append(look.plain(_fault_words(fault)), "xpm.bad")
        elif found is not None:
            for number, item in enumerate(found.items[self._choice :]):
                line.append("  " if number else "")
                line.append(look.plain(item.text), "" if number else "xpm.key")
                told = f"{item.count:,}" if item.count is not None else item.help
                line.append(f" {look.plain(told)}" if told else "", "xpm.faint")
        below.show(line if line.cell_len else Text(" "))

    def _begun(self, found: Completions) -> bool:
        """Whether something is offered for what was begun, and not only what may come at all."""
        before = self._field.value[: found.end]
        return bool(found.items) and not before.endswith((" ", "(", ")"))

    @property
    def _field(self) -> FilterInput:
        return self.query_one(FilterInput)

    def _close(self, *, kept: bool) -> None:
        self.remove_class("open")
        self.post_message(self.Closed(kept=kept))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """What can't be read can't be kept."""
        event.stop()
        if not self._broken:
            self._close(kept=True)

    def on_filter_input_given_up(self, event: FilterInput.GivenUp) -> None:
        event.stop()
        self._field.value = self._before
        self._close(kept=False)

    def on_filter_input_taken(self, event: FilterInput.Taken) -> None:
        event.stop()
        found = self._completions
        if found is not None and found.items:
            item = found.items[self._choice]
            field = self._field
            text = found.apply(field.value, item)
            field.value = text
            field.cursor_position = found.start + len(item.text)

    def on_filter_input_chosen(self, event: FilterInput.Chosen) -> None:
        event.stop()
        found = self._completions
        if found is not None and found.items:
            self._choice = (self._choice + event.step) % len(found.items)
            self._draw_below()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self.remove_class("open")


def _fault_words(fault: FilterError) -> str:
    """What is wrong and what to do, in one line; the place is underlined."""
    return fault.what if fault.hint is None else f"{fault.what}: {fault.hint}"
