"""How often what is obsolete is looked for: as soon as it can be, at a small share of the time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.tui.hosting import store_of
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_tui.cleaning import obsolescence
from xpm_tui.cleaning.obsolescence import QUIET, SHARE, Obsolescence
from xpm_tui.cleaning.planning import PlanOrder
from xpm_tui.cleaning.removal import Removal
from xpm_tui.deeds import HereDeeds
from xpm_tui.store import Changed

Jobs = dict[str, FakeJob]


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


class SlowDeeds(HereDeeds):
    """Surveys that take the seconds that they are told to."""

    def __init__(self, workspace: FakeWorkspace, clock: Clock) -> None:
        super().__init__(workspace.paths)
        self.surveys = 0
        self.takes = 0.0
        self._clock = clock

    def survey(self, order: PlanOrder) -> tuple[Removal, int]:
        self.surveys += 1
        self._clock.now += self.takes
        return super().survey(order)


def test_a_first_survey_that_took_long_does_not_put_off_the_next(
    workspace: FakeWorkspace, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(obsolescence, "time", SimpleNamespace(monotonic=clock.monotonic))
    deeds = SlowDeeds(workspace, clock)
    looking = Obsolescence(store_of(workspace), deeds, lambda removal, purged: None)

    def look(*, after: float, takes: float) -> int:
        """Something changed, and time has passed: how many surveys there were by then."""
        clock.now += after
        deeds.takes = takes
        looking.note(Changed(trash=True))
        looking.tick()
        assert looking._thread is not None
        looking._thread.join()
        return deeds.surveys

    assert look(after=0, takes=20) == 1
    assert look(after=QUIET, takes=2) == 2
    assert look(after=2 / SHARE - 1, takes=30) == 2
    assert look(after=1, takes=30) == 3
    # A machine that was busy once is no reason either.
    assert look(after=2 / SHARE, takes=1) == 4
