"""The tutorial's plan, import name changed and nothing else, from its first run to its reuse."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from xpm_engine.workspace.layout import WorkspacePaths

PROJECT = Path(__file__).parent / "project"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for file in ("ir.py", "plan.py"):
        shutil.copy(PROJECT / file, tmp_path / file)
    return tmp_path


def run(project: Path, *, plan: str = "plan.py") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "xpm_engine.cli", "run", plan],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def ledger(project: Path) -> list[str]:
    return (project / "ledger.txt").read_text().splitlines()


def jobs(project: Path) -> Iterator[tuple[str, Path]]:
    """The TASK-ID and folder of every job."""
    for folder in sorted(Path(WorkspacePaths.at(project / "workspace").jobs).glob("*/*")):
        yield folder.parent.name, folder


def test_the_plan_runs_in_order_and_learns_something(project: Path) -> None:
    done = run(project)

    assert done.returncode == 0, done.stderr
    assert ledger(project) == [
        "begin robust",
        "end robust",
        "begin learner",
        "end learner",
        "begin evaluate",
        "end evaluate",
    ]
    folders = dict(jobs(project))
    assert sorted(folders) == ["ir.evaluate", "ir.learner", "ir.robustdataset"]
    assert json.loads((folders["ir.evaluate"] / "map.json").read_text())["map"] > 0.7
    assert len(json.loads((folders["ir.learner"] / "weights.json").read_text())) == 5


def test_the_second_run_starts_nothing(project: Path) -> None:
    first = run(project)
    before = ledger(project)
    second = run(project)

    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert ledger(project) == before


def test_other_epochs_are_another_model_on_the_same_collection(project: Path) -> None:
    run(project)
    plan = project / "plan.py"
    plan.write_text(plan.read_text().replace("max_epoch = 5", "max_epoch = 2"))

    done = run(project)

    assert done.returncode == 0, done.stderr
    begun = [line for line in ledger(project) if line.startswith("begin")]
    assert begun.count("begin robust") == 1
    assert begun.count("begin learner") == 2
    assert begun.count("begin evaluate") == 2


def test_the_tag_reaches_what_is_made_from_it(project: Path) -> None:
    run(project)

    run_folder = project / "workspace" / "experiments" / "drmm" / "latest"
    lines = (run_folder / "jobs.jsonl").read_text().splitlines()
    tags = {entry["task"]: entry["tags"] for entry in map(json.loads, lines) if "task" in entry}
    assert tags == {
        "ir.robustdataset": {},
        "ir.learner": {"ranker": "drmm"},
        "ir.evaluate": {"ranker": "drmm"},
    }


INDEX = """
from pathlib import Path

from ir import Documents, IndexCollection
from xpm_engine import experiment

if __name__ == "__main__":
    with experiment("workspace", "index"):
        documents = Documents(path=Path("texts.json"))
        plain = IndexCollection(documents=documents).submit()
        same = IndexCollection(documents=documents, threads=2, storePositions=False).submit()
        other = IndexCollection(documents=documents, storePositions=True).submit()
    print(plain.__identifier__() == same.__identifier__() != other.__identifier__())
    print(plain.index_path / "postings.json")
"""


def test_options_and_paths_are_no_part_of_the_identifier(project: Path) -> None:
    (project / "texts.json").write_text('{"d1": "a cat", "d2": "a dog"}')
    (project / "index.py").write_text(INDEX)

    done = run(project, plan="index.py")

    assert done.returncode == 0, done.stderr
    assert ledger(project).count("begin index") == 2
    told = done.stdout.splitlines()
    assert told[0] == "True"
    assert json.loads(Path(told[1]).read_text())["a"] == ["d1", "d2"]


ADAM = """
from ir import Adam

print(Adam().__identifier__() == Adam(lr=1e-3).__identifier__() != Adam(lr=1e-2).__identifier__())
print(len(Adam().__identifier__()))
"""


def test_a_default_may_be_written_out(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ADAM],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.split() == ["True", "32"], done.stderr
