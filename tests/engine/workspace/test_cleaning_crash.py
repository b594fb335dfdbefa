"""A clean that is cut short at any step is finished or rolled back; nothing is lost, nothing half.

The crash is made inside the process: at the n-th change of the disk, and at every one after it, an
exception rises that nothing may catch, so that no clean-up of ours can run either.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.folders import key, make_job, picture
from tests.engine.making import launch
from xpm_engine.workspace import cleaning, processes, scan, tickets
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.states import JobState

pytestmark = pytest.mark.usefixtures("unsynced")

JOBS = (key(1), key(2), key(1, "ir.evaluate"))
CHANGES = (
    "open",
    "write",
    "link",
    "symlink",
    "rename",
    "replace",
    "unlink",
    "mkdir",
    "rmdir",
    "chmod",
    "utime",
    "fsync",
)


class Crash(BaseException):
    """The process is gone."""


class Crasher:
    """Lets so many changes of the disk through, or those before the first of a kind."""

    def __init__(
        self, patch: pytest.MonkeyPatch, *, after: int = 1_000_000, before: str = ""
    ) -> None:
        self.count = 0
        self.after = after
        self.before = before
        for name in CHANGES:
            patch.setattr(os, name, self._guarded(name, getattr(os, name)))

    def _guarded(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return real(*arguments, **options)
            if name == self.before:
                self.after = min(self.after, self.count)
            if self.count >= self.after:
                if name == "write" and self.count == self.after:
                    real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                self.count += 1
                raise Crash
            self.count += 1
            return real(*arguments, **options)

        return guarded


def _everything(path: Path) -> tuple[WorkspacePaths, dict[Any, Any]]:
    workspace = WorkspacePaths(str(path))
    for name in JOBS:
        make_job(workspace, name)
    return workspace, {name: picture(workspace.job(name).root) for name in JOBS}


def _crashes(
    tmp_path: Path,
    prepare: Callable[[WorkspacePaths], Any],
    act: Callable[[WorkspacePaths, Any], object],
    check: Callable[[WorkspacePaths, dict[Any, Any]], None],
) -> int:
    """Act with a crash after 0, 1, 2… changes, until it comes through; how many times."""
    after = 0
    while True:
        workspace, before = _everything(tmp_path / str(after))
        prepared = prepare(workspace)
        crashed = False
        with pytest.MonkeyPatch.context() as patch:
            Crasher(patch, after=after)
            try:
                act(workspace, prepared)
            except Crash:
                crashed = True
        cleaning.recover(workspace)
        check(workspace, before)
        if not crashed:
            return after
        after += 1


def _clean_all(workspace: WorkspacePaths) -> cleaning.Transaction:
    return cleaning.carry_out(workspace, cleaning.plan_removal(workspace, JOBS))


def _in_trash(workspace: WorkspacePaths) -> set[Any]:
    return {item.key for clean in cleaning.list_trash(workspace) for item in clean.removals}


def _crashed_clean(workspace: WorkspacePaths, *, before: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        Crasher(patch, before=before)
        with pytest.raises(Crash):
            _clean_all(workspace)


def _nothing_is_lost(workspace: WorkspacePaths, before: dict[Any, Any]) -> None:
    trashed = _in_trash(workspace)
    for name in JOBS:
        state = scan.read_job(workspace, name).state
        assert state is (JobState.NOT_SUBMITTED if name in trashed else JobState.DONE)
        if name not in trashed:
            assert picture(workspace.job(name).root) == before[name]
    for clean in cleaning.list_trash(workspace):
        assert not clean.unfinished
        assert not clean.problem
        cleaning.undo(workspace, clean.name)
    assert {name: picture(workspace.job(name).root) for name in JOBS} == before
    assert {scan.read_job(workspace, name).state for name in JOBS} == {JobState.DONE}
    if os.path.isdir(workspace.trash):
        assert os.listdir(workspace.trash) == []


def test_a_clean_is_finished_or_rolled_back(tmp_path: Path) -> None:
    steps = _crashes(
        tmp_path,
        lambda workspace: cleaning.plan_removal(workspace, JOBS),
        cleaning.carry_out,
        _nothing_is_lost,
    )
    assert steps > 15


def test_an_undo_is_finished_or_can_be_tried_again(tmp_path: Path) -> None:
    steps = _crashes(
        tmp_path,
        lambda workspace: _clean_all(workspace).name,
        cleaning.undo,
        _nothing_is_lost,
    )
    assert steps > 15


def test_a_purge_is_undone_whole_or_finished(tmp_path: Path) -> None:
    def check(workspace: WorkspacePaths, before: dict[Any, Any]) -> None:
        trashed = _in_trash(workspace)
        assert trashed in (set(), set(JOBS))
        if trashed:
            _nothing_is_lost(workspace, before)
        else:
            assert list(scan.list_jobs(workspace)) == []
            assert os.listdir(workspace.trash) == []

    steps = _crashes(tmp_path, lambda workspace: _clean_all(workspace).name, cleaning.purge, check)
    assert steps > 15


def test_a_recovery_that_crashes_is_recovered(tmp_path: Path) -> None:
    steps = _crashes(
        tmp_path,
        lambda workspace: _crashed_clean(workspace, before="rename"),
        lambda workspace, _: cleaning.recover(workspace),
        _nothing_is_lost,
    )
    assert steps > 10


def test_the_next_clean_mends_what_a_crash_left(workspace: WorkspacePaths) -> None:
    make_job(workspace, JOBS[0])
    _crashed_clean(workspace, before="rename")
    assert scan.read_job(workspace, JOBS[0]).state is JobState.CLEANING
    other = make_job(workspace, JOBS[1])
    cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [JOBS[1]]))
    assert not os.path.lexists(other.root)
    assert scan.read_job(workspace, JOBS[0]).state is JobState.DONE


def test_what_was_begun_on_another_machine_is_left_alone(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_job(workspace, JOBS[0])
    _crashed_clean(workspace, before="rename")
    with monkeypatch.context() as patch:
        patch.setattr(processes, "host_name", lambda: "elsewhere")
        assert cleaning.recover(workspace) == ()
    assert scan.read_job(workspace, JOBS[0]).state is JobState.CLEANING
    assert len(cleaning.recover(workspace)) == 1
    assert scan.read_job(workspace, JOBS[0]).state is JobState.DONE


def test_recovery_does_not_touch_what_took_the_place(workspace: WorkspacePaths) -> None:
    make_job(workspace, JOBS[0])
    _crashed_clean(workspace, before="unlink")
    assert not os.path.lexists(workspace.job(JOBS[0]).root)
    newer = make_job(workspace, JOBS[0], outcome=Outcome.FAILED)
    tickets.claim_launch(newer, launch(JOBS[0], 2))
    before = tickets.ticket_names(newer)
    cleaning.recover(workspace)
    assert tickets.ticket_names(newer) == before == {1: {"launch", "start", "end"}, 2: {"launch"}}


def test_a_stray_folder_in_the_trash_is_swept_up_or_let_be(workspace: WorkspacePaths) -> None:
    os.makedirs(f"{workspace.trash}/20261123-000000-aaaaaa")
    os.makedirs(f"{workspace.trash}/20261123-000000-bbbbbb/jobs/t/mine")
    make_job(workspace, JOBS[0])
    cleaning.recover(workspace)
    assert os.listdir(workspace.trash) == ["20261123-000000-bbbbbb"]


def test_an_interrupted_clean_gives_back_at_once_what_it_had_claimed(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: picture(make_job(workspace, name).root) for name in JOBS}
    plan = cleaning.plan_removal(workspace, JOBS)
    rename = os.rename
    moved: list[str] = []

    def interrupted(source: str, target: str) -> None:
        if moved:
            raise KeyboardInterrupt
        moved.append(source)
        rename(source, target)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cleaning.carry_out(workspace, plan)
    monkeypatch.undo()
    states = [scan.read_job(workspace, name).state for name in JOBS]
    assert states.count(JobState.DONE) == 2
    assert JobState.CLEANING not in states
    cleaning.recover(workspace)
    _nothing_is_lost(workspace, before)
