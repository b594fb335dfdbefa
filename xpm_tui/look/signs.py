"""Signs: what a state, a wait and a part of a whole look like, and their stand-ins in ASCII."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.text import Text

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Wait, WaitKind
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_tui.look.words import ordinal, plain, size

PINNED = "⚑"
DRIFTED = "≠"
MARKED = "◆"
CURSOR = "▌"
FOLDED = "▸"
UNFOLDED = "▾"
BAR_FULL = "━"
BAR_REST = "╌"


@dataclass(frozen=True)
class StateLook:
    """How a state is shown: never by its colour alone."""

    glyph: str
    word: str
    style: str


STATES: Mapping[JobState, StateLook] = {
    JobState.WAITING: StateLook("○", "waiting", "xpm.waiting"),
    JobState.READY: StateLook("○", "ready", "xpm.waiting"),
    JobState.BLOCKED: StateLook("⊖", "blocked", "xpm.blocked"),
    JobState.QUEUED: StateLook("◔", "queued", "xpm.queued"),
    JobState.RUNNING: StateLook("●", "running", "xpm.running"),
    JobState.UNREACHABLE: StateLook("●", "unreachable", "xpm.unreadable"),
    JobState.DONE: StateLook("✓", "done", "xpm.done"),
    JobState.FAILED: StateLook("✗", "failed", "xpm.failed"),
    JobState.CANCELLED: StateLook("⊘", "cancelled", "xpm.cancelled"),
    JobState.DIED: StateLook("†", "died", "xpm.failed"),
    JobState.CLEANING: StateLook("◔", "cleaning", "xpm.queued"),
    JobState.NOT_SUBMITTED: StateLook("○", "never started", "xpm.faint"),
    JobState.UNREADABLE: StateLook("?", "unreadable", "xpm.unreadable"),
}

PLANS: Mapping[PlanState, str] = {
    PlanState.RUNNING: "running",
    PlanState.COMPLETE: "complete",
    PlanState.PARTIAL: "a selection only",
    PlanState.RAISED: "its plan raised an error",
    PlanState.INTERRUPTED: "interrupted",
    PlanState.CRASHED: "its plan is gone",
}

ASCII = str.maketrans(
    {
        "○": ".",
        "◔": "q",
        "●": ">",
        "✓": "+",
        "✗": "X",
        "†": "!",
        "⊘": "/",
        "⊖": "#",
        DRIFTED: "~",
        PINNED: "^",
        MARKED: "*",
        CURSOR: ">",
        FOLDED: "+",
        UNFOLDED: "-",
        BAR_FULL: "=",
        BAR_REST: ".",
        "─": "-",
        "│": "|",
        "┬": "+",
        "┴": "+",
        "├": "+",
        "┤": "+",
        "┼": "+",
        "┌": "+",
        "┐": "+",
        "└": "+",
        "┘": "+",
        "┊": ":",
        "…": "~",
        "·": "-",
        "›": ">",
        "→": ">",
        "←": "<",
        "↑": "^",
        "↓": "v",
        "≥": ">",
        "–": "-",
        "◌": "o",
        "★": "*",
        "⏎": "/",
        "�": "?",
        "█": "#",
        **dict.fromkeys("▁▂▃▄▅▆▇▔▉▊▋▍▎▏▐", "|"),
        **{chr(dots): "*" if dots > 0x2800 else " " for dots in range(0x2800, 0x2900)},
    }
)
"""What stands for each of our signs on a terminal that has no more than ASCII; width is kept."""


def state_glyph(state: JobState) -> Text:
    """``✗``, coloured."""
    look = STATES[state]
    return Text(look.glyph, look.style)


def state_text(state: JobState) -> Text:
    """``✗ failed``, coloured."""
    look = STATES[state]
    return Text(f"{look.glyph} {look.word}", look.style)


def count_text(state: JobState, count: int, *, word: bool = False) -> Text:
    """``✗23``, or ``✗ 23 failed``, coloured."""
    look = STATES[state]
    words = f"{look.glyph} {count:,} {look.word}" if word else f"{look.glyph}{count:,}"
    return Text(words, look.style)


def bar(fraction: float, width: int, *, style: str = "xpm.running") -> Text:
    """``━━━━╌╌╌╌``: a part of the whole, full only at the whole."""
    fraction = min(1.0, max(0.0, fraction))
    full = width if fraction == 1.0 else min(width - 1, int(fraction * width + 0.5))
    if fraction > 0 and width > 1:
        full = max(1, full)
    text = Text(BAR_FULL * full, style)
    text.append(BAR_REST * (width - full), "xpm.faint")
    return text


def wait_text(wait: Wait, *, held: bool = False) -> str:
    """Why a job waits, in a few words: ``free core, 1st``, ``token gpu``.

    With `held` also who has it: ``token gpu (learn 9b2e41 has it), 2nd``.
    """
    match wait.kind:
        case WaitKind.CORE:
            words = "free core"
        case WaitKind.RESOURCE | WaitKind.TOKEN:
            words = f"{wait.kind.value} {plain(wait.what)}".strip()
        case WaitKind.DEPENDENCY | WaitKind.UPSTREAM_FAILED:
            words = _upstream(wait)
        case WaitKind.RETRY:
            words = "the next attempt"
        case WaitKind.STOPPED:
            words = "nothing: its plan starts no more after a failure"
        case WaitKind.SHARED:
            words = "shared folder"
        case WaitKind.HOST:
            words = f"{plain(wait.host)}: {plain(wait.what)}"
        case WaitKind.RESULT:
            trouble = f" ({plain(wait.what)})" if wait.what else ""
            words = f"the result of {_upstream(wait)} from {plain(wait.host)}{trouble}"
        case WaitKind.SENT:
            words = f"{plain(wait.host)}, where it may run: {plain(wait.what)}"
        case WaitKind.CLEANING:
            words = "its folder is being cleaned"
    if wait.host and wait.kind not in (WaitKind.HOST, WaitKind.RESULT, WaitKind.SENT):
        words += f" on {plain(wait.host)}"
    holders = held_words(wait) if held else ""
    if holders:
        words += f" ({holders})"
    return f"{words}, {ordinal(wait.place)}" if wait.place else words


def held_words(wait: Wait) -> str:
    """Who has what a job waits for: ``learn 9b2e41 has it``, ``4 of 4 busy``; empty if untold."""
    if wait.kind not in _HELD:
        return ""
    parts: list[str] = []
    if len(wait.on) == 1:
        parts.append(f"{_short(wait.on[0])} has it")
    elif wait.on and wait.kind is not WaitKind.CORE:
        parts.append(f"{_short(wait.on[0])} and {len(wait.on) - 1} more have it")
    if wait.total and (not parts or wait.total > 1):
        count = size if wait.what == "memory" and wait.kind is WaitKind.RESOURCE else str
        parts.insert(0, f"{count(wait.used)} of {count(wait.total)} busy")
    if wait.behind:
        parts.append(f"{plain(wait.behind)} was here before")
    return ", ".join(parts)


_HELD = (WaitKind.CORE, WaitKind.RESOURCE, WaitKind.TOKEN, WaitKind.SHARED)


def _short(key: JobKey) -> str:
    return f"{plain(key.task.rpartition('.')[2])} {key.short}"


def _upstream(wait: Wait) -> str:
    if not wait.on:
        return "something upstream" + (" failed" if wait.kind is WaitKind.UPSTREAM_FAILED else "")
    if wait.kind is WaitKind.UPSTREAM_FAILED:
        return f"{_short(wait.on[-1])} {plain(wait.what) or 'failed'}"
    words = _short(wait.on[0])
    return words if len(wait.on) == 1 else f"{words} and {len(wait.on) - 1} more"
