"""The verbs on a plan and jobs that run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests.engine.projects import Project
from xpm_engine.workspace import scan
from xpm_engine.workspace.records.states import JobState

LONG = """
with experiment("ws", "long"):
    for number in (1, 2):
        Work(name=number, seconds=60.0).submit()
"""


def _start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "xpm_engine.cli", *arguments],
        cwd=project.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    project.started.append(process)
    return process


def _xpm(project: Project, *arguments: str) -> tuple[int, str]:
    return project.finish(_start(project, *arguments))


def _jobs(project: Project) -> dict[int, scan.JobRecord]:
    """Name of the work -> what its folder tells."""
    records = [scan.read_job(project.workspace, key) for key in scan.list_jobs(project.workspace)]
    return {record.params["name"]: record for record in records if "name" in record.params}


def _states(project: Project) -> dict[int, JobState]:
    return {name: record.state for name, record in _jobs(project).items()}


def _wait_for_both(project: Project) -> None:
    both = {1: JobState.RUNNING, 2: JobState.RUNNING}
    project.wait_for(lambda: _states(project) == both)


def test_kill_clean_and_log_while_a_plan_runs(project: Project) -> None:
    project.write(LONG)
    plan = _start(project, "run", "plan.py")
    _wait_for_both(project)
    job = str(_jobs(project)[1].key)
    code, said = _xpm(project, "clean", job, "--yes")
    assert (code, "stays: it is running" in said) == (0, True)
    follower = _start(project, "log", job, "-f", "--stdout")
    code, said = _xpm(project, "kill", job, "--plan")
    assert code == 0
    assert "asked to stop" in said
    assert "interrupted" in said
    project.wait_for(lambda: _states(project)[1] is JobState.CANCELLED)
    assert project.finish(follower)[0] == 0
    assert plan.wait(timeout=60) == 130
    assert _states(project)[2] is JobState.RUNNING


def test_ctrl_c_leaves_the_jobs_running(project: Project) -> None:
    project.write(LONG)
    plan = _start(project, "run", "plan.py")
    _wait_for_both(project)
    plan.send_signal(signal.SIGINT)
    code, said = project.finish(plan)
    assert code == 130
    assert "go on running" in said
    assert _states(project) == {1: JobState.RUNNING, 2: JobState.RUNNING}
    _, listed = _xpm(project, "ls")
    assert "plan interrupted" in listed.splitlines()[0]


def test_kill_asks_at_a_terminal_whether_to_stop_the_plan_too(project: Project) -> None:
    project.write(LONG)
    plan = _start(project, "run", "plan.py")
    _wait_for_both(project)
    jobs = _jobs(project)
    said = _at_a_terminal(project, "no", "kill", str(jobs[1].key))
    assert f"(process {plan.pid} on" in said
    assert "Stop it too?" in said
    assert "asked to stop" in said
    assert plan.poll() is None
    project.wait_for(lambda: _states(project)[1] is JobState.CANCELLED)
    said = _at_a_terminal(project, "yes", "kill", str(jobs[2].key))
    assert "interrupted" in said
    assert plan.wait(timeout=60) == 130


def _at_a_terminal(project: Project, answer: str, *arguments: str) -> str:
    """Run the command with a terminal as its input; what it said."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "xpm_engine.cli", *arguments],
        cwd=project.folder,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    said, _ = process.communicate(timeout=60)
    os.close(ours)
    return said
