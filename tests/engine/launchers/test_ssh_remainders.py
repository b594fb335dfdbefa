"""The rest of a finished result, brought because another job needs it here."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.engine.remote.agents import connect
from tests.patience import PATIENCE
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.errors import UnreachableError
from xpm_engine.launchers.base import Coming
from xpm_engine.launchers.ssh import remainders
from xpm_engine.launchers.ssh.remainders import Remainders
from xpm_engine.launchers.ssh.work import Work
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace import tickets
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.elsewhere import still_there
from xpm_engine.workspace.layout import JobPaths, WorkspacePaths
from xpm_engine.workspace.records.mirror import MirrorState

JOB = FakeJob("drmm.learn", "one")


@pytest.fixture
def agent() -> Iterator[Connection]:
    found = connect()
    yield found
    found.close()


@pytest.fixture
def there(tmp_path: Path) -> WorkspacePaths:
    return WorkspacePaths(str(tmp_path / "there"))


@pytest.fixture
def job(tmp_path: Path, there: WorkspacePaths, monkeypatch: pytest.MonkeyPatch) -> JobPaths:
    """Done on alpha, and nothing of it is here."""
    monkeypatch.setattr(remainders, "TICK", 0.01)
    here = FakeWorkspace(tmp_path / "here")
    job = here.done_elsewhere(JOB, there, {"model.pt": 3_000_000, "log.csv": 20})
    state = MirrorState("alpha", 1, "n" * 32, "machine")
    write_atomic(job.mirror(1), dumps(state.to_json()))
    return job


class _Told:
    def __init__(self) -> None:
        self.words: list[str] = []
        self.over = threading.Event()

    def __call__(self, coming: Coming) -> None:
        self.words.append(coming.words)
        if coming.over:
            self.over.set()


def _remainders(
    agent: Connection, there: WorkspacePaths, *errors: Exception
) -> tuple[Remainders, list[Work]]:
    """Those of alpha, which can be reached after so many errors."""
    asked: list[Work] = []
    left = list(errors)

    def reach(work: Work) -> Any:
        asked.append(work)
        if left:
            raise left.pop(0)
        return SimpleNamespace(connection=agent, workspace=there)

    return Remainders("alpha", reach=reach, do=lambda task: task()), asked


def test_all_of_it_comes_and_it_is_told_how_far_it_is(
    agent: Connection, job: JobPaths, there: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However quickly it comes.
    monkeypatch.setattr(remainders, "TICK", 0.0)
    told = _Told()
    rest, asked = _remainders(agent, there)
    rest.bring(job, told)
    assert told.over.wait(PATIENCE)
    assert told.words[-1] == ""
    assert any(words.endswith(" % of 3.0 MB") for words in told.words)
    assert still_there(job) is None
    assert os.path.getsize(f"{job.root}/model.pt") == 3_000_000
    assert [(work.far_attempt, work.machine) for work in asked] == [(1, "machine")]
    rest.bring(job, told)
    assert len(asked) == 1, "what is here is not asked for again"


def test_it_is_tried_until_the_host_is_back_and_nobody_has_the_folder(
    agent: Connection, job: JobPaths, there: WorkspacePaths
) -> None:
    told = _Told()
    lock = tickets.take_lock(job, patience=0.0)
    assert lock is not None
    rest, _ = _remainders(agent, there, UnreachableError("no route to alpha"))
    rest.bring(job, told)
    assert "its folder here is in use" in told.words[0]
    assert not told.over.is_set()
    os.close(lock)
    assert told.over.wait(PATIENCE)
    assert "no route to alpha" in told.words
    assert told.words[-1] == ""


def test_what_is_gone_there_is_said_once_and_for_all(
    agent: Connection, job: JobPaths, there: WorkspacePaths
) -> None:
    told = _Told()
    os.rename(there.root, there.root + ".gone")
    _remainders(agent, there)[0].bring(job, told)
    assert told.over.is_set()
    (words,) = told.words
    assert "alpha has no folder of drmm.learn/" in words
    assert "xpm clean" in words
