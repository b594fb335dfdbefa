"""What a run tells the person who started it: a few lines, and every failure with its logs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from xpm_engine.errors import FailedJobs
from xpm_engine.plan.board import Counts
from xpm_engine.plan.node import Node, Stage
from xpm_engine.verbs.words import plain

MAX_LISTED = 20
"""Failures that are listed in full; the others are counted."""

MAX_TEXT = 500
"""Characters of a tag's or a reason's text that are told."""


def say(text: str, *, stream: TextIO | None = None) -> None:
    """One line to standard error, where it does not mix with what the plan prints."""
    target = sys.stderr if stream is None else stream
    target.write(text + "\n")
    target.flush()


def label(node: Node) -> str:
    """A job for people: its task, six digits, its tags."""
    tags = " ".join(f"{key}={value}" for key, value in node.order.tags.items())
    return " ".join(filter(None, (node.key.task, node.key.short, _brief(tags))))


def _brief(text: str) -> str:
    """What a user wrote, in one line that steers no terminal and fills no screen."""
    words = plain(text)
    return words if len(words) <= MAX_TEXT else f"{words[:MAX_TEXT]}…"


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
        reason = "unknown reason" if node.reason is None else _brief(node.reason.text)
        lines.append(f"  {label(node)}: {reason}")
        frame = None if node.reason is None else node.reason.frame
        if frame is not None:
            lines.append(f"      at {frame.file}:{frame.line} in {frame.function}")
        if node.attempt:
            lines.append(f"      {node.paths.stderr(node.attempt)}")
            lines.append(f"      {node.paths.stdout(node.attempt)}")
    if len(failed) > MAX_LISTED:
        lines.append(f"  … and {len(failed) - MAX_LISTED} more")
    total = counts.failed
    what = f"{total} job{'s' if total != 1 else ''} failed"
    if counts.blocked:
        what += f", {counts.blocked} blocked behind"
    return FailedJobs("\n".join([what, *lines]))
