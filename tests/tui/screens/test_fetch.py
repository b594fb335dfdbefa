"""Bringing here, with a key, what is on another host alone of a result."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.remote.conftest import sshd as sshd  # noqa: PLC0414 (a fixture)
from tests.far.sshd import Sshd
from tests.far.stub import StubHost
from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.launchers.ssh import fetching
from xpm_engine.workspace import aliases, tickets
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome
from xpm_tui.screens import dialog
from xpm_tui.screens.dialog import Dialog
from xpm_tui.store import JobSubject

Drive = Callable[..., Driven]
both_sizes = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])

JOB = FakeJob("drmm.learn", "one", tags={"lr": 0.1})
OTHER = FakeJob("drmm.learn", "two", tags={"lr": 0.2})
FILES = {"best/model.pt": 600_000, "best/[1].json": 40, "log.csv": 2_000}

FETCH = ("tab", "enter")
"""The dialog's button."""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog, "GRACE", 0.01)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StubHost:
    found = StubHost(tmp_path / "host")
    monkeypatch.setenv("PATH", str(found.bin), prepend=":")
    return found


@pytest.fixture
def there(workspace: FakeWorkspace, tmp_path: Path) -> WorkspacePaths:
    """The workspace of alpha, where a job is done, and nothing of it was fetched."""
    there = WorkspacePaths(str(tmp_path / "there"))
    text = f'[hosts.alpha]\nworkspace = "{there.root}"\n'
    Path(workspace.paths.settings).write_text(text)
    workspace.run("exp", [JOB])
    workspace.done_elsewhere(JOB, there, FILES)
    return there


def _screen(app: Driven) -> str:
    return "\n".join(app.lines())


def _asks(app: Driven) -> bool:
    return isinstance(app.app.screen, Dialog) and not app.app.screen.query_one("#buttons").disabled


async def _open(app: Driven, job: FakeJob = JOB) -> None:
    app.main.show_job(job.key)
    await app.until(lambda: isinstance(app.right.subject, JobSubject))
    app.main.enter_right()
    await app.pilot.pause()


def _same(workspace: FakeWorkspace, there: WorkspacePaths, *names: str) -> bool:
    here, far = (Path(paths.job(JOB.key).root) for paths in (workspace.paths, there))
    return all((here / name).read_bytes() == (far / name).read_bytes() for name in names)


@both_sizes
async def test_all_that_is_there_is_brought(
    drive: Drive,
    workspace: FakeWorkspace,
    host: StubHost,
    there: WorkspacePaths,
    size: tuple[int, int],
) -> None:
    async with drive().at(size) as app:
        app.main.show_job(JOB.key)
        await app.until(lambda: "3 files, 602 kB, are on alpha" in _screen(app))
        await _open(app)
        await app.until(lambda: "3 files, 602 kB, are on alpha" in _screen(app))
        await app.press("5")
        await app.until(lambda: "on alpha" in _screen(app) and "model.pt" in _screen(app))
        app.main.enter_tree()
        await app.press("F")
        await app.until(lambda: _asks(app))
        assert "Fetch 3 files, 602 kB from alpha?" in _screen(app)
        await app.press(*FETCH)
        await app.until(lambda: "3 files, 602 kB, brought from alpha" in app.lines()[-2])
        assert _same(workspace, there, *FILES)
        await app.until(lambda: "on alpha" not in "\n".join(app.lines()[:-2]))
        await app.press("F")
        await app.until(lambda: "all files of its result are here already" in app.lines()[-2])


async def test_a_renamed_job_brings_the_result_that_stands_for_it(
    drive: Drive, workspace: FakeWorkspace, host: StubHost, there: WorkspacePaths
) -> None:
    renamed = FakeJob("drmm.learner", "one", tags={"lr": 0.1})
    aliases.adopt(workspace.paths, renamed.key, JOB.key, run="new/20261123-091200")
    workspace.run("new", [renamed])
    async with drive().at(WIDE) as app:
        app.main.show_job(renamed.key)
        await app.until(lambda: "3 files, 602 kB, are on alpha" in _screen(app))
        await _open(app, renamed)
        await app.until(lambda: "3 files, 602 kB, are on alpha" in _screen(app))
        await app.press("F")
        await app.until(lambda: _asks(app))
        assert "Fetch 3 files, 602 kB from alpha?" in _screen(app)
        await app.press(*FETCH)
        await app.until(lambda: "3 files, 602 kB, brought from alpha" in app.lines()[-2])
        assert _same(workspace, there, *FILES)
        await app.until(lambda: "are on alpha" not in _screen(app))


@both_sizes
async def test_one_file_of_the_list(
    drive: Drive,
    workspace: FakeWorkspace,
    host: StubHost,
    there: WorkspacePaths,
    size: tuple[int, int],
) -> None:
    async with drive().at(size) as app:
        await _open(app)
        await app.press("5")
        await app.until(lambda: "model.pt" in _screen(app))
        await app.press("j", "|")
        await app.until(lambda: "[1].json is on alpha alone: F brings it here" in app.lines()[-2])
        await app.press("F")
        await app.until(lambda: _asks(app))
        assert "Fetch 1 file, 40 B from alpha?" in _screen(app)
        await app.press(*FETCH)
        await app.until(lambda: "1 file, 40 B, brought" in app.lines()[-2])
        assert _same(workspace, there, "best/[1].json")
        assert not os.path.exists(workspace.paths.job(JOB.key).root + "/log.csv")
        await app.until(lambda: "2 files, 602 kB, are on alpha" in _screen(app))
        # A folder stands for what is below it.
        await app.press("g", "F")
        await app.until(lambda: _asks(app))
        assert "Fetch 2 files" in _screen(app)


async def test_it_is_stopped_and_goes_on(
    drive: Drive,
    workspace: FakeWorkspace,
    host: StubHost,
    there: WorkspacePaths,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached, go_on = threading.Event(), threading.Event()
    small = fetching._fetch_small

    def slowly(*asked: object) -> None:
        small(*asked)  # type: ignore[arg-type]
        reached.set()
        assert go_on.wait(60)

    monkeypatch.setattr(fetching, "_fetch_small", slowly)
    async with drive().at(WIDE) as app:
        await _open(app)
        await app.press("F")
        await app.until(lambda: _asks(app))
        await app.press(*FETCH)
        await app.until(reached.is_set)
        assert "connecting to alpha" in app.lines()[-2]
        await app.press("F")
        await app.until(lambda: _asks(app))
        assert "Stop fetching from alpha?" in _screen(app)
        await app.press(*FETCH)
        go_on.set()
        await app.until(lambda: "stopped: 2 files, 2.0 kB, brought" in app.lines()[-2])
        assert _same(workspace, there, "log.csv")
        await app.press("F")
        await app.until(lambda: _asks(app))
        assert "Fetch 1 file, 600 kB from alpha?" in _screen(app)
        await app.press(*FETCH)
        await app.until(lambda: "1 file, 600 kB, brought" in app.lines()[-2])
        assert _same(workspace, there, *FILES)


async def test_the_app_may_be_left_meanwhile(
    drive: Drive,
    host: StubHost,
    there: WorkspacePaths,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def never(*asked: object) -> None:
        reached.set()
        assert go_on.wait(60)

    monkeypatch.setattr(fetching, "_fetch_small", never)
    async with drive().at(WIDE) as app:
        await _open(app)
        await app.press("F")
        await app.until(lambda: _asks(app))
        await app.press(*FETCH)
        await app.until(reached.is_set)
        going = app.app.fetching
        assert going is not None
    assert not going.join(0)
    go_on.set()
    assert going.join(60)


async def test_a_host_that_is_lost(drive: Drive, host: StubHost, there: WorkspacePaths) -> None:
    host.refuse()
    async with drive().at(WIDE) as app:
        await _open(app)
        await app.press("F")
        await app.until(lambda: _asks(app))
        await app.press(*FETCH)
        await app.until(lambda: "Connection refused" in _screen(app))
        assert app.app.fetching is None
        await app.until(lambda: "3 files, 602 kB, are on alpha" in _screen(app))


async def test_what_went_away_there(
    drive: Drive, workspace: FakeWorkspace, host: StubHost, there: WorkspacePaths
) -> None:
    root = there.job(JOB.key).root
    os.rename(root, root + ".gone")
    async with drive().at((200, 40)) as app:
        await _open(app)
        await app.press("F")
        await app.until(lambda: _asks(app))
        await app.press(*FETCH)
        await app.until(lambda: "alpha has no folder of" in app.lines()[-2])


async def test_a_folder_that_is_in_use(
    drive: Drive, workspace: FakeWorkspace, host: StubHost, there: WorkspacePaths
) -> None:
    lock = tickets.take_lock(workspace.paths.job(JOB.key), patience=0.0)
    assert lock is not None
    async with drive().at((160, 40)) as app:
        await _open(app)
        await app.press("F")
        await app.until(lambda: _asks(app))
        await app.press(*FETCH)
        await app.until(lambda: "is in use: it is fetched, cleaned" in app.lines()[-2])
    os.close(lock)


@both_sizes
async def test_why_not(
    drive: Drive, workspace: FakeWorkspace, there: WorkspacePaths, size: tuple[int, int]
) -> None:
    failed, plain = FakeJob("drmm.learn", "failed"), FakeJob("drmm.learn", "plain")
    workspace.failed(failed)
    workspace.done(plain)
    async with drive().at(size) as app:
        for job, why in ((failed, "a job that is done can be"), (plain, "on this machine, or")):
            await _open(app, job)
            await app.press("F")
            await app.until(lambda why=why: why in app.lines()[-2])
        app.main.enter_tree()
        await app.press("G", "F")
        await app.until(lambda: _asks(app))
        assert "nothing comes of 2 other jobs: 1 not done, 1 ran on this machine" in _screen(app)
        await app.press("escape")
        await app.until(lambda: "nothing was fetched" in app.lines()[-2])


async def test_not_with_readonly(drive: Drive, there: WorkspacePaths) -> None:
    async with drive(readonly=True).at(WIDE) as app:
        await _open(app)
        await app.press("F")
        await app.until(lambda: "--readonly" in app.lines()[-2])


async def test_several_jobs_and_two_outcomes(
    drive: Drive, workspace: FakeWorkspace, host: StubHost, there: WorkspacePaths
) -> None:
    workspace.done_elsewhere(OTHER, there, {"made.txt": 10})
    workspace.end(FakeJob("drmm.learn", "three"), Outcome.CANCELLED)
    async with drive().at((160, 40)) as app:
        app.main.enter_tree()
        await app.press("G", "F")
        await app.until(lambda: _asks(app))
        assert "Fetch 4 files, 602 kB from alpha?" in _screen(app)
        await app.press(*FETCH)
        await app.until(lambda: "4 files, 602 kB, brought from alpha" in app.lines()[-2])
    assert _same(workspace, there, *FILES)


async def test_over_a_real_ssh(
    drive: Drive, workspace: FakeWorkspace, sshd: Sshd, there: WorkspacePaths
) -> None:
    async with drive().at(NARROW) as app:
        await _open(app)
        await app.press("F")
        await app.until(lambda: _asks(app))
        await app.press(*FETCH)
        await app.until(lambda: "3 files, 602 kB, brought from alpha" in app.lines()[-2])
    assert _same(workspace, there, *FILES)
