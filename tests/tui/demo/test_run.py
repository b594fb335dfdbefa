"""The demo's plan, run for real by `xpm run` on a little library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tui.demo.library import write_library
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_tui.demo import TASKS, WORKSPACE, write_demo


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_library(tmp_path / "library", modules=12)
    write_demo(tmp_path / "xpm-demo")
    return tmp_path / "xpm-demo"


def run(folder: Path, *pairs: str) -> subprocess.CompletedProcess[str]:
    given = [f"library={folder.parent / 'library'}", "queries=20", *pairs]
    return subprocess.run(
        [sys.executable, "-m", "xpm_engine.cli", "run", "plan.py", *given],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def tickets(folder: Path) -> dict[str, int]:
    """Every ticket of every job, and when it was written."""
    jobs = Path(WorkspacePaths.at(folder / WORKSPACE).jobs)
    return {
        str(file.relative_to(jobs)): file.stat().st_mtime_ns
        for file in jobs.glob("*/*/.xpm/[0-9]*.*")
        if file.suffix in {".launch", ".start", ".end"}
    }


def test_the_second_run_starts_nothing_and_says_the_same(folder: Path) -> None:
    first = run(folder)
    before = tickets(folder)
    second = run(folder)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert sum(name.endswith("/1.end") for name in before) == TASKS
    assert tickets(folder) == before
    assert first.stdout.startswith("| k1 | b | stem | 4 words | 8 words | 16 words | mean |")
    assert first.stdout == second.stdout


def test_a_failure_that_was_asked_for_leaves_the_rest_done(folder: Path) -> None:
    done = run(folder, "failure=yes")

    assert done.returncode == 1
    assert "stderr" in done.stderr
    assert "plan.failonpurpose" in done.stderr
    names = tickets(folder)
    assert sum(name.endswith("/1.end") for name in names) == TASKS + 1
    reports = list((folder / WORKSPACE / "jobs").glob("plan.report/*/report.md"))
    assert len(reports) == 1


def test_two_workspaces_have_the_same_results(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_demo(other)

    assert run(folder).stdout == run(other).stdout
