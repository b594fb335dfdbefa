"""A cause in a line: what happened may be long, and where it did is still to be read."""

from __future__ import annotations

from xpm_engine.verbs.causes import Cause
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord
from xpm_tui.store import Job
from xpm_tui.widgets.jobs.causes import rule_line
from xpm_tui.widgets.jobs.strip import cause_lines, failed_line

KEY = JobKey("ir.learn", "0" * 32)
JOB = Job(KEY, JobState.FAILED, JobRecord(KEY, JobState.FAILED))


def cause(text: str, where: str = "train.py:88 step") -> Cause[Job]:
    return Cause(text, text, where, "x = 1", "", (JOB,))


def test_the_rule_cuts_what_happened_and_keeps_where() -> None:
    line = rule_line(cause("ValueError: " + "long " * 40), 60)
    assert line.cell_len == 60
    assert line.plain.startswith("─ 1 × ValueError: long")
    assert line.plain.endswith("… at train.py:88 step ─")
    assert rule_line(cause("short"), 40).plain == "─ 1 × short at train.py:88 step " + "─" * 8


def test_so_do_the_lines_above_a_set() -> None:
    long = cause("ValueError: " + "long " * 40)
    line = failed_line((long,))
    assert line is not None
    assert line.plain.endswith("… train.py:88")
    assert line.cell_len < 77
    (only,) = cause_lines((long,))
    assert only.plain.endswith("…  train.py:88 step")
    assert cause_lines((cause("on no line", ""),))[0].plain == "1 × on no line"
