"""Options and arguments that several verbs have."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from xpm_engine.errors import XpmError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Function = TypeVar("Function", bound=Callable[..., Any])


def workspace_option(function: Function) -> Function:
    """``-w/--workspace``, given to the verb as a path or None: see `find_workspace`."""
    return click.option(
        "-w",
        "--workspace",
        "workspace",
        metavar="PATH",
        help="The workspace; by default the working directory's.",
    )(function)


def json_option(function: Function) -> Function:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(
        function
    )


def job_argument(*, many: bool) -> Callable[[Function], Function]:
    """``JOB``: the beginning of an identifier, perhaps after ``TASK/``, or a path in its folder."""
    if many:
        return click.argument(
            "jobs", metavar="JOB...", nargs=-1, required=True, shell_complete=_complete_job
        )
    return click.argument("job", metavar="JOB", shell_complete=_complete_job)


def chosen_argument(function: Function) -> Function:
    """``[FILTER|JOB]...``, given to the verb as `jobs`; none is the verb's matter."""
    return click.argument(
        "jobs", metavar="[FILTER|JOB]...", nargs=-1, shell_complete=_complete_job
    )(function)


def print_json(value: dict[str, Any]) -> None:
    """One JSON document, indented, with the version of its format."""
    click.echo(json.dumps({"v": 1, **value}, indent=2))


def _complete_job(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.workspace.scan import list_jobs

    try:
        workspace = find_workspace(context.params.get("workspace"))
    except XpmError:
        return []
    names = (f"{key.task}/{key.short}" for key in sorted(list_jobs(workspace)))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
