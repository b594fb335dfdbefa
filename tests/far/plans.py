"""Plans in processes of their own whose jobs run on a host that a stub stands for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.engine.projects import Project
from tests.far.stub import StubHost
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Wait

HEAD = """
LEDGER = Path({ledger!r})


class Write(Task):
    text: Param[str]
    where: Param[Path] = pathgenerator("out.txt")
    def execute(self) -> None:
        note(f"begin {{self.text}}")
        print("writing", self.text)
        progress(0.5)
        self.where.write_text(self.text)
        Path("sub").mkdir(exist_ok=True)
        Path("sub/large").write_bytes(os.urandom(300_000))
        note(f"end {{self.text}}")


class Use(Task):
    file: Param[Path]
    def execute(self) -> None:
        print("at", self.file)


class Read(Task):
    source: Param[Write]
    def execute(self) -> None:
        note("begin read")
        print("read", self.source.where.read_text(), os.getcwd())
        note("end read")

"""

SETTINGS = """
[hosts.alpha]
workspace = "~/far"
python = "{python}"
cores = 4
{more}
"""


class Far:
    """A project whose plans may use the host `alpha`."""

    def __init__(self, project: Project, host: StubHost) -> None:
        self.project = project
        self.host = host
        self.there = WorkspacePaths(str(host.home / "far"))
        self.configure()

    @property
    def here(self) -> WorkspacePaths:
        return self.project.workspace

    def configure(self, more: str = "", python: str = sys.executable) -> None:
        """Write xpm.toml."""
        os.makedirs(self.here.root, exist_ok=True)
        Path(self.here.settings).write_text(SETTINGS.format(python=python, more=more))

    def plan(self, body: str, launcher: str = '"alpha"', name: str = "plan.py") -> None:
        """A plan whose experiment submits what `body` says."""
        lines = "\n        ".join(body.strip().splitlines())
        head = HEAD.format(ledger=str(self.project.folder / "ledger"))
        self.project.write(
            f'{head}\nif __name__ == "__main__":\n'
            f'    with experiment("ws", "exp", launcher={launcher}):\n        {lines}\n',
            name=name,
        )

    def run(self, name: str = "plan.py") -> str:
        """Run it to a good end."""
        code, said = self.project.run(name=name)
        assert code == 0, said + self.log()
        return said

    def log(self) -> str:
        """What the launcher noted in the last run."""
        logs = [Path(self.here.run("exp", run).log) for run in scan.list_runs(self.here, "exp")]
        return "".join(path.read_text() for path in logs if path.exists())

    def waits(self) -> list[Wait]:
        """What the jobs of all runs wait for."""
        views = [scan.read_run(self.here, "exp", run) for run in scan.list_runs(self.here, "exp")]
        return [wait for view in views if view.queue is not None for wait in view.queue.waits]

    def key(self, name: str = "") -> JobKey:
        """The only job, or the one of a class."""
        (found,) = [key for key in scan.list_jobs(self.here) if key.task.endswith(name)]
        return found
