"""Which workspace an address means, and what is wrong with one that means none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.far.sshd import Sshd
from tests.tui.far.conftest import Line
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.errors import NotAWorkspaceError, UnreachableError, UsageError
from xpm_tui.far.details import Details
from xpm_tui.far.place import FarPlace, open_place
from xpm_tui.far.reader import FarReader
from xpm_tui.store.reader import Look


@pytest.mark.parametrize("url", ["ssh://", "ssh:///path", "ssh://host", "ssh://-oProxy/x"])
def test_an_address_that_is_none(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        open_place(url, caches=str(tmp_path))
    assert raised.value.hint
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path: Path, line: Line) -> None:
    with pytest.raises(NotAWorkspaceError, match="no such folder") as raised:
        open_place(f"ssh://there{tmp_path}/absent", caches=str(tmp_path / "far"), dial=line.dial)
    assert raised.value.where == f"there:{tmp_path}/absent"
    assert not (tmp_path / "far").exists()


def test_a_machine_that_was_never_seen_and_does_not_answer(tmp_path: Path, line: Line) -> None:
    line.cut()
    with pytest.raises(UnreachableError):
        open_place(f"ssh://there{tmp_path}", caches=str(tmp_path / "far"), dial=line.dial)


def test_one_that_was_seen_is_opened_without_an_answer(
    open_far: Callable[[], FarPlace], line: Line
) -> None:
    first = open_far()
    line.cut()
    again = open_far()
    assert again.root == first.root
    assert again.link.error is not None


def test_over_a_real_ssh(sshd: Sshd, workspace: FakeWorkspace, tmp_path: Path) -> None:
    workspace.done(FakeJob("drmm.learn", "one"))
    place = open_place(f"ssh://loopback{workspace.paths.root}", caches=str(tmp_path / "far"))
    try:
        reader = FarReader(place, Details(place, lambda key: None))
        found = [key for delta in reader.read(Look(everything=True)) for key in delta.jobs]
        assert found == [FakeJob("drmm.learn", "one").key]
    finally:
        place.link.close()
