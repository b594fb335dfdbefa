"""Cleaners that are real processes, killed and racing, and a disk that is really another one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.engine.folders import key, make_job, picture
from xpm_engine.workspace import cleaning
from xpm_engine.workspace.layout import WorkspacePaths

JOBS = 60
KILLS = 12
SEED = int(os.environ.get("XPM_SEED", "20261127"))
"""Of the moments of the kills; printed, so that a failure can be had again."""

CLEANER = """
import sys
from xpm_engine.errors import XpmError
from xpm_engine.workspace import cleaning, scan
from xpm_engine.workspace.layout import WorkspacePaths

workspace = WorkspacePaths(sys.argv[1])
plan = cleaning.plan_removal(workspace, sorted(scan.list_jobs(workspace)))
print(flush=True)
sys.stdin.readline()
print(len(cleaning.carry_out(workspace, plan).removals))
"""


@pytest.fixture
def full(tmp_path: Path) -> WorkspacePaths:
    """A workspace of finished jobs."""
    workspace = WorkspacePaths(str(tmp_path / "ws"))
    for number in range(JOBS):
        make_job(workspace, key(number))
    return workspace


def _cleaner(workspace: WorkspacePaths) -> subprocess.Popen[str]:
    """A process that has planned to remove everything, and waits for a line to begin."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLEANER, workspace.root],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def _begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_cleaner_that_is_killed_at_any_moment_loses_nothing(full: WorkspacePaths) -> None:
    print(f"XPM_SEED={SEED}")
    draw = Random(SEED)
    before = {number: picture(full.job(key(number)).root) for number in range(JOBS)}
    moved = 0
    first = full.job(key(0)).root
    for kill in range(KILLS):
        with _cleaner(full) as process:
            _begin(process)
            while kill % 2 and os.path.exists(first) and process.poll() is None:
                # Half of the kills come when the first folder has been moved.
                time.sleep(0.0002)
            time.sleep(draw.uniform(0.0, 0.02))
            process.kill()
        cleaning.recover(full)
        for transaction in cleaning.list_trash(full):
            moved += len(transaction.removals)
            report = cleaning.undo(full, transaction.name)
            assert not report.kept
        assert {n: picture(full.job(key(n)).root) for n in range(JOBS)} == before
    assert moved


def test_two_cleaners_at_once_move_each_job_once(full: WorkspacePaths) -> None:
    with _cleaner(full) as one, _cleaner(full) as other:
        for process in (one, other):
            _begin(process)
        said = [process.communicate(timeout=60)[0] for process in (one, other)]
        assert [one.returncode, other.returncode] == [0, 0]
    assert sum(map(int, said)) == JOBS
    trashed = [gone.key for clean in cleaning.list_trash(full) for gone in clean.removals]
    assert sorted(trashed) == sorted(map(key, range(JOBS)))


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[WorkspacePaths]:
    """A workspace whose jobs of one task lie on another disk than its trash."""
    workspace = WorkspacePaths(str(tmp_path / "ws"))
    folder = f"{workspace.jobs}/{key(1).task}"
    os.makedirs(folder)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can put a folder on another disk")
    yield workspace
    subprocess.run(["umount", folder], check=True)


def test_a_job_on_another_disk_stays_and_says_so(other_disk: WorkspacePaths) -> None:
    far = make_job(other_disk, key(1))
    make_job(other_disk, key(2, "ir.near"))
    before = picture(far.root)
    plan = cleaning.plan_removal(other_disk, [key(1), key(2, "ir.near")])
    done = cleaning.carry_out(other_disk, plan)
    assert [gone.key for gone in done.removals] == [key(2, "ir.near")]
    assert "another disk" in done.left[0].why
    assert picture(far.root) == before
