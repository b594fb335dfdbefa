"""Running jobs that tell how far they are: it is drawn where it stands, and nothing else is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from glob import glob
from typing import Any

import pytest

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_tui.store import ExperimentSubject, JobSubject, RunKey
from xpm_tui.widgets.jobs.view import SetView
from xpm_tui.widgets.peek import Peek
from xpm_tui.widgets.tree.model import Part, RowKey, TreeModel

RUN = RunKey("drmm", "20261123-091200")
Jobs = dict[str, FakeJob]
Drive = Callable[..., Driven]
both_sizes = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])


@dataclass
class Moving:
    """A job that tells how far it is."""

    workspace: FakeWorkspace
    app: Driven
    job: FakeJob

    def __post_init__(self) -> None:
        # What was written just now is read again as a whole, for a clock may be coarse.
        for path in glob(f"{self.workspace.paths.jobs}/*/*/.xpm/*"):
            os.utime(path, (1, 1), follow_symlinks=False)

    async def tell(self, fraction: float, text: str = "epoch 4/5") -> None:
        """Tell it, and wait until that was read."""
        self.workspace.progress(self.job, [(fraction, text)])
        await self.app.look(lambda: self._fraction() == fraction)

    def _fraction(self) -> float:
        progress = self.app.app.store.job(self.job.key, RUN).record.progress
        assert progress is not None
        return progress.fraction


@dataclass
class Calls:
    """How often something was called."""

    of: dict[str, int] = field(default_factory=dict[str, int])

    def note(self, monkeypatch: pytest.MonkeyPatch, kind: type, name: str) -> None:
        real = getattr(kind, name)

        def noted(*args: Any, **kwargs: Any) -> object:
            self.of[name] = self.of.get(name, 0) + 1
            return real(*args, **kwargs)

        monkeypatch.setattr(kind, name, noted)


@both_sizes
async def test_the_row_of_the_tree_tells_it_and_the_rows_are_not_made_again(
    drive: Drive,
    workspace: FakeWorkspace,
    jobs: Jobs,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with drive().at(size) as app:
        job = jobs["learn lr=0.01 seed=1"]
        moving = Moving(workspace, app, job)
        assert app.tree.reveal(job.key, RUN)
        await app.settle()
        await moving.tell(0.62)
        calls = Calls()
        calls.note(monkeypatch, TreeModel, "rebuild")
        await moving.tell(0.75)
        await app.until(lambda: "75 %" in app.row())
        await moving.tell(0.97)
        await app.until(lambda: "97 %" in app.row())
        assert calls.of == {}
        await app.until(lambda: any("97 %" in line for line in _right(app)))


def _right(app: Driven) -> list[str]:
    """What stands beside, or below, the tree."""
    if app.main.has_class("-narrow"):
        return app.lines()[app.tree.region.bottom :]
    return [line[app.tree.region.right :] for line in app.lines()]


async def test_a_table_tells_it_and_no_set_is_counted_again(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive().at(WIDE) as app:
        moving = Moving(workspace, app, jobs["learn lr=0.01 seed=1"])
        await moving.tell(0.62)
        assert app.right.subject == ExperimentSubject("drmm")
        calls = Calls()
        calls.note(monkeypatch, SetView, "feed")
        version = app.app.store.version
        await moving.tell(0.97)
        await app.until(lambda: any("~17 s left" in line for line in _right(app)))
        assert calls.of == {}
        assert app.app.store.version == version


async def test_levels_come_and_go_below_a_job_that_is_unfolded(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    async with drive().at(WIDE) as app:
        job = jobs["learn lr=0.01 seed=1"]
        moving = Moving(workspace, app, job)
        assert app.tree.reveal(job.key, RUN)
        await app.settle()
        await app.press("l")
        inner = RowKey(JobSubject(job.key, RUN), Part.LEVEL, 1)
        assert app.tree.model.place(inner) is not None
        await moving.tell(0.62)
        await app.until(lambda: app.tree.model.place(inner) is None)
        workspace.progress(job, [(0.7, "epoch 4/5"), (0.2, "batch 9/50")])
        await app.look(lambda: app.tree.model.place(inner) is not None)
        await app.until(lambda: "batch 9/50" in "\n".join(app.tree_lines()))


async def test_a_table_that_is_sorted_by_it_is_sorted_again(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    async with drive().at(WIDE) as app:
        first, second = (jobs[f"learn lr=0.01 seed={seed}"] for seed in (1, 2))
        moving = Moving(workspace, app, second)
        table = app.right.job_table.table
        column = next(column for column in table.columns if column.title == "progress")
        table.sort(column, reverse=True)
        assert table.model.shown[0].key == first.key
        await moving.tell(0.9)
        await app.until(lambda: table.model.shown[0].key == second.key)
        await moving.tell(0.5)
        await app.until(lambda: table.model.shown[0].key == first.key)


async def test_the_peek_of_another_job_is_left_alone(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive().at(NARROW) as app:
        shown, other = (jobs[f"learn lr=0.01 seed={seed}"] for seed in (1, 2))
        moving = Moving(workspace, app, other)
        assert app.tree.reveal(shown.key, RUN)
        await app.settle()
        await moving.tell(0.62)
        calls = Calls()
        calls.note(monkeypatch, Peek, "show_subject")
        await moving.tell(0.77)
        await app.until(lambda: "77 %" in "\n".join(app.tree_lines()))
        assert calls.of == {}


async def test_what_a_filter_asks_of_it_is_asked_again(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    async with drive().at(WIDE) as app:
        moving = Moving(workspace, app, jobs["learn lr=0.01 seed=1"])
        await moving.tell(0.62)
        await app.press("slash", *"progress>0.9", "enter")
        await app.until(lambda: app.app.store.wanted is not None)
        assert not app.app.store.wanted
        await moving.tell(0.95)
        await app.until(lambda: app.app.store.wanted)
