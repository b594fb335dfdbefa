"""The verbs that explain: why, diff, describe, ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.cli.conftest import Done
from tests.engine.finished import Disk
from tests.engine.submitting import order, submitting
from xpm_engine import Option, Param, Task
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.tickets import Usage

Xpm = Callable[..., Done]


class Index(Task["Index"]):
    """Makes an index."""

    __xpmid__ = "x.index"
    stem: Param[bool] = False
    """Whether words lose their endings"""
    threads: Option[int] = 1
    note: Param[str] = ""

    def execute(self) -> None: ...


class Search(Task["Search"]):
    __xpmid__ = "x.search"
    index: Param[Index]

    def execute(self) -> None: ...


@pytest.fixture
def disk(workspace: WorkspacePaths) -> Iterator[Disk]:
    with submitting(workspace.root):
        yield Disk(workspace.root)


@pytest.fixture
def jobs(disk: Disk) -> list[JobKey]:
    made: list[JobKey] = []
    for stem, seconds in ((False, 10.0), (True, 90.0)):
        index = Index(stem=stem)
        index.submit()
        made.append(disk.add(order(index)))
        outcome = Outcome.FAILED if stem else Outcome.DONE
        usage = Usage(seconds, 1.0, 1000)
        made.append(disk.add(order(Search(index=index)), outcome, usage=usage))
    return made


def _json(done: Done) -> Any:
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["v"] == 1
    return document


def test_why(xpm: Xpm, jobs: list[JobKey]) -> None:
    lines = xpm("why", jobs[3].identifier).stdout.splitlines()
    assert lines[0] == (
        f"x.search/{jobs[3].short}: upstream index changed, because stem false → true"
    )
    assert lines[2] == "    stem false → true"
    assert len(lines) == 4
    assert xpm("why", str(jobs[0])).stdout == (
        f"x.index/{jobs[0].short}: no earlier job of x.index\n"
    )
    assert _json(xpm("why", str(jobs[3]), "--json"))["nearest"] == str(jobs[1])


def test_what_users_wrote_does_not_steer_the_terminal(xpm: Xpm, disk: Disk) -> None:
    disk.add(order(Index()))
    key = disk.add(order(Index(note="\x1b[31mred\nline")))
    done = xpm("why", str(key))
    assert "\x1b" not in done.stdout
    assert "red" in done.stdout


def test_diff(xpm: Xpm, jobs: list[JobKey]) -> None:
    out = xpm("diff", str(jobs[1]), str(jobs[3])).stdout.splitlines()
    assert out[0] == f"x.search/{jobs[1].short} → x.search/{jobs[3].short}"
    assert out[1] == "parameters"
    assert out[2].startswith("  index: upstream index/")
    assert out[3] == "    x.index: stem false → true"
    assert out[4:] == ["outcome", "  state done → failed", "usage", "  seconds 10 s → 2 min"]
    data = _json(xpm("diff", str(jobs[1]), str(jobs[3]), "--json"))
    assert data["outcome"] == [{"name": "state", "old": "done", "new": "failed"}]
    assert "nothing differs" in xpm("diff", str(jobs[1]), str(jobs[1])).stdout


def test_diff_tells_no_duration_that_looks_the_same(xpm: Xpm, disk: Disk) -> None:
    pair: list[str] = []
    for note, seconds in (("a", 12.01), ("b", 12.02)):
        index = Index(note=note)
        index.submit()
        pair.append(str(disk.add(order(index), usage=Usage(seconds, 1.0, 1000))))
    assert "→ 12 s" not in xpm("diff", *pair).stdout
    assert "12.02" in xpm("diff", *pair, "--json").stdout


def test_diff_takes_two(xpm: Xpm, jobs: list[JobKey]) -> None:
    done = xpm("diff", str(jobs[0]))
    assert done.returncode == 2
    assert "two jobs are compared, not 1" in done.stderr


PLAN = '''
from xpm_engine import Param, Task, arguments, experiment, field

class Learn(Task["Learn"]):
    """Learns.

    Slowly."""
    lr: Param[float]
    """The learning rate"""
    epochs: Param[int] = 4
    def execute(self): pass

if __name__ == "__main__":
    with experiment("ws", "x"):
        for lr in (0.1, 0.2):
            Learn(lr=lr, epochs=int(arguments().get("epochs", "4"))).tag("lr", lr).submit()
'''


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "explained_plan.py"
    path.write_text(PLAN)
    return path


def test_describe(xpm_process: Xpm, plan: Path) -> None:
    done = xpm_process("describe", f"{plan.name}:Learn")
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "Learn, a task: explained_plan.Learn",
        "",
        "  Learns.",
        "",
        "  Slowly.",
        "",
        "  lr: float  (required)  The learning rate",
        "  epochs: int = 4",
    ]
    data = _json(xpm_process("describe", "explained_plan.Learn", "--json"))
    assert data["type_name"] == "explained_plan.Learn"
    assert [each["name"] for each in data["parameters"]] == ["lr", "epochs"]
    assert xpm_process("describe", "explained_plan.Lern").returncode == 2


def test_ids(xpm_process: Xpm, plan: Path, tmp_path: Path) -> None:
    assert xpm_process("ids", "check", plan.name).returncode == 2
    done = xpm_process("ids", "snapshot", plan.name, "epochs=5")
    assert (done.stdout, done.returncode) == ("explained_plan.ids.json: 2 jobs\n", 0)
    assert not (tmp_path / "ws").exists()
    done = xpm_process("ids", "check", plan.name)
    assert (done.stdout, done.returncode) == ("2 identifiers as in the file\n", 0)
    assert xpm_process("run", plan.name, "epochs=5").returncode == 0
    plan.write_text(
        PLAN.replace("lr: Param[float]", "lr: Param[float]\n    seed: Param[int]").replace(
            "lr=lr", "lr=lr, seed=3"
        )
    )
    done = xpm_process("ids", "check", plan.name)
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    assert [line.partition(": ")[2] for line in lines[:2]] == [
        "new parameter seed = 3  [lr=0.1]",
        "new parameter seed = 3  [lr=0.2]",
    ]
    assert lines[2:4] == ["new parameter seed = 3: 2 jobs", "2 changed, 0 the same"]
    assert lines[4].startswith("strands 2 finished results, ")
    done = xpm_process("ids", "check", plan.name, "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["stranded"]["results"] == 2
    (tmp_path / "explained_plan.ids.json").write_text("{")
    done = xpm_process("ids", "check", plan.name)
    assert done.returncode == 2
    assert "truncated" in done.stderr
    assert "Traceback" not in done.stderr
