"""Which jobs may start again unseen: where there are many, each is looked at in its turn."""

from __future__ import annotations

import pytest

from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.workspace import scan
from xpm_engine.workspace.index import Known
from xpm_tui.store import RunKey
from xpm_tui.store.restarts import Restarts

RUN = RunKey("exp", "20261123-091200")


def test_of_very_many_each_is_looked_at_in_its_turn(
    workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_tui.store.restarts.PART", 3)
    failed = [FakeJob("drmm.learn", f"bad{number}") for number in range(8)]
    good = FakeJob("drmm.learn", "good")
    for job in failed:
        workspace.failed(job)
    workspace.done(good)
    workspace.run(RUN.experiment, [*failed, good], run=RUN.run)
    known = Known(workspace.paths)
    for job in (*failed, good):
        known.look_at_job(job.key)
    restarts = Restarts(known)
    restarts.note_run(RUN, scan.read_run(workspace.paths, RUN.experiment, RUN.run))
    assert restarts.due() == {job.key for job in failed}, "all of a run that has just changed"
    restarts.due()
    restarts.due()
    turns = [restarts.due() for _ in range(3)]
    assert all(len(turn) <= 3 for turn in turns)
    assert set().union(*turns) == {job.key for job in failed}


def test_what_ended_badly_is_listened_to_also_of_an_earlier_session(
    workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_tui.store.restarts.LATELY", 2)
    bad = [FakeJob("drmm.learn", f"bad{number}") for number in range(3)]
    known = Known(workspace.paths)
    workspace.failed(bad[0])
    known.look_at_job(bad[0].key)
    restarts = Restarts(known)
    assert restarts.lately == (bad[0].key,)
    for job in bad[1:]:
        workspace.failed(job)
        known.look_at_job(job.key)
        restarts.note_job(job.key, known.jobs[job.key][1])
    assert restarts.lately == (bad[1].key, bad[2].key)
    workspace.start(bad[1], attempt=2)
    known.look_at_job(bad[1].key)
    restarts.note_job(bad[1].key, known.jobs[bad[1].key][1])
    assert restarts.lately == (bad[2].key,)
