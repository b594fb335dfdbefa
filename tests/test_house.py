"""The house keeps its directions, its style, and its quick start."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PORTABLE = [
    "xpm_engine/errors.py",
    "xpm_engine/workspace/atomic.py",
    "xpm_engine/workspace/tickets.py",
    "xpm_engine/workspace/claims.py",
    "xpm_engine/workspace/footing.py",
    "xpm_engine/workspace/processes.py",
    "xpm_engine/remote/frames.py",
    *(
        str(path.relative_to(ROOT))
        for folder in ("workspace/layout", "workspace/records", "workspace/pool", "remote/agent")
        for path in (ROOT / "xpm_engine" / folder).glob("*.py")
    ),
]
"""The files that travel to other hosts: plain standard library, Python 3.8 syntax."""

TOP = {
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "docs",
    "pyproject.toml",
    "screenshots",
    "tests",
    "xpm_engine",
    "xpm_tui",
}


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _tool(*command: str) -> None:
    done = _run(sys.executable, "-m", *command)
    assert done.returncode == 0, done.stdout + done.stderr


def _script(name: str, *arguments: str) -> None:
    done = _run(str(Path(sys.executable).parent / name), *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def _imported_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    done = _run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_nothing_else_stands_at_the_top() -> None:
    done = _run("git", "ls-files")
    if done.returncode:
        pytest.skip("not a git checkout")
    found = {line.split("/")[0] for line in done.stdout.splitlines()}
    assert {name for name in found if not name.startswith(".")} <= TOP


def test_the_maps_of_packages_name_what_is_there() -> None:
    for file in (*ROOT.glob("xpm_engine/**/__init__.py"), *ROOT.glob("xpm_tui/**/__init__.py")):
        docs = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        for line in re.findall(r"^- .*(?:\n +.*)*", docs, re.M):
            named = re.findall(r"`(\w+)`", line)
            lost = [name for name in named if not _is_module(file.parent, name)]
            assert not lost, f"{file.relative_to(ROOT)}: {lost}"


def _is_module(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()


def test_style() -> None:
    _tool("ruff", "check", ".")
    _tool("ruff", "format", "--check", ".")


def test_types_by_mypy() -> None:
    _tool("mypy")


def test_types_by_pyright() -> None:
    _tool("pyright", "--pythonpath", sys.executable)


def test_directions_of_imports() -> None:
    _script("lint-imports")


def test_the_portable_set_is_old_python() -> None:
    guarded = ("--exclude", "os.pidfd_open", "--exclude", "signal.pidfd_send_signal")
    _script("vermin", "-t=3.8-", "--no-tips", "--violations", *guarded, *PORTABLE)


def test_the_portable_set_imports_nothing_else_of_ours() -> None:
    modules = [path.removesuffix(".py").replace("/", ".") for path in PORTABLE]
    modules = [name.removesuffix(".__init__") for name in modules]
    allowed = {*modules, "xpm_engine", "xpm_engine._version", "xpm_engine.workspace"}
    allowed.add("xpm_engine.remote")
    found = _imported_by("\n".join(f"import {name}" for name in modules))
    assert {name for name in found if name.startswith(("xpm_engine", "xpm_tui"))} <= allowed
    assert not found & {"pydantic", "psutil", "rich", "click", "tomli"}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import xpm_engine", {"textual", "watchdog", "rich", "pydantic", "click", "asyncio"}),
        (
            "from xpm_engine import Config, Task, Param, experiment, progress, tag",
            {"textual", "watchdog", "rich", "pydantic", "click", "docstring_parser"},
        ),
        ("import xpm_engine.runtime.task, xpm_engine.config.load", {"pydantic", "xpm_engine.plan"}),
        ("import xpm_tui", {"textual", "rich"}),
        ("import xpm_tui.store", {"textual", "watchdog"}),
        ("import xpm_tui.cli", {"textual", "watchdog", "rich", "pydantic"}),
        ("import xpm_engine.cli", {"textual", "watchdog", "rich", "pydantic"}),
    ],
)
def test_what_an_import_brings_along(statement: str, absent: set[str]) -> None:
    assert not _imported_by(statement) & absent


@pytest.mark.parametrize("command", ["xpm_engine.cli", "xpm_tui"])
def test_help_needs_no_home(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", command, "--help"],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    assert not list(tmp_path.iterdir())
