"""``xpm clean``"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from xpm_engine.cli.options import chosen_argument, json_option, print_json, workspace_option
from xpm_engine.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xpm_engine.cli.clean_report import Report
    from xpm_engine.verbs.clean import RemovalPlan, Transaction
    from xpm_engine.workspace.layout import WorkspacePaths

WORD = "purge"
"""What is typed before anything is deleted for good."""


@click.command(name="clean")
@chosen_argument
@click.option("--all-obsolete", is_flag=True, help="Finished results too that nobody needs.")
@click.option("--needed", is_flag=True, help="With a FILTER: also jobs that somebody needs.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan; move nothing.")
@click.option("-y", "--yes", is_flag=True, help="Carry the plan out without asking.")
@click.option("--purge", is_flag=True, help="Then delete what was moved for good.")
@click.option("--empty-trash", is_flag=True, help="Delete for good what lies in the trash.")
@json_option
@workspace_option
def command(
    *,
    jobs: tuple[str, ...],
    all_obsolete: bool,
    needed: bool,
    dry_run: bool,
    yes: bool,
    purge: bool,
    empty_trash: bool,
    as_json: bool,
    workspace: str | None,
) -> None:
    """Move jobs to the trash, from where `xpm undo` takes them back.

    Without arguments: what is obsolete, with the reason. Leftovers of dead attempts and failed jobs
    that nobody needs are moved, finished results only with --all-obsolete. A FILTER means the jobs
    that it selects and nobody else needs; a JOB that is named is moved whoever was made from it.

    A job that runs, is pinned, or is needed by a run that goes on stays where it is.
    """
    from xpm_engine.verbs.places import find_workspace

    _check(jobs, all_obsolete=all_obsolete, needed=needed, empty_trash=empty_trash)
    paths = find_workspace(workspace)
    if empty_trash:
        _empty_trash(paths, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    report = _report(paths, jobs, all_obsolete=all_obsolete, needed=needed)
    plan = report.plan
    old = _expired(paths)
    if not as_json:
        report.show()
        _tell_expired(old)
    if dry_run or not (plan.ready or plan.leftovers):
        if as_json:
            print_json({**report.to_json(), "purges": [item.name for item in old]})
        return
    _agree(report, yes=yes, purge=purge)
    done = _carry_out(paths, plan, old, purge=purge)
    if as_json:
        print_json({**report.to_json(), **_done_json(done, old, purged=purge)})
    else:
        _tell(plan, done, purged=purge)


def _check(jobs: Sequence[str], *, all_obsolete: bool, needed: bool, empty_trash: bool) -> None:
    if jobs and all_obsolete:
        raise click.UsageError("--all-obsolete is for the whole workspace: leave the jobs out.")
    if jobs and empty_trash:
        raise click.UsageError("--empty-trash is about the trash: leave the jobs out.")
    if needed and not jobs:
        raise click.UsageError("--needed goes with a FILTER that says which jobs.")


def _report(
    workspace: WorkspacePaths, jobs: Sequence[str], *, all_obsolete: bool, needed: bool
) -> Report:
    from xpm_engine.cli import clean_report
    from xpm_engine.verbs.clean import measure, plan_removal
    from xpm_engine.verbs.find import find_jobs
    from xpm_engine.verbs.obsolete import survey_workspace
    from xpm_engine.verbs.selecting import is_filter, select

    if not jobs:
        return clean_report.of_obsolete(
            workspace, survey_workspace(workspace), finished=all_obsolete
        )
    if is_filter(jobs):
        seen = survey_workspace(workspace)
        keys = [row.key for row in select(workspace, jobs, strict=True).rows]
        keys = [key for key in keys if key in seen.survey.jobs]
        return clean_report.of_filter(workspace, seen, keys, needed=needed)
    plan = measure(workspace, plan_removal(workspace, find_jobs(workspace, jobs)))
    return clean_report.JobsReport(plan)


def _agree(report: Report, *, yes: bool, purge: bool) -> None:
    """Ask somebody; raises UsageError where nobody can be asked, click.Abort for a no."""
    terminal = sys.stdin.isatty()
    if not yes and not terminal:
        raise UsageError(
            "nothing was moved: there is nobody to ask",
            hint="add --yes to carry the plan out, or --dry-run to look at it",
        )
    if purge and terminal:
        _type_word(f"This deletes {report.count} for good, and can't be undone.")
    elif not yes:
        click.confirm(f"Move {report.count} to the trash?", abort=True)


def _type_word(what: str) -> None:
    click.echo(what, err=True)
    if click.prompt(f"Type {WORD} to go on", default="", show_default=False) != WORD:
        raise click.Abort


def _carry_out(
    workspace: WorkspacePaths, plan: RemovalPlan, old: Sequence[Transaction], *, purge: bool
) -> Transaction:
    from xpm_engine.verbs import clean

    done = clean.carry_out(workspace, plan)
    for item in old:
        clean.purge(workspace, item.name)
    if purge and not done.empty:
        clean.purge(workspace, done.name)
    return done


def _expired(workspace: WorkspacePaths) -> tuple[Transaction, ...]:
    from xpm_engine.verbs.retention import expired
    from xpm_engine.workspace.settings import load_settings

    return expired(workspace, load_settings(workspace).retention)


def _tell_expired(old: Sequence[Transaction]) -> None:
    from xpm_engine.verbs.words import plural, size

    if old:
        bytes_ = size(sum(item.size or 0 for item in old))
        cleans = plural(len(old), "clean")
        click.echo(f"purges {cleans} whose time in the trash is over ([retention]): frees {bytes_}")


def _tell(plan: RemovalPlan, done: Transaction, *, purged: bool) -> None:
    from xpm_engine.verbs.clean import contents, moved_sentence
    from xpm_engine.verbs.words import plain, size

    stayed = {row.key for row in plan.rows if row.refused}
    for left in done.left:
        if left.key not in stayed:
            click.echo(f"  left {left.key.task}/{left.key.short}: {plain(left.why)}")
    if purged and not done.empty:
        freed = "" if done.size is None else f": {size(done.size)} freed"
        click.echo(f"purged {contents(done)}{freed}")
        return
    click.echo(moved_sentence(done))
    if not done.empty:
        click.echo(f"take it back: xpm undo {done.name}")


def _done_json(done: Transaction, old: Sequence[Transaction], *, purged: bool) -> dict[str, object]:
    return {
        "transaction": None if done.empty or purged else done.name,
        "moved": [str(removal.key) for removal in done.removals],
        "moved_leftovers": [[str(item.key), item.attempt] for item in done.leftovers],
        "left": [{"job": str(left.key), "why": left.why} for left in done.left],
        "purged": [*(item.name for item in old), *([done.name] if purged else [])],
    }


def _empty_trash(workspace: WorkspacePaths, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    from xpm_engine.verbs.clean import contents, list_trash, purge
    from xpm_engine.verbs.words import plain, plural, size

    found = [item for item in list_trash(workspace) if not item.unfinished]
    if not as_json:
        for item in found:
            bytes_ = "" if item.size is None else f"  {size(item.size)}"
            click.echo(f"  {item.name}  {contents(item)}{bytes_}  {plain(item.user)}".rstrip())
    if found and not dry_run:
        if sys.stdin.isatty():
            _type_word(f"This deletes {plural(len(found), 'clean')} for good.")
        elif not yes:
            raise UsageError(
                "nothing was deleted: there is nobody to ask", hint="add --yes to delete it"
            )
        for item in found:
            purge(workspace, item.name)
    if as_json:
        print_json({"purged" if not dry_run else "purges": [item.name for item in found]})
    elif not found:
        click.echo("the trash is empty", err=True)
    elif not dry_run:
        click.echo(f"purged {plural(len(found), 'clean')}")
