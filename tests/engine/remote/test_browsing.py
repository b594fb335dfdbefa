"""What an agent tells somebody who looks at a workspace: the differences, and who lives."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.engine.folders import key, make_job
from tests.engine.making import dead_process
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace import processes
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    """A workspace of five old jobs."""
    made = WorkspacePaths(str(tmp_path / "ws"))
    for number in range(5):
        _grow_old(make_job(made, key(number)).xpm)
    return made


def _grow_old(folder: str) -> None:
    os.utime(folder, (1_700_000_000, 1_700_000_000))


def _stamp(workspace: WorkspacePaths, number: int) -> list[int]:
    found = os.stat(workspace.job(key(number)).xpm)
    return [found.st_ino, found.st_mtime_ns]


def _changes(agent: Connection, workspace: WorkspacePaths, **fields: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"jobs": set(), "gone": set()}
    checked = 0.0
    for part in agent.stream("changes", root=workspace.root, **fields):
        found["jobs"] |= {row[1] for row in part.body.get("jobs", ())}
        found["gone"] |= {row[1] for row in part.body.get("gone", ())}
        checked = part.body.get("checked", checked)
    assert checked == 1.0
    return found


def test_only_differences_are_told(agent: Connection, workspace: WorkspacePaths) -> None:
    assert len(_changes(agent, workspace)["jobs"]) == 5
    assert _changes(agent, workspace) == {"jobs": set(), "gone": set()}
    new = make_job(workspace, key(7), outcome=Outcome.FAILED)
    shutil.rmtree(workspace.job(key(0)).root)
    told = {"jobs": {key(7).identifier}, "gone": {key(0).identifier}}
    assert _changes(agent, workspace) == told
    # One that is so young that its stamp says nothing is told again.
    assert _changes(agent, workspace) == {"jobs": {key(7).identifier}, "gone": set()}
    _grow_old(new.xpm)
    assert len(_changes(agent, workspace)["jobs"]) == 1
    assert _changes(agent, workspace) == {"jobs": set(), "gone": set()}


def test_what_was_seen_before_is_not_told(agent: Connection, workspace: WorkspacePaths) -> None:
    stamps = {key(number).identifier: _stamp(workspace, number) for number in (1, 2, 3)}
    agent.ask("known", root=workspace.root, stamps={key(1).task: {**stamps, "f" * 32: [1, 1]}})
    told = {"jobs": {key(0).identifier, key(4).identifier}, "gone": {"f" * 32}}
    assert _changes(agent, workspace) == told


def test_a_look_at_some_tasks_tells_what_came_or_went(
    agent: Connection, workspace: WorkspacePaths
) -> None:
    _changes(agent, workspace)
    make_job(workspace, key(9))
    make_job(workspace, key(10, task="ir.other"))
    os.utime(workspace.job(key(1)).xpm)
    told = _changes(agent, workspace, tasks=[key(0).task])
    assert told == {"jobs": {key(9).identifier}, "gone": set()}


def test_a_task_whose_folder_went_away(agent: Connection, workspace: WorkspacePaths) -> None:
    _changes(agent, workspace)
    shutil.rmtree(f"{workspace.jobs}/{key(0).task}")
    assert len(_changes(agent, workspace)["gone"]) == 5


def test_who_lives(agent: Connection) -> None:
    asked = [processes.own_identity(), dead_process()]
    answer = agent.ask("alive", processes=[each.to_json() for each in asked])
    assert answer == {"alive": [True, False]}
