"""``xpm describe``"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xpm_engine.cli.options import json_option, print_json, workspace_option

if TYPE_CHECKING:
    from xpm_engine.config.docs import ClassDescription, ParameterDescription


@click.command(name="describe")
@click.argument("name", metavar="CLASS")
@json_option
@workspace_option
def command(*, name: str, as_json: bool, workspace: str | None) -> None:
    """Show a class of configurations: documentation, parameters, defaults, types.

    CLASS is PLAN.py:Class, module:Class or module.Class; or a task's name as `xpm ls` shows it.
    This imports the module; a plan is read up to its experiment, and nothing is run.
    """
    from xpm_engine.errors import WorkspaceError
    from xpm_engine.verbs.describe import describe
    from xpm_engine.verbs.places import find_workspace

    try:
        paths = find_workspace(workspace)
    except WorkspaceError:
        if workspace is not None:
            raise
        paths = None
    found = describe(name, workspace=paths)
    if as_json:
        print_json(found.to_json())
    else:
        _show(found)


def _show(found: ClassDescription) -> None:
    kind = "task" if found.is_task else "configuration"
    click.echo(f"{found.name}, a {kind}: {found.type_name}")
    for name in found.former:
        click.echo(f"  formerly {name}")
    if found.text:
        click.echo()
    for line in found.text.splitlines():
        click.echo(f"  {line}".rstrip())
    if found.parameters:
        click.echo()
    heads = [_head(each) for each in found.parameters]
    width = min(44, max(map(len, heads), default=0))
    for head, each in zip(heads, found.parameters, strict=True):
        help_lines = each.help.splitlines()
        if each.former:
            help_lines.append(f"Formerly {each.former}.")
        if len(head) > width and help_lines:
            click.echo(f"  {head}")
            head = ""  # noqa: PLW2901 (the help stands below, in its column)
        for line in help_lines or [""]:
            click.echo(f"  {head:<{width}}  {line}".rstrip())
            head = ""  # noqa: PLW2901


def _head(each: ParameterDescription) -> str:
    """``lr: float = 0.1``, and the kind where it is no parameter."""
    head = f"{each.name}: {each.type}"
    if each.default:
        head += f" = {each.default}"
    if each.required:
        head += "  (required)"
    return head if each.kind.value == "param" else f"{head}  ({each.kind.value})"
