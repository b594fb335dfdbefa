"""Plans in processes of their own, whose tasks keep a ledger of what was executed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.patience import PATIENCE
from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import processes, scan
from xpm_engine.workspace.layout import WorkspacePaths, is_retry
from xpm_engine.workspace.records.runs import RunKind
from xpm_engine.workspace.records.states import JobState

PRELUDE = '''
from __future__ import annotations
import os, sys, time
from pathlib import Path
from xpm_engine import Config, Option, Param, Task, experiment, pathgenerator, progress, tag

LEDGER = Path(__file__).with_name("ledger")


def note(text: str) -> None:
    with LEDGER.open("a") as file:
        file.write(f"{text}\\n")


class Work(Task):
    """Notes when it begins and ends."""

    name: Param[int]
    after: Param[list[Task]] = []
    seconds: Option[float] = 0.0
    fails: Option[bool] = False

    def execute(self) -> None:
        note(f"begin {self.name}")
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline:
            time.sleep(0.01)
        if self.fails:
            note(f"failed {self.name}")
            raise ValueError(f"work {self.name} fails")
        note(f"end {self.name}")
'''


@dataclass
class Project:
    """A folder with a plan, run in processes."""

    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def workspace(self) -> WorkspacePaths:
        return WorkspacePaths(str(self.folder / "ws"))

    def write(self, body: str, name: str = "plan.py") -> Path:
        """Write a plan: the prelude, then `body`."""
        path = self.folder / name
        path.write_text(PRELUDE + body)
        return path

    def start(self, *arguments: str, name: str = "plan.py") -> subprocess.Popen[str]:
        """Start the plan."""
        process = subprocess.Popen(
            [sys.executable, name, *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str, name: str = "plan.py") -> tuple[int, str]:
        """Run the plan to its end: exit code and what it said."""
        return self.finish(self.start(*arguments, name=name))

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Wait for a plan: exit code and what it said."""
        out, err = process.communicate(timeout=120)
        return process.returncode, out + err

    def ledger(self) -> list[str]:
        """What the tasks noted, in order."""
        path = self.folder / "ledger"
        return path.read_text().splitlines() if path.exists() else []

    def check_ledger(self) -> None:
        """Never two executions of one job at a time, never one after its end."""
        seen: dict[str, list[str]] = defaultdict(list)
        for line in self.ledger():
            what, name = line.split()
            seen[name].append(what)
        for name, story in seen.items():
            assert "end" not in story[:-1], f"{name} was executed after its end: {story}"
            if story[-1] == "end":
                assert story[-2] == "begin", f"{name}: {story}"

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Until the condition holds; fails after `PATIENCE`."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"nothing happened for {PATIENCE:g} s"
            time.sleep(0.01)

    def states(self) -> dict[str, str]:
        """Name of the work -> state of its job."""
        found: dict[str, str] = {}
        for key in scan.list_jobs(self.workspace):
            record = scan.read_job(self.workspace, key)
            # A folder is there an instant before its first ticket.
            if record.state is not JobState.NOT_SUBMITTED:
                found[str(record.params["name"])] = record.state.value
        return found

    def retries(self) -> list[scan.RunView]:
        """The runs that run again what failed, oldest first."""
        names = filter(is_retry, scan.list_runs(self.workspace, "exp"))
        return [scan.read_run(self.workspace, "exp", name) for name in names]

    def scheduler_log(self) -> str:
        """What the latest run's scheduler noted."""
        run = scan.list_runs(self.workspace, "exp")[-1]
        path = Path(self.workspace.run("exp", run).log)
        return path.read_text() if path.exists() else ""


def end_all(project: Project) -> None:
    """End the plans and the jobs of a project, whatever state they are in."""
    for process in project.started:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    for experiment in scan.list_experiments(project.workspace):
        for run in scan.list_runs(project.workspace, experiment):
            with suppress(FileNotFoundError, UnreadableError):
                record = scan.read_run_record(project.workspace.run(experiment, run))
                if record.kind is RunKind.RETRY:
                    # It is nobody's child.
                    processes.send_signal(record.driver, signal.SIGKILL)
    for key in scan.list_jobs(project.workspace):
        supervisor = scan.read_job(project.workspace, key).supervisor
        if supervisor is not None:
            processes.send_signal(supervisor, signal.SIGKILL)
