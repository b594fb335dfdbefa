"""The link is cut in the middle of anything: what is shown afterwards is what is there."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.far.conftest import Line
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.errors import UnreachableError
from xpm_engine.remote.connection import Connection
from xpm_engine.remote.frames import Decoder
from xpm_engine.workspace.records.states import JobState
from xpm_tui.far.details import Details
from xpm_tui.far.place import FarPlace
from xpm_tui.far.reader import FarReader
from xpm_tui.store import Store
from xpm_tui.store.reader import Look

CUTS = sorted(random.Random(20261127).sample(range(1, 120), 12))
"""After how many small reads of the first connection it is cut."""


@pytest.mark.parametrize("reads", CUTS)
def test_a_cut_in_the_middle_of_a_look(
    workspace: FakeWorkspace,
    open_far: Callable[[], FarPlace],
    line: Line,
    reads: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = [FakeJob("drmm.learn", str(number), {"seed": number}) for number in range(30)]
    for job in jobs:
        workspace.done(job, run="exp/20261123-091200")
    workspace.run("exp", jobs)
    left = [reads]
    deliver = Connection._deliver

    def counted(self: Connection, decoder: Decoder, data: bytes) -> None:
        left[0] -= 1
        if left[0] == 0:
            self._pipes._process.kill()
            raise UnreachableError("cut")
        deliver(self, decoder, data)

    place = open_far()
    monkeypatch.setattr("xpm_engine.remote.pipes._READ", 500)
    monkeypatch.setattr(Connection, "_deliver", counted)
    store = Store(place.here, place="elsewhere", root=place.root)
    reader = FarReader(place, Details(place, lambda key: None))
    for delta in reader.read(Look(everything=True)):
        store.apply(delta)
    assert bool(reader.lost) == (left[0] <= 0 and store.checked != 1.0)
    shown = {job.key: store.record(job.key).state for job in jobs}
    assert set(shown.values()) <= {JobState.DONE, JobState.NOT_SUBMITTED}
    place.link.connection(patience=20.0)
    for _ in range(2):
        for delta in reader.read(Look(everything=True)):
            store.apply(delta)
        place.link.connection(patience=20.0)
    assert {store.record(job.key).state for job in jobs} == {JobState.DONE}
    assert store.checked == 1.0
    manifest = Path(place.here.run("exp", "20261123-091200").manifest)
    there = Path(workspace.paths.run("exp", "20261123-091200").manifest)
    assert manifest.read_bytes() == there.read_bytes()
