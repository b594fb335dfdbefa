"""Far jobs that were started, and wait there before they begin."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.far.plans import Far
from xpm_engine.words import wait_words
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.records.reasons import WaitKind

BODY = """
LEDGER = Path({ledger!r})

# What a user waits for fifteen seconds and more, a test does not.
from xpm_engine.launchers.ssh import starts, worker
starts.PATIENCE, worker.TICK = {patience}, 0.1


class Train(Task):
    epochs: Param[int]
    checkpoints: Param[Path] = pathgenerator("checkpoints", without=("epochs",))

    def execute(self) -> None:
        note(f"begin {{self.epochs}}")
        while not LEDGER.with_name(f"go{{self.epochs}}").exists():
            time.sleep(0.02)
        note(f"end {{self.epochs}}")


if __name__ == "__main__":
    with experiment("ws", "exp", launcher="alpha"):
        Train(epochs=int(sys.argv[1])).submit()
"""


@pytest.mark.parametrize("isolation", ["", "spawn"])
def test_a_job_waits_for_the_folder_that_it_shares(far: Far, isolation: str) -> None:
    ledger = str(far.project.folder / "ledger")
    body = BODY.format(ledger=ledger, patience=1.0)
    if isolation:
        # What loads threads can't be forked: then it is a fresh interpreter that waits.
        thread = "__import__('threading').Thread(target=time.sleep, args=(60,), daemon=True)"
        body = body.replace("class Train", f"{thread}.start()\n\n\nclass Train")
    far.project.write(body)
    first = far.project.start("1")
    far.project.wait_for(lambda: far.project.ledger() == ["begin 1"])
    second = far.project.start("2")
    far.project.wait_for(lambda: any(wait.kind is WaitKind.SHARED for wait in far.waits()))
    (wait,) = [wait for wait in far.waits() if wait.kind is WaitKind.SHARED]
    assert wait_words(wait) == "waits for another job to leave the folder that they share on alpha"
    # Many times as long as an order without a start is left alone.
    time.sleep(5.0)
    Path(ledger).with_name("go2").touch()
    Path(ledger).with_name("go1").touch()
    for plan in (first, second):
        code, said = far.project.finish(plan)
        assert code == 0, said + far.log()
    assert far.project.ledger() == ["begin 1", "end 1", "begin 2", "end 2"]
    for key in scan.list_jobs(far.there):
        assert tickets.ticket_names(far.there.job(key)) == {1: {"launch", "start", "end"}}
