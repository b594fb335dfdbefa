"""What xpm.toml says of other hosts: the page's own examples, and mistakes."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from xpm_engine.errors import SettingsError
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.settings import HostSettings, load_settings

PAGE = Path(__file__).parents[3] / "docs" / "ssh.md"
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)


def _load(workspace: WorkspacePaths, text: str) -> object:
    os.makedirs(workspace.root, exist_ok=True)
    Path(workspace.settings).write_text(text)
    return load_settings(workspace)


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    return WorkspacePaths(str(tmp_path / "ws"))


@pytest.mark.parametrize("text", BLOCKS)
def test_the_pages_examples_can_be_read(workspace: WorkspacePaths, text: str) -> None:
    _load(workspace, text)


def test_hosts_and_pools(workspace: WorkspacePaths) -> None:
    os.makedirs(workspace.root)
    Path(workspace.settings).write_text(BLOCKS[1])
    settings = load_settings(workspace)
    assert settings.pools == {"both": ("alpha", "beta")}
    assert settings.hosts["beta"] == HostSettings(
        host="ada@beta.example.org:2222", workspace="~/experiments", cores=4
    )
    assert settings.hosts["alpha"].fetch == ("*.json", "best/**")
    assert settings.hosts["alpha"].paths == {"/home/ada/data": "/scratch/ada/data"}


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("[hosts.alpha]\ncores = 2", None, "does not say where its workspace is"),
        ('[hosts.alpha]\nworkspace = "~"\nworkspce = 1', 3, "did you mean 'workspace'"),
        ('[hosts."../x"]\nworkspace = "~"', None, "has no setting"),
        ('[hosts.alpha]\nworkspace = "~"\nfetch = "some"', 3, '"on demand"'),
        ('[hosts.alpha]\nworkspace = "~"\nshared = "yes"', 3, "neither yes nor no"),
        ('[hosts.alpha]\nworkspace = "~"\n[launchers.both]\nhosts = ["alhpa"]', None, "'alpha'"),
        ('[hosts.alpha]\nworkspace = "~"\n[hosts.alpha.env]\nX = 3', 4, "is no text"),
        ('[hosts.alpha]\nworkspace = "~"\npass_env = ["A=b"]', 3, "is no variable's name"),
        ('[hosts.alpha]\nworkspace = "~"\n[hosts.alpha.paths]\n"/x" = 3', 4, "is no text"),
    ],
)
def test_mistakes(workspace: WorkspacePaths, text: str, line: int | None, part: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(workspace, text)
    assert part in str(caught.value)
    if line is not None:
        assert caught.value.where == f"{workspace.settings}:{line}"
