"""Everything that can happen to a workspace while somebody looks at it, one thing at a time."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace
from xpm_engine.errors import StorageError
from xpm_engine.workspace.layout import JobKey, JobPaths
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind, Wait, WaitKind
from xpm_engine.workspace.records.runs import PlanState

NOISE = b"\xff\xfe\x1b[31mred\x1b[0m\r 10 %\r 20 %\x00 \xe2\x80\xae caf\xe9 \xf0\x9f\xa6\x8a\n"
"""Bytes that are no UTF-8, colours, carriage returns, a NUL, a turn of the writing's direction."""

LIVE = 50
"""Jobs that run, and write."""


class Chaos:
    """A workspace, and what happens to it; the same for the same seed."""

    def __init__(self, workspace: FakeWorkspace, alive: ProcessIdentity, seed: int) -> None:
        """`alive` is the process that is said to run all that runs."""
        self.workspace = workspace
        self.random = random.Random(seed)
        self.live = LIVE
        self.clock = NOON
        """What the app's clock says."""
        self._alive = alive
        self.happened = Counter[str]()
        """How often each thing happened, to its end."""
        self._runs = 0
        self._mending: list[Callable[[], object]] = []
        self.jobs = [
            FakeJob(
                f"ir.task{number % 3}",
                str(number),
                {"lr": number % 7, "caf\u00e9\ud8ff": "\u202e[red]" if number % 5 else True},
                {"net.depth": number % 4, "seed": number},
                (),
            )
            for number in range(LIVE + 20)
        ]
        self.run_again()
        for job in self.jobs[:LIVE]:
            self._start(job)
        for job in self.jobs[LIVE:]:
            self._end(job)
        self._happen: tuple[Callable[[], object], ...] = (
            self.write_logs,
            self.write_logs,
            self.tell_progress,
            self.tell_progress,
            self.end_one,
            self.start_one,
            self.delete_a_folder,
            self.truncate_a_record,
            self.fill_with_noise,
            self.forbid,
            self.run_again,
            self.delete_the_experiment,
            self.truncate_a_log,
            self.rotate_a_log,
            self.write_queue,
            self.write_metrics,
            self.put_strange_names,
            self.move_the_clock,
            self.move_jobs_away,
        )

    def step(self) -> str:
        """One thing happens; what that was."""
        happening = self.random.choice(self._happen)
        # What a look at the disk by somebody else makes impossible just now is left out.
        with suppress(OSError, StorageError):
            happening()
            self.happened[happening.__name__] += 1
        return happening.__name__

    @property
    def missing(self) -> set[str]:
        """What never happened."""
        return {each.__name__ for each in self._happen} - self.happened.keys()

    def mend(self) -> None:
        """Give back what was forbidden or moved away."""
        while self._mending:
            with suppress(OSError, StorageError):
                self._mending.pop()()

    def settle(self) -> None:
        """Peace: a run and jobs that can be read, whatever was there before."""
        self.mend()
        wipe(self.workspace.paths.jobs)
        wipe(self.workspace.paths.experiments)
        self.run_again()
        for number, job in enumerate(self.jobs):
            self._start(job) if number < LIVE else self._end(job)

    # What happens

    def write_logs(self) -> None:
        for job in self.jobs[:LIVE]:
            with suppress(OSError), open(self._log(job), "ab") as file:
                file.write(b"epoch 3 batch 812\n" * self.random.randrange(5) + NOISE)

    def tell_progress(self) -> None:
        job = self._one()
        fraction = self.random.random()
        self.workspace.progress(job, [(fraction, "epoch \u202e 1/5"), (0.5, "")])

    def end_one(self) -> None:
        self._end(self._one())

    def start_one(self) -> None:
        self._start(self._one(), attempt=self.random.choice((1, 2, 3)))

    def delete_a_folder(self) -> None:
        job = self._one()
        shutil.rmtree(self._paths(job).root, ignore_errors=True)
        self._mending.append(lambda: self._start(job))

    def truncate_a_record(self) -> None:
        path = self._record()
        os.truncate(path, os.stat(path).st_size // 2)

    def fill_with_noise(self) -> None:
        Path(self._record()).write_bytes(NOISE * 3)

    def forbid(self) -> None:
        paths = self._paths(self._one())
        run = self.workspace.paths.experiment(self.random.choice(("drmm", "ablation")))
        path = self.random.choice(
            (paths.xpm, paths.xpm, paths.root, paths.summary, paths.logs, run)
        )
        mode = os.stat(path).st_mode
        os.chmod(path, 0)
        self._mending.append(lambda: os.chmod(path, mode))

    def run_again(self) -> None:
        self._runs += 1
        kept = self.random.sample(self.jobs, k=len(self.jobs) - self.random.randrange(8))
        plan = PlanState.RUNNING if self._runs % 3 else PlanState.COMPLETE
        name = ("drmm", "ablation")[self._runs % 2]
        run = f"20261123-{100_000 + self._runs}"
        self.workspace.run(name, kept, run=run, plan=plan, driver=self._alive)

    def delete_the_experiment(self) -> None:
        shutil.rmtree(self.workspace.paths.experiment("drmm"), ignore_errors=True)
        self._mending.append(self.run_again)

    def truncate_a_log(self) -> None:
        os.truncate(self._log(self._one()), 0)

    def rotate_a_log(self) -> None:
        path = self._log(self._one())
        os.replace(path, path + ".1")
        Path(path).write_bytes(NOISE)

    def write_queue(self) -> None:
        some = self.random.sample(self.jobs, k=9)
        kinds = list(WaitKind)
        waits = [
            Wait(job.key, self.random.choice(kinds), place, (some[0].key,), "gpu\x1b", 1, 2)
            for place, job in enumerate(some)
        ]
        for name in os.listdir(self.workspace.paths.experiments):
            runs = os.listdir(self.workspace.paths.experiment(name))
            self.workspace.queue(self.workspace.paths.run(name, self.random.choice(runs)), waits)

    def write_metrics(self) -> None:
        with open(self._paths(self._one()).metrics, "ab") as file:
            for step in range(20):
                value = self.random.choice(("NaN", "1e400", str(step)))
                line = f'{{"v":1,"t":"x","n":1,"name":"mrr","value":{value},"step":{step}}}\n'
                file.write(line.encode())
            file.write(NOISE)

    def put_strange_names(self) -> None:
        jobs = os.fsencode(self.workspace.paths.jobs)
        for name in (b"\xff\xfe", b"ir.task0/\xe9", b"ir.task0/" + b"g" * 32):
            os.makedirs(jobs + b"/" + name, exist_ok=True)
        inside = os.fsencode(self._paths(self._one()).root)
        with suppress(FileExistsError):
            os.symlink(b"..", inside + b"/loop\xff")
        Path(os.fsdecode(inside + b"/n\xf6ise\n.txt")).write_bytes(NOISE)

    def move_the_clock(self) -> None:
        self.clock += self.random.choice((-90_000, -3, 60, 90_000))
        path = self._paths(self._one()).xpm
        os.utime(path, (self.clock - 1e6, self.clock + 1e6))

    def move_jobs_away(self) -> None:
        jobs = self.workspace.paths.jobs
        os.replace(jobs, jobs + ".away")

        def back() -> None:
            wipe(jobs)
            os.replace(jobs + ".away", jobs)

        self._mending.append(back)

    # Parts

    def _one(self) -> FakeJob:
        return self.random.choice(self.jobs)

    def _paths(self, job: FakeJob) -> JobPaths:
        return self.workspace.paths.job(job.key)

    def _log(self, job: FakeJob) -> str:
        stream = "err" if int(job.name) % 2 else "out"
        return f"{self._paths(job).logs}/1.{stream}"

    def _record(self) -> str:
        """One of the files that the engine wrote."""
        root = self.random.choice((self.workspace.paths.jobs, self.workspace.paths.experiments))
        files = sorted(str(path) for path in Path(root).rglob("*.json*") if not path.is_symlink())
        return self.random.choice(files or [root])

    def _start(self, job: FakeJob, *, attempt: int = 1) -> None:
        self.workspace.start(
            job, run="drmm/x", attempt=attempt, by=self._alive, levels=[(0.1, "epoch 1/9")]
        )
        Path(self._log(job)).write_bytes(NOISE)

    def _end(self, job: FakeJob) -> None:
        outcome = self.random.choice((Outcome.DONE, Outcome.FAILED, Outcome.DIED))
        reason = Reason(ReasonKind.EXCEPTION, "caf\u00e9 [/red] \x1b[2J 0x7f", "x.Error")
        bad = None if outcome is Outcome.DONE else reason
        self.workspace.end(job, outcome, run="drmm/x", reason=bad, metrics={"mrr": 0.5})


def wipe(path: str) -> None:
    """Remove a folder and all that was forbidden in it, or the file that stands in its place."""
    if os.path.isdir(path):
        for folder, names, _ in os.walk(path):
            for name in names:
                if not os.path.islink(f"{folder}/{name}"):
                    os.chmod(f"{folder}/{name}", 0o700)
        shutil.rmtree(path)
    with suppress(FileNotFoundError):
        os.unlink(path)


def expected_states(workspace: FakeWorkspace) -> dict[JobKey, str]:
    """What the folders say now."""
    from xpm_engine.workspace import scan

    paths = workspace.paths
    return {key: scan.read_job(paths, key).state.value for key in scan.list_jobs(paths)}
