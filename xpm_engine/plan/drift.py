"""Results that were made with other defaults than today's: found, told, decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from xpm_engine.errors import DriftError, UnreadableError, UsageError
from xpm_engine.plan.orders import JobOrder
from xpm_engine.words import plural
from xpm_engine.workspace import processes
from xpm_engine.workspace.atomic import dumps, read_object, write_atomic
from xpm_engine.workspace.cleaning import carry_out, plan_removal
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths, workspace_of_job
from xpm_engine.workspace.records.baseline import Baseline
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.params import ParamsRecord
from xpm_engine.workspace.records.runs import RunRecord
from xpm_engine.workspace.records.tickets import Launch
from xpm_engine.workspace.settings import OnDrift


@dataclass(frozen=True)
class Drift:
    """What changed since a job's result was made."""

    changes: tuple[str, ...]
    """A sentence each: ``default of Learner.max_iter 4 → 5``."""


Settled = Callable[[JobKey], str | None]
"""The resolved digest that an upstream job was executed with; None where it is drifted, unknown."""


def find_drift(
    order: JobOrder,
    job: JobPaths,
    attempt: int,
    resolved: str,
    *,
    settled: Settled,
    upstream: Sequence[Drift] = (),
    other_project: str = "",
    adopt: bool = True,
) -> Drift | None:
    """What changed since attempt `attempt`, made with the digest `resolved`; None for nothing.

    Parameters that the saved job lacks are adopted: their values of today are what it is compared
    with from now on (recorded with the job, unless `adopt` is false). An upstream job that is no
    drift itself is none here either, if the result came from the very execution that stands now;
    `upstream` is the drift of those that it depends on in any way, a mere path included;
    `other_project` says that another project's class of the same name has made it.
    Raises UnreadableError where what it was made with can't be read.
    """
    if resolved == order.resolved and not other_project:
        return None
    baseline = read_baseline(job)
    if order.resolved == baseline.resolved:
        return None
    if order.resolved in baseline.accepted:
        # From now on it is compared with what was accepted, parameter by parameter.
        if adopt:
            _decide(job, order, baseline, "accepted", "as decided before")
        return None
    from xpm_engine.workspace.compare import differences, drift

    saved = _saved(job, attempt, baseline)
    changes = [
        change
        for change in drift(saved, order.params)
        if change.drifted_job is None or not _stands(saved, change.drifted_job, settled, job)
    ]
    if changes and baseline.params is not None:
        # Where it has today's values since it was made, what was accepted meanwhile is over.
        made = differences(_launched(job, attempt), order.params, everything=True)
        unlike = {each.path for each in made}
        changes = [each for each in changes if each.drifted_job or each.path in unlike]
    # An upstream job whose drift is told here by its root is not named besides.
    untold = [each for each in changes if each.cause or not (each.drifted_job and upstream)]
    texts = [change.cause or change.text() for change in untold]
    texts += [other_project] if other_project else []
    texts += [text for each in upstream for text in each.changes]
    if texts:
        return Drift(tuple(dict.fromkeys(texts)))
    if adopt:
        _decide(job, order, baseline, "adopted", "new parameters, at the defaults of that day")
    return None


def _stands(saved: ParamsRecord, upstream: JobKey, settled: Settled, job: JobPaths) -> bool:
    """Whether a result was made from what is now the settled result of an upstream job.

    That one counts by the digest that it was executed with, and by all that were decided for it.
    """
    workspace = workspace_of_job(job.root)

    def standing(key: JobKey) -> tuple[str, ...]:
        executed = settled(key)
        if executed is None:
            return ()
        decided = read_baseline(workspace.job(key))
        return tuple(filter(None, (executed, decided.resolved, *decided.accepted)))

    same = standing(upstream)
    told = [each.producer_resolved for each in saved.objects if each.producer == upstream]
    if told:
        return any(resolved in same for resolved in told)
    from xpm_engine.config.recomputed import made_from

    return bool(same) and made_from(saved, upstream, standing)


def accept(order: JobOrder, job: JobPaths, drift: Drift) -> None:
    """Use the result as it is, from now on: the decision is recorded with the job."""
    _decide(job, order, read_baseline(job), "accepted", "; ".join(drift.changes))


def accept_digest(job: JobPaths, resolved: str, changes: Iterable[str]) -> None:
    """Record that a person accepts a drift that a plan has seen; the next plan uses the result."""
    baseline = read_baseline(job)
    accepted = tuple(dict.fromkeys((*baseline.accepted, resolved)))
    _write(job, replace(baseline, accepted=accepted), "accepted", "; ".join(changes))


def remove_for_rerun(
    workspace: WorkspacePaths, keys: Sequence[JobKey], run: RunRecord
) -> dict[JobKey, str]:
    """Move the folders of drifted jobs to the trash, in one clean that `xpm undo` takes back.

    Returns those that must stay, each with why: another live run needs it, or it runs.
    """
    own = (run.experiment, run.run)
    plan = plan_removal(workspace, keys, but_for=[own])
    done = carry_out(workspace, plan)
    return {left.key: left.why for left in done.left if left.key is not None}


def read_baseline(job: JobPaths) -> Baseline:
    """What was decided about a job; nothing yet where there is no such file.

    Raises UnreadableError.
    """
    try:
        return Baseline.from_json(read_object(job.baseline), job.baseline)
    except FileNotFoundError:
        return Baseline("", None)


def policy_of(choice: OnDrift | str | None, default: OnDrift) -> OnDrift:
    """What `on_drift=` says; raises UsageError for an unknown word."""
    if choice is None:
        return default
    try:
        return OnDrift(choice)
    except ValueError:
        words = ", ".join(repr(member.value) for member in OnDrift)
        raise UsageError(f"on_drift={choice!r} is none of {words}") from None


def count_changes(changes: Iterable[str]) -> list[str]:
    """Each change with the number of results behind it, the most frequent first."""
    return [
        f"{change}: {plural(count, 'result')}" for change, count in Counter(changes).most_common()
    ]


def drift_error(found: Iterable[Drift]) -> DriftError:
    """One error for all: each change with the number of results behind it."""
    changes = count_changes(change for drift in found for change in drift.changes)
    lines = [f"  {line}" for line in changes]
    return DriftError(
        "\n".join(["finished results were made with other defaults than today's", *lines]),
        hint=(
            "keep them: on_drift='accept', or `xpm drift --accept`; compute them again: "
            "on_drift='rerun', or `xpm drift --rerun`; or mend the code for good: "
            "`name: Param[int] = field(default=NEW, identifier_default=OLD)` keeps OLD as the "
            "value that is left out, so that old results stay valid for it"
        ),
    )


def _saved(job: JobPaths, attempt: int, baseline: Baseline) -> ParamsRecord:
    if baseline.params is not None:
        return ParamsRecord.from_json(baseline.params, job.baseline)
    return _launched(job, attempt)


def _launched(job: JobPaths, attempt: int) -> ParamsRecord:
    path = job.launch(attempt)
    try:
        launch = Launch.from_json(read_object(path), path)
    except FileNotFoundError:
        raise UnreadableError("is missing", where=path) from None
    return ParamsRecord.from_json(launch.params, path)


def _decide(job: JobPaths, order: JobOrder, baseline: Baseline, why: str, text: str) -> None:
    before = [baseline.resolved] if baseline.resolved else []
    decided = replace(
        baseline,
        resolved=order.resolved,
        params=order.params.to_json(),
        accepted=tuple(dict.fromkeys((*baseline.accepted, *before))),
    )
    _write(job, decided, why, text)


def _write(job: JobPaths, baseline: Baseline, why: str, text: str) -> None:
    at, by = now(), processes.user_name()
    sentence = f"{at} {why} by {by}: {text}"
    record = replace(baseline, at=at, by=by, why=why, history=(*baseline.history, sentence))
    write_atomic(job.baseline, dumps(record.to_json()))
