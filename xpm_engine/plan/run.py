"""The record of one run: its folder, manifest, queue and log, written by its driver alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.plan.environment import environment, git_state, project_of
from xpm_engine.words import plain
from xpm_engine.workspace import processes, scan
from xpm_engine.workspace.atomic import (
    append_bytes,
    dumps,
    make_folders,
    replace_link,
    storage_error,
    write_atomic,
)
from xpm_engine.workspace.layout import RETRY_SUFFIX, RunPaths, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.orders import StoredOrder
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.runs import (
    JobsState,
    Note,
    PlanState,
    Reference,
    RunKind,
    RunRecord,
    Scope,
    end_line,
    queue_bytes,
)
from xpm_engine.workspace.reserve import keep_room

_RUN_NAME = "%Y%m%d-%H%M%S-%f"
"""When the run began, in UTC, to the microsecond."""

STORED_AT_ONCE = 200
"""Orders in one write."""


class RunWriter:
    """Writes the files of one run. Raises StorageError."""

    def __init__(
        self,
        workspace: WorkspacePaths,
        experiment: str,
        scope: Scope,
        *,
        kind: RunKind = RunKind.PLAN,
    ) -> None:
        run, self.paths = _new_folder(workspace, experiment, kind)
        self.record = RunRecord(
            experiment=experiment,
            run=run,
            scope=scope,
            plan=PlanState.RUNNING,
            kind=kind,
            driver=processes.own_identity(),
            user=processes.user_name(),
            started=now(),
            git=git_state(os.path.dirname(scope.plan)),
            environment=environment(),
        )
        self.project = project_of(os.path.dirname(scope.plan)) if scope.plan else ""
        self._lines = 0
        self._write_record()
        make_folders(self.paths.results)
        keep_room(workspace)
        if kind is RunKind.PLAN:
            replace_link(workspace.latest(experiment), run)
        words = " ".join((kind.value, scope.plan, *scope.argv))
        driver = self.record.driver
        self.log(f"begun by {self.record.user}, process {driver.pid} on {driver.host}: {words}")

    @property
    def name(self) -> str:
        """``experiment/run``."""
        return f"{self.record.experiment}/{self.record.run}"

    def reference(self, references: Sequence[Reference]) -> None:
        """Append a batch to the manifest, and wait until the disk has it."""
        data = b"".join(dumps(reference.to_json()) + b"\n" for reference in references)
        append_bytes(self.paths.manifest, data, durable=True)
        self._lines += len(references)

    def store(self, orders: Iterable[StoredOrder]) -> None:
        """Keep the whole orders of jobs that have no attempt yet; a full disk may keep none."""
        lines = (dumps(order.to_json()) + b"\n" for order in orders)
        with suppress(StorageError):
            # A hundred thousand orders are never in memory together.
            while data := b"".join(islice(lines, STORED_AT_ONCE)):
                append_bytes(self.paths.orders, data)

    def queue(self, waits: Iterable[Wait]) -> None:
        """Replace what is said about why jobs wait."""
        write_atomic(self.paths.queue, queue_bytes(now(), waits))

    def log(self, text: str) -> None:
        """Add a line to scheduler.log: for people, so a full disk must not stop the plan."""
        with suppress(StorageError):
            line = f"{now()} {plain(text)}\n"
            append_bytes(self.paths.log, line.encode("utf-8", "backslashreplace"))

    def note(self, text: str) -> None:
        """Keep a note of the plan's own about this run. Raises StorageError."""
        self.record = replace(self.record, notes=(*self.record.notes, Note(now(), text)))
        self._write_record()

    def end(self, plan: PlanState, *, failed: bool, error: str | None = None) -> None:
        """Close the manifest, and say how the run ended."""
        append_bytes(self.paths.manifest, dumps(end_line(self._lines)) + b"\n", durable=True)
        self.record = replace(
            self.record,
            plan=plan,
            jobs=JobsState.FAILED if failed else JobsState.OK,
            ended=now(),
            error=error,
        )
        self._write_record()
        self.log(f"ended: plan {plan.value}{f', {error}' if error else ''}")

    def _write_record(self) -> None:
        write_atomic(self.paths.record, dumps(self.record.to_json()), durable=True)


def _new_folder(workspace: WorkspacePaths, experiment: str, kind: RunKind) -> tuple[str, RunPaths]:
    """A new run folder, whose name sorts behind those of all earlier runs.

    What retires a result is a *later* run, so that order may hang neither on runs that began in
    the same second nor on a clock that was set back, or differs between two hosts.
    """
    suffix = RETRY_SUFFIX if kind is RunKind.RETRY else ""
    while True:
        # A cleaner that moves the last of its runs takes the experiment's folder away.
        make_folders(workspace.experiment(experiment))
        run = name_after(scan.list_runs(workspace, experiment), datetime.now(UTC)) + suffix
        paths = workspace.run(experiment, run)
        try:
            os.mkdir(paths.root)
        except (FileExistsError, FileNotFoundError):
            continue
        except OSError as error:
            raise storage_error(error, paths.root, "create this folder") from error
        return run, paths


def other_runs(workspace: WorkspacePaths, experiment: str, *, but: str) -> list[str]:
    """The other runs of an experiment that go on, in words, with the process that drives each."""
    found: list[str] = []
    for run in scan.list_runs(workspace, experiment):
        if run == but:
            continue
        try:
            record = scan.read_run_record(workspace.run(experiment, run))
        except (FileNotFoundError, UnreadableError):
            continue
        if scan.plan_state(record) is PlanState.RUNNING:
            driver = record.driver
            found.append(
                f"{experiment} runs already: {run} since {record.started}, "
                f"process {driver.pid} on {driver.host}"
            )
    return found


def name_after(names: Sequence[str], moment: datetime) -> str:
    """The moment as a run's name, or the next name behind the last of `names` (sorted)."""
    name = moment.strftime(_RUN_NAME)
    for last in reversed(names):
        if last < name:
            break
        with suppress(ValueError, OverflowError):
            read = datetime.strptime(last.removesuffix(RETRY_SUFFIX), _RUN_NAME).replace(tzinfo=UTC)
            return (read + timedelta(microseconds=1)).strftime(_RUN_NAME)
    return name
