"""What a run tells the person who started it: a few lines, and every failure with its logs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TextIO

from xpm_engine.errors import FailedJobs, JobBlocked, JobError, JobFailed, JobNotRun
from xpm_engine.plan.board import Counts
from xpm_engine.plan.node import Node, Stage
from xpm_engine.words import plain, plural
from xpm_engine.workspace.layout import WorkspacePaths

MAX_LISTED = 20
"""Failures that are listed in full; the others are counted."""

MAX_TEXT = 500
"""Characters of a tag's or a reason's text that are told."""


def say(text: str) -> None:
    """One line to standard error, if there is one: it does not mix with what the plan prints."""
    stream: TextIO | None = sys.stderr
    if stream is not None:
        stream.write(text + "\n")
        stream.flush()


def left(jobs: int, workspace: WorkspacePaths, also: str = "") -> str:
    """What a plan leaves running that ends before its time, and what to do then."""
    going = "1 job goes on running" if jobs == 1 else f"{jobs} jobs go on running"
    then = f"see them: xpm ls -w {shlex.quote(workspace.root)}; run the plan again to go on."
    return f"{going}{also}.\n     {then}"


def label(node: Node) -> str:
    """A job for people: its task, six digits, its tags."""
    tags = " ".join(f"{key}={value}" for key, value in node.order.tags.items())
    return " ".join(filter(None, (node.key.task, node.key.short, _brief(tags))))


def _brief(text: str) -> str:
    """What a user wrote, in one line that steers no terminal and fills no screen."""
    words = plain(text)
    return words if len(words) <= MAX_TEXT else f"{words[:MAX_TEXT]}…"


def why(node: Node) -> str:
    """Why a job did not end well, in a line; empty for one that did."""
    if node.stage is Stage.FAILED:
        return "unknown reason" if node.reason is None else _brief(node.reason.text)
    if node.stage is Stage.BLOCKED and node.blamed:
        blamed = node.blamed[-1]
        return f"{blamed.task}/{blamed.short} {'is drifted' if node.behind_drift else 'failed'}"
    if node.stage is Stage.DRIFTED and node.drift is not None:
        return _brief("; ".join(node.drift.changes))
    return ""


def job_error(node: Node) -> JobError:
    """The error for a job whose result is asked for, and that is not done."""
    text = why(node)
    if node.stage is Stage.FAILED:
        logs = (node.paths.stderr(node.attempt), node.paths.stdout(node.attempt))
        where = "\n         ".join(logs) if node.attempt else node.paths.root
        return JobFailed(f"{label(node)} failed: {text}", where=where)
    if node.stage is Stage.BLOCKED:
        return JobBlocked(f"{label(node)} is blocked: {text}", where=node.paths.root)
    return JobNotRun(
        f"{label(node)} was not run: its plan starts nothing more", hint="run the plan again"
    )


def summary(counts: Counts) -> str:
    """How a run ended, in a line."""
    parts = [f"{counts.done} done"]
    if counts.reused:
        parts[0] += f" ({counts.reused} reused)"
    if counts.failed:
        parts.append(f"{counts.failed} failed")
    if counts.blocked:
        parts.append(f"{counts.blocked} blocked behind them")
    if counts.open:
        parts.append(f"{counts.open} not started: the plan stops at a failure")
    return ", ".join(parts)


def failures_error(nodes: Sequence[Node], counts: Counts) -> FailedJobs:
    """The error that lists the failed jobs, each with its reason and both log paths."""
    failed = [node for node in nodes if node.stage is Stage.FAILED]
    lines: list[str] = []
    for node in failed[:MAX_LISTED]:
        lines.append(f"  {label(node)}: {why(node)}")
        frame = None if node.reason is None else node.reason.frame
        if frame is not None:
            lines.append(f"      at {frame.file}:{frame.line} in {frame.function}")
        if node.attempt:
            lines.append(f"      {node.paths.stderr(node.attempt)}")
            lines.append(f"      {node.paths.stdout(node.attempt)}")
    if len(failed) > MAX_LISTED:
        lines.append(f"  … and {len(failed) - MAX_LISTED} more")
    total = counts.failed
    what = f"{plural(total, 'job')} failed"
    if counts.blocked:
        what += f", {counts.blocked} blocked behind"
    return FailedJobs("\n".join([what, *lines]))
