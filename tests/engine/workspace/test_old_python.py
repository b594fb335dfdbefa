"""Tickets, claims and pools by an old interpreter, and what the two read of each other."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.engine.making import KEY, end, launch, start
from tests.engine.old_python import old_python
from xpm_engine.workspace import tickets
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome

ROOT = Path(__file__).resolve().parents[3]

MOVES = """
import json, os, sys
from dataclasses import replace
from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import claims, processes, tickets
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.pool.member import Member
from xpm_engine.workspace.pool.sharing import Limits
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.resources import Resources
from xpm_engine.workspace.records.tickets import End, Launch, LaunchedBy, Start

key = JobKey.parse(sys.argv[2])
job = WorkspacePaths(sys.argv[1]).job(key)
me = processes.own_identity()
assert processes.liveness(me) is processes.Liveness.ALIVE

def look():
    return claims.look(job, lost=lambda attempt: True, recover=lambda: False)

def order(number):
    return Launch(tickets.new_nonce(), key, number, LaunchedBy.PLAN, now(), me, "e/r")

# What the other Python left: done by its first attempt.
found = look()
assert (found.verdict, found.number) == (claims.Verdict.DONE, 1), found
assert tickets.is_done(job) and tickets.stands(job, 1)

# The second is lost before it starts, and made void; the third runs, and its process is dead.
assert tickets.claim_launch(job, order(2)) and not tickets.claim_launch(job, order(2))
assert look().verdict is claims.Verdict.DONE
gone = replace(me, pid=2 ** 22 - 1, start_ticks=1)
third = order(3)
assert tickets.claim_launch(job, third)
start = Start(tickets.new_nonce(), third.nonce, gone, now(), "ada")
assert tickets.claim_start(job, 3, start)
assert not tickets.claim_start(job, 3, replace(start, nonce="x"))
found = look()
assert (found.verdict, found.number) == (claims.Verdict.FREE, 4), found
assert found.end.outcome is Outcome.DIED
fourth = order(4)
assert tickets.claim_launch(job, fourth)
lock = tickets.take_lock(job, patience=1.0)
assert lock is not None and not tickets.lock_is_free(job)
assert tickets.claim_start(job, 4, Start(tickets.new_nonce(), fourth.nonce, me, now(), "ada"))
assert look().verdict is claims.Verdict.RUNNING
assert tickets.record_end(job, 4, End(tickets.new_nonce(), Outcome.FAILED, now(), me, exit_code=3))

member = Member(Limits(1), run="e/r", driver=me)
with member.turn() as turn:
    assert turn.ask(key, job.root, Resources().demand()) is not None
    assert turn.ask(key, job.root, Resources().demand()) is None
member.close()
"""


def test_an_old_interpreter_makes_and_reads_the_same_tickets(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    assert tickets.claim_launch(job, launch())
    assert tickets.claim_start(job, 1, start())
    assert tickets.record_end(job, 1, end(Outcome.DONE, metrics={"loss": 0.5}))
    done = subprocess.run(
        [old_python(), "-B", "-W", "error", "-c", MOVES, workspace.root, str(KEY)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ends = [tickets.read_end(job, number) for number in sorted(tickets.ticket_names(job))]
    assert [each.outcome for each in ends] == [
        Outcome.DONE,
        Outcome.VOID,
        Outcome.DIED,
        Outcome.FAILED,
    ]
    assert ends[-1].exit_code == 3
    assert tickets.read_attempt(job, 4, {"launch", "start", "end"}).launch.run == "e/r"
    assert json.loads(Path(job.launch(2)).read_text())["attempt"] == 2
