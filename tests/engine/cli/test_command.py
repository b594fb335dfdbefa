"""The command itself: help, versions, mistakes, completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.cli.conftest import Done
from xpm_engine._version import __version__
from xpm_engine.cli.group import VERBS

Xpm = Callable[..., Done]

CALL = "import sys; from xpm_engine.cli import main; sys.exit(main())"


def test_help_lists_the_verbs(xpm: Xpm) -> None:
    done = xpm("--help")
    assert done.returncode == 0
    assert all(f"  {verb} " in done.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(xpm: Xpm, verb: str) -> None:
    done = xpm(verb, "--help")
    assert done.returncode == 0
    assert f"Usage: xpm {verb}" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("verb", VERBS)
def test_help_loads_nothing_heavy(xpm_process: Xpm, verb: str) -> None:
    code = (
        "import sys, json, atexit; from xpm_engine.cli import main\n"
        "atexit.register(lambda: sys.stderr.write(json.dumps(sorted(sys.modules))))\n"
        f"sys.exit(main(['{verb}', '--help']))"
    )
    loaded = set(json.loads(xpm_process(code=code).stderr))
    heavy = {"pydantic", "rich", "textual", "watchdog", "psutil", "tomllib", "asyncio"}
    assert not loaded & heavy
    assert not {name for name in loaded if name.startswith(("xpm_engine.workspace", "xpm_tui"))}


@pytest.mark.parametrize("arguments", [["--help"], ["completion", "bash"]])
def test_an_output_that_is_full_is_no_traceback(arguments: list[str]) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-c", CALL, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr.startswith("the output can't be written: No space left on device\n")
    assert done.returncode == 2


def test_a_reader_that_has_seen_enough_is_no_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", CALL, "completion", "bash"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 0


def test_version(xpm: Xpm) -> None:
    assert xpm("--version").stdout == f"xpm {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lss"], "Did you mean 'ls'?"),
        (["frobnicate"], "xpm --help"),
        (["ls", "--jsn"], "--json"),
        (["log"], "JOB"),
        (["run"], "PLAN.py"),
        (["ls", "--all", "drmm"], "--all"),
        (["log", "1", "-n", "-3"], "-3"),
    ],
)
def test_wrong_use_is_exit_2_and_one_text(xpm: Xpm, arguments: list[str], said: str) -> None:
    done = xpm(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", [("ls",), ("log", "1"), ("kill", "1"), ("clean", "1"), ("undo",)])
def test_no_workspace_is_one_clear_error(xpm: Xpm, tmp_path: Path, verb: tuple[str, ...]) -> None:
    for path in ("missing", "file"):
        (tmp_path / "file").touch()
        done = xpm(*verb, "-w", path)
        assert done.returncode == 2
        assert str(tmp_path / path) in done.stderr
        assert "next:" in done.stderr
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(xpm: Xpm, shell: str) -> None:
    assert "_XPM_COMPLETE" in xpm("completion", shell).stdout


def test_what_the_terminal_can_not_show_ends_no_listing(
    xpm_process: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    (tmp_path / "plan.py").write_text(
        'from xpm_engine import Config\n\n\nclass Model(Config):\n    """Text → vectors"""\n'
    )
    done = xpm_process("describe", "plan.py:Model")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Text ? vectors" in done.stdout


@pytest.mark.parametrize(
    "arguments", [("ls",), ("doctor",), ("run", "plan.py"), ("describe", "plan.Learn")]
)
def test_who_stands_in_a_folder_that_was_removed_is_told(
    xpm: Callable[..., Done],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    done = xpm(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("the folder that you are in was removed\n")
