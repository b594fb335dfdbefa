"""The app: wiring only."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, ClassVar

from rich.console import RenderableType
from textual.message import Message

from xpm_engine.errors import XpmError
from xpm_engine.verbs.cleaning.clean import Transaction
from xpm_engine.verbs.protection import protect
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_tui.actions.acting import ActingScreen
from xpm_tui.changes import Change, Cleaned, Pinned
from xpm_tui.cleaning.obsolescence import Obsolescence
from xpm_tui.cleaning.removal import Removal
from xpm_tui.deeds import Deeds, HereDeeds
from xpm_tui.fetching import Fetching, Told, Wanted
from xpm_tui.outside.ending import end_with_signals, end_with_terminal
from xpm_tui.outside.programs import Errand
from xpm_tui.own_faults import OwnFaultError, foreseen
from xpm_tui.screens.arriving import Goal
from xpm_tui.screens.clean import CleanScreen
from xpm_tui.screens.empty import EmptyScreen
from xpm_tui.screens.help import HelpScreen
from xpm_tui.screens.main import MainScreen
from xpm_tui.screens.palette import Chosen, Kind, Palette, action_entries, theme_entries
from xpm_tui.session import Session, Sessions
from xpm_tui.store import Changed, Store
from xpm_tui.terminal_app import TerminalApp
from xpm_tui.watcher import Watcher
from xpm_tui.widgets.apart import Failed, nothing
from xpm_tui.widgets.cleaning.trash import TrashView
from xpm_tui.widgets.log.view import LogView

if TYPE_CHECKING:
    from textual._path import CSSPathType

    from xpm_tui.far.site import FarSite

KEEP = 60.0
"""Seconds after which the place is kept even if the app goes on: machines stop too."""


class XpmApp(TerminalApp):
    """The terminal app on one workspace."""

    TITLE = "xpm-tui"
    # What palette and help look like is read at the start: else the first of them reads all styles
    # anew, and dresses all there is.
    CSS_PATH: ClassVar[CSSPathType | None] = ["app.tcss", "screens/picker.tcss"]

    class DiskRead(Message):
        """The watcher found something."""

    class ObsoleteFound(Message):
        """More is known of what could be cleaned."""

        def __init__(self, of: Store, removal: Removal, purged: int) -> None:
            super().__init__()
            self.of = of
            self.removal = removal
            self.purged = purged

    class FetchTold(Message):
        """A fetch is further, or over."""

        def __init__(self, of: Fetching, told: Told) -> None:
            super().__init__()
            self.of = of
            self.told = told

    class Undone(Message):
        """A change was taken back, or could not be."""

        def __init__(self, change: Change | None, words: str) -> None:
            """`change` is None where it could not."""
            super().__init__()
            self.change = change
            self.words = words

    def __init__(
        self,
        workspace: WorkspacePaths,
        *,
        readonly: bool = False,
        ascii_only: bool = False,
        events: bool = True,
        survey: bool = True,
        clock: Callable[[], float] = time.time,
        sessions: Sessions | None = None,
        goal: Goal | None = None,
        far: FarSite | None = None,
    ) -> None:
        """`sessions` keeps how the workspace is left; `goal` is where the app opens.

        `clock` is what the screens call now: whether a file is as it was read is a matter of the
        clock by which its times were set.

        `far` is where the workspace really is, if that is on another machine.
        """
        super().__init__(ascii_only=ascii_only)
        self.sessions = sessions
        self._goal = goal
        self._kept = Session()
        self.left_at = Session()
        """How the workspace was left, once it was."""
        self.readonly = readonly
        self.far = far
        self.clock = clock
        self.store = self._store(workspace)
        self.deeds = self._deeds(workspace)
        self.changes: tuple[Change, ...] = ()
        """What this session changed and can still be taken back, oldest first."""
        self.fetching: Fetching | None = None
        """What is on its way from other hosts now."""
        self._protection = ExitStack()
        self._events = events
        self._survey = survey
        """Whether what is obsolete is looked for in the background."""
        self._watcher = self._watch(workspace)
        self._obsolescence = self._look_for_obsolete()
        self._main: MainScreen | None = None

    def on_mount(self) -> None:
        self.set_interval(1.0, self._look_again)
        self._open()
        self.set_interval(KEEP, self.keep_session)
        if not self.is_headless:
            end_with_signals(self)
            end_with_terminal(self, self._keep_last)

    def _keep_last(self) -> None:
        self.keep_session()
        if self.far is not None:
            self.far.close()

    def on_unmount(self) -> None:
        self._stop_fetching()
        self._protection.close()
        self._obsolescence.stop()
        self._watcher.stop()
        if self.far is not None:
            self.far.close()

    def open_workspace(self, workspace: WorkspacePaths) -> None:
        """Leave this workspace for another one."""
        self.keep_session()
        self._stop_fetching()
        self._watcher.stop()
        self._obsolescence.stop()
        self.store = Store(workspace)
        self.deeds = self._deeds(workspace)
        self._obsolescence = self._look_for_obsolete()
        self.changes = ()
        self._watcher = self._watch(workspace)
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self._open()

    def exit(
        self, result: None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """Leave; how the workspace is left is kept."""
        self.keep_session()
        super().exit(result, return_code, message)

    def keep_session(self) -> None:
        """Keep how the workspace is now, if that is something to come back to."""
        main = self._main
        if main is None or not main.ready or self.store.empty:
            return
        self.left_at = main.left_at()
        if self.sessions is not None and self.left_at != self._kept:
            self._kept = self.left_at
            self.sessions.keep(self.store.workspace, self.left_at)

    def _store(self, workspace: WorkspacePaths) -> Store:
        if self.far is None:
            return Store(workspace)
        return Store(
            workspace,
            place=self.far.title,
            root=self.far.place.root,
            list_job=self.far.list_folder,
        )

    def _deeds(self, workspace: WorkspacePaths) -> Deeds:
        return HereDeeds(workspace) if self.far is None else self.far.deeds

    @property
    def watcher(self) -> Watcher:
        """What keeps the store true."""
        return self._watcher

    def note_change(self, transaction: str) -> None:
        """A clean was carried out: `z` takes it back."""
        self._note(Cleaned(transaction))

    def note_pins(self, change: Pinned) -> None:
        """Pins were set or taken away: `z` takes it back."""
        if change.jobs:
            self._note(change)

    def _note(self, change: Change) -> None:
        self.changes = (*self.changes, change)
        self._watcher.look_now()

    def plan_removal(self, keys: frozenset[JobKey]) -> None:
        """Show the plan of a removal; nothing moves before it is carried out there."""
        if self._main is not None:
            self.push_screen(CleanScreen(self._main.plan_of(keys)))

    def forget_purged(self, cleans: Sequence[Transaction]) -> None:
        """These were deleted for good: what is gone can't be taken back."""
        # The trash tells how many these are; the next survey, how many there are in all.
        self.store.purged += len(cleans)
        gone = {Cleaned(clean.name) for clean in cleans}
        self.changes = tuple(change for change in self.changes if change not in gone)

    def undo_last(self) -> None:
        """Take back the last change of this session."""
        if self.changes:
            self._take_back(self.changes[-1])

    def undo(self, transaction: str) -> None:
        """Take back a clean."""
        self._take_back(Cleaned(transaction))

    def on_trash_view_undo_wanted(self, message: TrashView.UndoWanted) -> None:
        message.stop()
        self.undo(message.transaction.name)

    def _take_back(self, change: Change) -> None:
        """In a thread, which ends in one message."""
        deeds, root = self.deeds, self.store.shown.root

        def work() -> None:
            try:
                with foreseen():
                    words = deeds.take_back(change)
            except XpmError as error:
                where = error.where or root
                self.post_message(self.Undone(None, f"{error.what}: {where}"))
            else:
                self.post_message(self.Undone(change, words))

        self.run_worker(work, thread=True, group="undo", exit_on_error=False)

    def on_xpm_app_undone(self, message: Undone) -> None:
        message.stop()
        if message.change is not None:
            self.changes = tuple(left for left in self.changes if left != message.change)
            self._watcher.look_now()
        self.tell(message.words, bad=message.change is None)

    def fetch(self, wanted: tuple[Wanted, ...]) -> None:
        """Begin to bring results of other hosts here, unless that is done already."""
        if self.fetching is not None:
            return

        def tell(told: Told) -> None:
            """In its thread."""
            self.post_message(self.FetchTold(fetching, told))

        self.fetching = fetching = Fetching(self.store.workspace, wanted, tell)
        fetching.start()

    def _stop_fetching(self) -> None:
        if self.fetching is not None:
            self.fetching.stop()
            self.fetching = None

    def on_xpm_app_fetch_told(self, message: FetchTold) -> None:
        message.stop()
        told = message.told
        if message.of is not self.fetching:
            return
        if told.touched is not None:
            self._watcher.touch(told.touched)
        if told.over:
            self.fetching = None
            self.tell(told.words, bad=told.bad)
        if self._main is not None and self._main.ready:
            self._main.show_doing()

    def on_log_view_lines_copied(self, message: LogView.LinesCopied) -> None:
        message.stop()
        self.copy_text(message.copy.text)

    def run_errand(self, errand: Errand) -> None:
        super().run_errand(errand)
        self._watcher.look_now()

    def _look_for_obsolete(self) -> Obsolescence:
        store = self.store

        def told(removal: Removal, purged: int) -> None:
            """In its thread."""
            self.post_message(self.ObsoleteFound(store, removal, purged))

        def failed(fault: OwnFaultError) -> None:
            """In its thread."""
            self.post_message(Failed(fault, nothing))

        return Obsolescence(store, self.deeds, told, failed)

    def _look_again(self) -> None:
        """A second has passed."""
        if self._survey:
            self._obsolescence.tick()

    def on_xpm_app_obsolete_found(self, message: ObsoleteFound) -> None:
        message.stop()
        if message.of is self.store:
            self.store.obsolete = message.removal
            self.store.purged = message.purged
            if self._main is not None and self._main.ready:
                self._main.refresh_from(Changed(obsolete=True))

    # The disk

    def _watch(self, workspace: WorkspacePaths) -> Watcher:
        senses = None if self.far is None else self.far.senses(clock=self.clock)
        watcher = Watcher(workspace, self._wake, events=self._events, senses=senses)
        if self.far is not None:
            self.far.tell(watcher.touch, watcher.look_soon)
        return watcher

    def _wake(self) -> None:
        """In the watcher's thread."""
        self.post_message(self.DiskRead())

    def _open(self) -> None:
        self._protection.close()
        # What is here of another machine's workspace is not what is to be changed.
        if self.readonly or self.far is not None:
            self._protection.enter_context(protect(self.store.workspace))
        self._kept = (
            Session() if self.sessions is None else self.sessions.load(self.store.workspace)
        )
        self._main = MainScreen(self.store, session=self._kept, goal=self._goal)
        self._goal = None
        self.push_screen(self._main)
        self._watcher.start()

    def on_xpm_app_disk_read(self, message: DiskRead) -> None:
        message.stop()
        if not self.screen_stack:
            return  # the app is leaving: its screens are gone, and this came on the way
        changed = [self.store.apply(delta) for delta in self._watcher.take()]
        self._obsolescence.note(Changed.together(changed))
        touched = self._watcher.take_touched()
        if touched:
            changed.append(Changed(jobs=touched))
        if self._main is not None and self._main.ready:
            self._main.refresh_from(Changed.together(changed))
        self._show_whether_empty()

    def _show_whether_empty(self) -> None:
        """The empty screen lies over the main one for as long as there is nothing to show."""
        if self.store.checked < 1.0:
            return
        lying = isinstance(self.screen, EmptyScreen)
        if self.store.empty and self.screen is self._main:
            self.push_screen(EmptyScreen(self.store.workspace, self.store.problem))
        elif lying and not self.store.empty:
            self.pop_screen()

    # Actions that work on every screen

    def do_palette(self) -> None:
        """On a screen that has nothing to go to: its actions and the themes."""
        screen = self.screen
        if isinstance(screen, ActingScreen):
            entries = [*action_entries(screen.explained()), *theme_entries()]
            self.push_screen(
                Palette(entries, None, lambda _, then: then(())), self._carry_out_named
            )

    def carry_out(self, chosen: Chosen) -> None:
        """Do what was picked in the palette, on the screen that is on top."""
        if chosen.kind is Kind.THEME:
            self.theme = chosen.name
        elif chosen.kind is Kind.ACTION:
            self._run_chosen(chosen.name)

    def _carry_out_named(self, name: str | None) -> None:
        if name is not None:
            self.carry_out(Chosen.parse(name))

    def do_help(self) -> None:
        screen = self.screen
        if isinstance(screen, ActingScreen):
            self.push_screen(HelpScreen(screen.explained()), self._run_chosen)

    def do_reread(self) -> None:
        if self.far is not None:
            self.far.place.link.hurry()
        self._watcher.look_now()
        trouble = self._watcher.index_trouble
        if trouble:
            self.tell(f"the next start has to read everything: {trouble}", bad=True)

    def do_quit(self) -> bool:
        """Leave a screen that does not know better."""
        if len(self.screen_stack) <= 2:
            return False
        self.pop_screen()
        return True

    def _run_chosen(self, name: str | None) -> None:
        screen = self.screen
        if name is not None and isinstance(screen, ActingScreen):
            screen.choose(name)
