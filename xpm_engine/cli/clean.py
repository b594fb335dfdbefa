"""``xpm clean``"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from xpm_engine.cli.clean_code import clean_code
from xpm_engine.cli.options import chosen_argument, json_option, print_json, workspace_option
from xpm_engine.cli.pieces import left_json, piece_json
from xpm_engine.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xpm_engine.cli.clean_report import Report
    from xpm_engine.verbs.cleaning.clean import RemovalPlan, Transaction
    from xpm_engine.workspace.layout import WorkspacePaths

WORD = "purge"
"""What is typed before anything is deleted for good."""


@click.command(name="clean")
@chosen_argument
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="EXPERIMENT[/RUN]",
    help="A run, or all runs of an experiment; with --all-obsolete what only they name too.",
)
@click.option("--policy", is_flag=True, help="What the policies of [retention] select.")
@click.option("--free", metavar="SIZE", help="So much, as cheaply as it can be had: 200GB.")
@click.option("--all-obsolete", is_flag=True, help="Finished results too that nobody needs.")
@click.option("--needed", is_flag=True, help="With a FILTER: also jobs that somebody needs.")
@click.option("--each", is_flag=True, help="Show each row, also of those that are alike.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan; move nothing.")
@click.option("-y", "--yes", is_flag=True, help="Carry the plan out without asking.")
@click.option("--purge", is_flag=True, help="Then delete what was moved for good.")
@click.option("--empty-trash", is_flag=True, help="Delete for good what lies in the trash.")
@click.option("--code", metavar="HOST", help="Code that was shipped there and no job needs.")
@json_option
@workspace_option
def command(
    *,
    jobs: tuple[str, ...],
    runs: tuple[str, ...],
    policy: bool,
    free: str | None,
    all_obsolete: bool,
    needed: bool,
    each: bool,
    dry_run: bool,
    yes: bool,
    purge: bool,
    empty_trash: bool,
    code: str | None,
    as_json: bool,
    workspace: str | None,
) -> None:
    """Move jobs to the trash, from where `xpm undo` takes them back.

    Without arguments: what is obsolete, with the reason. Leftovers of dead attempts and failed jobs
    that nobody needs are moved, finished results only with --all-obsolete. A FILTER means the jobs
    that it selects and nobody else needs; a JOB that is named is moved whoever was made from it.

    A job that runs, is pinned, or is needed by a run that goes on stays where it is. Policies are
    never carried out but with --policy, after they were shown.
    """
    from xpm_engine.verbs.places import find_workspace

    wish = _Wish(jobs, runs, policy, free, all_obsolete, needed, each)
    _check(wish, empty_trash=empty_trash, code=code)
    paths = find_workspace(workspace)
    if code is not None:
        clean_code(paths, code, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    if empty_trash:
        _empty_trash(paths, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    report = _report(paths, wish)
    plan = report.plan
    old = _expired(paths)
    if not as_json:
        report.show()
        _tell_expired(old)
    if dry_run or not (plan.ready or plan.pieces):
        if as_json:
            print_json({**report.to_json(), "purges": [item.name for item in old]})
        return
    _agree(report, yes=yes, purge=purge)
    done = _carry_out(paths, plan, old, purge=purge)
    if as_json:
        print_json({**report.to_json(), **_done_json(done, old, purged=purge)})
    else:
        _tell(plan, done, purged=purge)


@dataclass(frozen=True)
class _Wish:
    """What is to be cleaned."""

    jobs: tuple[str, ...]
    runs: tuple[str, ...]
    policy: bool
    free: str | None
    all_obsolete: bool
    needed: bool
    each: bool


def _check(wish: _Wish, *, empty_trash: bool, code: str | None) -> None:
    if wish.jobs and wish.all_obsolete:
        raise click.UsageError("--all-obsolete is for the whole workspace: leave the jobs out.")
    if wish.jobs and empty_trash:
        raise click.UsageError("--empty-trash is about the trash: leave the jobs out.")
    if wish.needed and not wish.jobs:
        raise click.UsageError("--needed goes with a FILTER that says which jobs.")
    ways = (wish.jobs, wish.runs, wish.policy, wish.free is not None, empty_trash)
    if sum(map(bool, (*ways, code is not None))) > 1:
        raise click.UsageError(
            "jobs, --run, --policy, --free, --empty-trash and --code exclude each other: "
            "one at a time."
        )


def _report(workspace: WorkspacePaths, wish: _Wish) -> Report:
    from xpm_engine.cli import clean_report
    from xpm_engine.verbs.cleaning.clean import measure, plan_removal
    from xpm_engine.verbs.cleaning.obsolete import survey_workspace
    from xpm_engine.verbs.cleaning.offers import offer_obsolete, offer_runs
    from xpm_engine.verbs.jobs.find import find_jobs, find_runs, is_filter
    from xpm_engine.verbs.jobs.selecting import select
    from xpm_engine.workspace.records.resources import parse_size

    if wish.jobs and not is_filter(wish.jobs):
        plan = measure(workspace, plan_removal(workspace, find_jobs(workspace, wish.jobs)))
        return clean_report.JobsReport(plan)
    if wish.policy:
        return _policy_report(workspace, each=wish.each)
    free = None if wish.free is None else parse_size(wish.free)
    seen = survey_workspace(workspace)
    if wish.jobs:
        keys = [row.key for row in select(workspace, wish.jobs, strict=True).rows]
        keys = [key for key in keys if key in seen.survey.jobs]
        return clean_report.of_filter(workspace, seen, keys, needed=wish.needed)
    finished = wish.all_obsolete
    if wish.runs:
        names = find_runs(workspace, wish.runs)
        offering = offer_runs(workspace, seen, names, finished=finished)
        hint = "--all-obsolete moves the jobs too that only these runs name"
        return clean_report.of_offering(workspace, offering, hint=hint, each=wish.each)
    offering = offer_obsolete(workspace, seen, finished=finished)
    hint = (
        "" if free is not None else "--all-obsolete moves the finished ones too that nobody needs"
    )
    return clean_report.of_offering(workspace, offering, hint=hint, free=free, each=wish.each)


def _policy_report(workspace: WorkspacePaths, *, each: bool) -> Report:
    from xpm_engine.cli import clean_report
    from xpm_engine.verbs.cleaning.obsolete import survey_workspace
    from xpm_engine.verbs.cleaning.policies import offer_policies
    from xpm_engine.workspace.settings import load_settings

    retention = load_settings(workspace).retention
    if not retention.has_policies:
        raise UsageError(
            "there is no policy",
            where=workspace.settings,
            hint="[retention] keep_runs, keep_best, drop_files or pack_logs: see docs/cleaning.md",
        )
    offering = offer_policies(workspace, survey_workspace(workspace), retention)
    none = "the policies select nothing"
    return clean_report.of_offering(workspace, offering, each=each, none=none)


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
    from xpm_engine.verbs.cleaning import clean

    done = clean.carry_out(workspace, plan)
    for item in old:
        clean.purge(workspace, item.name)
    if purge and not done.empty:
        clean.purge(workspace, done.name)
    return done


def _expired(workspace: WorkspacePaths) -> tuple[Transaction, ...]:
    from xpm_engine.verbs.cleaning.retention import expired
    from xpm_engine.workspace.settings import load_settings

    return expired(workspace, load_settings(workspace).retention)


def _tell_expired(old: Sequence[Transaction]) -> None:
    from xpm_engine.words import plural, size

    if old:
        bytes_ = size(sum(item.size or 0 for item in old))
        cleans = plural(len(old), "clean")
        click.echo(f"purges {cleans} whose time in the trash is over ([retention]): frees {bytes_}")


def _tell(plan: RemovalPlan, done: Transaction, *, purged: bool) -> None:
    from xpm_engine.verbs.cleaning.clean import contents, left_words, moved_sentence
    from xpm_engine.words import plain, size

    stayed = {row.key for row in plan.rows if row.refused}
    for left in done.left:
        if left.key is None or left.key not in stayed:
            click.echo(f"  left {plain(left_words(left))}")
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
        "moved_pieces": [piece_json(piece) for piece in done.pieces],
        "left": [left_json(left) for left in done.left],
        "purged": [*(item.name for item in old), *([done.name] if purged else [])],
    }


def _empty_trash(workspace: WorkspacePaths, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    from xpm_engine.verbs.cleaning.clean import contents, list_trash, purge
    from xpm_engine.words import plain, plural, size

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
