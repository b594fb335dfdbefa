"""The launcher for the tests of plans: the scheduler does all, and nothing is executed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from xpm_engine import Param, Task, experiment
from xpm_engine.launchers.fake import FakeLauncher
from xpm_engine.workspace.layout import task_folder
from xpm_engine.workspace.records.reasons import Outcome


class First(Task):
    name: Param[int]

    def execute(self) -> None:
        raise AssertionError("nothing is executed")


class Second(Task):
    after: Param[First]

    def execute(self) -> None:
        raise AssertionError("nothing is executed")


def test_jobs_end_at_once(tmp_path: Path) -> None:
    fake = FakeLauncher()
    with experiment(tmp_path / "ws", "exp", launcher=fake) as xp:
        for name in range(20):
            Second(after=First(name=name).submit()).submit()
    assert not xp.failed
    assert len(fake.orders) == 40
    with experiment(tmp_path / "ws", "exp", launcher=FakeLauncher()) as xp:
        First(name=3).submit()
    assert not xp.failed


def test_some_fail(tmp_path: Path) -> None:
    first = task_folder(f"{First.__module__}.{First.__qualname__}")
    fake = FakeLauncher(outcomes={first: Outcome.FAILED})
    with experiment(tmp_path / "ws", "exp", launcher=fake, on_failure="return") as xp:
        Second(after=First(name=1).submit()).submit()
        xp.wait()
        (key,) = xp.failed
    assert key.task == first
    assert [order.key.task for order in fake.orders] == [key.task]


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.DIED])
def test_the_test_says_when(tmp_path: Path, outcome: Outcome) -> None:
    fake = FakeLauncher(outcome=None)
    with experiment(tmp_path / "ws", "exp", launcher=fake, on_failure="return") as xp:
        First(name=1).submit()
        while not fake.orders:
            threading.Event().wait(0.001)
        fake.end(fake.orders[0].key, outcome)
    assert bool(xp.failed) is (outcome is not Outcome.DONE)
