"""The demo's plan as a process of its own, which goes on when the app is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Thread

from xpm_engine.errors import LaunchError
from xpm_engine.workspace.atomic import storage_error
from xpm_tui.demo.files import LOG, PLAN


def start_demo(folder: Path, *, failure: bool) -> int:
    """Run the plan in `folder` and return its process id.

    The process has its own session, and its output is appended to `LOG`. With `failure` the plan
    has one more task, which fails on purpose. Raises StorageError and LaunchError.
    """
    command = [sys.executable, "-m", "xpm_engine.cli", "run", PLAN]
    if failure:
        command.append("failure=yes")
    try:
        log = (folder / LOG).open("ab")
    except OSError as error:
        raise storage_error(error, str(folder / LOG), "open the plan's log") from error
    with log:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise LaunchError(
                f"the demo's plan did not start: {error.strerror}",
                where=str(folder),
                hint=f"start it by hand: cd {folder} && xpm run {PLAN}",
            ) from error
    # Waited for, so that an ended plan is no zombie, which would still look alive.
    Thread(target=process.wait, name="demo-plan", daemon=True).start()
    return process.pid
