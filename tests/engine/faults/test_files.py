"""Files that are cut short, folders that go, and a disk that is full: for plans that run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.faults.campaign import (
    TASKS,
    attempts,
    check_run_once,
    check_settled,
    living,
)
from tests.engine.projects import Project
from xpm_engine.workspace import scan
from xpm_engine.workspace.records.reasons import Outcome

PLAN = (
    TASKS
    + """
if __name__ == "__main__":
    with experiment(sys.argv[1], "exp"):
        first = Job(number=1, seconds=float(sys.argv[2])).submit()
        Job(number=2, after=[first]).submit()
"""
)


def test_a_folder_that_is_removed_under_its_running_job(project: Project) -> None:
    """The plan says so, and starts nothing while the job's process is still there."""
    project.write(PLAN)
    plan = project.start("ws", "1")
    project.wait_for(lambda: len(project.ledger()) == 1)
    (key,) = scan.list_jobs(project.workspace)
    processes = living(project)
    shutil.rmtree(project.workspace.job(key).root)
    code, said = project.finish(plan)
    assert code == 1
    assert "its folder was removed while it ran" in said
    assert "1 job failed, 1 blocked behind" in said
    assert not living(project)
    assert len(processes) == 2
    code, said = project.run("ws", "0")
    assert code == 0, said
    check_settled(project)
    check_run_once(project, lost_folders=True)


@pytest.mark.parametrize("kind", ["launch", "start", "end"])
def test_a_ticket_that_is_cut_short_stops_its_job_and_no_other(project: Project, kind: str) -> None:
    """Nothing is run over what can't be read; the file is named."""
    project.write(PLAN)
    assert project.run("ws", "0")[0] == 0
    key = next(key for key, story in attempts(project).items() if not story[0].launch.dependencies)
    job = project.workspace.job(key)
    ticket = Path(job.root, ".xpm", f"1.{kind}")
    whole = ticket.read_bytes()
    if kind != "end":
        os.unlink(job.end(1))
    if kind == "launch":
        os.unlink(job.start(1))
    ticket.write_bytes(whole[: len(whole) // 2])
    code, said = project.run("ws", "0")
    assert code == 1
    assert str(ticket) in said
    assert "truncated" in said
    assert "Traceback" not in said
    assert len(project.ledger()) == 4


@pytest.mark.parametrize("cut", [0.0, 0.5])
def test_other_files_that_are_cut_short_change_nothing(project: Project, cut: float) -> None:
    """A summary, parameters, a log of events, and all that the last run says of itself."""
    project.write(PLAN)
    assert project.run("ws", "0")[0] == 0
    run = project.workspace.run("exp", scan.list_runs(project.workspace, "exp")[-1])
    files = [Path(run.record), Path(run.manifest), Path(run.queue), Path(run.log)]
    for key in scan.list_jobs(project.workspace):
        job = project.workspace.job(key)
        files += [Path(job.summary), Path(job.params), Path(job.events), Path(job.handle(1))]
    for file in files:
        if file.exists():
            whole = file.read_bytes()
            file.write_bytes(whole[: int(len(whole) * cut)])
    code, said = project.run("ws", "0")
    assert code == 0, said
    assert "2 done (2 reused)" in said
    check_settled(project)
    check_run_once(project)
    assert len(project.ledger()) == 4


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can make a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_when_a_job_ends(project: Project, small_disk: Path) -> None:
    """Its end waits for space; until it is recorded the job counts as running, and then as done."""
    project.write(PLAN)
    workspace = str(small_disk / "ws")
    os.symlink(workspace, project.folder / "ws")
    plan = project.start(workspace, "1.5")
    project.wait_for(lambda: len(project.ledger()) == 1)
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 1024)
    project.wait_for(lambda: len(project.ledger()) == 2)
    supervisor = living(project)[0]
    project.wait_for(lambda: living(project) == [supervisor])
    assert project.ledger()[-1].startswith("end")
    assert next(iter(attempts(project).values()))[0].end is None
    filler.unlink()
    code, said = project.finish(plan)
    # The plan may have met the full disk before its job did.
    assert code == 0 or "No space left" in said
    assert "Traceback" not in said
    check_settled(project)
    assert next(iter(attempts(project).values()))[0].end is not None
    code, said = project.run(workspace, "0")
    assert code == 0, said
    assert "reused" in said
    check_settled(project)
    check_run_once(project)
    assert len(project.ledger()) == 4
    (first, second) = attempts(project).values()
    assert {first[0].end.outcome, second[0].end.outcome} == {Outcome.DONE}  # type: ignore[union-attr]
