"""A task that is asked to stop may save first; what it leaves half done is never a result."""

from __future__ import annotations

import os
import signal

import pytest

from tests.engine.projects import Project
from xpm_engine.workspace import scan

PLAN = """
from xpm_engine import TaskCancelled

class Stubborn(Task):
    name: Param[int]
    way: Param[str]
    def execute(self) -> None:
        note("begin 1")
        try:
            time.sleep(60)
        except TaskCancelled as error:
            Path("saved").write_text(str(error))
            if self.way == "raise":
                raise
            if self.way == "exit":
                sys.exit(0)
            if self.way == "fail":
                raise ValueError("met on the way out")

if __name__ == "__main__":
    with experiment("ws", "exp"):
        Stubborn(name=1, way=sys.argv[1]).submit()
"""


@pytest.mark.parametrize("way", ["raise", "return", "exit", "fail"])
def test_however_it_leaves_it_is_cancelled(project: Project, way: str) -> None:
    project.write(PLAN)
    plan = project.start(way)
    project.wait_for(lambda: project.ledger() == ["begin 1"])
    key = next(iter(scan.list_jobs(project.workspace)))
    supervisor = scan.read_job(project.workspace, key).supervisor
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGTERM)
    code, said = project.finish(plan)
    assert code == 1
    assert "asked to stop" in said
    assert project.states() == {"1": "cancelled"}
    with open(f"{project.workspace.job(key).root}/saved", encoding="ascii") as file:
        assert file.read() == "asked to stop"


def test_workers_that_the_task_forks_end_when_they_are_told_to(project: Project) -> None:
    """One that took SIGTERM for an exception of its own would swallow it, and be waited for."""
    project.write("""
import multiprocessing

def work(number):
    try:
        if number:
            time.sleep(600)
    except Exception:
        time.sleep(600)
    return number

class Pooling(Task):
    name: Param[int]
    def execute(self) -> None:
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(next(pool.imap(work, range(3))))
        note("end 1")

if __name__ == "__main__":
    with experiment("ws", "exp"):
        Pooling(name=1).submit()
""")
    code, said = project.run()
    assert code == 0, said
    assert project.ledger() == ["end 1"]
    (key,) = scan.list_jobs(project.workspace)
    with open(project.workspace.job(key).stderr(1), encoding="utf-8") as file:
        assert file.read() == ""
