"""The strip over a set of jobs: whose they are, how far, what waits and what failed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from rich.text import Text

from xpm_engine.verbs.causes import Cause
from xpm_engine.workspace.records.reasons import WaitKind
from xpm_engine.workspace.records.runs import PlanState, RunKind
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import RunView
from xpm_tui import look
from xpm_tui.store import WAITS, Counts, Job, jobs_among

LABEL = 9
"""Cells of ``waiting`` and ``failed`` on the left."""

BRIEF = 44
"""Characters of what happened, before where it did."""

MOST_REASONS = 4
"""Reasons that are told in one line."""


def title_line(title: str, view: RunView | None, *, now: float) -> Text:
    """``learn in drmm   run 23 Nov 09:12 by plan.py seed=1,2,3 (pid 4121, alive)``."""
    line = Text(look.plain(title), "xpm.title")
    if view is not None:
        line = Text().append_text(line)
        line.append("   ")
        line.append(run_words(view, now=now), "xpm.faint")
    return line


def run_words(view: RunView, *, now: float) -> str:
    """Which run it is, in words: when, of what plan and arguments, and how it goes."""
    record = view.record
    if record is None:
        return look.plain(f"run {view.run}: {view.problem}")
    scope = record.scope
    arguments = "".join(f" {name}={value}" for name, value in scope.arguments)
    kind = "retried" if record.kind is RunKind.RETRY else "run"
    words = f"{kind} {look.when_long(record.started, now)} by {os.path.basename(scope.plan)}"
    words += arguments
    if view.plan is PlanState.RUNNING:
        words += f" (pid {record.driver.pid})"
    elif view.plan is not None:
        words += f" ({look.PLANS[view.plan]})"
    return look.plain(words)


def bar_line(counts: Counts, *, width: int) -> Text:
    """``━━━━╌╌╌╌  ✓ 41 (9 reused)  ● 3  ○ 14  ✗ 22``."""
    fraction = counts.done / counts.total if counts.total else 0.0
    style = "xpm.done" if counts.total and counts.done == counts.total else "xpm.running"
    line = Text().append_text(look.bar(fraction, width, style=style))
    line.append("  ")
    line.append_text(look.count_text(JobState.DONE, counts.done))
    if counts.reused:
        line.append(f" ({counts.reused:,} reused)", "xpm.faint")
    for state, count in (
        (JobState.RUNNING, counts.running),
        (JobState.QUEUED, counts.of.get(JobState.QUEUED, 0)),
        (JobState.WAITING, counts.waiting),
        (JobState.BLOCKED, counts.blocked),
        (JobState.FAILED, counts.failed),
        (JobState.CANCELLED, counts.of.get(JobState.CANCELLED, 0)),
        (JobState.NOT_SUBMITTED, counts.of.get(JobState.NOT_SUBMITTED, 0)),
        (JobState.UNREADABLE, counts.of.get(JobState.UNREADABLE, 0)),
    ):
        if count:
            line.append("  ")
            line.append_text(look.count_text(state, count))
            if state in (JobState.NOT_SUBMITTED, JobState.UNREADABLE):
                line.append(f" {look.STATES[state].word}", "xpm.faint")
    return line


def waiting_line(jobs: Sequence[Job]) -> Text | None:
    """``waiting  13 for free core (4 of 4 busy), 1 for token gpu``; None if nothing waits."""
    reasons: Counter[str] = Counter()
    holders: dict[str, str] = {}
    for job in jobs_among(jobs, WAITS):
        words = wait_group(job)
        reasons[words] += 1
        if job.wait is not None and not holders.get(words):
            holders[words] = look.held_words(job.wait)
    if not reasons:
        return None
    parts: list[str] = []
    for words, count in reasons.most_common(MOST_REASONS):
        held = holders.get(words)
        parts.append(f"{count:,} for {words}" + (f" ({held})" if held else ""))
    if len(reasons) > MOST_REASONS:
        parts.append(f"{len(reasons) - MOST_REASONS} more reasons")
    return _labelled("waiting", ", ".join(parts))


def wait_group(job: Job) -> str:
    """What a job waits for, as it is counted: without its place, and not which job."""
    if job.wait is None:
        return "a turn"
    if job.wait.kind is WaitKind.DEPENDENCY:
        return "another job"
    return look.wait_text(replace(job.wait, place=0))


def failed_title(jobs: int, causes: Sequence[Cause[Job]], blocked: int) -> Text:
    """``Failed: 25 jobs, 4 causes, 22 jobs blocked behind them``."""
    words = f"Failed: {look.plural(jobs, 'job')}, {look.plural(len(causes), 'cause')}"
    if blocked:
        words += f", {look.plural(blocked, 'job')} blocked behind them"
    return Text(words, "xpm.title")


def cause_lines(causes: Sequence[Cause[Job]]) -> list[Text]:
    """A cause a line: ``   19 × out of memory  train.py:88``."""
    width = max((len(f"{len(cause.jobs):,}") for cause in causes), default=0)
    lines: list[Text] = []
    for cause in causes:
        line = Text().append(f"{len(cause.jobs):>{width},} × ", "xpm.failed")
        lines.append(line.append(look.plain(f"{_brief(cause)}  {cause.where}".strip())))
    return lines


def _brief(cause: Cause[Job]) -> str:
    """What happened, short enough to leave room for where it did."""
    if not cause.where or len(cause.text) <= BRIEF:
        return cause.text
    return cause.text[: BRIEF - 1].rstrip() + "…"


def failed_line(causes: Sequence[Cause[Job]]) -> Text | None:
    """``failed   19 out of memory train.py:88 · 1 AssertionError``; None if nothing failed."""
    if not causes:
        return None
    parts: list[str] = []
    for cause in causes[:MOST_REASONS]:
        place = "" if not cause.source else cause.where.partition(" ")[0]
        parts.append(f"{len(cause.jobs):,} {_brief(cause)} {place}".strip())
    if len(causes) > MOST_REASONS:
        parts.append(look.plural(len(causes) - MOST_REASONS, "more cause"))
    return _labelled("failed", " · ".join(parts))


def _labelled(label: str, words: str) -> Text:
    line = Text().append(label.ljust(LABEL), "xpm.faint")
    return line.append(look.plain(words))
