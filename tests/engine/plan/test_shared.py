"""Folders that jobs share by a partial identifier: found again, and one running job at a time."""

from __future__ import annotations

import os

from tests.engine.projects import Project
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import WorkspacePaths

BODY = """
class Train(Task):
    lr: Param[float]
    max_epoch: Param[int]
    checkpoints: Param[Path] = pathgenerator("checkpoints", without=("max_epoch",))

    def execute(self) -> None:
        note(f"in {self.max_epoch}")
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        done = len(list(self.checkpoints.iterdir()))
        for epoch in range(done, self.max_epoch):
            time.sleep(0.02)
            (self.checkpoints / f"{epoch}").write_text(str(self.lr))
        note(f"out {self.max_epoch}")
        print(f"computed {self.max_epoch - done} epochs")

if __name__ == "__main__":
    with experiment("ws", sys.argv[1]):
        for epochs in map(int, sys.argv[2:]):
            Train(lr=0.1, max_epoch=epochs).submit()
"""


def _never_two_at_a_time(project: Project) -> None:
    lines = project.ledger()
    for begin, end in zip(lines[::2], lines[1::2], strict=True):
        assert begin.split()[0] == "in"
        assert end == begin.replace("in", "out")


def test_a_longer_run_goes_on_from_the_checkpoints_of_a_shorter_one(project: Project) -> None:
    project.write(BODY)
    assert project.run("exp", "10")[0] == 0
    assert project.run("exp", "10", "20")[0] == 0
    logs = sorted(path.read_text() for path in project.folder.glob("ws/jobs/*/*/.xpm/logs/1.out"))
    assert logs == ["computed 10 epochs\n"] * 2
    shared = list((project.folder / "ws" / "shared").rglob("checkpoints/*/checkpoints"))
    assert len(shared) == 1
    assert len(list(shared[0].iterdir())) == 20
    workspace = WorkspacePaths.at(project.folder / "ws")
    name = os.path.relpath(shared[0].parent, workspace.shared)
    for key in scan.list_jobs(workspace):
        assert scan.read_job(workspace, key).shared == (name,)


def test_jobs_of_one_plan_take_turns(project: Project) -> None:
    project.write(BODY)
    code, said = project.run("exp", "3", "6", "9")
    assert code == 0, said
    assert len(project.ledger()) == 6
    _never_two_at_a_time(project)


def test_jobs_of_two_plans_take_turns(project: Project) -> None:
    project.write(BODY)
    plans = [project.start("one", "10", "12"), project.start("two", "11", "13")]
    for plan in plans:
        code, said = project.finish(plan)
        assert code == 0, said
    assert len(project.ledger()) == 8
    _never_two_at_a_time(project)
