"""Which jobs that are over may start again without a sign from the folders that are listed.

A plan that goes on starts again what failed before, and its own jobs where it tries them twice: the
attempt comes into a folder that stands already, and that nobody watches.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from xpm_engine.workspace.index import JobRow, Known, keys_of, state_of
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.scan import RunView
from xpm_tui.store.subjects import RunKey

LATELY = 100
"""Jobs that ended badly which are listened to: what somebody mends is often run again."""

PART = 500
"""Jobs of the runs that go on in one look: each is a question to the file system."""


class Restarts:
    """The jobs without a result that the runs name which go on, or have just changed."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._failed: set[JobKey] | None = None
        """Those that ended badly; None until the first of them is asked for."""
        self._named: dict[RunKey, frozenset[JobKey]] = {}
        """By the runs that go on."""
        self._once: set[JobKey] = set()
        """By the runs that changed since this was last asked."""
        self._lately: dict[JobKey, None] = {}
        """Those that ended badly last."""
        self._turn: list[JobKey] = []
        """Those of a great many that were not looked at yet in this round."""

    def note_run(self, run: RunKey, view: RunView) -> None:
        """A run was read again."""
        named = frozenset(keys_of(view.manifest))
        self._named.pop(run, None)
        if view.live:
            self._named[run] = named
        self._once |= self._among(named)

    def note_job(self, key: JobKey, row: JobRow) -> None:
        """A job was read again."""
        bad = state_of(row).ended_badly
        (self._over().add if bad else self._over().discard)(key)
        self._lately.pop(key, None)
        if bad:
            self._lately[key] = None
            if len(self._lately) > LATELY:
                del self._lately[next(iter(self._lately))]

    @property
    def lately(self) -> tuple[JobKey, ...]:
        """The jobs that ended badly last, also those that no run names: another host's plan may
        start them again. Of those of an earlier session as many as there is room for."""
        self._over()
        return tuple(self._lately)

    def forget_runs(self, runs: Iterable[RunKey]) -> None:
        """These runs are gone."""
        for run in runs:
            self._named.pop(run, None)

    def due(self) -> set[JobKey]:
        """The jobs to look at; where there are very many, each in its turn."""
        due, self._once = self._once, set()
        waiting = set[JobKey]().union(*map(self._among, self._named.values()))
        if len(waiting) <= PART:
            return due | waiting
        self._turn = [key for key in self._turn if key in waiting] or list(waiting)
        due.update(self._turn[:PART])
        del self._turn[:PART]
        return due

    def _among(self, named: frozenset[JobKey]) -> set[JobKey]:
        return (self._over() & named) | (self._known.unstarted & named)

    def _over(self) -> set[JobKey]:
        if self._failed is None:
            rows = self._known.jobs.items()
            self._failed = {key for key, (_, row) in rows if state_of(row).ended_badly}
            self._lately = dict.fromkeys(islice(self._failed, LATELY))
        return self._failed
