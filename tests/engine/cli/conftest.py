"""What the tests of the command line share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from xpm_engine.cli import main
from xpm_engine.workspace.layout import WorkspacePaths

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    """A workspace with nothing in it yet."""
    paths = WorkspacePaths(str(tmp_path / "ws"))
    Path(paths.jobs).mkdir(parents=True)
    return paths


@pytest.fixture
def xpm(
    workspace: WorkspacePaths,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Done]:
    """``xpm …`` in this process, beside the workspace."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Done:
        code = main(list(arguments))
        out, err = capsys.readouterr()
        return Done(arguments, code, out, err)

    return call


@pytest.fixture
def xpm_process(tmp_path: Path) -> Callable[..., Done]:
    """``xpm …`` as a process of its own, in an empty folder."""

    def call(*arguments: str, code: str = "") -> Done:
        program = ["-c", code] if code else ["-m", "xpm_engine.cli"]
        return subprocess.run(
            [sys.executable, *program, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return call
