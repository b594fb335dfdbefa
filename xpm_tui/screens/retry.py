"""Running again: what would run, what comes along, what stays as it is and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rich.text import Text

from xpm_engine.verbs.retry import RETRYABLE
from xpm_engine.verbs.retry_outline import RetryOutline, RetryRow, Role
from xpm_engine.workspace.records.states import JobState
from xpm_tui import look
from xpm_tui.deeds import Deeds
from xpm_tui.screens.capture import Capture
from xpm_tui.screens.dialog import Dialog
from xpm_tui.store import Store

MOST_NAMED = 60
"""Jobs of a kind that the dialog names; the others are counted."""

ASKED = frozenset((*RETRYABLE, JobState.UNREACHABLE))

WORDS = {
    Role.AGAIN: "to run again",
    Role.UPSTREAM: "to run first: the others need it",
    Role.DEPENDANT: "coming along: blocked, or never started",
    Role.FOLLOWED: "running already, and waited for",
}


@dataclass(frozen=True)
class RetryOffer:
    """What the dialog asks about."""

    plan: RetryOutline
    dead: RetryOutline | None
    """The plan where what can't be asked from here counts as dead; None if it is the same."""
    others: int
    """Captured jobs that neither failed nor are blocked."""
    hidden: int


def prepare(deeds: Deeds, capture: Capture) -> RetryOffer:
    """Plan it; reads tickets and manifests, so in a thread. Raises XpmError."""
    asked = [job.key for job in capture.jobs if job.state in ASKED]
    if len(capture.jobs) == 1:
        asked = list(capture.keys)
    plan = deeds.plan_retry(asked)
    dead = deeds.plan_retry(asked, assume_dead=True)
    return RetryOffer(
        plan, dead if dead.presumed_dead else None, len(capture.jobs) - len(asked), capture.hidden
    )


def dialog(store: Store, offer: RetryOffer) -> Dialog:
    """The question; the last button says that what can't be asked is dead."""
    plan, lines = offer.plan, list[Text]()
    for role in (Role.AGAIN, Role.UPSTREAM, Role.DEPENDANT, Role.FOLLOWED):
        lines += _role_lines(store, role, plan.of(role))
    lines += _refusal_lines(store, plan)
    if offer.others:
        verb = "is" if offer.others == 1 else "are"
        words = f"{look.plural(offer.others, 'other job')} here {verb} neither failed nor blocked"
        lines.append(Text(words, "xpm.faint"))
    lines += Capture(hidden=offer.hidden).hidden_line
    choices: list[str] = []
    count = len(plan.again) + len(plan.dependants)
    title = "Nothing here can be run again" if not count else f"Run {_jobs(plan)} again?"
    if count:
        choices.append(f"Run {_jobs(plan)}")
    if offer.dead is not None:
        hosts = look.plural(len(offer.dead.presumed_dead), "job")
        choices.append(f"Take {hosts} for dead, run {_jobs(offer.dead)}")
    if count:
        lines.append(Text("They run by themselves, in the background.", "xpm.faint"))
    return Dialog(title, lines, *choices)


def chosen(offer: RetryOffer, button: int) -> RetryOutline:
    """The plan that a button of the dialog stands for."""
    runs = bool(offer.plan.again or offer.plan.dependants)
    if offer.dead is not None and button == (2 if runs else 1):
        return offer.dead
    return offer.plan


def carry_out(deeds: Deeds, plan: RetryOutline) -> str:
    """Start it, in a thread; what came of it, in words. Raises XpmError."""
    runs = ", ".join(deeds.start_retry(plan))
    along = f", {look.plural(len(plan.dependants), 'dependant')} along" if plan.dependants else ""
    return f"{look.plural(len(plan.again), 'job')} again{along}: {runs}"


def _jobs(plan: RetryOutline) -> str:
    return look.plural(len(plan.again) + len(plan.dependants), "job")


def _role_lines(store: Store, role: Role, jobs: tuple[RetryRow, ...]) -> list[Text]:
    if not jobs:
        return []
    lines = [Text(f"{look.plural(len(jobs), 'job')} {WORDS[role]}", "xpm.title")]
    for job in jobs[:MOST_NAMED]:
        title = look.plain(store.title(store.job(job.key, store.home_of(job.key))))
        line = Text.assemble("  ", look.state_glyph(job.state), f" {title}")
        if job.key.short not in title:
            line.append(f"  {job.key.short}", "xpm.faint")
        line.append(f"  {look.plain(job.why)}" if job.why else "", "xpm.faint")
        line.no_wrap, line.overflow = True, "ellipsis"
        lines.append(line)
    if len(jobs) > MOST_NAMED:
        lines.append(Text(f"  and {len(jobs) - MOST_NAMED:,} more", "xpm.faint"))
    return lines


def _refusal_lines(store: Store, plan: RetryOutline) -> list[Text]:
    """What stays, with its reason; many with the same reason in one line."""
    same = Counter(refusal.text for refusal in plan.refused)
    lines: list[Text] = []
    for refusal in plan.refused:
        count = same.pop(refusal.text, 0)
        if not count:
            continue
        title = store.title(store.job(refusal.key, store.home_of(refusal.key)))
        more = f" and {count - 1:,} more" if count > 1 else ""
        verb = "stay" if count > 1 else "stays"
        lines.append(Text(look.plain(f"{title}{more} {verb}: {refusal.text}"), "xpm.warning"))
    return lines
