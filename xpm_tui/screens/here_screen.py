"""A screen on which the one thing under the cursor is copied, or opened in another program.

The slow part of an action runs in a thread, and ends in one message.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from textual.message import Message

from xpm_engine.errors import XpmError
from xpm_tui.actions.acting import ActingScreen
from xpm_tui.outside import programs
from xpm_tui.own_faults import foreseen, told
from xpm_tui.screens.capture import Capture
from xpm_tui.screens.copy_as import CopyAsScreen, forms_of
from xpm_tui.widgets.here import Here, copied, edited, folder, paged

if TYPE_CHECKING:
    from xpm_tui.app import XpmApp
    from xpm_tui.far.site import FarSite

Found = TypeVar("Found")


class HereScreen(ActingScreen[None]):
    """Carries out what the keys ask for on what is under the cursor."""

    app: XpmApp

    class Finished(Message):
        """A thread has done its part."""

        def __init__(self, then: Callable[[], None]) -> None:
            super().__init__()
            self.then = then

    @abstractmethod
    def here(self) -> Here:
        """What is under the cursor now."""

    @abstractmethod
    def capture(self) -> Capture:
        """The jobs that an action is about now."""

    def do_editor(self) -> None:
        """The editor, at the line; of another machine's file a copy, in the pager."""
        store, here, far = self.app.store, self.here(), self.app.far
        if far is None:
            self._go_out(lambda: programs.editor(edited(store, here), os.environ))
        else:
            self._page_copy(far, lambda: edited(store, here, is_file=far.opened.is_file))

    def do_pager(self) -> None:
        """The pager, on the log or the file."""
        store, here, secure = self.app.store, self.here(), self.app.readonly
        far = self.app.far

        if far is None:
            self._go_out(lambda: programs.pager(paged(store, here), os.environ, secure=secure))
        else:
            self._page_copy(far, lambda: paged(store, here))

    def _page_copy(self, far: FarSite, find: Callable[[], programs.FileLine]) -> None:
        """Bring a file of another machine, and show it.

        It waits for that machine, so it is done in a thread.
        """

        def bring() -> programs.FileLine:
            at = find()
            return replace(at, file=far.opened.copy(at.file))

        secure = self.app.readonly

        def show(at: programs.FileLine) -> None:
            self._go_out(lambda: programs.pager(at, os.environ, secure=secure))

        self.in_thread(bring, show)

    def do_shell(self) -> None:
        """A shell in the folder."""
        store, here, far = self.app.store, self.here(), self.app.far
        if far is not None:
            self._go_out(lambda: far.shell(folder(store, here)))
        else:
            self._go_out(lambda: programs.shell(folder(store, here), os.environ))

    def do_copy(self) -> None:
        """The identifiers of the jobs; of anything else its name."""
        capture = self.capture()
        text = "" if capture.marked else copied(self.app.store, self.here())
        text = text or "\n".join(key.identifier for key in capture.keys)
        if text:
            self.app.copy_text(text)
        else:
            self.say("y copy: there is nothing under the cursor", bad=True)

    def do_copy_as(self) -> None:
        """Ask in which form."""
        capture, store = self.capture(), self.app.store

        def ask(forms: tuple[tuple[str, str], ...]) -> None:
            texts = dict(forms)

            def chosen(name: str | None) -> None:
                if name is not None:
                    self.app.copy_text(texts[name])

            self.app.push_screen(CopyAsScreen(forms), chosen)

        far = self.app.far
        there = None if far is None else far.forms(capture.keys)
        self.in_thread(lambda: forms_of(store.workspace, capture.jobs, there=there), ask)

    def _go_out(self, errand: Callable[[], programs.Errand]) -> None:
        """Leave the terminal to another program, and come back."""
        try:
            self.app.run_errand(errand())
        except XpmError as error:
            self._say_error(error)

    def in_thread(self, work: Callable[[], Found], then: Callable[[Found], None]) -> None:
        """Do the slow part in a thread, and the rest with what it found, here."""

        def run() -> None:
            try:
                with foreseen():
                    found = work()
            except XpmError as failure:
                error = failure
                self.post_message(self.Finished(lambda: self._say_error(error)))
            else:
                self.post_message(self.Finished(lambda: then(found)))

        self.run_worker(run, thread=True, group="act", exit_on_error=False)

    def on_here_screen_finished(self, message: Finished) -> None:
        message.stop()
        message.then()
        self.after_action()

    def _say_error(self, error: XpmError) -> None:
        self.say(told(error), bad=True)
