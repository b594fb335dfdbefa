"""Bringing results of other hosts here, one after the other, in a thread of its own.

The thread is no worker of the app's, so that a host that answers nothing keeps nobody from leaving.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

from xpm_engine.errors import XpmError
from xpm_engine.words import percent, plural, size
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.mirror import Fetched
from xpm_tui.own_faults import foreseen, told

OFTEN = 0.5
"""Seconds between two words about what has come."""


@dataclass(frozen=True)
class Wanted:
    """What is to be brought of one job."""

    key: JobKey
    title: str
    """What it is called for people."""
    there: Fetched
    """What is on its host alone, as it was noted here."""
    patterns: tuple[str, ...] = ("**",)


@dataclass(frozen=True)
class Told:
    """How far it is, or what it came to."""

    words: str
    touched: JobKey | None = None
    """A job of which files have come."""
    over: bool = False
    bad: bool = False


class Fetching:
    """Brings what is wanted; ends by itself, or when it is stopped."""

    def __init__(
        self, workspace: WorkspacePaths, wanted: tuple[Wanted, ...], tell: Callable[[Told], object]
    ) -> None:
        """`tell` is called from the thread; the last time with `over`."""
        self.wanted = wanted
        self.words = "connecting"
        """How far it is."""
        self._workspace, self._tell = workspace, tell
        self._stop = Event()
        self._due = 0.0
        self._thread = Thread(target=self._work, name="fetch", daemon=True)

    @property
    def hosts(self) -> str:
        """Where it all is."""
        return hosts_of(self.wanted)

    def start(self) -> None:
        """Begin."""
        self._say(f"connecting to {self.wanted[0].there.of}")
        self._thread.start()

    def stop(self) -> None:
        """Bring nothing more, after the piece that is on its way."""
        self._stop.set()

    def join(self, seconds: float) -> bool:
        """Wait for the thread; whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        """In the thread: whatever happens, it ends, and the end is told."""
        try:
            with foreseen():
                self._bring()
        except XpmError as error:
            self._tell(Told(told(error), over=True, bad=True))

    def _bring(self) -> None:
        from xpm_engine.verbs.fetch import Fetcher

        files = brought = left = 0
        troubles: list[str] = []
        with Fetcher(self._workspace) as fetcher:
            for number, wanted in enumerate(self.wanted):
                if self._stop.is_set():
                    break
                try:
                    tally = fetcher.fetch(
                        wanted.key,
                        wanted.patterns,
                        progress=self._progress(number),
                        stopped=self._stop.is_set,
                    )
                except XpmError as error:
                    parts = (error.what, error.hint or "")
                    troubles.append(f"{wanted.title}: {': '.join(filter(None, parts))}")
                else:
                    files, brought = files + tally.brought, brought + tally.brought_size
                    left += len(tally.left)
                self._tell(Told("", touched=wanted.key))
        came = f"{plural(files, 'file')}, {size(brought)}, brought from {self.hosts}"
        if self._stop.is_set():
            came = f"stopped: {came}; F brings the rest"
        elif left and not troubles:
            came += f"; {plural(left, 'file')} more there"
        if troubles:
            more = f", and {len(troubles) - 1} more like this" if len(troubles) > 1 else ""
            came = f"{troubles[0]}{more}" if not files else f"{came}; {troubles[0]}{more}"
        self._tell(Told(came, over=True, bad=bool(troubles)))

    def _progress(self, number: int) -> Callable[[int, int], None]:
        nth = f"{number + 1} of {len(self.wanted)}: " if len(self.wanted) > 1 else ""
        host = self.wanted[number].there.of

        def progress(here: int, total: int) -> None:
            clock = time.monotonic()
            if clock >= self._due:
                self._due = clock + OFTEN
                part = percent(here / max(1, total))
                self._say(f"fetching {nth}{part} of {size(total)} from {host}")

        return progress

    def _say(self, words: str) -> None:
        self.words = words
        self._tell(Told(words))


def hosts_of(wanted: tuple[Wanted, ...]) -> str:
    """The hosts that it all comes from, in words."""
    return ", ".join(dict.fromkeys(each.there.of for each in wanted))
