"""``python -m xpm_engine.runtime JOB-FOLDER ATTEMPT NONCE``: one attempt in a fresh interpreter."""

from __future__ import annotations

import sys

from xpm_engine.runtime.context import JobContext
from xpm_engine.runtime.supervisor import supervise
from xpm_engine.runtime.task import run_task
from xpm_engine.workspace.layout import JobPaths


def main() -> None:
    """Read the three arguments and supervise that attempt."""
    root, attempt, nonce = sys.argv[1:]
    sys.argv[1:] = []
    supervise(JobContext(JobPaths(root), int(attempt), nonce), run_task)


if __name__ == "__main__":
    main()
