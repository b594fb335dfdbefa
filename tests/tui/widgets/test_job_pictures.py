"""The tabs of a job, of a run and of the workspace, as they stand on the screen at both sizes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.hosting import Host, store_of
from tests.tui.screen_text import screen_lines
from tests.tui.widgets.job.test_job_tabs import record
from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace, ago
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.metrics import metric_line
from xpm_tui import clock
from xpm_tui.facts.usage import LiveUsage
from xpm_tui.store import (
    ExperimentSubject,
    Job,
    JobSubject,
    RunKey,
    RunSubject,
    Store,
    Subject,
    WorkspaceSubject,
)
from xpm_tui.widgets.job.overview_facts import Explained
from xpm_tui.widgets.right_side import RightSide

Picture = Callable[[list[str]], None]
both_sizes = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
RUN = RunKey("drmm", "20261123-091200")
TRACEBACK = """Traceback (most recent call last):
  File "/home/you/ir/train.py", line 88, in step
    loss = self.model(batch).mean()
torch.OutOfMemoryError: CUDA out of memory
"""


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch, same_host: None) -> None:
    """Nothing that differs from machine to machine, or from one second to the next."""

    def explain(workspace: WorkspacePaths, job: Job) -> Explained:
        return Explained(job.key, job.record.attempt, "lr 0.1 → 0.01", "71c0de")

    usage = LiveUsage(0.96, 1_200_000_000, 1)
    monkeypatch.setattr(clock, "now", lambda: NOON)
    monkeypatch.setattr("xpm_tui.widgets.job.overview.explain", explain)
    monkeypatch.setattr("xpm_tui.widgets.job.overview_facts.live_usage", lambda identity: usage)


@pytest.fixture
def store(workspace: FakeWorkspace, jobs: dict[str, FakeJob]) -> Store:
    failed = jobs["learn lr=0.1 seed=1"]
    paths = workspace.paths.job(failed.key)
    write_atomic(paths.params, dumps(record().to_json()))
    lines = [
        metric_line(name, value, step, at=ago(60), attempt=attempt)
        for attempt in (0, 1)
        for step in range(10, 400, 10)
        for name, value in (("loss", 9 / (1 + step / 40)), ("mrr", 0.3 - 8 / (step + 20)))
    ]
    Path(paths.metrics).write_text("".join(lines))
    workspace.log(failed, "epoch 1 batch 812 loss 0.4127\n" * 40 + TRACEBACK, stream="err")
    workspace.log(failed, "reading shard-0412\n" * 30)
    running = workspace.paths.job(jobs["learn lr=0.01 seed=1"].key)
    os.utime(running.start(1), (NOON - 240, NOON - 240))
    Path(paths.root, "model.bin").write_bytes(b"\0" * 2_000_000)
    for folder, _, names in os.walk(paths.root):
        for name in (*names, "."):
            os.utime(Path(folder, name), (NOON - 300, NOON - 300))
    return store_of(workspace)


@pytest.fixture
def side() -> RightSide:
    return RightSide(since=ago(60_000))


def still(store: Store, host: Host) -> list[str]:
    """The screen, without pids, and without the sizes of files that name this machine."""
    text = re.sub(r"^ /\S+", " /ws", "\n".join(screen_lines(host)))
    text = re.sub(r"pid \d+", "pid PID", text)
    # A path is as long as the machine likes, so it is cut or wrapped where the machine likes.
    text = re.sub(r"\n Folder .*", "\n Folder       …", text, flags=re.S)
    text = re.sub(r"(std(?:out|err)\.log +)/.*", r"\1/…", text)
    return text.split("\n")


FAILED = "job: learn lr=0.1 seed=1"
RUNNING = "job: learn lr=0.01 seed=1"


@both_sizes
@pytest.mark.parametrize(
    ("subject", "tab", "wanted"),
    [
        pytest.param(FAILED, "1", "Ran because", id="overview"),
        pytest.param(RUNNING, "1", "Ran because", id="overview_running"),
        pytest.param(FAILED, "2", "Learning rate", id="parameters"),
        pytest.param(FAILED, "3", "CUDA out of memory", id="log"),
        pytest.param(FAILED, "4", "step 390", id="metrics"),
        pytest.param(FAILED, "6", "needed by", id="links"),
        pytest.param(RunSubject(RunKey("drmm", "20261120-101500")), "1", "added", id="earlier_run"),
        pytest.param(ExperimentSubject("drmm"), "4", "20261123-091200", id="runs"),
        pytest.param(ExperimentSubject("drmm"), "1", "evaluate", id="jobs"),
        pytest.param(ExperimentSubject("drmm"), "C", "Columns", id="columns"),
        pytest.param(WorkspaceSubject(), "1", "your last visit", id="workspace"),
    ],
)
async def test_picture_of(
    side: RightSide,
    store: Store,
    jobs: dict[str, FakeJob],
    subject: Subject | str,
    tab: str,
    wanted: str,
    size: tuple[int, int],
    picture: Picture,
) -> None:
    host = Host(side)
    if isinstance(subject, str):
        subject = JobSubject(jobs[subject.removeprefix("job: ")].key, RUN)
    async with host.run_test(size=size) as pilot:
        side.show(subject, store)
        side.focus_view()
        await pilot.press(tab)
        before: list[str] = []
        for _ in range(500):
            await pilot.pause(0.05)
            lines = still(store, host)
            if lines == before and any(wanted in line for line in lines):
                break
            before = lines
        picture(still(store, host))
