"""What a machine does to a plan: it is booted again, gives a pid to others, sets its clock."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engine.faults.campaign import (
    TASKS,
    Victims,
    attempts,
    check_run_once,
    check_settled,
    living,
)
from tests.engine.projects import Project
from tests.patience import PATIENCE
from xpm_engine.workspace import processes
from xpm_engine.workspace.records.reasons import Outcome, ReasonKind

PLAN = (
    TASKS
    + """
if __name__ == "__main__":
    with experiment("ws", "exp"):
        Job(number=1, seconds=float(sys.argv[1])).submit()
"""
)

BOOT_ID = "/proc/sys/kernel/random/boot_id"
NEXT_PID = "/proc/sys/kernel/ns_last_pid"


def _left_behind(project: Project) -> int:
    """A job that says it runs, its plan and itself killed; the pid of its supervisor."""
    project.write(PLAN)
    plan = project.start("60")
    project.wait_for(lambda: len(project.ledger()) == 1)
    supervisor = living(project)[0]
    # The plan first: it would record the death of its job.
    plan.kill()
    project.finish(plan)
    Victims(project).kill(*living(project))
    project.wait_for(lambda: not living(project))
    return supervisor.pid


def _check_second_attempt(project: Project, why: ReasonKind) -> None:
    check_settled(project)
    check_run_once(project)
    (story,) = attempts(project).values()
    outcomes = [attempt.end.outcome for attempt in story if attempt.end is not None]
    assert outcomes == [Outcome.DIED, Outcome.DONE]
    assert story[0].end is not None
    assert story[0].end.reason is not None
    assert story[0].end.reason.kind is why


def test_after_a_reboot_what_ran_has_died(project: Project, tmp_path: Path) -> None:
    """The plan sees another boot id; nobody can be asked about the processes of an earlier boot."""
    _left_behind(project)
    other = tmp_path / "boot_id"
    other.write_text("00000000-1111-2222-3333-444444444444\n")
    mount = f"mount --bind {other} {BOOT_ID}"
    tried = subprocess.run(["unshare", "-m", "sh", "-c", mount], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("only root can give a process another boot id")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{mount} && exec "$0" plan.py 0', sys.executable],
        cwd=project.folder, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (story,) = attempts(project).values()
    assert story[0].start is not None
    assert story[1].start is not None
    assert story[0].start.by.boot_id == processes.boot_id()
    assert story[1].start.by.boot_id == other.read_text().strip()
    _check_second_attempt(project, ReasonKind.HOST_GONE)


def test_a_stranger_with_the_pid_of_a_dead_supervisor_is_nobody(project: Project) -> None:
    """It holds up nothing, and nothing is done to it."""
    pid = _left_behind(project)
    stranger = _with_pid(pid)
    try:
        code, said = project.run("0")
        assert code == 0, said
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
    _check_second_attempt(project, ReasonKind.NO_EXIT_RECORD)


def _with_pid(pid: int) -> subprocess.Popen[bytes]:
    """A process that was given this pid, which was somebody else's before."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if os.path.exists(f"/proc/{pid}"):
            # A zombie, until whoever adopted it has looked.
            time.sleep(0.05)
            continue
        try:
            Path(NEXT_PID).write_text(str(pid - 1))
        except OSError:
            pytest.skip("only root can choose the next pid")
        process = subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL)
        if process.pid == pid:
            return process
        process.kill()
        process.wait()
    pytest.skip("the pid was not to be had on this busy machine")


@pytest.mark.parametrize("step", [-400 * 86400, 86400])
def test_a_clock_that_jumps_changes_nothing(project: Project, step: int) -> None:
    """Once before the plan is run again, and then again while a job runs."""
    (project.folder / "clock").write_text("0")
    (project.folder / "sitecustomize.py").write_text("""
import os, time
_real = time.time
_file = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock")

def _moved():
    with open(_file) as file:
        return _real() + float(file.read() or 0)

time.time = _moved
""")
    project.write(
        TASKS
        + """
if __name__ == "__main__":
    with experiment("ws", "exp"):
        first = [Job(number=n, seconds=0.3).submit() for n in range(2)]
        for n in range(2, 2 + int(sys.argv[1])):
            Job(number=n, after=first).submit()
"""
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(project.folder))
        assert project.run("1")[0] == 0
        (project.folder / "clock").write_text(str(step))
        plan = project.start("2")
        project.wait_for(lambda: len(project.ledger()) == 7)
        (project.folder / "clock").write_text(str(-step))
        code, said = project.finish(plan)
        assert code == 0, said
        assert "4 done (3 reused)" in said
        ended = {attempt.end.at[:4] for story in attempts(project).values()
                 for attempt in story if attempt.end is not None}  # fmt: skip
        assert len(ended) > 1 or step > 0, "the clock was not moved"
    check_settled(project)
    check_run_once(project)
    assert len(project.ledger()) == 8
