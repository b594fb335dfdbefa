"""``xpm doctor``"""

from __future__ import annotations

import click

from xpm_engine.cli.options import json_option, print_json, workspace_option
from xpm_engine.errors import WorkspaceError


@click.command(name="doctor")
@click.argument("what", metavar="[ssh HOST]", nargs=-1)
@workspace_option
@json_option
def command(*, what: tuple[str, ...], workspace: str | None, as_json: bool) -> None:
    """Look whether this machine, or a host reached by ssh, is as it must be.

    Goes step by step, and says what to do where something is wrong. Exits with 3 then.
    """
    from xpm_engine.verbs import doctor
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.workspace.layout import WorkspacePaths

    try:
        paths = find_workspace(workspace)
    except WorkspaceError:
        # It need not be there yet.
        paths = WorkspacePaths.at(workspace or ".")
    if not what:
        steps = doctor.here(paths)
    elif len(what) == 2 and what[0] == "ssh":
        steps = doctor.ssh(paths, what[1])
    else:
        raise click.UsageError("xpm doctor, or xpm doctor ssh HOST")
    found: list[doctor.Step] = []
    for step in steps:
        found.append(step)
        if not as_json:
            click.echo(f"{step.finding.value:<6} {step.what:<11} {step.text}")
            if step.hint:
                click.echo(f"  next:  {step.hint}")
    if as_json:
        rows = [
            {"what": s.what, "finding": s.finding.value, "text": s.text, "hint": s.hint}
            for s in found
        ]
        print_json({"steps": rows})
    if any(step.finding is doctor.Finding.WRONG for step in found):
        raise SystemExit(3)
