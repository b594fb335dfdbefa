"""Row 1: the place at the left, the totals at the right."""

from __future__ import annotations

import os

from rich.text import Text

from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.processes import host_name
from xpm_engine.workspace.records.states import JobState
from xpm_tui.look import STATES, plain
from xpm_tui.store import (
    AllJobsSubject,
    CleanedSubject,
    Counts,
    EarlierRunsSubject,
    ExperimentSubject,
    FailedSubject,
    GroupSubject,
    JobSubject,
    LogSubject,
    ObsoleteSubject,
    RunKey,
    RunSubject,
    Store,
    Subject,
    TrashSubject,
)
from xpm_tui.widgets.frame.sides import Sides

WORDY = 100
"""Cells from which on the totals say their words."""


class TitleBar(Sides):
    """Where one is, and how it stands."""

    def show_place(self, store: Store, subject: Subject) -> None:
        """Show where `subject` is, and the totals of all latest runs."""
        where = store.place or f"{host_name()}:{home_path(store.workspace)}"
        left = Text(plain(" › ".join([where, *place_of(store, subject)])), "xpm.title")
        self.show(left, totals_text(store.totals(), wordy=self.size.width >= WORDY))

    def show_empty(self, workspace: WorkspacePaths, *, place: str = "") -> None:
        """Show a workspace in which nothing has run; `place` is where it really is."""
        where = place or f"{host_name()}:{home_path(workspace)}"
        self.show(Text(plain(where), "xpm.title"), Text("empty", "xpm.faint"))


def home_path(workspace: WorkspacePaths) -> str:
    """The workspace's path, from the home folder if it is in there."""
    home = os.path.expanduser("~")
    root = workspace.root
    return "~" + root[len(home) :] if root.startswith(home + "/") else root


def place_of(store: Store, subject: Subject) -> list[str]:
    """The names of what a subject is inside of, and its own."""
    match subject:
        case FailedSubject():
            return ["Failed"]
        case AllJobsSubject():
            return ["All jobs"]
        case ObsoleteSubject():
            return ["Obsolete"]
        case TrashSubject():
            return ["Trash"]
        case CleanedSubject(name):
            return ["Trash", name]
        case ExperimentSubject(name):
            return [name]
        case EarlierRunsSubject(name):
            return [name, "earlier runs"]
        case RunSubject(run):
            return _run_place(store, run)
        case GroupSubject(run, group):
            return [*_run_place(store, run), *(store.group_label(run, group))]
        case JobSubject(key, run):
            job = store.job(key, run)
            task = store.task_name(key.task, run)
            return [*(_run_place(store, run) if run else []), task, store.label(job)]
        case LogSubject(key, run, stream):
            return [*place_of(store, JobSubject(key, run)), stream.value]
        case _:
            return []


def _run_place(store: Store, run: RunKey) -> list[str]:
    experiment = store.experiment(run.experiment)
    latest = experiment is not None and experiment.latest == run
    return [run.experiment] if latest else [run.experiment, run.run]


def totals_text(counts: Counts, *, wordy: bool) -> Text:
    """``● 4 running  ○ 31 waiting  ✗ 25 failed``; zeros are left out."""
    found = (
        (JobState.RUNNING, counts.running),
        (JobState.WAITING, counts.waiting),
        (JobState.FAILED, counts.failed),
    )
    parts: list[Text] = []
    for state, count in found:
        if count:
            look = STATES[state]
            word = f" {look.word}" if wordy else ""
            parts.append(Text(f"{look.glyph} {count:,}{word}", look.style))
    if not parts and counts.total:
        look = STATES[JobState.DONE]
        parts.append(Text(f"{look.glyph} {counts.done:,}{' done' if wordy else ''}", look.style))
    return Text("  ").join(parts)
