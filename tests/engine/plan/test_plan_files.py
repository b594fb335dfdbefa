"""How a plan is started: from a file of any name, with streams or without."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.projects import Project, end_all
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[3]

PLAN = """
if __name__ == "__main__":
    with experiment("ws", "exp"):
        Work(name=1).submit()
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    end_all(made)


@pytest.mark.parametrize("name", ["plan", "my plan.py", "plän.py", "class.py", "a.b.py"])
def test_a_plan_may_be_called_as_it_likes(project: Project, name: str) -> None:
    project.write(PLAN, name=name)
    code, said = project.run(name=name)
    assert code == 0, said
    assert project.ledger() == ["begin 1", "end 1"]


def test_a_plan_that_is_called_as_a_module_that_is_there_already_is_told(project: Project) -> None:
    project.write(PLAN, name="random.py")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "xpm_engine.cli", "run", "random.py"],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert "random is another module here: " in done.stderr
    assert project.ledger() == []
    (log,) = Path(project.workspace.jobs).glob("*/*/.xpm/logs/1.err")
    assert "rename the plan's file" in log.read_text()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_plan_needs_no_standard_streams(project: Project, closed: str) -> None:
    project.write(PLAN)
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" plan.py {closed}', sys.executable],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0
    assert project.ledger() == ["begin 1", "end 1"]
    (log,) = Path(project.workspace.experiments).glob("exp/2*/scheduler.log")
    assert "a fresh interpreter" not in log.read_text()
