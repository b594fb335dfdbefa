"""Every record is read back as it was written, and damage is told, never raised as a crash."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.making import KEY, end, launch, start
from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import processes
from xpm_engine.workspace.atomic import dumps
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records import events
from xpm_engine.workspace.records.fields import format_time, now, parse_time
from xpm_engine.workspace.records.jobs import JobSummary, Progress, ProgressLevel
from xpm_engine.workspace.records.pool import Place, Reservation, Waiting
from xpm_engine.workspace.records.reasons import (
    Frame,
    Outcome,
    Reason,
    ReasonKind,
    Wait,
    WaitKind,
)
from xpm_engine.workspace.records.resources import Resources
from xpm_engine.workspace.records.runs import (
    GitState,
    How,
    JobsState,
    PlanState,
    Queue,
    Reference,
    RunKind,
    RunRecord,
    Scope,
    end_line,
    parse_manifest,
    queue_bytes,
)
from xpm_engine.workspace.records.states import JobState, derive_state
from xpm_engine.workspace.records.tickets import Attempt, End, Launch, LaunchedBy, Start, Usage

OTHER = JobKey("ir.index", "f" * 32)
REASON = Reason(
    ReasonKind.EXCEPTION,
    "ValueError: x",
    "ValueError",
    Frame("train.py", 88, "step", "loss = self.model(batch)"),
)


def _run_record() -> RunRecord:
    return RunRecord(
        experiment="drmm",
        run="20261123-091200-ab12",
        scope=Scope("/p/plan.py", (("seed", "1"),), ("seed=1",)),
        plan=PlanState.COMPLETE,
        kind=RunKind.PLAN,
        driver=processes.own_identity(),
        user="ada",
        started=now(),
        ended=now(),
        jobs=JobsState.FAILED,
        git=GitState("abc", dirty=True, branch="main"),
        environment={"python": "3.11"},
        error="x",
    )


def _summary() -> JobSummary:
    return JobSummary(
        key=KEY,
        attempt=2,
        outcome=Outcome.FAILED,
        run="drmm/20261123-091200-ab12",
        started=now(),
        user="ada",
        supervisor=processes.own_identity(),
        task=processes.own_identity(),
        ended=now(),
        exit_code=1,
        reason=REASON,
        usage=Usage(1.5, 1.0, 4096),
        metrics={"mrr": 0.3},
        tags={"lr": 0.1},
        params={"optimizer.lr": 0.1},
        dependencies=(OTHER,),
        resolved="r",
        shared=("ir.bm25/checkpoints/" + "0" * 32,),
    )


def test_a_queue_in_one_go_reads_as_any_other() -> None:
    for waits in ((), (Wait(KEY, WaitKind.CORE, 3), Wait(OTHER, WaitKind.DEPENDENCY, on=(KEY,)))):
        queue = Queue(now(), waits)
        assert json.loads(queue_bytes(queue.at, iter(waits))) == queue.to_json()


RECORDS: list[Any] = [
    launch(tags={"a": 1}, dependencies=(OTHER,), resumable=True),
    start(void=True, why="overdue"),
    end(Outcome.FAILED, exit_code=1, reason=REASON, usage=Usage(1.0, 0.5, 1024)),
    _run_record(),
    _summary(),
    Progress(1, now(), 3.5, (ProgressLevel(0.5, "epoch 1/2"), ProgressLevel(0.1))),
    Reference(KEY, How.REUSED, now(), {"lr": 0.1}, {"x": None}, (OTHER,), ("a 4 → 5",)),
    Queue(now(), (Wait(KEY, WaitKind.DEPENDENCY, on=(OTHER,)), Wait(OTHER, WaitKind.CORE, 3))),
    Queue(
        now(), (Wait(KEY, WaitKind.TOKEN, 1, (OTHER,), "licence", used=1, total=2, behind="e/r"),)
    ),
    Reservation(
        "n",
        KEY,
        "/w/j",
        Resources(gpus=1, tokens={"licence": 1}).demand(),
        ("0",),
        processes.own_identity(),
        "e/r",
        now(),
    ),
    Waiting("p", "e/r", processes.own_identity(), (Place(1.5, Resources().demand()),)),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_is_read_back_as_it_was_written(record: Any) -> None:
    data = json.loads(dumps(record.to_json()))
    assert type(record).from_json(data, "file") == record


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
@given(data=st.data())
def test_a_damaged_record_is_unreadable(record: Any, data: st.DataObject) -> None:
    """One field gone or of another type: UnreadableError, or a value that is simply absent."""
    whole = json.loads(dumps(record.to_json()))
    name = data.draw(st.sampled_from(sorted(whole)))
    damaged = dict(whole)
    if data.draw(st.booleans()):
        del damaged[name]
    else:
        damaged[name] = data.draw(st.sampled_from([None, 1, -1, "x", [], [1], {}, {"a": 1}, True]))
    try:
        type(record).from_json(damaged, "file")
    except UnreadableError as error:
        where = error.where
    else:
        where = "file"
    assert where is not None
    assert where.startswith("file")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_newer_version_asks_for_an_update(record: Any) -> None:
    data = {**record.to_json(), "v": 2}
    with pytest.raises(UnreadableError, match="newer version") as caught:
        type(record).from_json(data, "file")
    assert caught.value.hint == "update xpm-tui"


def test_times_are_read_back() -> None:
    text = "2026-11-23T05:52:01.123456Z"
    seconds = parse_time(text)
    assert seconds is not None
    assert format_time(seconds) == text
    assert parse_time("yesterday") is None
    assert parse_time("") is None


def _manifest(count: int, *, closed: bool = True) -> bytes:
    lines = [
        dumps(Reference(JobKey("t", f"{n:032x}"), How.NEW, now()).to_json()) for n in range(count)
    ]
    if closed:
        lines.append(dumps(end_line(count)))
    return b"".join(line + b"\n" for line in lines)


def test_a_whole_manifest_is_trustworthy() -> None:
    manifest = parse_manifest(_manifest(3), "f")
    assert len(manifest.references) == 3
    assert manifest.trustworthy


def test_a_manifest_that_grows_is_not_ended_but_not_damaged() -> None:
    manifest = parse_manifest(_manifest(2, closed=False) + b'{"v":1,"ta', "f")
    assert len(manifest.references) == 2
    assert not manifest.ended
    assert not manifest.damage


@given(st.integers(0, 400))
def test_a_truncated_manifest_is_never_trustworthy(cut: int) -> None:
    whole = _manifest(3)
    assert not parse_manifest(whole[: len(whole) - 1 - cut], "f").trustworthy


def test_a_manifest_with_a_line_lost_or_added_is_never_trustworthy() -> None:
    lines = _manifest(3).splitlines(keepends=True)
    assert not parse_manifest(b"".join(lines[1:]), "f").trustworthy
    assert not parse_manifest(b"".join([*lines, lines[0]]), "f").trustworthy
    assert not parse_manifest(lines[0] + b"\xff\xfe\n" + b"".join(lines[1:]), "f").trustworthy


def test_a_later_line_of_a_job_replaces_the_earlier() -> None:
    first = Reference(KEY, How.NEW, now(), {"a": 1})
    second = Reference(KEY, How.NEW, now(), {"a": 1, "b": 2})
    data = b"".join(dumps(line.to_json()) + b"\n" for line in (first, second))
    data += dumps(end_line(2)) + b"\n"
    manifest = parse_manifest(data, "f")
    assert manifest.references == (second,)
    assert manifest.trustworthy


@given(st.binary(max_size=300))
def test_any_bytes_are_a_manifest_or_damage(data: bytes) -> None:
    parse_manifest(data, "f")
    events.parse_events(data)


@given(st.integers(1, 9), st.floats(0, 1), st.floats(0, 1e6))
def test_the_time_left_is_never_negative(attempt: int, fraction: float, seconds: float) -> None:
    left = Progress(attempt, now(), seconds, (ProgressLevel(fraction),)).seconds_left
    assert left is None or left >= 0


def _dead(answer: bool | None) -> Any:
    return lambda identity: answer


def _attempt(a_start: Start | None = None, an_end: End | None = None, **order: Any) -> Attempt:
    return Attempt(1, _launch(**order), a_start, an_end)


def _launch(**changes: Any) -> Launch:
    return launch(**changes)


@pytest.mark.parametrize(
    ("attempt", "dead", "state"),
    [
        (None, None, JobState.NOT_SUBMITTED),
        (_attempt(), None, JobState.QUEUED),
        (_attempt(by=LaunchedBy.CLEAN), None, JobState.CLEANING),
        (_attempt(start()), False, JobState.RUNNING),
        (_attempt(start()), True, JobState.DIED),
        (_attempt(start()), None, JobState.UNREACHABLE),
        (_attempt(start(), end()), None, JobState.DONE),
        (_attempt(start(), end(Outcome.FAILED)), True, JobState.FAILED),
        (_attempt(start(), end(Outcome.CANCELLED)), True, JobState.CANCELLED),
        (_attempt(start(), end(Outcome.DIED)), True, JobState.DIED),
    ],
)
def test_the_state_is_that_of_the_tickets(
    attempt: Attempt | None, dead: bool | None, state: JobState
) -> None:
    assert derive_state(attempt, dead=_dead(dead)) is state


def test_what_a_live_run_says_counts_only_while_nothing_runs() -> None:
    failed = _attempt(start(), end(Outcome.FAILED))
    running = _attempt(start())
    wait = WaitKind.CORE
    assert derive_state(None, dead=_dead(None), wait=wait) is JobState.WAITING
    assert derive_state(failed, dead=_dead(None), wait=wait) is JobState.WAITING
    assert derive_state(running, dead=_dead(False), wait=wait) is JobState.RUNNING
    blocked = WaitKind.UPSTREAM_FAILED
    assert derive_state(None, dead=_dead(None), wait=blocked) is JobState.BLOCKED
    assert derive_state(None, dead=_dead(None), expected=True) is JobState.READY
