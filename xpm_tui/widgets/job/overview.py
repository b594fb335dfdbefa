"""One job at a glance: its state in words, why, when, on what, for whom, and how far it is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.message import Message
from textual.timer import Timer

from xpm_engine.errors import XpmError
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_tui import clock
from xpm_tui.facts.usage import LiveUsage
from xpm_tui.widgets.apart import run_apart
from xpm_tui.widgets.job.overview_facts import (
    Explained,
    OverviewFacts,
    explain,
    explained,
    read_overview,
)
from xpm_tui.widgets.job.overview_lines import TRAIL, OverviewOf, overview_lines
from xpm_tui.widgets.lines import Lines
from xpm_tui.widgets.reading import ReadingWidget

if TYPE_CHECKING:
    from xpm_tui.app import XpmApp

STAYS = 0.4
"""Seconds on a job before it is found out why it ran."""

MOST_WHYS = 200
"""Answers that are kept."""


class Overview(ReadingWidget[OverviewOf, OverviewFacts]):
    """The first tab of a job."""

    class WhyFound(Message):
        """It was found out why a job ran."""

        def __init__(self, found: Explained) -> None:
            super().__init__()
            self.found = found

    def __init__(self) -> None:
        super().__init__()
        self._whys: dict[tuple[JobKey, int], Explained] = {}
        self._asking: Timer | None = None
        self._trail: list[LiveUsage] = []

    def compose(self) -> ComposeResult:
        yield Lines()

    def show(self, about: OverviewOf) -> None:
        if self.about is None or not self.same(self.about, about):
            self._trail = []
        super().show(about)
        if _wanted(about) not in self._whys and about.job.record.attempt:
            # It reads hundreds of files: only where the user stays.
            if self._asking is not None:
                self._asking.stop()
            self._asking = self.set_timer(STAYS, self._ask_why)

    def same(self, before: OverviewOf, now: OverviewOf) -> bool:
        return before.job.key == now.job.key

    def read(self, about: OverviewOf) -> OverviewFacts:
        return read_overview(about.workspace, about.job, away=about.away)

    def draw(self, about: OverviewOf, facts: OverviewFacts | None) -> None:
        found = facts or OverviewFacts()
        if found.usage is not None and found.usage not in self._trail[-1:]:
            self._trail = [*self._trail, found.usage][-TRAIL:]
        explained = self._whys.get(_wanted(about))
        lines = overview_lines(
            about, found, now=clock.now(), explained=explained, trail=self._trail
        )
        self.query_one(Lines).show(lines, from_top=facts is None)

    def tick(self) -> None:
        """A second has passed."""
        if self.about is None:
            return
        self.draw(self.about, self.facts)
        if self.about.job.state in (JobState.RUNNING, JobState.UNREACHABLE):
            self.reread()

    def _ask_why(self) -> None:
        self._asking = None
        about = self.about
        if about is not None and self.display and _wanted(about) not in self._whys:
            run_apart(self, lambda: self._explain(about), group="why")

    def _explain(self, about: OverviewOf) -> None:
        """In a thread; ends in one message."""
        if not about.away:
            self.post_message(self.WhyFound(explain(about.workspace, about.job)))
            return
        # Without an answer from there nothing is said: what is here is not enough to tell.
        with suppress(XpmError):
            app = cast("XpmApp", self.app)  # pyright: ignore[reportUnknownMemberType]
            self.post_message(self.WhyFound(explained(about.job, app.deeds.why(about.job.key))))

    def on_overview_why_found(self, message: WhyFound) -> None:
        message.stop()
        found = message.found
        if len(self._whys) >= MOST_WHYS:
            self._whys.clear()
        self._whys[found.key, found.attempt] = found
        if self.about is not None and self.is_mounted:
            self.draw(self.about, self.facts)


def _wanted(about: OverviewOf) -> tuple[JobKey, int]:
    return about.job.key, about.job.record.attempt
