"""Shipped code goes when nothing can need it any more, and not before."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.engine.making import KEY, end, launch, start
from tests.engine.remote.agents import connect
from xpm_engine.remote.agent.sweeping import MARGIN, UNUSED
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace import tickets
from xpm_engine.workspace.atomic import make_folders
from xpm_engine.workspace.layout import WorkspacePaths


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    return WorkspacePaths(str(tmp_path / "ws"))


def _code(workspace: WorkspacePaths, name: str, *, unused: float) -> str:
    """A folder of code that was used so many seconds ago."""
    place = f"{workspace.code}/{name}"
    make_folders(f"{place}/package")
    Path(place, "package", "module.py").touch()
    _age(place, unused)
    return place


def _age(path: str, seconds: float) -> None:
    at = time.time() - seconds
    os.utime(path, (at, at))


def _order(workspace: WorkspacePaths, *, ago: float) -> None:
    job = workspace.job(KEY)
    make_folders(job.xpm)
    assert tickets.claim_launch(job, launch())
    _age(job.launch(1), ago)


def _sweep(agent: Connection, workspace: WorkspacePaths) -> list[str]:
    """What is left."""
    agent.ask("sweep", root=workspace.root)
    return sorted(os.listdir(workspace.code))


def test_what_was_not_used_for_long_goes(agent: Connection, workspace: WorkspacePaths) -> None:
    _code(workspace, "old", unused=UNUSED + 60)
    _code(workspace, "new", unused=UNUSED - 60)
    assert len(agent.ask("shipped", root=workspace.root)["code"]) == 2
    assert _sweep(agent, workspace) == ["new"]
    assert _sweep(agent, workspace) == ["new"]


def test_nothing_is_shipped_yet(agent: Connection, workspace: WorkspacePaths) -> None:
    assert agent.ask("sweep", root=workspace.root)["removed"] == []
    assert agent.ask("shipped", root=workspace.root)["code"] == []
    assert agent.ask("use", places=[f"{workspace.code}/absent"])["used"] == [False]


def test_what_an_agent_holds_stays(agent: Connection, workspace: WorkspacePaths) -> None:
    place = _code(workspace, "old", unused=UNUSED + 60)
    other = connect()
    assert other.ask("use", places=[place])["used"] == [True]
    assert time.time() - os.stat(place).st_mtime < 60, "using it must mark it"
    _age(place, UNUSED + 60)
    assert _sweep(agent, workspace) == ["old"]
    other.close()
    assert _sweep(agent, workspace) == []


def test_who_holds_what_was_removed_is_told(agent: Connection, workspace: WorkspacePaths) -> None:
    place = _code(workspace, "old", unused=0)
    assert agent.ask("use", places=[place])["used"] == [True]
    os.rename(place, place + ".gone")
    assert agent.ask("use", places=[place])["used"] == [False]
    _code(workspace, "old", unused=0)
    assert agent.ask("use", places=[place])["used"] == [True]


@pytest.mark.parametrize("begun", [True, False])
def test_what_a_job_may_use_stays_until_it_ends(
    agent: Connection, workspace: WorkspacePaths, begun: bool
) -> None:
    _code(workspace, "its", unused=UNUSED + 60)
    _code(workspace, "older", unused=UNUSED + 60 + 3 * MARGIN)
    # Code is marked when the order is given; what was marked last long before is not its.
    _order(workspace, ago=UNUSED + 60)
    job = workspace.job(KEY)
    if begun:
        assert tickets.claim_start(job, 1, start())
    assert _sweep(agent, workspace) == ["its"]
    tickets.record_end(job, 1, end())
    assert _sweep(agent, workspace) == []


def test_a_job_that_cannot_be_read_keeps_all(agent: Connection, workspace: WorkspacePaths) -> None:
    _code(workspace, "old", unused=UNUSED + 60)
    job = workspace.job(KEY)
    make_folders(job.root)
    os.symlink(job.xpm, job.xpm)
    assert _sweep(agent, workspace) == ["old"]


def test_what_is_put_together_is_not_looked_at(
    agent: Connection, workspace: WorkspacePaths
) -> None:
    place = f"{workspace.code}/new"
    make_folders(workspace.code)
    stage = agent.ask("stage", place=place, sender="somebody")["stage"]
    _age(stage, UNUSED + 60)
    agent.ask("sweep", root=workspace.root)
    assert os.path.isdir(stage)


def test_what_somebody_wants_to_be_rid_of(agent: Connection, workspace: WorkspacePaths) -> None:
    """Whatever its age, but for what is in use, was just now, or may be used by a job."""
    Path(_code(workspace, "free", unused=3 * MARGIN), "more").write_bytes(bytes(1000))
    _age(f"{workspace.code}/free", 3 * MARGIN)
    _code(workspace, "new", unused=MARGIN / 2)
    held = _code(workspace, "held", unused=0)
    other = connect()
    assert other.ask("use", places=[held])["used"] == [True]
    _age(held, 3 * MARGIN)

    def told() -> dict[str, tuple[int, str]]:
        rows = agent.ask("shipped", root=workspace.root)["code"]
        return {os.path.basename(row["place"]): (row["size"], row["stays"]) for row in rows}

    assert told() == {
        "free": (1000, ""),
        "new": (0, "it was used within the last hour"),
        "held": (0, "a plan uses it"),
    }
    _order(workspace, ago=3 * MARGIN)
    assert told()["free"] == (1000, "a job that goes on may use it")
    assert agent.ask("sweep", root=workspace.root, unused=0)["removed"] == []
    job = workspace.job(KEY)
    assert tickets.claim_start(job, 1, start())
    tickets.record_end(job, 1, end())
    removed = agent.ask("sweep", root=workspace.root, unused=0)["removed"]
    assert [os.path.basename(place) for place in removed] == ["free"]
    assert sorted(told()) == ["held", "new"]
    other.close()
