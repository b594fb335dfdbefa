"""``xpm ls``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from xpm_engine.cli.options import json_option, print_json, workspace_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xpm_engine.verbs.causes import Cause
    from xpm_engine.verbs.jobs.listing import JobRow, RunRows
    from xpm_engine.verbs.jobs.selecting import Selected
    from xpm_engine.workspace.layout import WorkspacePaths


@click.command(name="ls")
@click.argument("what", metavar="[EXPERIMENT[/RUN] | FILTER...]", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every job's folder, in a run or not.")
@click.option("--causes", is_flag=True, help="What failed, grouped by what went wrong.")
@json_option
@workspace_option
def command(
    *, what: tuple[str, ...], every: bool, causes: bool, as_json: bool, workspace: str | None
) -> None:
    """List the jobs of each experiment's latest run, with how they are and why.

    With a filter, only those that it selects, of all experiments: xpm ls 'state:failed lr>0.01'
    """
    from xpm_engine.verbs.jobs.find import OPERATORS
    from xpm_engine.verbs.jobs.listing import list_folders, list_latest, list_run
    from xpm_engine.verbs.jobs.selecting import select
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.workspace.scan import list_experiments

    paths = find_workspace(workspace)
    if every and what:
        raise click.UsageError("--all lists every job: leave the rest out.")
    _say_unseen(paths)
    name, slash, run_id = what[0].partition("/") if len(what) == 1 else ("", "", "")
    named = name in list_experiments(paths)
    rows = list_folders(paths) if every else ()
    if what and not named:
        found = select(paths, what, strict=False)
        # A single word that no job has is more likely an experiment's name, mistyped.
        named = not found.rows and bool(name) and not any(sign in what[0] for sign in OPERATORS)
        if not named:
            rows = _told(found)
    if every or (what and not named):
        if causes:
            _tell_causes(rows, as_json=as_json)
        elif as_json:
            print_json({"jobs": [_job_json(paths, row) for row in rows]})
        else:
            _print_rows(rows)
        return
    runs = (list_run(paths, name, run_id if slash else None),) if named else list_latest(paths)
    if causes:
        unique = {row.key: row for run in runs for row in run.rows}
        _tell_causes(tuple(unique.values()), as_json=as_json)
        return
    if as_json:
        print_json({"runs": [_run_json(paths, run) for run in runs]})
        return
    for number, run in enumerate(runs):
        if number:
            click.echo()
        click.echo(_heading(run))
        _print_rows(run.rows)
    if not runs:
        click.echo("there are no experiments yet", err=True)


def _say_unseen(workspace: WorkspacePaths) -> None:
    from xpm_engine.workspace.scan import look_for_unseen

    unseen = look_for_unseen(workspace)
    for each in (*unseen.runs, *unseen.jobs):
        click.echo(f"left out: {each}", err=True)


def _told(found: Selected) -> tuple[JobRow, ...]:
    """The rows of a filter, after saying why there are none."""
    for fault in found.faults:
        click.echo(str(fault), err=True)
    if not found.rows and not found.faults:
        click.echo("no job is like that", err=True)
    return found.rows


MOST_NAMED = 5
"""Jobs of a cause that are named; a program is told all."""


def _tell_causes(rows: Sequence[JobRow], *, as_json: bool) -> None:
    """What went wrong, the cause of most jobs first, as the app's *Causes* has it."""
    from xpm_engine.verbs.causes import group_causes, same_in_all
    from xpm_engine.words import plural

    found = [(cause, same_in_all(cause.jobs, among=rows)) for cause in group_causes(rows)]
    if as_json:
        print_json({"causes": [_cause_json(cause, same) for cause, same in found]})
        return
    jobs = sum(len(cause.jobs) for cause, _ in found)
    if not found:
        click.echo("nothing has failed", err=True)
        return
    click.echo(f"{jobs:,} failed, {plural(len(found), 'cause')}")
    for cause, same in found:
        click.echo("\n".join(_cause_lines(cause, same)))


def _cause_lines(cause: Cause[JobRow], same: Mapping[str, Any]) -> list[str]:
    from xpm_engine.words import plain

    count = f"{len(cause.jobs):>6,}"
    place = f"  {plain(cause.where)}" if cause.where else ""
    lines = [f"{count}  {plain(cause.text)}{place}"]
    if cause.source:
        lines.append(f"        > {plain(cause.source)}")
    if same:
        pairs = "  ".join(f"{plain(name)}={plain(value)}" for name, value in same.items())
        lines.append(
            f"        the same in all: {pairs}" if len(cause.jobs) > 1 else f"        {pairs}"
        )
    names = ", ".join(f"{key.task}/{key.short}" for key in cause.keys[:MOST_NAMED])
    lines.append(f"        {names}{', …' if len(cause.keys) > MOST_NAMED else ''}")
    if cause.advice:
        lines.append(f"        retry {cause.advice}")
    return lines


def _cause_json(cause: Cause[JobRow], same: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "count": len(cause.jobs),
        "cause": cause.text,
        "where": cause.where or None,
        "source": cause.source or None,
        "same": dict(same),
        "retry": cause.advice or None,
        "jobs": [{"task": key.task, "id": key.identifier} for key in cause.keys],
    }


def _heading(run: RunRows) -> str:
    from collections import Counter

    from xpm_engine.words import plain

    view = run.view
    counts = Counter(row.state.value for row in run.rows)
    jobs = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    plan = "unreadable" if view.plan is None else view.plan.value
    lines = [f"{view.experiment}/{view.run}  plan {plan}  {jobs or 'no jobs'}"]
    lines += [f"  {run.note}"] if run.note else []
    notes = () if view.record is None else view.record.notes
    lines += [f"  note: {plain(note.text)}" for note in notes]
    if view.problem:
        lines.append(f"  ? {plain(view.problem)}")
    return "\n".join(lines)


def _print_rows(rows: Sequence[JobRow]) -> None:
    import time

    now = time.time()
    cells = [_cells(row, now) for row in rows]
    widths = [max((len(line[column]) for line in cells), default=0) for column in range(4)]
    for line in cells:
        padded = [cell.ljust(width) for cell, width in zip(line[:4], widths, strict=True)]
        click.echo("  " + "  ".join([*padded, line[4]]).rstrip())


def _cells(row: JobRow, now: float) -> tuple[str, str, str, str, str]:
    """State, job, tags, time or progress, why."""
    from xpm_engine.words import as_of_words, duration, percent, plain, when

    record = row.record
    tags = " ".join(f"{plain(name)}={plain(value)}" for name, value in row.tags.items())
    if record.progress is not None and row.state.live:
        clock = percent(record.progress.fraction)
    elif record.ended is not None and record.usage is not None:
        clock = f"{when(record.ended, now)}, {duration(record.usage.seconds)}"
    else:
        clock = when(record.ended or record.started or record.launched, now)
    drift = f"drifted: {', '.join(map(plain, row.drift))}" if row.drift else ""
    why = row.why or as_of_words(record, now) or drift
    return row.state.value, f"{row.key.task}/{row.key.short}", tags, clock, why


def _run_json(workspace: WorkspacePaths, run: RunRows) -> dict[str, Any]:
    view = run.view
    record = view.record
    return {
        "experiment": view.experiment,
        "run": view.run,
        "plan": None if view.plan is None else view.plan.value,
        "started": None if record is None else record.started,
        "ended": None if record is None else record.ended,
        "problem": view.problem or None,
        "remark": run.note or None,
        "notes": []
        if record is None
        else [{"at": note.at, "text": note.text} for note in record.notes],
        "git": None if record is None or record.git is None else vars(record.git),
        "jobs": [_job_json(workspace, row) for row in run.rows],
    }


def _job_json(workspace: WorkspacePaths, row: JobRow) -> dict[str, Any]:
    record = row.record
    return {
        "task": row.key.task,
        "id": row.key.identifier,
        "state": row.state.value,
        "why": row.why or None,
        "how": None if row.how is None else row.how.value,
        "drift": list(row.drift),
        "tags": dict(row.tags),
        "params": dict(row.params),
        "depends_on": [str(key) for key in row.dependencies],
        "folder": workspace.job(row.key).root,
        "attempt": record.attempt,
        "launched": record.launched,
        "started": record.started,
        "ended": record.ended,
        "seconds": None if record.usage is None else record.usage.seconds,
        "progress": None if record.progress is None else record.progress.fraction,
        "exit_code": record.exit_code,
        "signal": record.signal,
        "metrics": dict(record.metrics),
    }
