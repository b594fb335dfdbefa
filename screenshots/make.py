"""Make the pictures of this folder from the running demo: ``python screenshots/make.py``.

The demo runs in a folder of its own under /tmp while the app is looked at; each picture is the
app's own SVG, and a PNG that Chromium draws of it. Needs Debian's packages chromium and
fonts-dejavu-core.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.states import JobState
from xpm_tui.app import XpmApp
from xpm_tui.demo import WORKSPACE, start_demo, write_demo

HERE = Path(__file__).resolve().parent
DONE_FIRST = 9
"""Jobs of the demo that are done before the first picture, so that there is something to see."""

Steps = Callable[[Pilot[None]], Awaitable[None]]


def press(*keys: str) -> Steps:
    """The steps that press some keys, one after the other."""

    async def steps(pilot: Pilot[None]) -> None:
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.3)

    return steps


EVALUATION = ("j", "j", "j", "j", "l", "j")
"""From the experiment's row to the first evaluation."""

REPORT = ("j", "j", "j", "j", "j", "l", "j")
"""From the experiment's row to the report, which nothing needs."""

PICTURES: tuple[tuple[str, tuple[int, int], Steps], ...] = (
    ("main-120x40", (120, 40), press(*EVALUATION)),
    ("main-80x24", (80, 24), press(*EVALUATION)),
    ("tags-120x40", (120, 40), press("t", "t", "j", "l", "j")),
    ("job-120x40", (120, 40), press(*EVALUATION, "enter")),
    ("waiting-120x40", (120, 40), press("tab", "3")),
    ("log-120x40", (120, 40), press(*EVALUATION, "L")),
    ("log-80x24", (80, 24), press(*EVALUATION, "L")),
    ("help-120x40", (120, 40), press("question_mark")),
)
"""Name, columns and rows, and how to get there from the start."""

LATE: tuple[tuple[str, tuple[int, int], Steps], ...] = (
    ("causes-120x40", (120, 40), press("k")),
    ("causes-80x24", (80, 24), press("k", "enter")),
    ("clean-120x40", (120, 40), press(*REPORT, "x")),
    ("clean-80x24", (80, 24), press(*REPORT, "x")),
)
"""Those of the demo when it is over: nothing that runs can be removed."""


def main() -> None:
    """Run the demo, look at it, and write the pictures."""
    with tempfile.TemporaryDirectory(prefix="xpm-pictures-", dir="/tmp") as name:
        os.environ["HOME"] = name
        os.chdir(name)
        folder = Path(name) / "xpm-demo"
        write_demo(folder)
        start_demo(folder, failure=True)
        workspace = WorkspacePaths(str(folder / WORKSPACE))
        wait_for(workspace, DONE_FIRST)
        drawn = [picture(workspace, *each) for each in PICTURES]
        wait_until_over(workspace)
        drawn += [picture(workspace, *each) for each in LATE]
        empty = WorkspacePaths(str(Path(name) / "empty"))
        Path(empty.root).mkdir()
        drawn.append(picture(empty, "empty-80x24", (80, 24), press()))
        os.chdir(HERE)
    for path in drawn:
        draw(path)


def wait_for(workspace: WorkspacePaths, count: int) -> None:
    """Until so many jobs are done."""
    while sum(state is JobState.DONE for state in states(workspace)) < count:
        time.sleep(0.2)


def wait_until_over(workspace: WorkspacePaths) -> None:
    """Until the demo has nothing left to run."""
    while scan.read_run(workspace, "bm25", scan.list_runs(workspace, "bm25")[-1]).live:
        time.sleep(0.5)


def states(workspace: WorkspacePaths) -> list[JobState]:
    """The states of all jobs that have a folder."""
    return [scan.read_job(workspace, key).state for key in scan.list_jobs(workspace)]


def picture(workspace: WorkspacePaths, name: str, size: tuple[int, int], steps: Steps) -> Path:
    """Write the SVG of what the app shows after some steps."""

    async def look() -> str:
        app = XpmApp(workspace)
        async with app.run_test(size=size) as pilot:
            await pilot.pause(1.0)
            await steps(pilot)
            await pilot.pause(1.0)
            return app.export_screenshot(title="xpm-tui")

    path = HERE / f"{name}.svg"
    path.write_text(elsewhere(plain_fonts(asyncio.run(look()))))
    return path


SHORTEST = 6
"""Characters of a path that is cut; fewer tell nothing of a machine."""


def elsewhere(svg: str) -> str:
    """The picture as if it were made on nobody's machine: paths of this one, also where they are
    cut, give way to others of the same length."""
    for path, other in (
        (sysconfig.get_path("stdlib"), "/usr/lib/python3.11/lib-dynload/lib/python3.11"),
        (os.environ["HOME"], "/home/you/ir/retrieval-exp"),
    ):
        for length in range(len(path), SHORTEST, -1):
            svg = svg.replace(path[:length], other[:length].ljust(length, "x"))
    return svg


def plain_fonts(svg: str) -> str:
    """The picture with a font that every machine has, in which box drawing joins."""
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family:[^;]*Fira Code[^;]*;", "font-family: DejaVu Sans Mono;", svg)
    return re.sub(r"\n\s*\n+", "\n", svg)


def draw(path: Path) -> None:
    """Draw the PNG of an SVG."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("the PNG pictures need Debian's package chromium")
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', path.read_text())
    assert box is not None
    width, height = (int(float(number)) + 1 for number in box.groups())
    with tempfile.TemporaryDirectory() as profile:
        page = Path(profile) / "page.html"
        page.write_text(f"<style>body{{margin:0}}</style>{path.read_text()}")
        subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--hide-scrollbars",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                f"--user-data-dir={profile}/profile",
                f"--window-size={width},{height}",
                f"--screenshot={path.with_suffix('.png')}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
        )


if __name__ == "__main__":
    main()
