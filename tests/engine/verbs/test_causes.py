"""Failures with one cause are told once."""

from __future__ import annotations

from dataclasses import replace

from xpm_engine.verbs.causes import group_causes, same_in_all
from xpm_engine.verbs.jobs.listing import JobRow, row_of
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Frame, Reason, ReasonKind
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord

FRAME = Frame("/home/you/ir/train.py", 88, "step", "    loss = f(x)")


def failed(number: int, reason: Reason | None, state: JobState = JobState.FAILED) -> JobRow:
    key = JobKey("ir.learn", f"{number:032x}")
    return row_of(JobRecord(key, state, reason=reason))


def exception(text: str, frame: Frame | None = FRAME, kind: str = "ValueError") -> Reason:
    return Reason(ReasonKind.EXCEPTION, text, kind, frame)


def test_one_line_of_code_and_one_exception_are_one_cause_whatever_the_numbers() -> None:
    causes = group_causes([failed(1, exception("got 3")), failed(2, exception("got 4.5"))])
    assert [len(cause.jobs) for cause in causes] == [2]
    assert causes[0].text == "got 3"
    assert causes[0].where == "train.py:88 step"
    assert causes[0].source == "loss = f(x)"


def test_another_line_another_exception_or_another_message_is_another_cause() -> None:
    causes = group_causes(
        [
            failed(1, exception("a")),
            failed(2, exception("a", replace(FRAME, line=89))),
            failed(3, exception("a", kind="KeyError")),
            failed(4, exception("b")),
        ]
    )
    assert len(causes) == 4


def test_addresses_do_not_matter_and_the_kind_does() -> None:
    causes = group_causes(
        [
            failed(1, Reason(ReasonKind.OUT_OF_MEMORY, "killed at 2.00 GiB, 0xffa0")),
            failed(2, Reason(ReasonKind.OUT_OF_MEMORY, "killed at 3.50 GiB, 0x12")),
            failed(3, Reason(ReasonKind.TIME_LIMIT, "killed at 3.50 GiB, 0x12")),
        ]
    )
    assert [len(cause.jobs) for cause in causes] == [2, 1]


def test_the_cause_with_most_jobs_comes_first_and_only_failures_count() -> None:
    causes = group_causes(
        [
            failed(1, exception("a")),
            failed(2, None, JobState.DIED),
            failed(3, None, JobState.DIED),
            failed(4, None, JobState.CANCELLED),
            failed(5, None, JobState.DONE),
        ]
    )
    assert [(cause.text, len(cause.jobs)) for cause in causes] == [("no exit record", 2), ("a", 1)]


def test_exit_codes_and_signals_are_told_apart_though_numbers_in_words_are_not() -> None:
    def ended(number: int, kind: ReasonKind, text: str, **how: int) -> JobRow:
        key = JobKey("ir.learn", f"{number:032x}")
        return row_of(JobRecord(key, JobState.FAILED, reason=Reason(kind, text), **how))  # type: ignore[arg-type]

    causes = group_causes(
        [
            ended(1, ReasonKind.EXIT, "left with exit code 3", exit_code=3),
            ended(2, ReasonKind.EXIT, "left with exit code 4", exit_code=4),
            ended(3, ReasonKind.SIGNAL, "killed by signal 9", signal=9),
            ended(4, ReasonKind.SIGNAL, "killed by signal 11", signal=11),
            ended(5, ReasonKind.SIGNAL, "killed by signal 11", signal=11),
        ]
    )
    assert [len(cause.jobs) for cause in causes] == [2, 1, 1, 1]


def test_what_is_special_about_a_cause_is_said_first() -> None:
    def tagged(number: int, **tags: object) -> JobRow:
        return replace(failed(number, exception("a")), tags=tags, params={"net.depth": 2})

    rows = [tagged(1, model="a", lr=0.1, seed=1), tagged(2, model="a", lr=0.1, seed=2)]
    others = [*rows, tagged(3, model="a", lr=0.2, seed=1)]
    assert list(same_in_all(rows, among=others).items()) == [
        ("lr", 0.1),
        ("model", "a"),
        ("depth", 2),
    ]
    assert same_in_all([tagged(1, x=True), tagged(2, x=1)]) == {"depth": 2}


def test_a_cause_says_what_to_try() -> None:
    def advice(reason: Reason) -> str:
        return group_causes([failed(1, reason)])[0].advice

    assert advice(exception("CUDA out of memory")) == "with more memory"
    assert advice(exception("no")) == "after mending it"
    assert advice(Reason(ReasonKind.TIME_LIMIT, "2 h")) == "with more time"
    assert advice(Reason(ReasonKind.NO_EXIT_RECORD, "gone")) == ""
