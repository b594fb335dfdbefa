"""The watcher: what happens on the disk arrives, with events and without; it ends when asked."""

from __future__ import annotations

import errno
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE
from tests.privileges import permissions_count
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.remote.agent.notifier import Notifier
from xpm_engine.workspace.atomic import write_atomic
from xpm_engine.workspace.index import Known
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_tui import watcher as watching
from xpm_tui.cli import let_remember
from xpm_tui.ears.inotify import InotifyEars
from xpm_tui.ears.opening import Hears
from xpm_tui.ears.watchdogs import WatchdogEars
from xpm_tui.store import Store
from xpm_tui.store.model import Delta
from xpm_tui.store.reader import Look, Reader
from xpm_tui.watcher import Hearing, Senses, Watcher

Jobs = dict[str, FakeJob]


class Listener:
    """Takes what a watcher finds, as the app does."""

    def __init__(
        self, workspace: FakeWorkspace, *, events: bool, senses: Senses | None = None
    ) -> None:
        self.store = Store(workspace.paths)
        self.wakes = 0
        self._woken = threading.Event()
        self.watcher = Watcher(workspace.paths, self._wake, events=events, senses=senses)

    def _wake(self) -> None:
        self.wakes += 1
        self._woken.set()

    def until(self, true: Callable[[], object]) -> None:
        """Take what is found until something is true."""
        for _ in range(200):
            for delta in self.watcher.take():
                self.store.apply(delta)
            if true():
                return
            self._woken.wait(0.1)
            self._woken.clear()
        raise AssertionError("it did not arrive")

    def wait_until(self, true: Callable[[], object]) -> None:
        """Wait until something is true, and take nothing."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, "it did not come"
            time.sleep(0.005)

    def state(self, key: JobKey) -> JobState:
        return self.store.job(key).state


@contextmanager
def listening(workspace: FakeWorkspace, *, events: bool = True) -> Iterator[Listener]:
    with started(Listener(workspace, events=events)) as listener:
        yield listener


@contextmanager
def started(listener: Listener) -> Iterator[Listener]:
    listener.watcher.start()
    try:
        yield listener
    finally:
        listener.watcher.stop()
        assert listener.watcher.join(PATIENCE)


@pytest.fixture
def _events_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No look without an event: what arrives was heard."""
    monkeypatch.setattr(watching, "CYCLE", 3600.0)
    monkeypatch.setattr(watching, "RECONCILE", 3600.0)


@pytest.mark.usefixtures("_events_only")
def test_an_end_is_heard(workspace: FakeWorkspace, jobs: Jobs) -> None:
    learn = jobs["learn lr=0.01 seed=1"]
    with listening(workspace) as listener:
        listener.until(lambda: listener.watcher.hearing is Hearing.EVENTS)
        listener.until(lambda: listener.state(learn.key) is JobState.RUNNING)
        workspace.done(learn, ended=1)
        listener.until(lambda: listener.state(learn.key) is JobState.DONE)


@pytest.mark.usefixtures("_events_only")
def test_a_new_experiment_in_an_empty_folder_is_heard(workspace: FakeWorkspace) -> None:
    job = FakeJob("learn", "a")
    with listening(workspace) as listener:
        listener.until(lambda: listener.watcher.hearing is Hearing.EVENTS)
        workspace.run("first", [job])
        workspace.start(job)
        listener.until(lambda: listener.store.experiment("first"))
        listener.until(lambda: listener.state(job.key) is JobState.RUNNING)
        workspace.failed(job, ended=1)
        listener.until(lambda: listener.state(job.key) is JobState.FAILED)


@pytest.mark.usefixtures("_events_only")
def test_a_folder_that_is_made_again_is_heard(workspace: FakeWorkspace, jobs: Jobs) -> None:
    learn = jobs["learn lr=0.01 seed=1"]
    root = workspace.paths.job(learn.key).root
    with listening(workspace) as listener:
        listener.until(lambda: listener.watcher.hearing is Hearing.EVENTS)
        os.rename(root, workspace.paths.root + "/aside")
        workspace.start(learn, levels=[(0.9, "again")])
        listener.until(lambda: _told(listener, learn) == "again")
        workspace.done(learn, ended=1)
        listener.until(lambda: listener.state(learn.key) is JobState.DONE)


@pytest.mark.usefixtures("_events_only")
def test_a_failed_job_that_no_run_names_is_heard_when_it_starts_again(
    workspace: FakeWorkspace,
) -> None:
    job = FakeJob("learn", "a")
    with listening(workspace) as listener:
        listener.until(lambda: listener.watcher.hearing is Hearing.EVENTS)
        workspace.start(job)
        listener.until(lambda: listener.state(job.key) is JobState.RUNNING)
        workspace.failed(job, ended=1)
        listener.until(lambda: listener.state(job.key) is JobState.FAILED)
        # It is listened to what lives now.
        workspace.run("other", [FakeJob("learn", "b")])
        listener.until(lambda: listener.store.experiment("other"))
        watcher: Any = listener.watcher
        watcher.look_now()
        listener.until(lambda: not watcher._dirty)
        workspace.start(job, attempt=2)
        listener.until(lambda: listener.state(job.key) is JobState.RUNNING)


@pytest.mark.parametrize("ears_of", [InotifyEars, WatchdogEars])
def test_a_folder_that_was_replaced_is_listened_to_anew(
    tmp_path: Path, ears_of: Callable[[Callable[[str], None]], Hears]
) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    heard = threading.Event()
    ears = ears_of(lambda path: heard.set() if path == str(folder / "new") else None)
    try:
        assert ears.listen_at([str(folder), str(tmp_path / "absent")]) == [str(folder)]
        assert ears.listen_at([str(folder)]) == []
        folder.rename(tmp_path / "aside")
        folder.mkdir()
        assert ears.listen_at([str(folder)]) == [str(folder)]
        (folder / "new").touch()
        assert heard.wait(PATIENCE)
    finally:
        ears.close()


def test_many_folders_take_one_thread_and_one_that_may_not_be_read_is_passed_over(
    tmp_path: Path,
) -> None:
    folders = [tmp_path / str(number) for number in range(50)]
    for folder in folders:
        folder.mkdir()
    folders[7].chmod(0)
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()
    threads = threading.active_count()
    ears = InotifyEars(heard.put)
    try:
        with permissions_count() as count:
            new = ears.listen_at([str(folder) for folder in folders])
        assert len(new) == (49 if count else 50)
        assert threading.active_count() == threads + 1
        (folders[-1] / "new").touch()
        assert heard.get(timeout=PATIENCE) == str(folders[-1] / "new")
        write_atomic(str(folders[0] / "whole"), b"1")
        assert heard.get(timeout=PATIENCE) == str(folders[0] / "whole")
        folders[1].rmdir()
        assert heard.get(timeout=PATIENCE) == str(folders[1])
    finally:
        ears.close()
        folders[7].chmod(0o700)
    assert threading.active_count() == threads


def test_without_events_it_looks_by_itself(
    workspace: FakeWorkspace, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "POLL", 0.02)
    learn = jobs["learn lr=0.01 seed=1"]
    with listening(workspace, events=False) as listener:
        listener.until(lambda: listener.state(learn.key) is JobState.RUNNING)
        listener.until(lambda: listener.watcher.hearing is Hearing.POLLING)
        workspace.done(learn, ended=1)
        listener.until(lambda: listener.state(learn.key) is JobState.DONE)


def test_a_limit_of_the_system_means_looking_and_is_told(
    workspace: FakeWorkspace, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(notifier: Notifier, *args: object) -> None:
        notifier.trouble = errno.ENOSPC

    monkeypatch.setattr(Notifier, "add", refuse)
    monkeypatch.setattr(watching, "POLL", 0.02)
    learn = jobs["learn lr=0.01 seed=1"]
    with listening(workspace) as listener:
        listener.until(lambda: listener.watcher.hearing is Hearing.POLLING)
        assert "inotify watch limit reached" in listener.watcher.trouble
        assert "max_user_watches" in listener.watcher.trouble
        workspace.done(learn, ended=1)
        listener.until(lambda: listener.state(learn.key) is JobState.DONE)


class _Ears:
    """Says what a test says."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self.heard = heard

    def listen_at(self, folders: list[str]) -> list[str]:
        return []

    def close(self) -> None:
        pass


def test_what_jobs_tell_of_how_far_they_are_is_gathered(
    workspace: FakeWorkspace, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one is looked at, the others when the time has come, what else there is at once."""
    monkeypatch.setattr(watching, "CYCLE", 3600.0)
    monkeypatch.setattr(watching, "RECONCILE", 3600.0)
    monkeypatch.setattr(watching, "PACE", 3600.0)
    looks: list[Look] = []
    ears: list[_Ears] = []

    class Noting(Reader):
        def read(self, look: Look) -> Iterator[Delta]:
            looks.append(look)
            return super().read(look)

    def listen(heard: Callable[[str], None]) -> _Ears:
        ears.append(_Ears(heard))
        return ears[0]

    learn, other = (workspace.paths.job(job.key) for job in list(jobs.values())[:2])
    first, second = (job.key for job in list(jobs.values())[:2])
    listener = Listener(workspace, events=True, senses=Senses(Noting(workspace.paths), listen))
    with started(listener):
        listener.until(lambda: listener.watcher.hearing is Hearing.EVENTS)
        ears[0].heard(learn.progress)
        listener.wait_until(lambda: len(looks) == 2)
        assert looks[1].moved == {first}
        for _ in range(50):
            ears[0].heard(learn.progress)
            ears[0].heard(other.progress)
        ears[0].heard(other.end(1))
        listener.wait_until(lambda: len(looks) == 3)
        assert (looks[2].jobs, looks[2].moved) == ({second}, frozenset())
        listener.watcher.look_now()
        listener.wait_until(lambda: len(looks) == 4)
        assert looks[3].moved == {first, second}


def test_one_call_to_wake_until_all_is_taken(
    workspace: FakeWorkspace, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_tui.store.reader.LOOKS", 2)
    monkeypatch.setattr("xpm_tui.store.reader.FIRST_PAUSE", 0.0)
    monkeypatch.setattr(watching, "POLL", 3600.0)
    with listening(workspace, events=False) as listener:
        listener.wait_until(lambda: listener.watcher.hearing is Hearing.POLLING)
        assert listener.wakes == 1
        assert len(listener.watcher.take()) > 3
        listener.watcher.look_now()
        listener.wait_until(lambda: listener.wakes == 2)


def test_it_writes_nothing(workspace: FakeWorkspace, jobs: Jobs) -> None:
    before = _tree(workspace.paths.root)
    with listening(workspace) as listener:
        listener.until(lambda: listener.watcher.hearing is Hearing.EVENTS)
        listener.until(lambda: listener.store.checked == 1.0)
    assert _tree(workspace.paths.root) == before


def _told(listener: Listener, job: FakeJob) -> str:
    """What the job says that it does."""
    progress = listener.store.job(job.key).record.progress
    return progress.levels[0].text if progress else ""


def _tree(root: str) -> dict[str, int]:
    return {
        path: os.lstat(path).st_mtime_ns
        for folder, _, names in os.walk(root)
        for path in [folder, *(os.path.join(folder, name) for name in names)]
    }


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_reader_that_breaks_down_leaves_nothing_that_looks_live(
    workspace: FakeWorkspace, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(workspace) as listener:
        listener.until(lambda: listener.store.checked == 1.0)

        def broken(reader: Reader, look: Look) -> Iterator[Delta]:
            raise ZeroDivisionError("a mistake of ours")

        monkeypatch.setattr(Reader, "read", broken)
        listener.watcher.look_now()
        listener.until(lambda: listener.store.problem)
        assert listener.store.problem.endswith(
            "is not read any more: ZeroDivisionError: a mistake of ours"
        )


def test_what_watchdog_logs_is_not_written_to_the_terminal(tmp_path: Path) -> None:
    words = "called when the thread is inactive"
    code = f"""
import logging
from xpm_tui.ears.watchdogs import WatchdogEars
ears = WatchdogEars(print)
ears.listen_at([{str(tmp_path)!r}])
logging.getLogger("watchdog.observers.inotify").error({words!r})
ears.close()
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr == ""


def test_leaving_waits_for_what_is_being_remembered(
    workspace: FakeWorkspace, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()
    written: list[int] = []

    def write(known: Known) -> str:
        assert told.wait(PATIENCE)
        written.append(len(known.jobs))
        return ""

    monkeypatch.setattr("xpm_tui.store.memory.write_index", write)
    monkeypatch.setattr("xpm_tui.cli.click.echo", lambda words: told.set())
    with listening(workspace) as listener:
        listener.wait_until(lambda: listener.watcher.remembering)
        listener.watcher.stop()
        let_remember(listener.watcher)
        assert len(written) == 1
        assert not listener.watcher.remembering
