"""Configurations inside real jobs: what is alive there, and where its class is found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.projects import Project

LAUNCH = """
    from xpm_engine.launchers.local import Isolation, LocalLauncher
    launcher = LocalLauncher(cores=1, isolation=Isolation(sys.argv[1]))
"""
ISOLATIONS = pytest.mark.parametrize("isolation", ["fork", "spawn"])


@ISOLATIONS
def test_what_a_task_makes_is_alive_and_what_the_plan_made_is_not(
    project: Project, isolation: str
) -> None:
    project.write(
        """
class Layer(Config):
    size: Param[int] = 1

    def __post_init__(self) -> None:
        self.weights = [0] * self.size


PLANS = Layer(size=3)


class Make(Task):
    layer: Param[Layer]

    def execute(self) -> None:
        made = Layer(size=2)
        made.name = "free"
        plans = PLANS.copy()
        note(f"{self.layer.weights} {made.weights} {plans.weights} {'weights' in vars(PLANS)}")


if __name__ == "__main__":"""
        + LAUNCH
        + """
    with experiment("ws", "exp", launcher=launcher):
        Make(layer=Layer(size=1)).submit()
"""
    )
    code, said = project.run(isolation)
    assert code == 0, said
    assert project.ledger() == ["[0] [0, 0] [0, 0, 0] False"]


LIGHT = """
from xpm_engine import LightTask


class Model(Config):
    def __post_init__(self) -> None:
        self.weights = "none"


class Load(LightTask):
    model: Param[Model]
    path: Param[Path]

    def execute(self) -> None:
        note(f"load {Path.cwd().name == self.path.parent.name}")
        self.model.weights = self.path.read_text()


class Say(LightTask):
    word: Param[str]

    def execute(self) -> None:
        if self.word == "bad":
            raise ValueError("a bad word")
        note(f"say {self.word} {os.getpid()}")


class Train(Task[Path]):
    weights: Param[Path] = pathgenerator("weights")

    def execute(self) -> None:
        self.weights.write_text("trained")

    def output(self) -> Path:
        return self.weights


class Evaluate(Task):
    model: Param[Model]

    def execute(self) -> None:
        note(f"evaluate {self.model.weights} {os.getpid()}")


if __name__ == "__main__":"""


@ISOLATIONS
def test_light_tasks_run_first_in_the_same_process_on_the_same_objects(
    project: Project, isolation: str
) -> None:
    project.write(
        LIGHT
        + LAUNCH
        + """
    with experiment("ws", "exp", launcher=launcher):
        model = Model()
        load = Load(model=model, path=Train().submit())
        Evaluate(model=model).submit(before=[Say(word="a"), load, Say(word="b")])
"""
    )
    code, said = project.run(isolation)
    assert code == 0, said
    (process,) = {line.split()[-1] for line in project.ledger() if not line.startswith("load")}
    assert project.ledger() == [
        f"say a {process}",
        "load False",
        f"say b {process}",
        f"evaluate trained {process}",
    ]
    assert project.run(isolation)[0] == 0
    assert len(project.ledger()) == 4


def test_a_light_task_that_raises_fails_the_job(project: Project) -> None:
    project.write(
        LIGHT
        + LAUNCH
        + """
    with experiment("ws", "exp", launcher=launcher):
        Evaluate(model=Model()).submit(before=[Say(word="a"), Say(word="bad"), Say(word="b")])
"""
    )
    code, _ = project.run("fork")
    assert code == 1
    assert [line.split()[:2] for line in project.ledger()] == [["say", "a"]]
    (log,) = project.folder.glob("ws/jobs/plan.evaluate/*/.xpm/logs/*.err")
    assert "ValueError: a bad word" in log.read_text()


def test_a_plan_inside_a_package_is_found_with_the_packages_it_ran_without(tmp_path: Path) -> None:
    package = tmp_path / "study" / "first"
    package.mkdir(parents=True)
    (tmp_path / "study" / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "helper.py").write_text("WORD = 'helped'\n")
    (package / "plan.py").write_text(
        "from pathlib import Path\n"
        "from xpm_engine import Param, Task, experiment, pathgenerator\n"
        "from helper import WORD\n"
        "class Say(Task):\n"
        "    word: Param[str]\n"
        "    said: Param[Path] = pathgenerator('said')\n"
        "    def execute(self):\n"
        "        self.said.write_text(f'{self.word} {__name__}')\n"
        "with experiment('ws', 'exp'):\n"
        "    Say(word=WORD).submit()\n"
    )
    done = subprocess.run(
        [sys.executable, "plan.py"],
        cwd=package,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (said,) = package.glob("ws/jobs/study.first.plan.say/*/said")
    assert said.read_text() == "helped study.first.plan"
