"""The command: what it answers without opening the app."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tui.hosting import store_of
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine._version import __version__
from xpm_tui import cli
from xpm_tui.store import ExperimentSubject, JobSubject, WorkspaceSubject


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"xpm-tui {__version__}\n"


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    for option in ("--demo", "--demo-failure", "--readonly", "--no-mouse", "--version"):
        assert option in text


def test_help_loads_no_screen() -> None:
    code = """
import contextlib, io, json, sys
from xpm_tui import cli
from xpm_tui.store import ExperimentSubject, JobSubject, WorkspaceSubject
with contextlib.redirect_stdout(io.StringIO()):
    cli.main(["--help"])
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    loaded = set(json.loads(done.stdout))
    assert not loaded & {"textual", "rich", "watchdog", "psutil", "pydantic", "xpm_engine.config"}


def test_a_folder_that_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([str(tmp_path / "nothing")]) == 2
    error = capsys.readouterr().err
    assert "there is no such folder" in error
    assert str(tmp_path / "nothing") in error
    assert not (tmp_path / "nothing").exists()


def test_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_text("")
    assert cli.main([str(tmp_path / "a")]) == 2
    assert "is a file, not a folder" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    try:
        assert cli.main([str(locked)]) == 2
    finally:
        locked.chmod(0o700)
    assert "may not be read by you" in capsys.readouterr().err


def test_an_unknown_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--demmo"]) == 2
    assert "--demo" in capsys.readouterr().err


def test_without_a_terminal(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from xpm_tui.cli import main; sys.exit(main())"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_line_at_the_end(
    workspace: FakeWorkspace, jobs: dict[str, FakeJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(os.path.dirname(workspace.paths.root))
    line = cli.farewell(store_of(workspace), WorkspaceSubject())
    assert line == "8 done, 3 running, 7 waiting, 4 failed (3 causes); back with: xpm-tui ws"


def test_the_way_back_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "my work"
    root.mkdir()
    monkeypatch.chdir(tmp_path)
    assert cli.way_back(FakeWorkspace(root).paths, WorkspaceSubject()) == "xpm-tui 'my work'"
    monkeypatch.chdir(root)
    assert cli.way_back(FakeWorkspace(root).paths, WorkspaceSubject()) == "xpm-tui"


def test_the_way_back_leads_to_the_place(
    workspace: FakeWorkspace, jobs: dict[str, FakeJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace.paths.root)
    key = jobs["learn lr=0.1 seed=1"].key
    assert cli.way_back(workspace.paths, JobSubject(key)) == f"xpm-tui --job {key.short}"
    back = cli.way_back(workspace.paths, ExperimentSubject("drmm"))
    assert back == "xpm-tui --experiment drmm"


def test_an_experiment_that_is_not_there(
    workspace: FakeWorkspace,
    jobs: dict[str, FakeJob],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.isatty", lambda _: True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert cli.main([workspace.paths.root, "--experiment", "drm"]) == 2
    assert "did you mean drmm?" in capsys.readouterr().err
    assert cli.main([workspace.paths.root, "--experiment", "drmm", "--job", "a"]) == 2
    assert "one of them" in capsys.readouterr().err
