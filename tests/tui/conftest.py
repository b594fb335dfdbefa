"""The workspace of the pictures, and an app on it whose clock stands still."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tui.driving import Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace, grid
from xpm_engine.workspace import processes
from xpm_engine.workspace.records.identity import ProcessIdentity

Victim = tuple["subprocess.Popen[bytes]", ProcessIdentity]
"""A process that may be killed, and who it is."""


@pytest.fixture(autouse=True)
def _one_place_and_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Screens say the same on every machine."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    time.tzset()
    monkeypatch.setattr("xpm_tui.widgets.frame.title_bar.host_name", lambda: "front1")
    monkeypatch.setattr("xpm_tui.widgets.frame.title_bar.home_path", lambda workspace: "~/ir/ws")
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def same_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of this machine are said to be on a machine that has one name everywhere."""
    monkeypatch.setattr(processes, "host_name", lambda: "front1")


@pytest.fixture
def same_on_every_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """All sizes read the same: file systems differ in what a folder takes."""

    def shown(count: int) -> str:
        return "29 kB"

    monkeypatch.setattr("xpm_tui.look.size", shown)


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[list[str]], None]:
    """Compares lines with those kept beside the test, or keeps them where XPM_PICTURES is set."""

    def compare(lines: list[str]) -> None:
        name = request.node.name.replace("[", "-").replace("]", "") + ".txt"
        kept = request.path.parent / "pictures" / name
        text = "\n".join(lines) + "\n"
        if os.environ.get("XPM_PICTURES"):
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(text, encoding="utf-8")
        assert text == kept.read_text(encoding="utf-8")

    return compare


@pytest.fixture
def workspace(tmp_path: Path) -> FakeWorkspace:
    """A folder with nothing in it yet."""
    root = tmp_path / "ws"
    root.mkdir()
    return FakeWorkspace(root)


@pytest.fixture
def jobs(workspace: FakeWorkspace) -> dict[str, FakeJob]:
    """The workspace is filled: `drmm` runs, `ablation` is over; its jobs by name."""
    return grid(workspace)


@pytest.fixture
def drive(workspace: FakeWorkspace) -> Iterator[Callable[..., Driven]]:
    """Starts the app on the workspace, without events: it looks when a test says so."""
    started: list[Driven] = []

    def start(**options: Any) -> Driven:
        driven = Driven(workspace, **options)
        started.append(driven)
        return driven

    yield start
    for driven in started:
        assert driven.app.watcher.join(5), "the reading thread outlived the app"


def _victim() -> Iterator[Victim]:
    code = "import signal; signal.signal(2, signal.SIG_DFL); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        identity = processes.identity_of(process.pid)
        assert identity is not None
        yield process, identity
        process.kill()


@pytest.fixture
def supervisor() -> Iterator[Victim]:
    """Stands for a job's supervisor: it waits for a signal."""
    yield from _victim()


@pytest.fixture
def driver() -> Iterator[Victim]:
    """Stands for a plan."""
    yield from _victim()


@pytest.fixture
def overlay(tmp_path: Path) -> Iterator[tuple[FakeWorkspace, FakeWorkspace]]:
    """A workspace as it is seen through a mount, and where it is written below: no events come."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("mounting an overlay takes root on Linux")
    for name in ("lower", "upper", "work", "seen"):
        (tmp_path / name).mkdir()
    options = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    seen = tmp_path / "seen"
    done = subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", options, str(seen)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"no overlay can be mounted here: {done.stderr.strip()}")
    try:
        yield FakeWorkspace(seen), FakeWorkspace(tmp_path / "lower")
    finally:
        subprocess.run(["umount", str(seen)], check=True)
