"""A workspace that is written below a mount, so that no event comes, while the app is open on it.

It stands for network file systems: what another host writes there makes no event here.
"""

from __future__ import annotations

import shutil

import pytest

from tests.tui.driving import WIDE, Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_tui import watcher
from xpm_tui.store import RunKey


async def test_the_screen_comes_right_without_events(
    overlay: tuple[FakeWorkspace, FakeWorkspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, below = overlay
    monkeypatch.setattr(watcher, "RECONCILE", 0.3)
    monkeypatch.setattr(watcher, "SHARE", 1.0)
    jobs = [FakeJob("ir.learn", name, {"lr": name}) for name in ("a", "b", "c")]
    below.start(jobs[0], run="drmm/1")
    below.done(jobs[1], run="drmm/1")
    below.run("drmm", jobs, run="20261122-091200")
    driven = Driven(seen, events=True)
    async with driven.at(WIDE) as app:
        store = app.app.store
        await app.until(lambda: app.app.watcher.hearing is watcher.Hearing.EVENTS)
        assert app.tree.reveal(jobs[0].key, RunKey("drmm", "20261122-091200"))
        await app.pilot.pause()
        row = app.row()

        # A job ends, one that had ended goes, and the plan is run again with one more.
        below.failed(jobs[0], "out of memory", run="drmm/1")
        shutil.rmtree(below.paths.job(jobs[1].key).root)
        more = FakeJob("ir.learn", "d", {"lr": "d"})
        below.done(more, run="drmm/2")
        again = "20261123-091200"
        below.run("drmm", [*jobs, more], run=again, plan=PlanState.COMPLETE, ended=10)

        def right() -> bool:
            states = [store.job(job.key).state for job in (jobs[0], jobs[1], more)]
            wanted = [JobState.FAILED, JobState.NOT_SUBMITTED, JobState.DONE]
            return states == wanted and store.experiments()[0].latest == RunKey("drmm", again)

        await app.until(right)
        await app.pilot.pause()
        assert "lr=a" in row
        assert "lr=a" in app.row()
        assert "out of memory" in app.row()
    assert driven.app.watcher.join(5)
