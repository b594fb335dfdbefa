"""What an earlier run was asked, from which code, and which jobs differ from the latest run's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import GitState, PlanState
from xpm_engine.workspace.scan import RunView
from xpm_tui import look
from xpm_tui.store import RunKey, Store
from xpm_tui.widgets.runs.table import arguments_words

LABEL = 9
"""Cells of the labels, as in the strip."""

MOST_NAMED = 3
"""Jobs that are named on one line."""


def error_line(view: RunView | None) -> Text | None:
    """What a run's plan raised; None if it raised nothing."""
    if view is None or view.record is None or not view.record.error:
        return None
    return _labelled("raised", look.plain(view.record.error), "xpm.failed")


def later_line(later: RunView, standing: RunView | None, *, now: float) -> Text:
    """Why a run that is newer does not stand for the experiment: it broke off on the way."""
    record = later.record
    words = f"run {look.when(None if record is None else record.started, now) or later.run}"
    of = "" if standing is None else f" of these {len(standing.manifest.references):,} jobs"
    words += f" named {len(later.manifest.references):,}{of}"
    if later.plan is not None:
        words += f" and {_BROKE_OFF.get(later.plan, later.plan.value)}"
    error = later.problem or ("" if record is None else record.error or "")
    if error:
        words += f": {error}"
    return _labelled("later", words, "xpm.warning")


_BROKE_OFF = {
    PlanState.PARTIAL: "was of a part",
    PlanState.RAISED: "raised",
    PlanState.INTERRUPTED: "was interrupted",
    PlanState.CRASHED: "crashed",
}


def left_line(jobs: int) -> Text:
    """That jobs failed before that this run does not name and, not being complete, not replace."""
    words = f"{look.plural(jobs, 'job')} failed that this run does not name: see Failed"
    return _labelled("before", words, "xpm.failed")


def against_latest(store: Store, run: RunKey) -> Iterator[Text]:
    """Nothing for the latest run itself."""
    view = store.run(run)
    experiment = store.experiment(run.experiment)
    latest = None if experiment is None else experiment.latest
    if view is None or latest is None or latest == run:
        return
    now = store.run(latest)
    yield _labelled(
        "asked", _both(arguments_words(view), "" if now is None else arguments_words(now))
    )
    git, git_now = git_words(view), "" if now is None else git_words(now)
    if git or git_now:
        yield _labelled("code", _both(git or "no commit", git_now))
    yield from _job_lines(store, run, latest)


def git_words(view: RunView) -> str:
    """``1f3a5b7c main, changed``: the commit and branch that a run's plan was at."""
    git = None if view.record is None else view.record.git
    return "" if git is None else _git(git)


def _git(git: GitState) -> str:
    words = f"{git.commit[:8]} {git.branch}".strip()
    return look.plain(words + (", with changes" if git.dirty else ""))


def _job_lines(store: Store, run: RunKey, latest: RunKey) -> Iterator[Text]:
    mine, theirs = store.index(run), store.index(latest)
    if mine is None or theirs is None:
        return
    gone = [key for key in mine.references if key not in theirs.references]
    added = [key for key in theirs.references if key not in mine.references]
    # One that broke off is later than the run that stands.
    other = "the latest run" if run.run < latest.run else "the run that stands"
    if not gone and not added:
        yield _labelled("jobs", f"the same as in {other}")
    if added:
        yield _labelled("added", f"{_named(store, added, latest)} in {other}")
    if gone:
        yield _labelled("gone", f"{_named(store, gone, run)} from {other}")


def _named(store: Store, keys: Sequence[JobKey], run: RunKey) -> str:
    names = [store.title(store.job(key, run)) for key in keys[:MOST_NAMED]]
    more = "" if len(keys) <= MOST_NAMED else ", …"
    return f"{look.plural(len(keys), 'job')} ({', '.join(names)}{more})"


def _both(then: str, now: str) -> str:
    return then if not now or then == now else f"{then}   (latest run: {now})"


def _labelled(label: str, words: str, style: str = "") -> Text:
    return Text().append(label.ljust(LABEL), "xpm.faint").append(look.plain(words), style)
