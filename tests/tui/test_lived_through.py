"""A real plan runs beside the app: in the end the app says what one says that is opened then.

No look at everything comes to its help: what it hears of and its looks at what goes on are enough.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE
from tests.tui.portrait import Portrait, fresh, portrait
from xpm_engine.verbs.cleaning import clean
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_tui import watcher
from xpm_tui.app import XpmApp
from xpm_tui.store import FailedSubject

PLAN = """
import os, sys
from xpm_engine import Param, Task, experiment

class Work(Task):
    n: Param[int]
    def execute(self):
        tried = os.environ["TRIED"]
        if self.n == 3 or (self.n == 4 and not os.path.exists(tried)):
            open(tried, "w").close()
            raise ValueError("not today")

class After(Task):
    work: Param[Work]
    def execute(self): ...

if __name__ == "__main__":
    with experiment(sys.argv[1], sys.argv[2], on_failure="return"):
        for n in range(int(sys.argv[3])):
            After(work=Work(n=n).submit()).submit()
"""


RUNS = {"first": 2, "second": 1}


class Beside:
    """An app that is open on a workspace, and plans beside it."""

    def __init__(self, folder: Path, *, events: bool) -> None:
        self.folder = folder
        self.workspace = WorkspacePaths(str(folder / "ws"))
        (folder / "ws").mkdir()
        (folder / "plan.py").write_text(PLAN, encoding="utf-8")
        self.app = XpmApp(self.workspace, events=events, survey=False)

    async def run(self, *plans: tuple[str, int]) -> None:
        """Run these plans at once, to their end: experiment, and how many jobs."""
        started = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "plan.py", self.workspace.root, name, str(count)),
                cwd=self.folder,
                env={**os.environ, "TRIED": str(self.folder / "tried")},
                stderr=subprocess.DEVNULL,
            )
            for name, count in plans
        ]
        for plan in started:
            assert await asyncio.wait_for(plan.wait(), PATIENCE) == 0

    async def forgets(self) -> None:
        """What was read is not looked at again for being fresh."""
        reader: Any = self.app.watcher._reader
        async with asyncio.timeout(PATIENCE):
            while reader._known.young or reader._known.young_runs:
                await asyncio.sleep(0.05)

    async def comes_true(self) -> None:
        """What it says becomes what is there, by itself."""
        lived: Portrait = {}
        wanted = fresh(self.workspace)
        try:
            async with asyncio.timeout(PATIENCE):
                while (lived := portrait(self.app.store)) != wanted:
                    await asyncio.sleep(0.05)
                    wanted = fresh(self.workspace)
        except TimeoutError:
            assert lived == wanted


@pytest.mark.parametrize("events", [True, False], ids=["events", "polling"])
async def test_plans_that_run_beside_the_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: bool
) -> None:
    monkeypatch.setattr(watcher, "RECONCILE", 1e9)
    monkeypatch.setattr(watcher, "POLL", 0.1)
    beside = Beside(tmp_path, events=events)
    async with beside.app.run_test(size=(120, 40)):
        await beside.run(("first", 5))
        await beside.comes_true()
        await beside.forgets()
        # What failed is tried again, by two plans at once, one of them of a new experiment.
        await beside.run(("first", 6), ("second", 5))
        await beside.comes_true()
        failed = list(beside.app.store.keys(FailedSubject()))
        assert len(failed) == 1
        clean.carry_out(beside.workspace, clean.plan_removal(beside.workspace, failed))
        await beside.comes_true()
        clean.undo(beside.workspace)
        await beside.comes_true()
        assert {each.name: len(each.runs) for each in beside.app.store.experiments()} == RUNS
