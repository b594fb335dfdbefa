"""What there is to say about a job in a few words."""

from __future__ import annotations

from collections.abc import Sequence

from xpm_engine.verbs.causes import reason_text
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.runs import How
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord
from xpm_tui.look.signs import DRIFTED, wait_text
from xpm_tui.look.words import duration, silence_words


def note_words(
    state: JobState,
    record: JobRecord,
    *,
    wait: Wait | None,
    drift: Sequence[str],
    how: How | None,
    trashed: bool,
    now: float,
) -> str:
    """The first that is to be said of these; empty where the state says it all.

    `now` is in seconds since 1970.
    """
    if state.ended_badly:
        return reason_text(state, record.reason)
    if record.problem:
        return record.problem
    if trashed:
        return "in the trash"
    if wait is not None and state.held_up:
        return wait_text(wait, held=True)
    if drift:
        return f"{DRIFTED} drifted"
    progress = record.progress
    if state is JobState.UNREACHABLE:
        silence = silence_words(record.sign, now)
        host = None if record.supervisor is None else record.supervisor.host
        return ", ".join(filter(None, (silence, f"on {host}" if host else "")))
    if state is JobState.RUNNING and progress is not None:
        left = progress.seconds_left
        return "" if left is None else f"~{duration(left)} left"
    return "reused" if how is How.REUSED and state is JobState.DONE else ""
