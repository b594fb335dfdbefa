"""Failures with one cause are told once."""

from __future__ import annotations

from dataclasses import replace

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Frame, Reason, ReasonKind
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord
from xpm_tui.causes import group_causes
from xpm_tui.store import Job

FRAME = Frame("/home/you/ir/train.py", 88, "step", "    loss = f(x)")


def failed(number: int, reason: Reason | None, state: JobState = JobState.FAILED) -> Job:
    key = JobKey("ir.learn", f"{number:032x}")
    return Job(key, state, JobRecord(key, state, reason=reason))


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
