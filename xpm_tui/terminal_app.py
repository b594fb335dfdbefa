"""An app as terminals need it: colours, what is drawn again, keys that come in pieces, leaving."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from rich.console import RenderableType
from rich.theme import Theme as RichTheme
from textual import events, on
from textual.app import App, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter, Monochrome
from textual.keys import key_to_character
from textual.notifications import SeverityLevel
from textual.screen import Screen

from xpm_engine.errors import UsageError
from xpm_tui.keyboard import QuickDriver, tell_escape_soon
from xpm_tui.look import plural
from xpm_tui.look.canvas import Canvas, erases_in_colour
from xpm_tui.look.themes import DARK, PALETTES, AsciiFilter, NoColourFilter
from xpm_tui.outside.clipboard import copy_through_tmux
from xpm_tui.outside.programs import Errand, run
from xpm_tui.own_faults import told
from xpm_tui.widgets.apart import Failed, run_apart
from xpm_tui.widgets.frame.status_bar import StatusBar

CTRL_C = 1.5
"""Seconds in which the second ctrl+c leaves."""


class TerminalApp(App[None], inherit_bindings=False):
    """What of the app has nothing to do with experiments."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", show=False, priority=True),
    ]

    def __init__(self, *, ascii_only: bool) -> None:
        tell_escape_soon(os.environ)
        super().__init__()
        self._ascii = AsciiFilter() if ascii_only else None
        self._colourless = NoColourFilter(lambda: self.current_theme.background or "default")
        self._canvas = Canvas(erases=erases_in_colour(os.environ))
        self._interrupted = 0.0
        self._styled = False
        for palette in PALETTES.values():
            self.register_theme(palette.theme)
        self._use_styles(DARK.theme.name)
        self.theme = DARK.theme.name

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, lambda theme: self._use_styles(theme.name))

    # What is said, and what leaves

    def tell(self, words: str, *, bad: bool = False) -> None:
        """Say something on the screen that is on top."""
        self.notify(words, severity="warning" if bad else "information")

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Say it in the status row where there is one, and never read markup in it."""
        bars = self.screen.query(StatusBar)
        if bars:
            bars.first().say(message, bad=severity != "information")
        else:
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    def on_failed(self, message: Failed) -> None:
        """Work in a thread came to nothing: what waits for it must not wait on."""
        message.stop()
        message.then()
        self.tell(told(message.error), bad=True)

    def copy_text(self, text: str) -> None:
        """Copy, and show what was copied."""
        self.copy_to_clipboard(text)
        run_apart(self, lambda: copy_through_tmux(text))
        lines = text.splitlines()
        more = f" and {plural(len(lines) - 1, 'more line')}" if len(lines) > 1 else ""
        if lines:
            self.tell(f"copied: {lines[0].strip()}{more}")

    def run_errand(self, errand: Errand) -> None:
        """Leave the terminal to another program, and come back. Raises UsageError, StorageError."""
        try:
            with self.suspend():
                self._canvas.forget()
                run(errand)
        except SuspendNotSupported:
            raise UsageError("this terminal can't be left to another program") from None

    # Keys

    def get_driver_class(self) -> type[Driver]:
        found = super().get_driver_class()
        return QuickDriver if found is LinuxDriver else found

    async def on_event(self, event: events.Event) -> None:
        """In tmux, or over a slow line, esc and the key after it arrive as alt and that key."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            alt, key = event.key[:4], event.key[4:]
            if alt == "alt+" and key:
                event = events.Key("escape", None)
                # Posted, so that it comes after what escape does to the focus.
                self.post_message(events.Key(key, key_to_character(key)))
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """Typed ahead: a key before this one has moved the focus into a field, where it belongs."""
        focused = self.focused
        if focused is not None and focused.check_consume_key(event.key, event.character):
            event.prevent_default()
            focused.post_message(events.Key(event.key, event.character))

    def action_interrupt(self) -> None:
        """The second ctrl+c leaves at once."""
        now = time.monotonic()
        if now - self._interrupted < CTRL_C:
            self.exit()
            return
        self._interrupted = now
        self.notify("ctrl+c again leaves; jobs and plans go on", markup=False, timeout=CTRL_C)

    # Look

    def do_redraw(self) -> None:
        self._canvas.forget()
        self.refresh(repaint=True, layout=True)

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = [each for each in super().get_line_filters() if not isinstance(each, Monochrome)]
        if self.no_color:
            filters.append(self._colourless)
        return filters if self._ascii is None else [*filters, self._ascii]

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Write a frame: what of it is not on the terminal yet."""
        super()._display(  # pyright: ignore[reportUnknownMemberType] (whichever Screen it is)
            screen, self._canvas.changes(renderable)
        )

    def on_resize(self) -> None:
        self._canvas.forget()

    @on(Driver.SignalResume)
    def _on_resumed(self) -> None:
        """Other programs had the terminal meanwhile."""
        self._canvas.forget()

    def _use_styles(self, name: str) -> None:
        """What the names of styles mean from now on."""
        if name in PALETTES:
            if self._styled:
                self.console.pop_theme()
            self.console.push_theme(RichTheme(dict(PALETTES[name].styles)))
            self._styled = True
