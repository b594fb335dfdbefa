"""The doctor: each step, and what it says where something is wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.far.stub import StubHost
from xpm_engine.verbs import doctor
from xpm_engine.verbs.doctor import Finding
from xpm_engine.workspace.layout import WorkspacePaths


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StubHost:
    made = StubHost(tmp_path / "host")
    monkeypatch.setenv("PATH", str(made.bin), prepend=":")
    return made


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    return WorkspacePaths(str(tmp_path / "ws"))


def _configure(workspace: WorkspacePaths, **changes: str) -> None:
    os.makedirs(workspace.root, exist_ok=True)
    values = {"workspace": "~/far", "python": sys.executable, **changes}
    lines = "".join(f'{name} = "{value}"\n' for name, value in values.items())
    Path(workspace.settings).write_text(f"[hosts.alpha]\n{lines}")


def _ask(workspace: WorkspacePaths, host: str = "alpha") -> dict[str, doctor.Step]:
    return {step.what: step for step in doctor.ssh(workspace, host)}


def test_this_machine(workspace: WorkspacePaths) -> None:
    steps = {step.what: step for step in doctor.here(workspace)}
    assert steps["python"].finding is Finding.FINE
    assert "it will be made" in steps["workspace"].text
    assert steps["pool"].finding is Finding.FINE
    assert steps["settings"].text.startswith("there is no ")
    os.makedirs(workspace.root)
    steps = {step.what: step for step in doctor.here(workspace)}
    assert "no plan has run in it yet" in steps["workspace"].text
    Path(workspace.settings).write_text("[drfit]\n")
    steps = {step.what: step for step in doctor.here(workspace)}
    assert steps["settings"].finding is Finding.WRONG
    assert "did you mean" in steps["settings"].hint


def test_a_host_that_is_fine(host: StubHost, workspace: WorkspacePaths) -> None:
    _configure(workspace)
    steps = _ask(workspace)
    assert {step.finding for step in steps.values()} <= {Finding.FINE, Finding.CARE}
    assert list(steps)[:5] == ["client", "settings", "connection", "agent", "workspace"]
    assert str(host.home / "far") in steps["workspace"].text
    assert sys.executable.split("/")[-1][:6] in steps["python"].text
    assert not os.listdir(host.home)


def test_a_host_without_a_table(host: StubHost, workspace: WorkspacePaths) -> None:
    steps = _ask(workspace, "ada@elsewhere")
    assert steps["settings"].finding is Finding.CARE
    assert steps["connection"].finding is Finding.FINE


def test_a_host_that_is_not_there(host: StubHost, workspace: WorkspacePaths) -> None:
    _configure(workspace)
    host.refuse()
    steps = _ask(workspace)
    assert steps["connection"].finding is Finding.WRONG
    assert "refused" in steps["connection"].text
    assert "ssh alpha true" in steps["connection"].hint


def test_a_python_that_is_not_there(host: StubHost, workspace: WorkspacePaths) -> None:
    _configure(workspace, python="/no/python")
    steps = _ask(workspace)
    assert steps["python"].finding is Finding.WRONG
    assert "[hosts.alpha]" in steps["python"].hint
    _configure(workspace, activate=". /no/such/venv/bin/activate")
    steps = _ask(workspace)
    assert steps["python"].finding is Finding.WRONG
    assert "/no/such/venv" in steps["python"].text


def test_an_index_that_can_not_be_written(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    step = {step.what: step for step in doctor.here(workspace)}["index"]
    assert (step.finding, step.hint) == (Finding.FINE, "")
    assert not list((tmp_path / "cache").rglob("*.sqlite*"))
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a file"))
    step = {step.what: step for step in doctor.here(workspace)}["index"]
    assert step.finding is Finding.CARE
    assert "Not a directory" in step.text
    assert "each start reads all folders" in step.hint
