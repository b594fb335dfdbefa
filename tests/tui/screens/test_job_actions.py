"""What the keys do to jobs: kill with its question, pins, and taking them back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.tui.conftest import Victim
from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_tui.screens import dialog
from xpm_tui.screens.dialog import Dialog

Jobs = dict[str, FakeJob]
Drive = Callable[..., Driven]

both_sizes = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])


@pytest.fixture(autouse=True)
def _armed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog, "GRACE", 0.01)


@pytest.fixture
def one_runs(workspace: FakeWorkspace, supervisor: Victim, driver: Victim) -> FakeJob:
    """`one` has a job that runs and one that is done; its plan goes on."""
    live, over = FakeJob("ir.learn", "a", {"lr": 1}), FakeJob("ir.learn", "b", {"lr": 2})
    workspace.start(live, run="one/20261123-091200", by=supervisor[1])
    workspace.done(over, run="one/20261123-091200")
    workspace.run("one", [live, over], driver=driver[1])
    return live


def _boxed(text: str) -> list[str]:
    """What the dialog says, without what shines through around it."""
    return [line.split("│  ", 1)[1] for line in text.splitlines() if "│  " in line]


@both_sizes
async def test_kill_names_what_it_took_and_the_plan(
    drive: Drive, size: tuple[int, int], one_runs: FakeJob, supervisor: Victim, driver: Victim
) -> None:
    async with drive().at(size) as app:
        await app.press("K")
        text = await app.asked()
        assert "Kill 1 job?" in text
        assert "learn lr=1" in text
        assert "1 other job here is neither running nor queued" in text
        assert f"process {driver[1].pid} on" in text
        assert app.app.focused is not None
        assert app.app.focused.id == "cancel"
        await app.press("enter")
        assert "nothing was killed" in app.lines()[-2]
        assert supervisor[0].poll() is None


async def test_killing_the_jobs_alone(
    drive: Drive, one_runs: FakeJob, supervisor: Victim, driver: Victim
) -> None:
    async with drive().at(NARROW) as app:
        await app.press("K")
        await app.asked()
        await app.press("tab", "enter")
        await app.until(lambda: "1 job asked to stop" in app.lines()[-2])
        assert supervisor[0].wait(timeout=30) == -signal.SIGTERM
        assert driver[0].poll() is None


async def test_killing_them_and_their_plan(
    drive: Drive, one_runs: FakeJob, supervisor: Victim, driver: Victim
) -> None:
    async with drive().at(NARROW) as app:
        await app.press("K")
        await app.asked()
        await app.press("tab", "tab", "enter")
        await app.until(lambda: "1 job asked to stop; the plan too" in app.lines()[-2])
        assert driver[0].wait(timeout=30) == -signal.SIGTERM
        assert supervisor[0].wait(timeout=30) == -signal.SIGTERM


async def test_what_was_captured_stays_whatever_moves(
    drive: Drive, one_runs: FakeJob, workspace: FakeWorkspace, supervisor: Victim
) -> None:
    async with drive().at(WIDE) as app:
        await app.press("K")
        before = await app.asked()
        workspace.run("two", [FakeJob("ir.learn", "c")], driver=supervisor[1])
        await app.look(lambda: app.app.store.experiment("two"))
        assert _boxed(await app.asked()) == _boxed(before)


async def test_hidden_marks_are_left_alone_and_that_is_said(drive: Drive, jobs: Jobs) -> None:
    async with drive().at(NARROW) as app:
        await app.press("j", "j", "space", "slash", *"seed=1", "enter")
        await app.press("K")
        text = await app.asked()
        assert "6 marked jobs hidden by the filter: left alone" in text
        assert "Kill 1 job?" in text
        assert "seed=2" not in text


async def test_where_nothing_runs_it_says_so(drive: Drive, jobs: Jobs) -> None:
    async with drive().at(WIDE) as app:
        await app.press("G", "k")
        assert "ablation" in app.row()
        await app.press("K")
        await app.until(lambda: "none of them runs or is queued" in app.lines()[-2])
        assert not isinstance(app.app.screen, Dialog)


async def test_a_cause_under_the_cursor_stands_for_its_jobs(drive: Drive, jobs: Jobs) -> None:
    async with drive().at(WIDE) as app:
        await app.press("g", "enter")
        await app.settle()
        assert set(app.main.targets()) == {
            jobs["learn lr=0.1 seed=1"].key,
            jobs["learn lr=0.1 seed=2"].key,
        }


@both_sizes
async def test_pins_are_set_and_taken_back(
    drive: Drive, size: tuple[int, int], workspace: FakeWorkspace, jobs: Jobs
) -> None:
    pin = workspace.paths.job(jobs["learn lr=0.1 seed=1"].key).pin
    async with drive().at(size) as app:
        await app.press("j", "j", "l", "j", "p")
        await app.until(lambda: "pinned 1 job" in app.lines()[-2])
        assert os.path.exists(pin)
        await app.press("z")
        await app.until(lambda: not os.path.exists(pin))
        await app.until(lambda: "unpinned 1 job" in app.lines()[-2])
        await app.press("z")
        assert "nothing was changed in this session" in app.lines()[-2]
        await app.press("p")
        await app.until(lambda: os.path.exists(pin) and "pinned" in app.lines()[-2])
        await app.press("p")
        await app.until(lambda: not os.path.exists(pin))


async def test_a_job_without_a_folder_can_not_be_pinned(drive: Drive, jobs: Jobs) -> None:
    async with drive().at(WIDE) as app:
        await app.press("j", "j", "j", "l", "j", "p")
        assert "has a folder yet" in app.lines()[-2]


async def test_readonly_changes_nothing_even_if_a_key_forgot_to_ask(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    async with drive(readonly=True).at(WIDE) as app:
        await app.press("j", "j", "l", "j", "p")
        assert "--readonly" in app.lines()[-2]
        await app.press("K")
        assert "--readonly" in app.lines()[-2]
        app.main.do_pin()
        await app.until(lambda: "read-only" in app.lines()[-2])
    assert not os.path.exists(workspace.paths.job(jobs["learn lr=0.1 seed=1"].key).pin)
