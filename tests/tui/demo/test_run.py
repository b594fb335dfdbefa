"""The demo's plan, run for real by `xpm run` on a little library."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tui.demo.library import write_library
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_tui.demo import PLAN, TASKS, WORKSPACE, write_demo


@dataclass(frozen=True)
class Finished:
    """A demo that ran once."""

    folder: Path
    library: Path
    first: subprocess.CompletedProcess[str]


def run(
    folder: Path, library: Path, *pairs: str, hash_seed: int = 1
) -> subprocess.CompletedProcess[str]:
    given = [f"library={library}", "queries=20", *pairs]
    return subprocess.run(
        [sys.executable, "-m", "xpm_engine.cli", "run", PLAN, *given],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    home = tmp_path_factory.mktemp("demo")
    library = write_library(home / "library", modules=12)
    folder = write_demo(home / "xpm-demo").parent
    return Finished(folder, library, run(folder, library))


def tickets(folder: Path) -> dict[str, int]:
    """Every ticket of every job, and when it was written."""
    jobs = Path(WorkspacePaths.at(folder / WORKSPACE).jobs)
    return {
        str(file.relative_to(jobs)): file.stat().st_mtime_ns
        for file in jobs.glob("*/*/.xpm/[0-9]*.*")
        if file.suffix in {".launch", ".start", ".end"}
    }


def test_the_plan_ends_with_its_table(finished: Finished) -> None:
    assert finished.first.returncode == 0, finished.first.stderr
    ends = [name for name in tickets(finished.folder) if name.endswith("/1.end")]
    assert len([name for name in ends if "plan.failonpurpose" not in name]) == TASKS
    lines = finished.first.stdout.splitlines()
    assert lines[0] == "| k1 | b | stem | 4 words | 8 words | 16 words | mean |"
    assert len([line for line in lines if line.startswith("|")]) == 2 + 18


def test_the_second_run_starts_nothing_and_says_the_same(finished: Finished) -> None:
    before = tickets(finished.folder)

    second = run(finished.folder, finished.library)

    assert second.returncode == 0, second.stderr
    assert tickets(finished.folder) == before
    assert second.stdout == finished.first.stdout


def test_a_failure_that_was_asked_for_leaves_the_rest_done(finished: Finished) -> None:
    done = run(finished.folder, finished.library, "failure=yes")

    assert done.returncode == 1
    assert "plan.failonpurpose" in done.stderr
    logs = list((finished.folder / WORKSPACE).glob("jobs/plan.failonpurpose/*/stderr.log"))
    assert len(logs) == 1
    assert "you asked for failure=yes" in logs[0].read_text()


def test_another_workspace_and_hash_seed_give_the_same_results(
    finished: Finished, tmp_path: Path
) -> None:
    write_demo(tmp_path)

    assert run(tmp_path, finished.library, hash_seed=2).stdout == finished.first.stdout
