"""Killing: what would be stopped, the plan that would start the next jobs, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rich.text import Text

from xpm_engine.verbs.kill import KILLABLE, LivePlan
from xpm_tui import look
from xpm_tui.deeds import Deeds
from xpm_tui.screens.capture import Capture, name_lines
from xpm_tui.screens.dialog import Dialog
from xpm_tui.store import Job, Store


@dataclass(frozen=True)
class KillOrder:
    """What the dialog asks about."""

    jobs: tuple[Job, ...]
    """Those that run or are queued."""
    idle: int
    """Captured jobs that do neither."""
    hidden: int
    plans: tuple[LivePlan, ...]
    """They go on, and start the next jobs."""


def prepare(deeds: Deeds, capture: Capture) -> KillOrder:
    """Find the plans behind the captured jobs; reads manifests, so in a thread."""
    live = tuple(job for job in capture.jobs if job.state in KILLABLE)
    plans = deeds.live_plans(capture.keys)
    return KillOrder(live, len(capture.jobs) - len(live), capture.hidden, plans)


def dialog(store: Store, order: KillOrder) -> Dialog:
    """The question; the last button stops the plans too."""
    jobs, plans = look.plural(len(order.jobs), "job"), _plans(order)
    lines = name_lines(store, order.jobs)
    if order.jobs:
        lines.append(
            Text("A task has 10 seconds to save what it has; then it is ended.", "xpm.faint")
        )
    if order.idle:
        verb = "is" if order.idle == 1 else "are"
        kind = "other job" if order.jobs else "job"
        words = f"{look.plural(order.idle, kind)} here {verb} neither running nor queued"
        lines.append(Text(words, "xpm.faint"))
    lines += Capture(hidden=order.hidden).hidden_line
    for plan in order.plans:
        lines.append(Text(look.plain(f"{plan} goes on, and starts the next jobs."), "xpm.warning"))
    if not order.jobs:
        return Dialog(f"Nothing to kill here; stop the {plans}?", lines, f"Stop the {plans}")
    if not order.plans:
        return Dialog(f"Kill {jobs}?", lines, f"Kill {jobs}")
    return Dialog(f"Kill {jobs}?", lines, f"Kill {jobs}", f"Kill, and stop the {plans}")


def carry_out(deeds: Deeds, order: KillOrder, *, stop: bool) -> str:
    """Do it, the plans first, so that they start nothing meanwhile; what came of it, in words."""
    unreached = [plan for plan in order.plans if stop and not deeds.stop_plan(plan)]
    outcomes = Counter(deeds.kill([job.key for job in order.jobs]))
    words = [f"{look.plural(count, 'job')} {outcome}" for outcome, count in outcomes.items()]
    if stop and len(unreached) < len(order.plans):
        words.append(f"the {_plans(order)} too" if words else f"the {_plans(order)} is stopping")
    words += [f"can't reach {plan.driver.pid} on {plan.driver.host}" for plan in unreached]
    return "; ".join(words)


def why_nothing(capture: Capture) -> str:
    """Why there is nothing to ask about."""
    states = Counter(job.state.value for job in capture.jobs)
    counts = ", ".join(f"{count:,} {state}" for state, count in states.most_common(3))
    words = (
        f"K kill: none of them runs or is queued ({counts})" if counts else "K kill: no job here"
    )
    return f"{words}; {look.hidden_words(capture.hidden)}" if capture.hidden else words


def _plans(order: KillOrder) -> str:
    return "plan" if len(order.plans) == 1 else look.plural(len(order.plans), "plan")
