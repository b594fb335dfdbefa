"""What a task measures reaches its file, its end and its summary: real processes."""

from __future__ import annotations

import math
import os
import signal
import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.engine.making import KEY, end, launch, start
from tests.engine.supervising import run, wait_for
from xpm_engine.errors import StorageError
from xpm_engine.runtime import metrics
from xpm_engine.runtime.context import JobContext, enter_job
from xpm_engine.runtime.metrics import metric
from xpm_engine.workspace import tickets
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.metrics import TAIL, Metric, parse_metrics
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import Launch

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def _values(workspace: WorkspacePaths) -> tuple[Metric, ...]:
    found = parse_metrics(Path(workspace.job(KEY).metrics).read_bytes())
    assert found.bad == 0
    return found.values


def test_values_are_written_and_the_last_ones_are_in_the_end(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        enter_job(context)
        for step in range(3):
            metric("loss", 1 / (step + 1), step=step)
        metric("mrr", Decimal("0.5"))
        metric("gradient", float("inf"), step=2.5)
        return 0

    record = run(workspace, body)
    assert record.metrics == {"loss": 1 / 3, "mrr": 0.5, "gradient": math.inf}
    told = [(each.name, each.value, each.step) for each in _values(workspace)]
    assert told[:3] == [("loss", 1.0, 0), ("loss", 0.5, 1), ("loss", 1 / 3, 2)]
    assert told[3:] == [("mrr", 0.5, None), ("gradient", math.inf, 2.5)]
    attempt = tickets.last_attempt(workspace.job(KEY))
    assert attempt is not None
    assert attempt.end is not None
    assert attempt.end.metrics == record.metrics


def test_a_killed_task_keeps_what_is_older_than_a_second(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        enter_job(context)
        metric("loss", 1.0)
        wait_for(lambda: os.path.exists(context.job.metrics))
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    record = run(workspace, body)
    assert record.state is JobState.FAILED
    assert record.metrics == {"loss": 1.0}


def test_a_metric_told_once_is_in_the_end_of_a_long_run(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        enter_job(context)
        metric("early", 7.0)
        for step in range(30_000):
            metric("loss", float(step), step=step)
        return 0

    record = run(workspace, body)
    assert Path(workspace.job(KEY).metrics).stat().st_size > 3 * TAIL
    assert record.metrics == {"early": 7.0, "loss": 29_999.0}
    assert len(_values(workspace)) == 30_001


def test_an_attempt_does_not_repeat_what_an_earlier_one_measured(
    workspace: WorkspacePaths,
) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start())
    tickets.record_end(job, 1, end(Outcome.FAILED))
    Path(job.metrics).write_text('{"v":1,"t":"x","n":1,"name":"old","value":1,"step":null}\n')

    def body(context: JobContext, order: Launch, report: int) -> int:
        enter_job(context)
        metric("new", 2)
        return 0

    assert run(workspace, body, launch(attempt=2)).metrics == {"new": 2.0}
    assert [each.attempt for each in _values(workspace)] == [1, 2]


def test_what_a_forked_process_measures_is_not_lost_nor_doubled(
    workspace: WorkspacePaths,
) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        enter_job(context)
        metric("parent", 1.0)
        if os.fork() == 0:
            metric("child", 2.0)
            os._exit(0)
        os.wait()
        return 0

    assert run(workspace, body).metrics == {"child": 2.0, "parent": 1.0}
    assert len(_values(workspace)) == 2


def test_a_full_disk_does_not_end_a_task_and_nothing_is_lost(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = metrics.append_bytes
    full = [True]

    def refuse_first(path: str, data: bytes) -> None:
        if full.pop() if full else False:
            raise StorageError("can't append to this file: No space left on device")
        append(path, data)

    monkeypatch.setattr(metrics, "append_bytes", refuse_first)
    monkeypatch.setattr(metrics, "MAX_WAITING", 2)

    def body(context: JobContext, order: Launch, report: int) -> int:
        enter_job(context)
        for number in range(4):
            metric("loss", number)
        return 0

    run(workspace, body)
    assert [each.value for each in _values(workspace)] == [0, 1, 2, 3]


def test_outside_of_a_job_it_checks_and_does_nothing() -> None:
    metric("loss", 1.0, step=2)
    with pytest.raises(TypeError, match="metric 'loss' needs a number, got str"):
        metric("loss", "high")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs a finite step"):
        metric("loss", 1.0, step=math.nan)


def test_a_name_must_be_one(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        enter_job(context)
        for name in ("", "x" * 201, 3):
            with pytest.raises(ValueError, match="a metric's name is a text"):
                metric(name, 1.0)  # type: ignore[arg-type]
        metric("a name\nof two lines, é", 1.0)
        return 0

    assert run(workspace, body).metrics == {"a name\nof two lines, é": 1.0}


def test_values_come_within_a_second_without_another_call(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        enter_job(context)
        metric("loss", 1.0)
        began = time.monotonic()
        wait_for(lambda: os.path.exists(context.job.metrics))
        return 0 if time.monotonic() - began < 20 else 1

    assert run(workspace, body).state is JobState.DONE
