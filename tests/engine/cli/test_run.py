"""``xpm run``: a plan as Python would run it, and its mistakes as the user's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.cli.conftest import Done

Xpm = Callable[..., Done]

LOOK = """
import json, sys
from xpm_engine import arguments
import helper
print(json.dumps({
    "name": __name__, "file": __file__, "argv": sys.argv, "first": sys.path[0],
    "given": arguments(), "main": sys.modules["__main__"].__dict__ is globals(),
}))
"""


def test_a_plan_finds_what_python_gives_it(xpm_process: Xpm, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "plan.py").write_text(LOOK)
    (folder / "helper.py").write_text("")
    done = xpm_process("run", "project/plan.py", "seed=1", "lr=a=b")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "name": "__main__",
        "file": str(folder / "plan.py"),
        "argv": ["project/plan.py", "seed=1", "lr=a=b"],
        "first": str(folder),
        "given": {"seed": "1", "lr": "a=b"},
        "main": True,
    }


ASKS = """
from xpm_engine import Param, Task, arguments, experiment

class Learn(Task):
    seed: Param[int]
    def execute(self): ...

if __name__ == "__main__":
    with experiment("ws", "first"):
        Learn(seed=int(arguments().get("seed", 1))).submit()
"""


@pytest.mark.parametrize("verb", [["run"], ["plan"], ["run", "--dry-run"], ["ids", "snapshot"]])
def test_an_argument_that_nobody_looked_at_is_told(
    xpm_process: Xpm, tmp_path: Path, verb: list[str]
) -> None:
    (tmp_path / "plan.py").write_text(ASKS)
    done = xpm_process(*verb, "plan.py", "sead=2", "seed=3")
    assert done.returncode == 0, done.stderr
    assert "was given sead, and never asked" in done.stderr
    assert "never asked" not in xpm_process(*verb, "plan.py", "seed=2").stderr


@pytest.mark.parametrize(
    "looks",
    ["arguments()['a']", "'a' in arguments()", "dict(arguments())", "list(arguments().values())",
     "f'{arguments()}'", "arguments().pop('a')", "import sys; sys.argv[1:]"],
)  # fmt: skip
def test_a_plan_may_look_at_its_arguments_in_any_way(
    xpm_process: Xpm, tmp_path: Path, looks: str
) -> None:
    (tmp_path / "plan.py").write_text(f"from xpm_engine import arguments\n{looks}\n")
    done = xpm_process("run", "plan.py", "a=1")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f():\n    return 1 / 0\nf()\n", ['plan.py", line 2, in f', "ZeroDivisionError"]),
        ("x = (\n", ["is not Python", "plan.py:1"]),
        ("import nothing_of_that_name\n", ["nothing_of_that_name", "line 1"]),
        ("raise ValueError('[/x]')\n", ["ValueError: [/x]"]),
    ],
)
def test_a_plan_that_raises(xpm_process: Xpm, tmp_path: Path, source: str, said: list[str]) -> None:
    (tmp_path / "plan.py").write_text(source)
    done = xpm_process("run", "plan.py")
    assert done.returncode == 2
    assert "xpm_engine" not in done.stderr
    for words in said:
        assert words in done.stderr


def test_a_refusal_without_a_place_gets_the_line_of_the_plan(
    xpm_process: Xpm, tmp_path: Path
) -> None:
    (tmp_path / "plan.py").write_text(
        "from xpm_engine import Resources\n\nneeds = Resources(cpus=-1)\n"
    )
    done = xpm_process("run", "plan.py")
    assert done.returncode == 2
    assert f"where: {tmp_path / 'plan.py'}:3 in <module>" in done.stderr


@pytest.mark.parametrize(("plan", "said"), [("missing.py", "no such plan"), (".", "is a folder")])
def test_a_plan_that_is_none(xpm_process: Xpm, plan: str, said: str) -> None:
    done = xpm_process("run", plan)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("pair", ["seed", "=1", "a b=1", "1=2"])
def test_arguments_are_pairs(xpm_process: Xpm, tmp_path: Path, pair: str) -> None:
    (tmp_path / "plan.py").write_text("raise SystemExit('never reached')")
    done = xpm_process("run", "plan.py", pair)
    assert done.returncode == 2
    assert "NAME=VALUE" in done.stderr


def test_the_exit_code_is_the_plans(xpm_process: Xpm, tmp_path: Path) -> None:
    (tmp_path / "plan.py").write_text("import sys; sys.exit(7)")
    assert xpm_process("run", "plan.py").returncode == 7


PLAN = """
from xpm_engine import Param, Task, experiment

class Half(Task):
    of: Param[int]
    def execute(self):
        print(self.of / (self.of % 2))

if __name__ == "__main__":
    with experiment("ws", "halves"):
        for number in (1, 2):
            Half(of=number).submit()
"""


def test_from_the_plan_to_the_trash_and_back(xpm_process: Xpm, tmp_path: Path) -> None:
    (tmp_path / "plan.py").write_text(PLAN)
    done = xpm_process("run", "plan.py")
    assert done.returncode == 1, done.stderr
    assert "1 job failed" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    run = json.loads(xpm_process("ls", "--json").stdout)["runs"][0]
    ids = {job["state"]: job["id"] for job in run["jobs"]}
    assert set(ids) == {"done", "failed"}
    assert xpm_process("log", ids["done"]).stdout == "1.0\n"
    assert "ZeroDivisionError" in xpm_process("log", ids["failed"]).stdout
    assert xpm_process("clean", ids["done"], "--yes").returncode == 0
    assert xpm_process("undo").returncode == 0
    again = xpm_process("run", "plan.py")
    assert "1 done (1 reused)" in again.stderr
