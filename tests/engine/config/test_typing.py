"""Type checkers, with no plugin, take good plans and refuse each bad line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

TYPED = Path(__file__).parent / "typed"
ROOT = Path(__file__).parents[3]


def mypy(files: list[str]) -> set[tuple[str, int]]:
    """The lines that mypy --strict refuses."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"(\w+\.py):(\d+): error", done.stdout)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return {(name, int(line)) for name, line in found}


def pyright(files: list[str]) -> set[tuple[str, int]]:
    """The lines that pyright refuses in its strict mode, which the files ask for."""
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(files)
    return {
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1)
        for each in report["generalDiagnostics"]
        if each["severity"] == "error"
    }


def expected() -> set[tuple[str, int]]:
    lines = (TYPED / "bad.py").read_text().splitlines()
    return {("bad.py", number) for number, line in enumerate(lines, 1) if "# refused" in line}


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_checkers_need_no_plugin(checker: str) -> None:
    files = [str(TYPED / "good.py"), str(TYPED / "bad.py")]
    found = mypy(files) if checker == "mypy" else pyright(files)
    assert found == expected()
