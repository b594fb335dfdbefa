"""docs/resources.md: its plans run, its settings are read, its error is what is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engine.projects import Project
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.settings import load_settings

PAGE = (Path(__file__).parents[3] / "docs" / "resources.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(_blocks("python"))))
def test_its_plans_run(project: Project, number: int) -> None:
    (project.folder / "plan.py").write_text(_smaller(_blocks("python")[number]))
    code, said = project.run()
    assert code == 0, said
    assert "failed" not in said


def _smaller(plan: str) -> str:
    """The same plan for a machine of one core."""
    return plan.replace("cpus=2", "cpus=1")


def test_its_settings_are_read(tmp_path: Path) -> None:
    (tmp_path / "xpm.toml").write_text(_blocks("toml")[0])
    found = load_settings(WorkspacePaths(str(tmp_path)))
    assert (found.local.cores, found.local.gpus) == (6, 2)
    assert found.tokens == {"licence": 2}


def test_its_error_is_the_one_that_is_told(project: Project) -> None:
    plan = _blocks("python")[0].replace("with experiment(", "with experiment(launcher=TWO, *(")
    plan = plan.replace('"drmm")', '"drmm"))').replace("cpus=2", "cpus=64")
    top = "from xpm_engine.launchers.local import LocalLauncher\nTWO = LocalLauncher(cores=2)\n"
    (project.folder / "plan.py").write_text(top + plan)
    code, said = project.run()
    assert code == 1
    assert _blocks("text")[0] in re.sub("  where: .*\n", "", said)
