"""What the right side shows of one kind of subject: a strip, a rule of tabs, and a pane a tab."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.widget import Widget

from xpm_engine.workspace.layout import JobKey
from xpm_tui.deeds import Deeds
from xpm_tui.store import Changed, Store, Subject
from xpm_tui.widgets.lines import Lines
from xpm_tui.widgets.tab_rule import TabRule
from xpm_tui.widgets.table.table import Table
from xpm_tui.widgets.words import Words

if TYPE_CHECKING:
    from xpm_tui.app import XpmApp


class SubjectView(Vertical):
    """A view of the subject that it was last told to show; only the open pane is fed."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    TITLES: ClassVar[tuple[str, ...]] = ()
    """The tabs; none where there is one pane only."""

    subject: Subject | None = None
    store: Store | None = None

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self.strip = Words(classes="strip")
        self.rule = TabRule(self.TITLES)
        self.panes: tuple[Widget, ...] = tuple(self.make_panes())
        self._fed_at = Size()
        """The size that what is shown was last made for."""
        self._ticking: dict[int, Widget] = {}
        """What of a pane was last found to be its reader."""

    @abstractmethod
    def make_panes(self) -> Sequence[Widget]:
        """The panes, one a tab."""

    @abstractmethod
    def feed(self, pane: int) -> None:
        """Give the strip and this pane what they show; called again whenever something changed."""

    @property
    def deeds(self) -> Deeds:
        """What carries out, or asks, what only the workspace's own machine can."""
        return cast("XpmApp", self.app).deeds  # pyright: ignore[reportUnknownMemberType]

    def touched(self, changed: Changed) -> bool:
        """Whether what is shown may look different after this change."""
        return bool(changed)

    def compose(self) -> ComposeResult:
        yield self.strip
        if self.TITLES:
            yield self.rule
        yield from self.panes

    def on_mount(self) -> None:
        self._show_pane()

    def show(self, subject: Subject, store: Store) -> None:
        """Show another subject, or the same as it is now."""
        self.subject = subject
        self.store = store
        self._feed()

    def refresh_from(self, changed: Changed) -> None:
        """Something was read again."""
        if self.subject is not None and self.touched(changed):
            self._feed()

    def show_moved(self, keys: frozenset[JobKey]) -> None:
        """These jobs only told how far they are now."""

    def tick(self) -> None:
        """A second has passed: draw the times again that tell seconds."""
        pane = self.open_pane
        if pane not in self._ticking or not self._ticking[pane].is_attached:
            reader = self.reader()
            self._ticking[pane] = self.panes[pane] if reader is None else reader
        ticking = self._ticking[pane]
        if isinstance(ticking, Table):
            ticking.tick()

    @property
    def open_pane(self) -> int:
        """The number of the open pane, from 0."""
        return self.rule.current

    def choose(self, pane: int) -> bool:
        """Open a pane; False if there is no such pane."""
        if not 0 <= pane < len(self.panes):
            return False
        had_focus = self.has_focus_within
        self.rule.show(pane)
        self._show_pane()
        if self.subject is not None:
            self._feed()
        if had_focus:
            self.focus_pane()
        return True

    def focus_pane(self) -> None:
        """Focus what is in the open pane, at once: what was typed ahead belongs to it."""
        pane = self.panes[self.open_pane]
        for widget in (pane, *pane.query(Widget)):
            if widget.focusable:
                self.screen.set_focus(widget)
                return

    def reader(self) -> Table[Any] | Lines | None:
        """What of the open pane can be searched: its table or its text."""
        pane = self.panes[self.open_pane]
        for widget in (pane, *pane.query(Widget)):
            if isinstance(widget, Lines):
                return widget
            if isinstance(widget, Table):
                return widget  # pyright: ignore[reportUnknownVariableType] (whatever its rows are)
        return None

    def _show_pane(self) -> None:
        for number, pane in enumerate(self.panes):
            pane.display = number == self.open_pane

    @property
    def room(self) -> Size:
        """Its size; while it is not shown the one that it had, and most likely will have again."""
        return self.size or self._fed_at

    def on_resize(self) -> None:
        if self.subject is not None and self.room != self._fed_at:
            self._feed()

    def _feed(self) -> None:
        self._fed_at = self.room
        self.feed(self.open_pane)

    def on_tab_rule_chosen(self, message: TabRule.Chosen) -> None:
        message.stop()
        self.choose(message.index)
        self.focus_pane()
