"""What is said of one job at a glance: plain lines, made from the store and what was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from xpm_engine.verbs.causes import reason_place, reason_text
from xpm_engine.words import as_of_words
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.fields import parse_time
from xpm_engine.workspace.records.mirror import Fetched
from xpm_engine.workspace.records.reasons import Reason, WaitKind
from xpm_engine.workspace.records.states import UNREADABLE_NEXT, JobState
from xpm_engine.workspace.records.tickets import Attempt
from xpm_engine.workspace.settings import LOCAL
from xpm_tui import look
from xpm_tui.facts.metrics import sparkline
from xpm_tui.facts.usage import LiveUsage
from xpm_tui.store import Job, pair
from xpm_tui.widgets.job.overview_facts import (
    Explained,
    OverviewFacts,
)
from xpm_tui.widgets.lines import Line

LABEL = 13
"""Cells of the labels on the left."""

BAR = 24
"""Cells of a progress bar."""

MOST_NEEDS = 12
"""Jobs that are named one by one; the Links tab has all of them."""

TRAIL = 30
"""Looks at what a process uses that are kept, and drawn."""


@dataclass(frozen=True)
class Neighbour:
    """A job that this one needs, or that needs it."""

    title: str
    """Its task and its label, as the user wrote them."""
    job: Job


@dataclass(frozen=True)
class OverviewOf:
    """The job, and the jobs around it, as the store has them."""

    workspace: WorkspacePaths
    job: Job
    folder: str
    """Where it is, for people."""
    upstream: tuple[Neighbour, ...] = ()
    downstream: tuple[Neighbour, ...] = ()
    experiments: tuple[str, ...] = ()
    """Whose latest run references it."""
    away: bool = False
    """Whether the workspace is another machine's, and what is here a part of it."""


def overview_lines(
    about: OverviewOf,
    facts: OverviewFacts,
    *,
    now: float,
    explained: Explained | None = None,
    trail: Sequence[LiveUsage] = (),
) -> tuple[Line, ...]:
    """All that the tab shows; `now` in seconds since 1970."""
    job = about.job
    blocks = [
        list(_state_lines(job, facts, now)),
        [*_progress_lines(job, facts), *_usage_lines(trail if job.state.live else ())],
        list(_time_lines(job, facts, now)),
        [*_why_lines(explained), *_need_lines(about)],
        list(_name_lines(about)),
    ]
    lines: list[Line] = []
    for block in blocks:
        if block:
            lines.extend([*([Line(Text())] if lines else []), *block])
    return tuple(lines)


def _state_lines(job: Job, facts: OverviewFacts, now: float) -> Iterator[Line]:
    sentence = state_sentence(job, facts.usage, now=now)
    if facts.pinned:
        sentence.append(f" · {look.PINNED} pinned", "xpm.marked")
    old = as_of_words(job.record, now)
    if old:
        sentence.append(f" · {old}", "xpm.warning")
    silence = look.silence_words(facts.sign, now)
    if silence:
        sentence.append(f" · {silence}", "xpm.warning")
    yield Line(sentence)
    for problem in filter(None, (job.record.problem, facts.problem)):
        yield labelled("Problem", Text(look.plain(problem)))
    if job.state is JobState.UNREADABLE:
        yield labelled("Next", Text(UNREADABLE_NEXT))
    if job.state.ended_badly and job.record.reason is not None:
        yield from _reason_lines(job.record.reason)
    if facts.there is not None:
        yield labelled("Elsewhere", Text(look.plain(there_words(facts.there)), "xpm.warning"))
    if job.wait is not None:
        yield labelled("Waits for", Text(look.plain(look.wait_text(job.wait, held=True))))
        if job.wait.kind is WaitKind.SENT:
            host = look.plain(job.wait.host)
            words = f"goes on when {host} is back. Gone for good? K ends its plan, R then asks"
            yield labelled("Next", Text(words))
    for change in job.drift:
        yield labelled("Drifted", Text(look.plain(change)))


def state_sentence(job: Job, usage: LiveUsage | None, *, now: float) -> Text:
    """``● running 9 min on front1 · pid 5120 · 96 % cpu · 1.2 GB``."""
    record = job.record
    if job.trashed:
        how = f": z in Trash or `xpm undo {look.plain(job.trashed)}` brings it back"
        return job_state_text(job).append(how)
    sentence = look.state_text(job.state)
    parts: list[str] = []
    running = job.state in (JobState.RUNNING, JobState.UNREACHABLE)
    if running and record.started is not None:
        elapsed = look.duration(now - (parse_time(record.started) or now))
        host = "" if record.supervisor is None else f" on {record.supervisor.host}"
        sentence.append(f" {elapsed}{look.plain(host)}")
        process = record.task or record.supervisor
        if process is not None:
            parts.append(f"pid {process.pid}")
        if usage is not None:
            parts.append(f"{usage.cpu * 100:.0f} % cpu")
            parts.append(look.size(usage.memory))
    elif record.usage is not None and not job.state.live:
        sentence.append(f" after {look.duration(record.usage.seconds)}")
    if record.attempt > 1:
        parts.append(f"attempt {record.attempt}")
    for part in parts:
        sentence.append(f" · {part}")
    return sentence


def there_words(there: Fetched) -> str:
    """What is on another host alone, and how it comes here."""
    size = f", {look.size(there.left_size)}," if there.left_size else ""
    verb = "is" if there.left == 1 else "are"
    return f"{look.plural(there.left, 'file')}{size} {verb} on {there.of} alone: F fetches"


def reason_words(job: Job) -> str:
    """Why it ended badly and where, in one line."""
    place = reason_place(job.record.reason)
    return reason_text(job.state, job.record.reason) + (f"  {place}" if place else "")


def _reason_lines(reason: Reason) -> Iterator[Line]:
    yield labelled("Reason", Text(look.plain(reason.text), "bold"))
    if reason.exception is not None and reason.exception not in reason.text:
        yield labelled("", Text(look.plain(reason.exception)))
    if reason.frame is not None:
        frame = reason.frame
        yield labelled("At", Text(look.plain(f"{frame.file}:{frame.line} in {frame.function}")))
        source = look.plain(frame.source.strip())
        yield labelled("", Text(f"> {frame.line}   {source}", "bold"))


def _progress_lines(job: Job, facts: OverviewFacts) -> Iterator[Line]:
    if facts.came_to is not None and facts.came_to.levels:
        parts = [f"{level.text} {look.percent(level.fraction)}" for level in facts.came_to.levels]
        yield labelled("Came to", Text(look.plain(" · ".join(parts))))
    progress = job.record.progress
    if progress is None or not job.state.live:
        return
    for depth, level in enumerate(progress.levels):
        words = Text(f"{look.percent(level.fraction):>5}")
        if not depth and progress.seconds_left is not None:
            words.append(f" · ~{look.duration(progress.seconds_left)} left")
        if level.text:
            words.append(f" · {look.plain(level.text)}")
        bar = look.bar(level.fraction, BAR - 2 * depth)
        label = "Progress" if not depth else " " * 2 * depth + "part"
        yield labelled(label, bar + Text("  ") + words)


def _usage_lines(trail: Sequence[LiveUsage]) -> Iterator[Line]:
    """What the process has used since it was first looked at."""
    if len(trail) < 2:
        return
    cpu, memory = [usage.cpu for usage in trail], [float(usage.memory) for usage in trail]
    for label, values, last in (
        ("Processor", cpu, f"{cpu[-1] * 100:.0f} %"),
        ("Memory", memory, look.size(int(memory[-1]))),
    ):
        line = Text(sparkline(values).ljust(TRAIL), "xpm.running")
        yield labelled(label, line.append(f"  {last}", ""))


def _why_lines(explained: Explained | None) -> Iterator[Line]:
    """Why it ran, and what it was compared with."""
    if explained is None:
        return
    words = Text(look.plain(explained.words))
    if explained.compared:
        words.append(f"   (nearest earlier job: {explained.compared})", "xpm.faint")
    yield labelled("Result of" if explained.reused else "Ran because", words)


def _time_lines(job: Job, facts: OverviewFacts, now: float) -> Iterator[Line]:
    record = job.record
    for label, at in (
        ("Ordered", record.launched),
        ("Started", record.started),
        ("Ended", record.ended),
    ):
        if at is not None:
            yield labelled(label, Text(look.when_long(at, now)))
    if record.usage is not None:
        usage = record.usage
        words = (
            f"{look.duration(usage.seconds)} · {look.duration(usage.cpu_seconds)} of processor"
            f" · {look.size(usage.peak_bytes)} at most"
        )
        yield labelled("Used", Text(words))
    for attempt in facts.attempts[:-1]:
        yield labelled(f"Attempt {attempt.number}", _attempt_words(attempt, now))


def _attempt_words(attempt: Attempt, now: float) -> Text:
    end = attempt.end
    if end is None:
        return Text("has no end yet")
    words = f"{end.outcome.value} {look.when_long(end.at, now)}"
    if end.usage is not None:
        words += f" after {look.duration(end.usage.seconds)}"
    if end.reason is not None:
        words += f": {end.reason.text}"
    return Text(look.plain(words))


def _need_lines(about: OverviewOf) -> Iterator[Line]:
    yield from _jobs_lines("Needs", about.upstream)
    yield from _jobs_lines("Needed by", about.downstream)
    if about.experiments:
        yield labelled("In", Text(look.plain(", ".join(about.experiments))))


def _jobs_lines(label: str, neighbours: tuple[Neighbour, ...]) -> Iterator[Line]:
    for index, neighbour in enumerate(neighbours[:MOST_NEEDS]):
        yield labelled("" if index else label, neighbour_words(neighbour))
    if len(neighbours) > MOST_NEEDS:
        yield labelled("", Text(f"… {len(neighbours) - MOST_NEEDS:,} more: see Links", "xpm.faint"))


def job_state_text(job: Job) -> Text:
    """Its sign and its state's word; of one that lies in the trash, that it does."""
    return Text("○ in the trash", "xpm.faint") if job.trashed else look.state_text(job.state)


def neighbour_words(neighbour: Neighbour) -> Text:
    """``✓ done  index stem=porter  3f2a10``."""
    words = Text().append_text(job_state_text(neighbour.job))
    words.append(f"  {look.plain(neighbour.title)}")
    digits = neighbour.job.key.short
    return words if digits in neighbour.title else words.append(f"  {digits}", "xpm.faint")


def _name_lines(about: OverviewOf) -> Iterator[Line]:
    job = about.job
    if job.tags:
        tags = " ".join(pair(name, value) for name, value in job.tags.items())
        yield labelled("Tags", Text(look.plain(tags)))
    if job.record.run:
        yield labelled("Ordered by", Text(look.plain(job.record.run)))
    if job.record.launcher and job.record.launcher != LOCAL:
        yield labelled("Launcher", Text(look.plain(job.record.launcher)))
    if job.record.user:
        yield labelled("User", Text(look.plain(job.record.user)))
    yield labelled("Identifier", Text(look.plain(str(job.key))))
    yield labelled("Folder", Text(look.plain(about.folder)))


def labelled(label: str, value: Text) -> Line:
    """A value behind its label; what does not fit goes on below the value."""
    return Line(Text(label.ljust(LABEL), "xpm.faint") + value, indent=LABEL)
