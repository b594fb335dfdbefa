"""What is obsolete, found and measured in the background whenever the workspace changed.

A survey costs a second at 100,000 jobs: it is made when a job or a run came, went or ended, never
because a job tells how far it is, and it takes at most a small share of the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread

from xpm_engine.errors import UnreachableError, XpmError
from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_engine.verbs.cleaning.offers import OfferRow
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_tui.cleaning.planning import PlanOrder
from xpm_tui.cleaning.removal import Removal, prepared
from xpm_tui.deeds import Deeds
from xpm_tui.own_faults import OwnFaultError, foreseen
from xpm_tui.store import Changed, Store

QUIET = 1.0
"""Seconds from one survey to the next at the least."""

SHARE = 0.01
"""The part of the time that surveys may take."""

LINK_PATIENCE = 2.0
"""Seconds until another machine that could not be reached is asked again."""

FIRST_PATIENCE = 10.0
"""Seconds until a survey that failed is tried again; twice as long each time, …"""

LAST_PATIENCE = 600.0
"""… but not longer than this."""

MANY = 1_000
"""Jobs of which nobody asks what changed: something did."""


class Obsolescence:
    """Keeps `store.obsolete` true, in a thread that lives while there is something to do."""

    def __init__(
        self,
        store: Store,
        deeds: Deeds,
        told: Callable[[Removal, int], None],
        failed: Callable[[OwnFaultError], object] = lambda fault: None,
    ) -> None:
        """`told` is called from the thread, also with how many cleans were purged; so is `failed`
        with a fault of the app itself."""
        self._store = store
        self._deeds = deeds
        self._patience = FIRST_PATIENCE
        self._told = told
        self._failed = failed
        self._dirty = True
        self._states: dict[JobKey, tuple[JobState, int]] = {}
        self._measured: Removal | None = None
        """The last one of which rows were measured."""
        self._stop = Event()
        self._thread: Thread | None = None
        self._next = 0.0
        self._took: float | None = None
        """Seconds that the last survey took; None before there was one."""
        self._last: Removal | None = None
        self._purged = 0

    def note(self, changed: Changed) -> None:
        """The disk was read."""
        if changed.moved:
            return
        if changed.experiments or changed.trash or changed.runs - self._live_runs(changed):
            self._dirty = True
        if len(changed.jobs) > MANY:
            self._states.clear()
            self._dirty = True
            return
        for key in changed.jobs:
            record = self._store.unpacked(key)
            if record is None:
                # It ended or is gone.
                self._states.pop(key, None)
                self._dirty = True
                continue
            now = (record.state, record.attempt)
            if self._states.get(key) != now:
                self._states[key] = now
                self._dirty = True

    def tick(self) -> None:
        """A second has passed: begin a survey if there is a reason and it is time."""
        working = self._thread is not None and self._thread.is_alive()
        if self._last is not None and not working and not self._deeds.holds(self._last):
            # The link to another machine was lost: the plan that was made there is gone.
            self._last, self._dirty, self._next = None, True, 0.0
        if working or not self._dirty or self._store.checked < 1.0:
            return
        if time.monotonic() < self._next:
            return
        self._dirty = False
        order = PlanOrder(self._store.workspace, *self._store.known_now())
        self._thread = Thread(target=self._work, args=(order,), name="obsolete", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread soon."""
        self._stop.set()

    def _live_runs(self, changed: Changed) -> frozenset[object]:
        """Runs that only told more of what their jobs wait for."""
        views = ((run, self._store.run(run)) for run in changed.runs)
        return frozenset(run for run, view in views if view is not None and view.live)

    def _work(self, order: PlanOrder) -> None:
        began = time.monotonic()
        try:
            with foreseen():
                removal, self._purged = self._deeds.survey(order)
        except XpmError as error:
            self._put_off(error)
            return
        self._patience = FIRST_PATIENCE
        self._next = time.monotonic() + max(QUIET, self._usual(time.monotonic() - began) / SHARE)
        if self._measured is not None:
            removal = prepared(replace(removal, sizes=_still_true(self._measured, removal)))
        self._tell(removal)
        self._measure(removal)
        if self._last is not None:
            self._measured = self._last

    def _usual(self, took: float) -> float:
        """How long a survey takes, now that one took this long.

        The first one tells nothing: it waits for an interpreter on another machine, or reads what
        nobody remembers. Nor does one on a machine that was busy at that moment.
        """
        before, self._took = self._took, took
        return 0.0 if before is None else min(before, took)

    def _measure(self, removal: Removal) -> None:
        try:
            with foreseen():
                self._deeds.measure(removal, self._tell, stopped=self._stop.is_set)
        except XpmError as error:
            self._put_off(error)

    def _put_off(self, error: XpmError) -> None:
        """It is looked for again, later."""
        self._dirty = True
        if isinstance(error, UnreachableError):
            # It costs nothing to ask whether there is a link again.
            self._next = time.monotonic() + LINK_PATIENCE
            return
        # It may be for good: another machine's Python is too old, a folder is unreadable.
        self._next = time.monotonic() + self._patience
        self._patience = min(2 * self._patience, LAST_PATIENCE)
        if isinstance(error, OwnFaultError):
            self._failed(error)

    def _tell(self, removal: Removal) -> None:
        self._last = removal
        if not self._stop.is_set():
            self._told(removal, self._purged)


def _still_true(before: Removal, now: Removal) -> dict[Offer, int]:
    """The sizes of rows whose folders are as they were when they were measured."""
    measured = {row.offer: row for row in before.rows if row.offer in before.sizes}
    return {
        row.offer: before.sizes[row.offer]
        for row in now.rows
        if row.offer in measured and _is_same(measured[row.offer], row)
    }


def _is_same(before: OfferRow, now: OfferRow) -> bool:
    """Whether the folder of a row is that of the same attempt, in the same state."""
    return before.known == now.known or _stamp(before) == _stamp(now)


def _stamp(row: OfferRow) -> tuple[int, str | None]:
    """What changes when a row's folder may have another size."""
    job = row.job
    return (0, None) if job is None else (job.attempt, job.ended)
