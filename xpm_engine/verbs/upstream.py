"""Following a change through the upstream jobs to where it began."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from xpm_engine.verbs.earlier import read_params
from xpm_engine.workspace.compare import differences, part_of
from xpm_engine.workspace.differences import Difference, job_text
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.params import ParamsRecord

MOST_STEPS = 50
"""Upstream jobs that are followed; more than that no one reads."""

Lookup = Callable[[JobKey], "ParamsRecord | None"]
"""Gives the parameters of a job that has no folder yet; None for one it does not know."""


@dataclass(frozen=True)
class Step:
    """One upstream job that changed, and why."""

    depth: int
    """1 for a direct upstream job."""
    path: str
    """The parameter that it comes in by."""
    old: JobKey
    new: JobKey
    differences: tuple[Difference, ...]
    problem: str = ""
    """Why it can't be told what changed; empty if it can."""

    def text(self) -> str:
        """``model: upstream learn/ab12cd → learn/34ef56``, without the reasons."""
        return f"{self.path}: upstream {job_text(self.old)} → {job_text(self.new)}"

    def to_json(self) -> dict[str, Any]:
        return {
            "depth": self.depth,
            "path": self.path,
            "old": str(self.old),
            "new": str(self.new),
            "differences": [each.to_json() for each in self.differences],
            "problem": self.problem or None,
        }


def follow(
    workspace: WorkspacePaths,
    old: ParamsRecord,
    new: ParamsRecord,
    found: Iterable[Difference],
    *,
    lookup: Lookup | None = None,
) -> tuple[Step, ...]:
    """Why each upstream job among the differences `found` of two records changed.

    Each is followed by those upstream of it, one level deeper; each pair of jobs is told once.
    """
    steps: list[Step] = []
    seen: set[tuple[JobKey, JobKey]] = set()
    stack = [(1, each, old, new) for each in reversed(list(found))]
    while stack and len(steps) < MOST_STEPS:
        depth, each, before, after = stack.pop()
        was, now = each.old_job, each.new_job
        if was is None or now is None or (was, now) in seen:
            continue
        seen.add((was, now))
        mine = part_of(before, was) or read_params(workspace, was)
        yours = part_of(after, now) or (lookup and lookup(now)) or read_params(workspace, now)
        if mine is None or yours is None:
            gone = job_text(was if mine is None else now)
            problem = f"the parameters of {gone} are no longer there, or unreadable"
            steps.append(Step(depth, each.path, was, now, (), problem))
            continue
        below = differences(mine, yours)
        steps.append(Step(depth, each.path, was, now, below))
        stack.extend((depth + 1, part, mine, yours) for part in reversed(below))
    return tuple(steps)


def root_text(steps: Iterable[Step]) -> str:
    """The first chain of `steps` as a clause: ``upstream learn changed, because lr 0.1 → 0.01``."""
    words: list[str] = []
    depth = 0
    for step in steps:
        if step.depth != depth + 1:
            break
        depth = step.depth
        words.append(f"upstream {step.new.task.rpartition('.')[2]} changed")
        own = [each for each in step.differences if each.new_job is None]
        if own or step.problem:
            words.append(step.problem or own[0].text())
            break
    if len(words) > 4:
        words = [words[0], "…", *words[-2:]]
    return ", because ".join(words)
