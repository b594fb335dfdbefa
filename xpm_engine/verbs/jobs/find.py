"""From what a person types to the job that is meant."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from difflib import get_close_matches

from xpm_engine.errors import UsageError
from xpm_engine.verbs.cleaning.gone import gone_jobs
from xpm_engine.verbs.jobs.listing import list_latest
from xpm_engine.words import plain
from xpm_engine.workspace.layout import JobKey, WorkspacePaths, is_name
from xpm_engine.workspace.scan import list_experiments, list_jobs, list_runs

OPERATORS = ":=~<>"
"""What tells a filter from the name of a job or an experiment."""

MOST_CANDIDATES = 8
"""Candidates that an error lists; the others are counted."""


def is_filter(texts: Iterable[str]) -> bool:
    """Whether a verb was given a filter, and not the names of jobs."""
    return any(operator in text for text in texts for operator in OPERATORS)


def find_job(workspace: WorkspacePaths, text: str) -> JobKey:
    """The one job whose folder stands in the workspace and that `text` means.

    `text` is the beginning of an identifier; the same after ``TASK/``, where TASK is the task's
    whole name or its last parts; or a path to or inside a job's folder. Raises UsageError where
    none or several are meant, or an experiment has that name.
    """
    return find_jobs(workspace, [text])[0]


def find_jobs(workspace: WorkspacePaths, texts: Iterable[str]) -> tuple[JobKey, ...]:
    """The job that each of `texts` means, as `find_job` says, each job once."""
    jobs = sorted(list_jobs(workspace))
    return tuple(dict.fromkeys(_one(workspace, jobs, text) for text in texts))


def _one(workspace: WorkspacePaths, jobs: Sequence[JobKey], text: str) -> JobKey:
    found = _meant(workspace, jobs, text)
    if len(found) == 1:
        _refuse_other_name(workspace, found[0], text)
        return found[0]
    if not found:
        _refuse_unstarted(workspace, text)
        _refuse_gone(workspace, text)
        raise UsageError(
            f"no job is called {plain(text)!r}",
            where=workspace.root,
            hint=_of_many(workspace, text) or _suggestion(jobs, text),
        )
    listed = [f"{key.task}/{key.identifier[:12]}" for key in found[:MOST_CANDIDATES]]
    if len(found) > MOST_CANDIDATES:
        listed.append(f"… and {len(found) - MOST_CANDIDATES} more")
    raise UsageError(
        f"{plain(text)!r} means {len(found)} jobs:\n  " + "\n  ".join(listed),
        hint="type more of the identifier, or TASK/ before it",
    )


def _refuse_other_name(workspace: WorkspacePaths, key: JobKey, text: str) -> None:
    """Raise UsageError where one job would be taken for all that has a name of this kind."""
    many = _of_many(workspace, text)
    if many:
        name = f"{key.task}/{key.short}"
        raise UsageError(f"{plain(text)!r} may mean {name}, or more than that job", hint=many)


def _of_many(workspace: WorkspacePaths, text: str) -> str:
    """What to type for the jobs of an experiment or a filter; empty where `text` is neither."""
    with suppress(PermissionError):
        if text in list_experiments(workspace):
            return f"{text} is an experiment: `xpm ls {text}` names its jobs, exp={text} means all"
    if is_filter([text]):
        return f"it reads as a filter: `xpm ls '{plain(text)}'` names the jobs that it means"
    return ""


def _refuse_unstarted(workspace: WorkspacePaths, text: str) -> None:
    """Raise UsageError if a job is meant that a latest run names and that has no folder yet."""
    rows = {row.key: row for run in list_latest(workspace) for row in run.rows}
    meant = _meant(workspace, sorted(rows), text)
    if len(meant) == 1:
        key = meant[0]
        words = rows[key].why or rows[key].state.value
        raise UsageError(
            f"{key.task}/{key.short} has not run yet ({plain(words)})",
            where=workspace.job(key).root,
            hint="`xpm plan PLAN.py` says why it would run",
        )


def _refuse_gone(workspace: WorkspacePaths, text: str) -> None:
    """Raise UsageError if a job is meant that lies in the trash, or was deleted for good."""
    gone = {job.key: job for job in reversed(gone_jobs(workspace))}
    meant = _meant(workspace, sorted(gone), text)
    if len(meant) == 1:
        job = gone[meant[0]]
        raise UsageError(job.words, where=workspace.job(job.key).root, hint=job.hint)


def _meant(workspace: WorkspacePaths, jobs: Sequence[JobKey], text: str) -> Sequence[JobKey]:
    if os.sep in text and os.path.lexists(text):
        # The folder above is resolved, the name itself is not: a job's files may be links.
        folder, name = os.path.split(os.path.abspath(text))
        key = workspace.key_of(os.path.join(folder, name))
        real = WorkspacePaths(os.path.realpath(workspace.root))
        key = key or real.key_of(os.path.join(os.path.realpath(folder), name))
        return [] if key is None else [key] if key in jobs else []
    task, slash, prefix = text.strip().rstrip("/").rpartition("/")
    prefix = prefix.lower()
    if not prefix:
        return []
    return [
        key
        for key in jobs
        if key.identifier.startswith(prefix) and (not slash or _is_task(key.task, task.lower()))
    ]


def _is_task(task: str, text: str) -> bool:
    return task == text or task.endswith("." + text)


def _suggestion(jobs: Sequence[JobKey], text: str) -> str:
    if not jobs:
        return "the workspace has no jobs yet"
    names = {f"{key.task}/{key.short}": key for key in jobs} | {key.short: key for key in jobs}
    tail = text.rstrip("/").rpartition("/")[2][:6]
    close = get_close_matches(text, names, n=1) or get_close_matches(tail, names, n=1, cutoff=0.5)
    if close:
        key = names[close[0]]
        return f"did you mean {key.task}/{key.short}? `xpm ls` names them all"
    return "`xpm ls` names them all"


def find_runs(workspace: WorkspacePaths, texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The runs that ``EXPERIMENT`` (all) and ``EXPERIMENT/RUN`` mean; RUN may be cut short.

    Raises UsageError where none, or several, are meant.
    """
    found: dict[tuple[str, str], None] = {}
    for text in texts:
        experiment, slash, prefix = text.strip("/").partition("/")
        runs = list_runs(workspace, experiment) if is_name(experiment) else []
        meant = [run for run in runs if run.startswith(prefix)]
        if not meant or (slash and len(meant) > 1):
            raise _no_run(workspace, text, experiment, runs, len(meant))
        found.update(dict.fromkeys((experiment, run) for run in meant))
    return tuple(found)


def _no_run(
    workspace: WorkspacePaths, text: str, experiment: str, runs: Sequence[str], meant: int
) -> UsageError:
    names = list_experiments(workspace)
    close = get_close_matches(experiment, names, n=1)
    if runs:
        hint = f"its last runs: {', '.join(runs[-3:])}"
    else:
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names) or 'none'}"
    what = f"{plain(text)!r} means {meant} runs" if meant else f"there is no run {plain(text)!r}"
    return UsageError(what, where=workspace.experiments, hint=hint)
