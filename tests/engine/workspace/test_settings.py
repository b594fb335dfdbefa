"""Settings: who beats whom, and that a mistake is told with its line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpm_engine.errors import SettingsError
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.resources import Resources
from xpm_engine.workspace.settings import OnDrift, Settings, file, load_settings


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkspacePaths:
    monkeypatch.setattr(file, "_users_file", lambda: str(tmp_path / "user.toml"))
    (tmp_path / "ws").mkdir()
    return WorkspacePaths(str(tmp_path / "ws"))


def _write(workspace: WorkspacePaths, text: str) -> None:
    Path(workspace.settings).write_text(text)


def test_without_files_the_defaults_hold(workspace: WorkspacePaths) -> None:
    assert load_settings(workspace) == Settings()


def test_the_workspace_beats_the_user(workspace: WorkspacePaths) -> None:
    users = Path(workspace.root).parent / "user.toml"
    users.write_text('[drift]\npolicy = "rerun"\n[launchers.local]\ncores = 3\n')
    _write(workspace, '[drift]\npolicy = "accept"\n')
    found = load_settings(workspace)
    assert found.drift.policy is OnDrift.ACCEPT
    assert found.local.cores == 3


def test_what_the_machine_has_and_a_job_needs(workspace: WorkspacePaths) -> None:
    users = Path(workspace.root).parent / "user.toml"
    users.write_text("[tokens]\nlicence = 2\ndisk = 1\n[resources]\nmemory = '1GiB'\n")
    _write(
        workspace,
        "[launchers.local]\ngpus = 0\nmemory = '16GiB'\n[tokens]\ndisk = 4\n"
        "[resources]\ntime = '1h30min'\n",
    )
    found = load_settings(workspace)
    assert (found.local.gpus, found.local.memory) == (0, 16 * 1024**3)
    assert found.tokens == {"licence": 2, "disk": 4}
    assert found.resources == Resources(memory=1024**3, time=5400)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("\n[drift]\npolcy = 'error'\n", 3, "did you mean 'policy'"),
        ("[drift]\npolicy = 'never'\n", 2, '"rerun"'),
        ("\n\n[drfit]\npolicy = 'error'\n", 3, "did you mean 'drift'"),
        ("[launchers.local]\ncores = 0\n", 2, "whole number"),
        ("[launchers.local]\ncores = true\n", 2, "whole number"),
        ("[launchers.local]\ngpus = -1\n", 2, "from 0 on"),
        ("[launchers.local]\nmemory = '12 parsecs'\n", 2, "no size of memory"),
        ("[resources]\ntime = 'soon'\n", 2, "no duration"),
        ("[resources]\ncpu = 1\n", 2, "did you mean 'cpus'"),
        ("[tokens]\nlicence = 0\n", 2, "from 1 on"),
        ("[tokens]\n'a/b' = 1\n", 2, "can't name a token"),
        ("[launchers.loca]\ncores = 1\n", 1, "did you mean 'local'"),
        ("cores = 1\n", 1, "no setting"),
        ("[drift]\npolicy = \n", 2, "not TOML"),
        ("drift.polcy = 1\n", 1, "did you mean 'policy'"),
    ],
)
def test_a_mistake_names_its_line_and_the_remedy(
    workspace: WorkspacePaths, text: str, line: int, says: str
) -> None:
    _write(workspace, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(workspace)
    assert caught.value.where == f"{workspace.settings}:{line}"
    assert says in str(caught.value)


def test_bytes_that_are_no_text_are_told(workspace: WorkspacePaths) -> None:
    Path(workspace.settings).write_bytes(b"[drift]\n\xff\n")
    with pytest.raises(SettingsError, match="UTF-8"):
        load_settings(workspace)


def test_a_link_that_leads_nowhere_is_not_taken_for_no_settings(workspace: WorkspacePaths) -> None:
    """They lie on a disk that is not mounted: jobs would run elsewhere than they say."""
    os.symlink("/nowhere/xpm.toml", workspace.settings)
    with pytest.raises(SettingsError, match="leads nowhere") as caught:
        load_settings(workspace)
    assert caught.value.where == workspace.settings


def test_hosts_that_are_not_there_are_told_with_the_file(workspace: WorkspacePaths) -> None:
    Path(workspace.settings).write_text('[launchers.both]\nhosts = ["alpha"]\n')
    with pytest.raises(SettingsError, match="has no table") as caught:
        load_settings(workspace)
    assert caught.value.where == workspace.settings
