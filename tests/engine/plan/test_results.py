"""Results handed to the plan, callbacks, and waiting: in plans of their own, or in this process."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.projects import Project
from xpm_engine import (
    Config,
    JobBlocked,
    JobEnd,
    JobFailed,
    JobNotRun,
    Option,
    Param,
    Task,
    experiment,
    pathgenerator,
)
from xpm_engine.config.paths import PathRoots
from xpm_engine.config.results import read_result, result_record
from xpm_engine.errors import DriftError, FailedJobs, LaunchError, LoadError, UsageError
from xpm_engine.launchers.base import Capacity, Coming, Handle, LaunchOrder, Sight
from xpm_engine.launchers.local import LocalLauncher
from xpm_engine.workspace.atomic import dumps, make_folders, write_atomic
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.tickets import Attempt


class Double(Task):
    number: Param[float]
    after: Param[list[Task]] = []
    fails: Option[bool] = False
    path: Param[Path] = pathgenerator("made")

    def execute(self) -> dict[str, Any]:
        if self.fails:
            raise ValueError("can't")
        self.path.write_text("x")
        return {"twice": 2 * self.number, "path": self.path, "all": (1, None)}


class Model(Config):
    size: Param[int] = 1


class Train(Task[Model]):
    size: Param[int]

    def execute(self) -> int:
        return self.size * 10

    def output(self) -> Model:
        return Model(size=self.size)


def test_a_result_is_what_execute_returned(tmp_path: Path) -> None:
    with experiment(tmp_path, "exp") as xp:
        task = Double(number=1.5)
        task.submit()
        assert task.result() == {"twice": 3.0, "path": task.path, "all": (1, None)}
        model = Train(size=3).submit()
        assert xp.result(model) == 30
        assert xp.wait(model, [task.path])
    assert task.result()["twice"] == 3.0
    with experiment(tmp_path, "exp") as xp:
        assert xp.result(Double(number=1.5).submit())["twice"] == 3.0


def test_jobs_that_have_no_result_raise(tmp_path: Path) -> None:
    with experiment(tmp_path, "exp", on_failure="return") as xp:
        bad = Double(number=1, fails=True).submit()
        behind = Double(number=2, after=[bad]).submit()
        good = Double(number=3).submit()
        with pytest.raises(JobFailed, match="ValueError: can't") as failed:
            bad.result()
        assert "/.xpm/logs/1.err\n" in str(failed.value)
        assert "/.xpm/logs/1.out" in str(failed.value)
        with pytest.raises(JobBlocked, match="failed"):
            behind.result()
        assert not xp.wait(bad, good)
        assert xp.wait(good)
        with pytest.raises(UsageError, match="was not submitted to exp"):
            xp.result(Model())
        with pytest.raises(UsageError, match="2 jobs are meant"):
            xp.result([bad, good])
    with pytest.raises(UsageError, match="was not submitted, so it has no result"):
        Double(number=4).result()
    assert len(xp.failed) == 1


def test_a_drifted_result_is_not_handed_over(project: Project) -> None:
    body = """
from xpm_engine.errors import DriftError
class Learn(Task):
    lr: Param[float] = {}
    def execute(self) -> float:
        return self.lr

if __name__ == "__main__":
    with experiment("ws", "exp") as xp:
        task = Learn().submit()
        try:
            note("got " + str(task.result()))
        except DriftError as error:
            note(f"drift {{error.what.splitlines()[-1]}}")
"""
    project.write(body.format("0.1"))
    assert project.run()[0] == 0
    project.write(body.format("0.2"))
    assert project.run()[0] == 3
    assert project.ledger()[0] == "got 0.1"
    assert "default of Learn.lr 0.1 → 0.2" in project.ledger()[1]
    assert issubclass(DriftError, Exception)


def test_waiting_ends_in_time(tmp_path: Path) -> None:
    launcher = Hanging()
    with experiment(tmp_path, "exp", launcher=launcher, on_failure="return") as xp:
        task = Double(number=1).submit()
        assert not xp.wait(task, timeout=0.05)
        with pytest.raises(TimeoutError, match=r"is not over after 0\.05 s"):
            task.result(timeout=0.05)
        launcher.give_up.set()
        with pytest.raises(JobFailed):
            task.result()


async def test_results_are_awaited(tmp_path: Path) -> None:
    with experiment(tmp_path, "exp", on_failure="return"):
        tasks = [Double(number=n).submit() for n in range(3)]
        bad = Double(number=4, fails=True).submit()
        behind = Double(number=5, after=[bad]).submit()
        found = await asyncio.gather(*tasks, bad, behind, return_exceptions=True)
    assert [each["twice"] for each in found[:3]] == [0, 2, 4]
    assert [type(each) for each in found[3:]] == [JobFailed, JobBlocked]


async def test_what_is_not_started_after_a_failure_raises(tmp_path: Path) -> None:
    with experiment(
        tmp_path,
        "exp",
        on_failure="return",
        failure_policy="drain",
        launcher=LocalLauncher(cores=1),
    ):
        bad = Double(number=1, fails=True).submit()
        # It waits for its turn behind the other: with one core nothing else passes before.
        late = Double(number=2, after=[Double(number=3, after=[bad]).submit()]).submit()
        with pytest.raises(JobFailed):
            await bad
        with pytest.raises(JobBlocked):
            await late
        more = Double(number=4).submit()
        with pytest.raises(JobNotRun, match="was not run"):
            await more
        with pytest.raises(JobNotRun):
            more.result()


def test_a_callback_is_called_once_for_each_job(tmp_path: Path) -> None:
    seen: list[tuple[str, bool, str]] = []
    threads: set[threading.Thread] = set()

    def tell(end: JobEnd) -> None:
        threads.add(threading.current_thread())
        seen.append((end.state.value, end.reused, end.why))
        if end.done and end.result()["twice"] == 2:
            Double(number=7).submit()

    with experiment(tmp_path, "exp", on_failure="return") as xp:
        Double(number=5).submit()
    for _ in range(2):
        seen.clear()
        with experiment(tmp_path, "exp", on_failure="return") as xp:
            xp.on_end(tell)
            bad = Double(number=0, fails=True).submit()
            Double(number=1, after=[]).submit()
            Double(number=2, after=[bad]).submit()
            old = Double(number=5).submit()
            xp.wait()
            xp.on_end(lambda end: seen.append(("late", end.reused, "")), old)
        assert len(seen) == 6
        assert sorted(state for state, _, _ in seen) == [
            "blocked",
            "done",
            "done",
            "done",
            "failed",
            "late",
        ]
        assert ("failed", False, "ValueError: can't") in seen
        assert ("late", True, "") in seen
    assert threads == {threading.current_thread()}


def test_an_error_in_a_callback_is_told_and_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[JobEnd] = []

    def breaks(end: JobEnd) -> None:
        calls.append(end)
        raise RuntimeError("my mistake")

    with experiment(tmp_path, "exp") as xp:
        xp.on_end(breaks)
        Double(number=1).submit()
        Double(number=2).submit()
    assert len(calls) == 2
    said = capsys.readouterr().err
    assert said.count("RuntimeError: my mistake") == 2
    assert "the callback" in said
    assert 'raise RuntimeError("my mistake")' in said
    assert "xpm_engine/plan" not in said


@dataclass
class Hanging:
    """A launcher whose jobs never start, until it is told to give up."""

    give_up: threading.Event = field(default_factory=threading.Event)
    name: str = "hanging"

    def capacity(self) -> Capacity:
        return Capacity(1)

    def submit(self, orders: Sequence[LaunchOrder]) -> list[Handle]:
        self.give_up.wait(60)
        raise LaunchError("it gave up")

    def knows(self, name: str) -> bool:
        return name == self.name

    def find(self, orders: Sequence[LaunchOrder]) -> dict[str, Sight]:
        return {order.nonce: Sight.UNKNOWN for order in orders}

    def follow(self, job: JobPaths, attempt: Attempt) -> bool:
        return False

    def cancel(self, handles: Sequence[Handle]) -> None: ...

    def why_waits(self, key: JobKey) -> Wait | None: ...

    def reads(self, host: str) -> bool:
        return True

    def fetch(self, job: JobPaths, host: str, told: Callable[[Coming], None]) -> None: ...

    def bring(self, key: JobKey, patterns: Sequence[str]) -> None: ...

    def listen(self, heard: Callable[[JobKey], None]) -> None: ...

    def forget(self, handle: Handle) -> None: ...

    def close(self) -> None: ...


@dataclass
class Broken(Hanging):
    """A launcher that raises what it should not."""

    def submit(self, orders: Sequence[LaunchOrder]) -> list[Handle]:
        raise RuntimeError("the launcher is broken")


def test_waiting_never_hangs_when_starting_a_job_raises(tmp_path: Path) -> None:
    launcher = Hanging()
    launcher.give_up.set()
    with (
        pytest.raises(FailedJobs, match="it gave up"),
        experiment(tmp_path, "exp", launcher=launcher) as xp,
    ):
        assert not xp.wait(Double(number=1).submit())
    with (
        pytest.raises(RuntimeError, match="the launcher is broken"),
        experiment(tmp_path, "exp", launcher=Broken()) as xp,
    ):
        Double(number=2).submit()
        xp.wait()
    with (
        pytest.raises(RuntimeError, match="the launcher is broken"),
        experiment(tmp_path, "exp", launcher=Broken()) as xp,
    ):
        Double(number=3).submit()


def test_a_preview_reads_results_as_far_as_they_are_there(project: Project) -> None:
    project.write("""
class Learn(Task):
    lr: Param[float]
    def execute(self) -> float:
        return self.lr

if __name__ == "__main__":
    with experiment("ws", "exp") as xp:
        first = Learn(lr=0.5).submit()
        Learn(lr=first.result() / 2).submit()
        xp.wait()
""")
    found = _preview(project)
    assert len(found["jobs"]) == 1
    assert "asks for the result of plan.learn" in found["stopped"]
    assert project.run()[0] == 0
    found = _preview(project)
    assert [job["forecast"] for job in found["jobs"]] == ["reused", "reused"]
    assert not found["stopped"]


def _preview(project: Project) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "xpm_engine.cli", "plan", "plan.py", "--json"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def job(tmp_path: Path) -> JobPaths:
    job = JobPaths(str(tmp_path / "jobs" / "t" / ("0" * 32)))
    make_folders(job.xpm)
    return job


@pytest.mark.parametrize(
    "value",
    [
        0,
        2**80,
        float("inf"),
        "text\ud800",
        [1, [2.5, None]],
        {"a": {1: True}},
        (1, 2),
        {3, 4},
        timedelta(seconds=2),
    ],
)
def test_plain_data_comes_back(job: JobPaths, value: object) -> None:
    write_atomic(job.result, dumps(result_record(value, 1).to_json()))
    assert read_result(job, PathRoots(WorkspacePaths("/w"), "/p")) == value


def test_numpy_scalars_are_plain(job: JobPaths) -> None:
    value = {"loss": np.float32(0.5), "steps": [np.int64(3)]}
    write_atomic(job.result, dumps(result_record(value, 1).to_json()))
    found = read_result(job, PathRoots(WorkspacePaths("/w"), "/p"))
    assert found == {"loss": 0.5, "steps": [3]}
    assert type(found["loss"]) is float


def test_what_is_no_plain_data_is_told_where_it_is_asked_for(job: JobPaths) -> None:
    for value in (object(), Model(), {"model": Model()}, np.zeros(3)):
        write_atomic(job.result, dumps(result_record(value, 1).to_json()))
        with pytest.raises(LoadError, match="what execute\\(\\) returned was not kept"):
            read_result(job, PathRoots(WorkspacePaths("/w"), "/p"))
    Path(job.result).write_text("{")
    with pytest.raises(LoadError, match="truncated"):
        read_result(job, PathRoots(WorkspacePaths("/w"), "/p"))
    Path(job.result).unlink()
    assert read_result(job, PathRoots(WorkspacePaths("/w"), "/p")) is None
