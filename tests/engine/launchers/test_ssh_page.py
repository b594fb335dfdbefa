"""The plan and the first settings of docs/ssh.md, with a host."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.far.plans import Far
from tests.far.sshd import write_wrapper
from tests.test_docs import blocks
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import WorkspacePaths

PAGE = Path(__file__).parents[3] / "docs/ssh.md"


def test_the_plan_of_the_page(far: Far) -> None:
    page = list(blocks(PAGE.read_text("utf-8")))
    (plan,) = [block.text for block in page if block.language == "python"]
    settings = next(block.text for block in page if block.language == "toml")
    (far.host.home / "venv/bin").mkdir(parents=True)
    write_wrapper(far.host.home / "venv/bin/python", f'exec "{sys.executable}" "$@"')
    folder = far.project.folder
    workspace = WorkspacePaths(str(folder / "workspace"))
    Path(workspace.root).mkdir()
    Path(workspace.settings).write_text(settings)
    (folder / "drmm.py").write_text(plan)
    code, said = far.project.run(name="drmm.py")
    assert code == 0, said
    found = {key.task: scan.read_job(workspace, key) for key in scan.list_jobs(workspace)}
    assert {task: record.launcher for task, record in found.items()} == {
        "drmm.collect": "local",
        "drmm.learn": "alpha",
        "drmm.report": "local",
    }
    (report,) = [key for key in scan.list_jobs(workspace) if key.task == "drmm.report"]
    printed = Path(workspace.job(report).stdout_link).read_text()
    assert printed == "learned from 290 bytes\n"
