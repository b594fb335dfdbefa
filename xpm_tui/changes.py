"""What was changed in this session, and so can be taken back; no Textual in it."""

from __future__ import annotations

from dataclasses import dataclass

from xpm_engine.verbs.cleaning import clean, pins
from xpm_engine.words import plural
from xpm_engine.workspace.layout import JobKey, WorkspacePaths


@dataclass(frozen=True)
class Cleaned:
    """Jobs were moved to the trash."""

    transaction: str


@dataclass(frozen=True)
class Pinned:
    """Pins were set on these jobs, or taken away from them."""

    jobs: tuple[JobKey, ...]
    on: bool


Change = Cleaned | Pinned


def take_back(workspace: WorkspacePaths, change: Change) -> str:
    """Undo a change; what was done, in words. Raises XpmError."""
    if isinstance(change, Cleaned):
        return clean.undone_sentence(clean.undo(workspace, change.transaction))
    return pin_words(set_pins(workspace, change.jobs, on=not change.on))


def set_pins(workspace: WorkspacePaths, jobs: tuple[JobKey, ...], *, on: bool) -> Pinned:
    """Pin these jobs, or take their pins away; what was really changed. Raises XpmError."""
    done = pins.pin(workspace, jobs) if on else pins.unpin(workspace, jobs)
    return Pinned(done, on)


def pin_words(change: Pinned) -> str:
    """What was done, in a sentence."""
    jobs = plural(len(change.jobs), "job")
    if change.on:
        return f"pinned {jobs}: no clean moves it" if len(change.jobs) == 1 else f"pinned {jobs}"
    return f"unpinned {jobs}"
