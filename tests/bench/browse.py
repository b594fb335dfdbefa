"""The app on a workspace of another machine: ``python -m tests.bench.browse [--jobs N]``.

Makes a workspace of N jobs, opens the app on it through a real OpenSSH server on loopback, in a
pseudo-terminal of 120×40 cells, and prints how long until the first rows of jobs are on the screen
and until everything was looked at: for the first time, with what was remembered of that, and
beside it the same workspace opened without ssh.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

from tests.bench.app import has_rows, ours, start
from tests.big_workspace import Shape, make
from tests.far.sshd import Sshd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    jobs = parser.parse_args().jobs
    with tempfile.TemporaryDirectory() as folder:
        workspace = make(Path(folder, "ws"), Shape(jobs=jobs))
        server = Sshd(Path(folder, "sshd"))
        os.environ["PATH"] = f"{server.bin}:{os.environ['PATH']}"
        try:
            far = [*ours(Path(workspace.root))[:-1], f"ssh://loopback{workspace.root}"]
            found = {
                "far, the first time": start(far, Path(folder, "far"), has_rows),
                "far, the second time": start(far, Path(folder, "far"), has_rows),
                "here, the first time": start(
                    ours(Path(workspace.root)), Path(folder, "here"), has_rows
                ),
            }
        finally:
            server.stop()
    print(json.dumps({"jobs": jobs, **found}, indent=2))


if __name__ == "__main__":
    main()
