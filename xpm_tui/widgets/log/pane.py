"""A log with its streams above, its place below, and a field to look for text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.style import Style
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from xpm_tui.widgets.log.reading import LogStream
from xpm_tui.widgets.log.status import (
    WIDE,
    LogStatus,
    follow_words,
    place_words,
    tab_at,
    tabs_text,
)
from xpm_tui.widgets.log.view import LogView
from xpm_tui.widgets.text_line import TextLine


class LogTabs(TextLine):
    """The line of streams; a click shows one."""

    class Chosen(Message):
        """A stream was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    status = LogStatus()

    def show(self, status: LogStatus) -> None:
        """Draw these streams."""
        before = self.status
        self.status = status
        if (before.labels, before.line_counts, before.current) != (
            status.labels,
            status.line_counts,
            status.current,
        ):
            self.refresh()

    def render(self) -> Text:
        return tabs_text(self.status, self.size.width, current=Style(bold=True))

    def on_click(self, event: events.Click) -> None:
        index = tab_at(self.status, self.size.width, event.x)
        if index is not None:
            self.post_message(self.Chosen(index))


class LogStatusLine(TextLine):
    """Where the reader is: line, error, hit at the left; following, size, live at the right."""

    _words = ("", "")
    _status = LogStatus()

    def show(self, status: LogStatus) -> None:
        """Draw this status, if it reads differently."""
        self._status = status
        words = self._words_now()
        if words != self._words:
            self._words = words
            self.refresh()

    def render(self) -> Text:
        # Of another width there are other words, and this is the first to know it.
        left, right = self._words = self._words_now()
        text = Text(f" {left}", no_wrap=True, end="")
        room = self.size.width - len(right) - 2
        text.truncate(max(room, 0), overflow="ellipsis", pad=True)
        text.append(f" {right} ")
        return text

    def _words_now(self) -> tuple[str, str]:
        wide = self.size.width >= WIDE
        return place_words(self._status, wide=wide), follow_words(self._status, wide=wide)


class FindField(Input):
    """Where the text to look for is typed; escape gives it up."""

    BINDINGS = [Binding("escape", "give_up", "back", show=False)]  # noqa: RUF012 (Textual's form)

    typing_keys = (("enter", "find"), ("esc", "give up"))
    """What the key bar says while this is typed into."""

    class GivenUp(Message):
        """Nothing is to be looked for after all."""

    def action_give_up(self) -> None:
        """Close the field; the search before it stays."""
        self.post_message(self.GivenUp())


class LogPane(Vertical):
    """Streams, lines, status line and the field to look for text, in a tab or on a whole screen."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")

    def __init__(
        self,
        streams: Sequence[LogStream] = (),
        *,
        live: bool = False,
        at_error: bool = False,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (Textual's name)
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.view = LogView(streams, live=live, at_error=at_error)
        self._tabs = LogTabs()
        self._status_line = LogStatusLine()
        self._field = FindField(placeholder="find in this log", compact=True)

    def compose(self) -> ComposeResult:
        yield self._tabs
        yield self.view
        yield self._field
        yield self._status_line

    def on_mount(self) -> None:
        self._field.display = False
        self.watch(self.view, "status", self._show_status)

    def _show_status(self, status: LogStatus) -> None:
        self._tabs.show(status)
        self._status_line.show(status)

    @on(LogTabs.Chosen)
    def _show_stream(self, event: LogTabs.Chosen) -> None:
        event.stop()
        self.view.show_stream(event.index)
        self.view.focus()

    @property
    def idle(self) -> frozenset[str]:
        """The actions that find nothing to do in this log."""
        idle = frozenset[str]()
        if not self.view.status.needle:
            idle |= {"next_hit", "previous_hit", "hits_only"}
        if len(self.view.streams) < 2:
            idle |= {"next_sibling", "previous_sibling"}
        return idle

    @on(LogView.FindWanted)
    def _open_field(self, event: LogView.FindWanted) -> None:
        event.stop()
        self._field.display = True
        self._field.value = self.view.status.needle
        self._field.focus()

    @on(Input.Submitted)
    def _find(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_field()
        self.view.find(event.value)

    @on(FindField.GivenUp)
    def _close_field(self) -> None:
        self._field.display = False
        self.view.focus()
