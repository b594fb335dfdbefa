"""Having the policies of ``[retention]`` carried out at the end of a run.

In a process of its own: a plan knows no verbs, and nothing that goes wrong in a clean may become
a fault of a run that ended well.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

from xpm_engine.workspace.layout import WorkspacePaths

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""Of the engine."""

LIMIT = 3600.0
"""Seconds after which it is given up: every folder that goes is measured before."""


def retain(workspace: WorkspacePaths, run: str) -> Iterator[str]:
    """Carry the policies out after ``experiment/run``; what was done, in lines for its report."""
    command = [sys.executable, "-P", "-m", "xpm_engine.cli.after_run", workspace.root, run]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=workspace.root,
            env=_environment(),
            timeout=LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        yield f"[retention] could not be carried out: {error}"
        return
    yield from done.stdout.decode("utf-8", "replace").splitlines()
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = said[-1] if said else f"its process ended with code {done.returncode}"
        yield f"[retention] could not be carried out: {why}"


def _environment() -> dict[str, str]:
    """This process's own; the engine is found where it was found here."""
    home = os.path.dirname(PACKAGE)
    known = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if not home.endswith("-packages"):
        known.insert(0, home)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(known)} if known else dict(os.environ)
