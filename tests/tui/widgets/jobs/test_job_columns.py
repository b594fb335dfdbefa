"""The columns of jobs: what tells them apart, and cells that say what matters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.making import KEY
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import format_time
from xpm_engine.workspace.records.jobs import Progress, ProgressLevel
from xpm_engine.workspace.records.reasons import Reason, ReasonKind, Wait, WaitKind
from xpm_engine.workspace.records.runs import How
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import Usage
from xpm_engine.workspace.scan import JobRecord
from xpm_tui.store import Job
from xpm_tui.widgets.jobs.columns import (
    lay_out,
    note_cell,
    possible_columns,
    progress_cell,
    seconds_of,
    short_note_cell,
)
from xpm_tui.widgets.table.column_fit import fit, measure


def job(name: str = "0", task: str = "ir.learn", **changes: object) -> Job:
    key = JobKey(task, name.rjust(32, "0"))
    state = changes.pop("state", JobState.DONE)
    assert isinstance(state, JobState)
    made = Job(key, state, JobRecord(key, state))
    return replace(made, **changes)  # type: ignore[arg-type]


def with_record(made: Job, **changes: object) -> Job:
    return replace(made, record=replace(made.record, **changes))  # type: ignore[arg-type]


def titles(*jobs: Job) -> list[str]:
    return [column.title for column in lay_out(jobs).columns]


def test_only_tags_that_differ_have_a_column() -> None:
    jobs = [
        job("1", tags={"lr": 0.1, "ranker": "drmm"}),
        job("2", tags={"lr": 1, "ranker": "drmm"}),
    ]
    assert titles(*jobs) == ["state", "lr", "time", "note"]
    assert lay_out(jobs).same == "same for all 2: ranker=drmm"


def test_parameters_help_where_tags_do_not_tell_jobs_apart() -> None:
    jobs = [job("1", params={"trainer.lr": 0.1}), job("2", params={"trainer.lr": 1})]
    assert titles(*jobs) == ["state", "lr", "time", "note"]


def test_digits_are_the_last_resort() -> None:
    assert titles(job("1"), job("2")) == ["state", "id", "time", "note"]


def test_jobs_of_several_tasks_are_told_apart_by_their_task() -> None:
    jobs = [job("1", tags={"lr": 1}), job("2", "ir.evaluate", tags={"lr": 1})]
    assert titles(*jobs) == ["state", "task", "time", "note"]


def test_progress_and_metrics_have_columns_only_where_there_are_some() -> None:
    running = with_record(job("1", tags={"lr": 1}), progress=half_way())
    done = with_record(job("2", tags={"lr": 2}), metrics={"mrr": 0.25})
    assert titles(running, done) == ["state", "lr", "progress", "time", "mrr", "note"]


def test_a_running_job_has_a_bar_and_a_failed_one_says_how_far_it_came() -> None:
    running = with_record(job(state=JobState.RUNNING), progress=half_way())
    assert progress_cell(running).plain == "━━━━╌╌╌  50 %"
    failed = with_record(job(state=JobState.FAILED), progress=half_way())
    assert progress_cell(failed).plain == "epoch 1/2   50 %"
    assert progress_cell(job()).plain == ""


@pytest.mark.parametrize(
    ("made", "note"),
    [
        (
            with_record(
                job(state=JobState.FAILED), reason=Reason(ReasonKind.EXIT, "exit code 3\nmore")
            ),
            "exit code 3",
        ),
        (job(state=JobState.DIED), "no exit record"),
        (job(state=JobState.WAITING, wait=Wait(KEY, WaitKind.CORE, 2)), "free core, 2nd"),
        (
            job(state=JobState.BLOCKED, wait=Wait(KEY, WaitKind.UPSTREAM_FAILED, on=(KEY,))),
            "bm25 012345 failed",
        ),
        (job(how=How.REUSED), "reused"),
        (job(how=How.REUSED, drift=("max_iter 4 → 5",)), "≠ drifted"),
        (job(), ""),
    ],
)
def test_the_note_says_what_matters_most(made: Job, note: str) -> None:
    assert note_cell(made).plain == note


def test_where_there_is_little_room_the_note_keeps_the_place_in_the_queue() -> None:
    wait = Wait(KEY, WaitKind.CORE, 2, used=4, total=4)
    waiting = job(state=JobState.WAITING, wait=wait)
    assert note_cell(waiting).plain == "free core (4 of 4 busy), 2nd"
    assert short_note_cell(waiting).plain == "free core, 2nd"
    assert short_note_cell(job(how=How.REUSED)).plain == "reused"


def test_time_is_what_was_measured_else_what_has_passed() -> None:
    assert seconds_of(with_record(job(), usage=Usage(42.0, 1.0, 1)), 0.0) == 42.0
    running = with_record(job(state=JobState.RUNNING), started=format_time(1_000))
    assert seconds_of(running, 1_060.0) == 60.0
    assert seconds_of(running, 900.0) == 0.0
    assert seconds_of(job(state=JobState.WAITING), 1_060.0) is None
    ended_somehow = with_record(job(state=JobState.DIED), started=format_time(1_000))
    assert seconds_of(ended_somehow, 1_060.0) is None


def test_what_users_wrote_can_not_steer_the_terminal() -> None:
    jobs = [job("1", tags={"a[b]\x1b": "\x1b[31m[/x]"}), job("2", tags={"a[b]\x1b": "é" * 300})]
    columns = lay_out(jobs).columns
    assert columns[1].title == "a[b]�"
    shown = columns[1].cell(jobs[0]).plain
    assert "\x1b" not in shown
    assert "[/x]" in shown
    assert columns[1].width <= 24


def half_way() -> Progress:
    return Progress(1, format_time(0), 60.0, (ProgressLevel(0.5, "epoch 1/2"),))


def test_a_few_long_values_do_not_widen_a_column() -> None:
    jobs = [job(tags={"k1": number}) for number in range(19)]
    few = lay_out([*jobs, job(tags={"k1": [0.6, 1.2, 2.4, 4.8]})]).columns
    k1 = next(column for column in few if column.title == "k1")
    assert (k1.width, k1.wish) == (2, 20)
    many = lay_out([job(tags={"k1": "a" * 9}), job(tags={"k1": 1})]).columns
    assert next(column.width for column in many if column.title == "k1") == 9


def test_a_number_is_not_cut_where_there_is_room() -> None:
    values = (1 / 300, -1.2345e-05, -1.2345e100, 0.5)
    jobs = [with_record(job(str(value)), metrics={"loss": value}) for value in values]
    (column,) = (
        column for column in fit(measure(lay_out(jobs).columns, jobs), 60) if column.title == "loss"
    )
    assert [column.cell(job).plain for job in jobs[:2]] == ["0.003333", "-1.234e-05"]
    assert column.width == max(column.cell(job).cell_len for job in jobs)


def test_a_few_long_numbers_are_not_cut() -> None:
    jobs = [job(str(n), params={"n": n}) for n in range(85)]
    jobs += [job(str(n), params={"n": n}) for n in (100_000, 100_001)]
    (column,) = (column for column in lay_out(jobs).columns if column.title == "n")
    assert column.width == len("100000")


def test_no_two_columns_have_one_title() -> None:
    jobs = [
        job(str(n), tags={"state": n}, params={"n": n, "up.n": 2 * n, "time": n, "state": n})
        for n in range(3)
    ]
    assert titles(*jobs) == ["state", "tag.state", "time", "note"]
    possible, _ = possible_columns(jobs)
    found = [column.title for column in possible]
    assert len(found) == len(set(found))
    assert {"n", "up.n", "param.time", "param.state"} <= set(found)
