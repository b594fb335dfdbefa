"""The lines of a log on screen: a line-API widget over files of any size."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.actions import SkipAction
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from xpm_tui.widgets.log.keys import LOG_BINDINGS
from xpm_tui.widgets.log.paint import (
    Frame,
    LogStyles,
    badge_columns,
    height_of,
    paint_screen,
)
from xpm_tui.widgets.log.position import LogPosition
from xpm_tui.widgets.log.reading import Copy, Jump, LogStream, Reading, status_of
from xpm_tui.widgets.log.status import WIDE, LogStatus, missed_words

LIVE_SECONDS = 0.25
"""How often the end of a live log that is followed is looked at."""
IDLE_SECONDS = 1.0
_SIDEWAYS = 8
_WHEEL = 3


class LogView(ScrollView, can_focus=True):
    """Shows one of several streams: the end at once, then any line of it.

    Follows the end until the reader moves up. The files are polled by size; the slow work runs
    in slices in a thread, from which only frozen results come back.
    """

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BINDINGS: ClassVar[list[BindingType]] = [*LOG_BINDINGS]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log-view--number",
        "log-view--note",
        "log-view--hit",
        "log-view--trouble",
        "log-view--cursor",
        "log-view--chosen",
        "log-view--missed",
    }

    status: reactive[LogStatus] = reactive(LogStatus(), repaint=False, init=False)
    """What there is to say about the log on screen; to be watched, as a watcher is called at once
    and so draws in the same frame (a message would make every new line cost two)."""
    live: reactive[bool] = reactive(default=False, repaint=False, init=False)
    """The job still runs: its log is looked at more often, and said to be live."""

    class FindWanted(Message):
        """The user wants to type what to look for."""

    class LinesCopied(Message):
        """The user copied lines; the app owns the clipboard."""

        def __init__(self, copy: Copy) -> None:
            super().__init__()
            self.copy = copy

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
        self._wake = asyncio.Event()
        self._readings: list[Reading] = []
        self._current = 0
        self._wrap = False
        self._left = 0
        self._part_styles: LogStyles | None = None
        self._strips: list[Strip] = []
        self._thumb = (0, 0, 0)
        self.set_reactive(LogView.live, live)
        self.show_streams(streams, at_error=at_error)

    @property
    def streams(self) -> tuple[LogStream, ...]:
        """What can be shown here."""
        return tuple(reading.stream for reading in self._readings)

    @property
    def cursor_text(self) -> str:
        """The line under the cursor."""
        reading = self._reading
        return "" if reading is None else reading.line(reading.position.cursor).text

    def show_streams(self, streams: Sequence[LogStream], *, at_error: bool = False) -> None:
        """Show the first of these; one that was already here keeps its place.

        With ``at_error`` it opens at its last error, else at its end.
        """
        kept = {reading.stream: reading for reading in self._readings}
        on_screen = self._readings[self._current].stream if self._readings else None
        self._readings = [kept.get(stream) or self._opened(stream) for stream in streams]
        listed = [reading.stream for reading in self._readings]
        self._current = listed.index(on_screen) if on_screen in listed else 0
        if at_error and self._readings:
            self._readings[self._current].open_at_trouble()
        self._wake.set()
        self._update()

    def find(self, needle: str) -> None:
        """Look for a text: smart case, from the cursor on. An empty text ends the search."""
        self._act(lambda reading: reading.search_for(needle))

    def show_stream(self, index: int) -> None:
        """Show another of the streams; each keeps its own place."""
        if 0 <= index < len(self._readings) and index != self._current:
            self._current = index
            self._left = 0
            self._moved()

    def on_mount(self) -> None:
        self.run_worker(self._read(), group="log", exclusive=True)

    def on_show(self) -> None:
        self._wake.set()

    def on_resize(self, _: events.Resize) -> None:
        if self._reading is not None:
            self._reading.position.settle()
        self._update()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._part_styles = None
        self.call_later(self._update)

    def watch_live(self) -> None:
        self._wake.set()
        self._update()

    async def _read(self) -> None:
        while True:
            if self._is_seen() and await self._read_slices():
                continue
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._pause())

    def _pause(self) -> float:
        """Seconds until the next look: short for the first new line, long while they keep coming.

        Every line on screen moves when one is added, and drawing them all is what costs.
        """
        reading = self._reading
        if reading is None or not (self.live and reading.position.following):
            return IDLE_SECONDS
        return IDLE_SECONDS if reading.looks_with_news > 1 else LIVE_SECONDS

    def _is_seen(self) -> bool:
        return self.is_attached and self.size.width > 0 and self.screen.is_active

    async def _read_slices(self) -> bool:
        """Look at every file, the one on screen first; whether there is more to do now."""
        on_screen = self._reading
        for reading in sorted(self._readings, key=lambda reading: reading is not on_screen):
            was_busy, state = reading.busy, reading.log.state
            take = await asyncio.to_thread(reading.work())
            event = take()
            if event is not None or was_busy or reading.log.state is not state:
                self._update()
            if reading.busy:
                return True
        return False

    @property
    def _reading(self) -> Reading | None:
        return self._readings[self._current] if self._readings else None

    def _opened(self, stream: LogStream) -> Reading:
        reading = Reading(stream, lines_of=lambda row: self._lines_of(reading, row))
        return reading

    def _lines_of(self, reading: Reading, row: int) -> int:
        if not self._wrap:
            return 1
        return height_of(reading.line(row), self._frame(reading))

    @property
    def _wide(self) -> bool:
        return self.size.width >= WIDE

    @property
    def _badge(self) -> str:
        return missed_words(self.status, wide=self._wide) if self.status.missed else ""

    def _frame(self, reading: Reading) -> Frame:
        if self._part_styles is None:
            self._part_styles = self._log_styles()
        log = reading.log
        numbers = f"{log.end_row - log.first_row:,}" if self._wide and log.numbered else ""
        return Frame(
            styles=self._part_styles,
            width=max(self.scrollable_content_region.width, 1),
            left=0 if self._wrap else self._left,
            wrap=self._wrap,
            find=reading.find.query if reading.find is not None else None,
            numbers=max(len(numbers), 6) if numbers else 0,
        )

    def _log_styles(self) -> LogStyles:
        def part(name: str) -> Style:
            return self.get_component_rich_style(f"log-view--{name}", partial=True)

        return LogStyles(
            base=self.rich_style,
            number=part("number"),
            note=part("note"),
            hit=part("hit"),
            trouble=part("trouble"),
            cursor=part("cursor"),
            chosen=part("chosen"),
            missed=self.get_component_rich_style("log-view--missed"),
        )

    def _moved(self) -> None:
        """The reader acted: draw, and read on at once where something is wanted."""
        self._wake.set()
        self._update()

    def _update(self) -> None:
        """Bring lines, scroll bar and status up to what was read; draw the lines that changed."""
        reading = self._reading
        if not self.is_attached or not self.size or reading is None:
            return
        position = reading.position
        position.height = max(self.scrollable_content_region.height, 1)
        position.settle()
        self._scroll_bar(position)
        self.status = status_of(self._readings, self._current, wrap=self._wrap, live=self.live)
        strips = paint_screen(reading, self._frame(reading), badge=self._badge)
        before, self._strips = self._strips, strips
        if len(before) != len(strips):
            self.refresh()
        elif changed := [y for y, strip in enumerate(strips) if strip != before[y]]:
            self.refresh(Region(0, changed[0], self.size.width, changed[-1] + 1 - changed[0]))

    def _scroll_bar(self, position: LogPosition) -> None:
        """Show the place on the scroll bar, without the layout that Textual's own way costs."""
        lines = position.count + (position.height - 1 if self._wrap else 0)
        top = position.index(position.top)
        size, bar = Size(self.size.width, lines), self.vertical_scrollbar
        if size == self.virtual_size and round(self.scroll_y) == top:
            return
        self.set_reactive(Widget.virtual_size, size)  # pyright: ignore[reportArgumentType]
        self.set_scroll(None, top)
        self.scroll_target_y = float(top)
        # Of one that follows only the length is told, to a whole cell: drawing it is dear.
        parts = 1 if position.following else 8
        scale = parts * position.height / max(lines, 1)
        thumb = (parts, round(top * scale), round(position.height * scale))
        if thumb != self._thumb:
            self._thumb = thumb
            bar.window_virtual_size, bar.window_size = lines, position.height
            bar.position = top

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines alone: a log view has no border, padding or links.

        Textual's own way, which draws those, costs three times as much when every line moves.
        """
        filters, background = self.get_line_filters(), self.background_colors[1]
        style = self.rich_style
        blank = Strip.blank(self.size.width, style)
        strips: list[Strip] = []
        for y in crop.line_range:
            strip = self._strips[y] if y < len(self._strips) else blank
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
            strips.append(strip.crop_extend(crop.x, crop.right, style))
        return strips

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The scroll bar was dragged."""
        super().watch_scroll_y(old_value, new_value)
        reading = self._reading
        if reading is not None and round(new_value) != reading.position.index(reading.position.top):
            reading.position.scroll_to(round(new_value))
            self._update()

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._act(lambda reading: reading.position.scroll(_WHEEL))
        event.stop()
        event.prevent_default()

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._act(lambda reading: reading.position.scroll(-_WHEEL))
        event.stop()
        event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        reading = self._reading
        if reading is None:
            return
        on_badge = event.x in badge_columns(self._frame(reading), self._badge)
        if self._badge and on_badge and event.y == reading.position.height - 1:
            self.action_end()
            return
        rows = [row for row, _ in reading.position.visible()]
        if event.y < len(rows):
            self._act(lambda reading: reading.position.put_cursor(rows[event.y]))

    def action_move(self, by: int) -> None:
        """Move the cursor by lines."""
        self._act(lambda reading: reading.position.move(by))

    def action_page(self, by: int) -> None:
        """Move by pages; one line stays on screen."""
        self._act(lambda reading: reading.position.move_page(by * (reading.position.height - 1)))

    def action_half_page(self, by: int) -> None:
        """Move by half pages."""
        self._act(lambda reading: reading.position.move_page(by * (reading.position.height // 2)))

    def action_start(self) -> None:
        """Go to the first line; at once, even where the lines before were not counted yet."""
        self._act(Reading.to_start)

    def action_end(self) -> None:
        """Go to the end, and follow."""
        self._act(Reading.to_end)

    def action_follow(self) -> None:
        """Follow the end, or stay here."""
        self._act(Reading.toggle_following)

    def action_sideways(self, by: int) -> None:
        """Move sideways, where lines are not wrapped."""
        self._left = max(self._left + by * _SIDEWAYS, 0)
        self._update()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self._wrap = not self._wrap
        for reading in self._readings:
            reading.position.skipped = 0
        self._act(lambda reading: reading.position.show_cursor())

    def action_find(self) -> None:
        """Ask what to look for."""
        self.post_message(self.FindWanted())

    def action_hit(self, by: int) -> None:
        """Go to the next or previous hit."""
        self._act(lambda reading: reading.jump_to_hit(Jump.NEXT if by > 0 else Jump.PREVIOUS))

    def action_error(self, by: int) -> None:
        """Go to the next or previous line that tells of trouble."""
        self._act(lambda reading: reading.jump_to_trouble(Jump.NEXT if by > 0 else Jump.PREVIOUS))

    def action_hits_only(self) -> None:
        """Show the lines that are hits, or all."""
        self._act(Reading.toggle_hits_only)

    def action_stream(self, by: int) -> None:
        """Show the next or previous stream."""
        if self._readings:
            self.show_stream((self._current + by) % len(self._readings))

    def action_range(self) -> None:
        """Begin a range of lines at the cursor, or give it up."""
        self._act(Reading.toggle_range)

    def action_copy(self) -> None:
        """Copy the line of the cursor, or the range."""
        copy = self._reading.copy() if self._reading is not None else None
        if copy is not None:
            self.post_message(self.LinesCopied(copy))
            self._update()

    def action_step_back(self) -> None:
        """Give up the range, then the search; else leave the key to what is around."""
        if self._reading is None or not self._reading.step_back():
            raise SkipAction
        self._moved()

    def _act(self, act: Callable[[Reading], object]) -> None:
        if self._reading is not None:
            act(self._reading)
            self._moved()
