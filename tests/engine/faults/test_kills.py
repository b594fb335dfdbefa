"""kill -9 of anything at random moments: rounds of it, each of which can be repeated by its seed.

``XPM_FAULT_ROUNDS=2000 python -m pytest tests/engine/faults/test_kills.py`` runs more of them,
``XPM_FAULT_SEED=7`` others.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.engine.faults.campaign import (
    TASKS,
    Running,
    Victims,
    check_reasons,
    check_run_once,
    check_settled,
    living,
    running,
)
from tests.engine.projects import Project

ROUNDS = int(os.environ.get("XPM_FAULT_ROUNDS", "200"))
SEED = int(os.environ.get("XPM_FAULT_SEED", "1"))
CAMPAIGNS = 8
JOBS = 12
"""Jobs that a plan has: a round is soon over, and there is something to kill in most of them."""

PLAN = """
if __name__ == "__main__":
    with experiment("ws", "exp"):
        first = int(sys.argv[1])
        # One that is there for long enough to be seen, should it outlive its death.
        jobs = [Job(number=first, seconds=2.0).submit()]
        for n in range(first + 1, first + int(sys.argv[2])):
            jobs.append(Job(number=n, after=jobs[1:][-3:-2]).submit())
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds its victims in /proc")


@pytest.mark.parametrize("campaign", range(CAMPAIGNS))
def test_whatever_is_killed_each_job_is_executed_once(project: Project, campaign: int) -> None:
    """The plan, its helper, a supervisor, a task, or all at once; interrupted and asked to end."""
    chance = random.Random(f"{SEED}/{campaign}")
    story: list[str] = []
    try:
        _rounds(project, chance, story, ROUNDS // CAMPAIGNS)
    except BaseException:
        print(f"XPM_FAULT_SEED={SEED}, campaign {campaign}:", *story, sep="\n  ")
        raise


def _rounds(project: Project, chance: random.Random, story: list[str], rounds: int) -> None:
    project.write(TASKS + PLAN)
    victims = Victims(project)
    seen: set[Running] = set()
    first = 0
    plan: subprocess.Popen[str] | None = None
    for number in range(rounds):
        if plan is None:
            plan = project.start(str(first), str(JOBS))
        what = chance.choice(list(KILLS))
        story.append(f"{number}: {what}, jobs from {first}")
        _wait_for_a_moment(project, plan, chance, seen)
        seen.update(each for each in running(project) if each.alive())
        KILLS[what](victims, plan, chance)
        if what in ENDS_THE_PLAN or plan.poll() is not None:
            code, said = project.finish(plan)
            assert "Traceback" not in said, said
            plan = None
            first += JOBS if code == 0 else 0
    if plan is not None:
        project.finish(plan)
    # What was hurt has failed, and is run again: after that nothing is left to do.
    for start in range(0, first + 1, JOBS):
        code, said = project.run(str(start), str(JOBS))
        assert code == 0, said
    check_settled(project)
    check_run_once(project)
    check_reasons(project, victims.killed)
    assert len(project.ledger()) >= 2 * (first + JOBS)


def _wait_for_a_moment(
    project: Project, plan: subprocess.Popen[str], chance: random.Random, seen: set[Running]
) -> None:
    """Mostly one at which a task was begun just now; else any, the plan's first ones included.

    Meanwhile nothing of what was `seen` alive may live and be said to be over.
    """
    known, begun = len(project.ledger()), chance.random() < 0.75
    deadline = time.monotonic() + (2 if begun else chance.uniform(0, 0.6))
    while time.monotonic() < deadline and plan.poll() is None:
        for each in list(seen):
            each.check()
            if not each.alive():
                seen.discard(each)
        time.sleep(0.005)
        if begun and len(project.ledger()) != known:
            begun, deadline = False, time.monotonic() + chance.uniform(0, 0.05)


def _plan(victims: Victims, plan: subprocess.Popen[str], chance: random.Random) -> None:
    plan.kill()


def _helper(victims: Victims, plan: subprocess.Popen[str], chance: random.Random) -> None:
    victims.kill(victims.helper_of(plan))


def _supervisor_or_task(
    victims: Victims, plan: subprocess.Popen[str], chance: random.Random
) -> None:
    alive = living(victims.project)
    victims.kill(chance.choice(alive) if alive else None)


def _everything(victims: Victims, plan: subprocess.Popen[str], chance: random.Random) -> None:
    found = victims.everything_of(plan)
    chance.shuffle(found)
    victims.kill(*found)
    plan.kill()


def _ask(victims: Victims, plan: subprocess.Popen[str], chance: random.Random) -> None:
    plan.send_signal(signal.SIGTERM)


KILLS = {
    "plan": _plan,
    "helper": _helper,
    "a job": _supervisor_or_task,
    "everything": _everything,
    "SIGTERM to the plan": _ask,
}
ENDS_THE_PLAN = ("plan", "everything", "SIGTERM to the plan")
