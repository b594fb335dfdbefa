"""The one thing under the cursor: where it is in the files, and what it is called when copied."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from xpm_engine.errors import UsageError
from xpm_engine.verbs.causes import Cause
from xpm_engine.workspace.scan import RunView
from xpm_tui.facts.folder import Entry
from xpm_tui.outside.programs import END, FileLine, frame_of
from xpm_tui.store import (
    EarlierRunsSubject,
    Experiment,
    ExperimentSubject,
    GroupSubject,
    Job,
    JobSubject,
    LogSubject,
    RunKey,
    RunSubject,
    Store,
    Stream,
    Subject,
    TrashSubject,
)
from xpm_tui.widgets.job.links import Link


@dataclass(frozen=True)
class Here:
    """What the cursor stands on: a row of the right side, else a subject; in a log its line too."""

    subject: Subject
    row: object = None
    log: FileLine | None = None
    log_text: str = ""

    @property
    def cause(self) -> Cause[Job] | None:
        """The cause that the row is."""
        row: Any = self.row
        return cast("Cause[Job]", row) if isinstance(row, Cause) else None

    @property
    def whole(self) -> Subject:
        """The subject that the row stands for, else the one that is shown."""
        match self.row:
            case Job(key=key, run=run):
                return JobSubject(key, run)
            case RunView(experiment=experiment, run=run):
                return RunSubject(RunKey(experiment, run))
            case Experiment(name=name):
                return ExperimentSubject(name)
            case Link(target=target):
                return target
            case _:
                return self.subject


def edited(
    store: Store, here: Here, *, is_file: Callable[[str], bool] = os.path.isfile
) -> FileLine:
    """What the editor is opened at: the line that failed, the plan of a run, a file, a log.

    Raises UsageError where there is no such thing.
    """
    if here.log is not None:
        frame = frame_of(here.log_text)
        return frame if frame is not None and is_file(frame.file) else here.log
    if here.cause is not None:
        return _frame(here.cause.jobs[0]) or _no_line("the cause has no line of your code")
    if isinstance(here.row, Entry):
        return _entry_line(store, here, here.row)
    subject = here.whole
    if isinstance(subject, LogSubject):
        return _log(store, subject)
    if isinstance(subject, JobSubject):
        job = store.job(subject.key, subject.run)
        return _frame(job) or _log(store, subject)
    run = store.run_of(subject)
    view = None if run is None else store.run(run)
    if view is None or view.record is None or not view.record.scope.plan:
        return _no_line("there is no file to edit here")
    return FileLine(view.record.scope.plan)


def paged(store: Store, here: Here) -> FileLine:
    """What the pager shows: the log, or a file of the job. Raises UsageError."""
    if here.log is not None:
        return here.log
    if isinstance(here.row, Entry):
        return _entry_line(store, here, here.row)
    subject = here.whole
    if here.cause is not None:
        job = here.cause.jobs[0]
        subject = JobSubject(job.key, job.run)
    if isinstance(subject, (JobSubject, LogSubject)):
        return _log(store, subject)
    run = store.run_of(subject)
    if run is None:
        return _no_line("there is no log here")
    return FileLine(store.workspace.run(run.experiment, run.run).log, END)


def folder(store: Store, here: Here) -> str:
    """Where the shell is started: in the folder of the job, the run, the experiment."""
    subject = here.whole
    paths = store.workspace
    match subject:
        case JobSubject(key) | LogSubject(key):
            root = paths.job(key).root
            if isinstance(here.row, Entry) and not here.row.away:
                return os.path.dirname(_entry_path(store, here, here.row))
            return root
        case RunSubject(run) | GroupSubject(run):
            return paths.run(run.experiment, run.run).root
        case ExperimentSubject(name) | EarlierRunsSubject(name):
            return paths.experiment(name)
        case TrashSubject():
            return paths.trash
        case _:
            return paths.root


def copied(store: Store, here: Here) -> str:
    """What `y` copies of what is no job: a name, a path, the words of a cause; empty: nothing."""
    if here.cause is not None:
        return " ".join(part for part in (here.cause.text, here.cause.where) if part)
    if isinstance(here.row, Entry):
        return store.told(_entry_path(store, here, here.row))
    match here.whole:
        case RunSubject(run):
            return str(run)
        case ExperimentSubject(name) | EarlierRunsSubject(name):
            return name
        case _:
            return ""


def _frame(job: Job) -> FileLine | None:
    reason = job.record.reason
    if reason is None or reason.frame is None or not job.state.ended_badly:
        return None
    return FileLine(reason.frame.file, reason.frame.line)


def _log(store: Store, subject: JobSubject | LogSubject) -> FileLine:
    """The end of its log: the one named, else stderr where it failed, else the newest."""
    job = store.job(subject.key, subject.run)
    paths = store.workspace.job(subject.key)
    number = job.record.attempt
    if not number:
        return _no_line("it has not started, so there is no log")
    out, err = paths.stdout(number), paths.stderr(number)
    if isinstance(subject, LogSubject):
        return FileLine(out if subject.stream is Stream.STDOUT else err, END)
    if job.state.ended_badly and _written(err):
        return FileLine(err, END)
    return FileLine(max((err, out), key=_written), END)


def _written(path: str) -> float:
    """When something was last written; 0 where nothing ever was."""
    try:
        status = os.stat(path)
    except OSError:
        return 0.0
    return status.st_mtime if status.st_size else 0.0


def _entry_line(store: Store, here: Here, entry: Entry) -> FileLine:
    if entry.away:
        return _no_line(f"{entry.name} is on {entry.away} alone: F brings it here")
    return FileLine(_entry_path(store, here, entry))


def _entry_path(store: Store, here: Here, entry: Entry) -> str:
    subject = here.subject
    root = store.workspace.root
    if isinstance(subject, (JobSubject, LogSubject)):
        root = store.workspace.job(subject.key).root
    return os.path.join(root, entry.path)


def _no_line(words: str) -> FileLine:
    raise UsageError(words)
