"""The demo's plan as a process of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from xpm_engine.errors import StorageError
from xpm_tui.demo import LOG, PLAN, start_demo

TELLS = """
import os
from xpm_engine import arguments

print("arguments", arguments())
print("own session", os.getsid(0) == os.getpid() != int(os.environ["TEST_PID"]))
print("in", os.getcwd())
print("typed", os.read(0, 10))
"""


def wait_for_end(pid: int) -> None:
    """Wait until no process has this id: ended, and reaped by who started it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} did not end, or is a zombie")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEST_PID", str(os.getpid()))
    (tmp_path / PLAN).write_text(TELLS)
    return tmp_path


@pytest.mark.parametrize(("failure", "given"), [(False, {}), (True, {"failure": "yes"})])
def test_the_plan_runs_detached_in_its_folder(
    folder: Path, failure: bool, given: dict[str, str]
) -> None:
    wait_for_end(start_demo(folder, failure=failure))

    lines = (folder / LOG).read_text().splitlines()
    assert f"arguments {given}" in lines
    assert "own session True" in lines
    assert f"in {folder}" in lines
    assert "typed b''" in lines


def test_the_log_goes_on_after_an_earlier_one(folder: Path) -> None:
    (folder / LOG).write_text("an earlier run\n")

    wait_for_end(start_demo(folder, failure=False))

    assert (folder / LOG).read_text().startswith("an earlier run\n")
    assert "own session True" in (folder / LOG).read_text()


def test_a_missing_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="plan's log"):
        start_demo(tmp_path / "nowhere", failure=False)
