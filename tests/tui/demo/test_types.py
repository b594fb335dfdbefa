"""Type checkers read the demo's plan as it is, with no plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from xpm_tui.demo import write_demo

ROOT = Path(__file__).parents[3]

CHECKERS = {
    "mypy": ["-m", "mypy", "--strict", "--no-incremental", "--config-file="],
    "pyright": ["-m", "pyright"],
}


def check(checker: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "pyrightconfig.json").write_text(
        f'{{"typeCheckingMode": "strict", "extraPaths": ["{ROOT}"], "include": ["plan.py"]}}'
    )
    last = ["plan.py"] if checker == "mypy" else ["--project", "pyrightconfig.json"]
    return subprocess.run(
        [sys.executable, *CHECKERS[checker], *last],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_plan_is_accepted(checker: str, tmp_path: Path) -> None:
    write_demo(tmp_path)

    result = check(checker, tmp_path)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_wrong_type_and_an_unknown_name_are_refused(checker: str, tmp_path: Path) -> None:
    plan = write_demo(tmp_path)
    text = plan.read_text()
    plan.write_text(
        text.replace("k1=tag(k1)", 'k1="x"').replace("report.table.read", "report.tabel.read")
    )

    result = check(checker, tmp_path)

    lines = text.splitlines()
    numbers = [
        next(i for i, line in enumerate(lines, 1) if part in line)
        for part in ("k1=tag(k1)", "report.table.read")
    ]
    assert result.returncode == 1
    for number in numbers:
        assert f"plan.py:{number}:" in result.stdout
