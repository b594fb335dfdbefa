"""How much memory it takes that half of the jobs are obsolete: ``python -m tests.bench.offers``.

Writes a workspace of ``--jobs`` finished jobs, of which half were replaced by a later run, and
remembers it as the app does. Another process then loads it as the app's model, and makes the plan
of removal with its sizes, without a screen. Prints what that process holds after each step, in
megabytes. ``--at FOLDER`` takes a workspace that is there.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.obsolete import remember, replace_half
from tests.big_workspace import Shape, make
from xpm_engine.workspace.layout import WorkspacePaths

HERE = Path(__file__).parents[2]


def resident() -> float:
    """Megabytes that this process holds now."""
    gc.collect()
    found = re.search(r"VmRSS:\s*(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return round(int(found[1]) / 1024, 1)


def load(root: str) -> dict[str, float]:
    """What each step takes, in this process."""
    from xpm_tui.cleaning.obsolescence import Obsolescence
    from xpm_tui.cleaning.planning import PlanOrder
    from xpm_tui.cleaning.removal import Removal
    from xpm_tui.deeds import HereDeeds
    from xpm_tui.store import Store
    from xpm_tui.store.reader import Look, Reader

    found = {"modules": resident()}
    workspace = WorkspacePaths(root)
    store, reader = Store(workspace), Reader(workspace)
    remembered = reader.memory.remember()
    if remembered is not None:
        store.apply(remembered)
        del remembered
    for delta in reader.read(Look(everything=True)):
        store.apply(delta)
    while store.prepare():
        pass
    found["jobs and runs"] = resident()

    def told(removal: Removal, purged: int) -> None:
        store.obsolete = removal

    looking = Obsolescence(store, HereDeeds(workspace), told)
    looking._work(PlanOrder(workspace, *store.known_now()))
    found["what is obsolete"] = resident()
    found["rows"] = 0 if store.obsolete is None else len(store.obsolete.rows)
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--at", metavar="FOLDER")
    options = parser.parse_args()
    if options.at:
        print(json.dumps(load(options.at), indent=2))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        shape = Shape(options.jobs, failed=0.02, running=0, waiting=0)
        workspace = make(Path(folder, "ws"), shape)
        replace_half(workspace)
        remember(workspace)
        command = [sys.executable, "-m", "tests.bench.offers", "--at", workspace.root]
        subprocess.run(command, cwd=HERE, check=True)


if __name__ == "__main__":
    main()
