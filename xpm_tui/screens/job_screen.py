"""A screen on which jobs are acted on: kill, retry, fetch, pin; what a key is about is captured."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from xpm_tui.changes import pin_words
from xpm_tui.facts.folder import Entry
from xpm_tui.screens import fetch, kill, retry
from xpm_tui.screens.capture import Capture
from xpm_tui.screens.dialog import CANCELLED
from xpm_tui.screens.here_screen import HereScreen


class JobScreen(HereScreen):
    """Carries out what the keys ask for on the jobs that are captured."""

    @abstractmethod
    def capture(self) -> Capture:
        """The jobs that an action is about now."""

    def do_kill(self) -> None:
        """Ask, then kill what was captured."""
        capture, deeds = self.capture(), self.app.deeds

        def ask(order: kill.KillOrder) -> None:
            if order.jobs or order.plans:
                self.app.push_screen(kill.dialog(self.app.store, order), answered(order))
            else:
                self.say(kill.why_nothing(capture), bad=True)

        def answered(order: kill.KillOrder) -> Callable[[int | None], None]:
            def carry_out(button: int | None) -> None:
                if button in (None, CANCELLED):
                    self.say("nothing was killed")
                    return
                stop = button == 2 or not order.jobs
                self.in_thread(lambda: kill.carry_out(deeds, order, stop=stop), self.done)

            return carry_out

        self.in_thread(lambda: kill.prepare(deeds, capture), ask)

    def do_retry(self) -> None:
        """Ask, then run again what was captured, with what is blocked behind it."""
        capture, deeds = self.capture(), self.app.deeds

        def ask(offer: retry.RetryOffer) -> None:
            def answered(button: int | None) -> None:
                if button in (None, CANCELLED):
                    self.say("nothing was run again")
                else:
                    plan = retry.chosen(offer, button)
                    self.in_thread(lambda: retry.carry_out(deeds, plan), self.done)

            self.app.push_screen(retry.dialog(self.app.store, offer), answered)

        if capture.jobs:
            self.in_thread(lambda: retry.prepare(deeds, capture), ask)
        else:
            self.say("R retry: there is no job here", bad=True)

    def do_fetch(self) -> None:
        """Ask, then bring here what is on other hosts alone; while that goes on, ask to stop it."""
        going = self.app.fetching
        if going is not None:

            def stop(button: int | None) -> None:
                if button not in (None, CANCELLED):
                    going.stop()

            self.app.push_screen(fetch.stop_dialog(going), stop)
            return
        capture, store, row = self.capture(), self.app.store, self.here().row
        entry = row if isinstance(row, Entry) and not capture.marked else None

        def ask(order: fetch.FetchOrder) -> None:
            def answered(button: int | None) -> None:
                if button in (None, CANCELLED):
                    self.say("nothing was fetched")
                else:
                    self.app.fetch(order.wanted)

            if order.wanted:
                self.app.push_screen(fetch.dialog(order), answered)
            else:
                self.say(fetch.why_nothing(order), bad=True)

        self.in_thread(lambda: fetch.prepare(store, capture, entry), ask)

    def do_pin(self) -> None:
        """Pin what is captured; where all of it is pinned, take the pins away."""
        capture, deeds = self.capture(), self.app.deeds
        keys = tuple(job.key for job in capture.jobs if job.record.attempt)
        if not keys:
            self.say(
                "p pin: none of these jobs has a folder yet, so there is nothing to keep", bad=True
            )
            return

        def work() -> tuple[str, Callable[[], None]]:
            change = deeds.pin(keys)
            words = pin_words(change)
            for line in capture.hidden_line:
                words += f"; {line.plain}"
            return words, lambda: self.app.note_pins(change)

        def then(done: tuple[str, Callable[[], None]]) -> None:
            done[1]()
            self.done(f"{done[0]}; z takes it back")

        self.in_thread(work, then)

    def done(self, words: str) -> None:
        """Something was carried out: say so, and look at the disk at once."""
        self.say(words)
        self.app.watcher.look_now()
