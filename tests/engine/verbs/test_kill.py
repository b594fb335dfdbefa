"""Stopping jobs, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.folders import key, make_job, make_run, reference
from tests.engine.making import dead_process, launch
from xpm_engine.verbs.kill import Killed, kill_job, live_plans, stop_plan
from xpm_engine.workspace import cleaning, processes, tickets
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.runs import PlanState

A, B = key(1), key(2)

Victim = tuple["subprocess.Popen[bytes]", ProcessIdentity]


@pytest.fixture
def victim() -> Iterator[Victim]:
    """A process that waits for a signal."""
    code = "import signal; signal.signal(2, signal.SIG_DFL); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        identity = processes.identity_of(process.pid)
        assert identity is not None
        yield process, identity
        process.kill()


def test_a_running_job_is_asked(workspace: WorkspacePaths, victim: Victim) -> None:
    process, identity = victim
    make_job(workspace, A, outcome=None, by=identity)
    assert kill_job(workspace, A).killed is Killed.ASKED
    assert process.wait(timeout=30) == -signal.SIGTERM


def test_a_stranger_with_the_same_pid_is_let_be(workspace: WorkspacePaths, victim: Victim) -> None:
    from dataclasses import replace

    process, identity = victim
    earlier = replace(identity, start_ticks=identity.start_ticks - 1)
    make_job(workspace, A, outcome=None, by=earlier)
    assert kill_job(workspace, A).killed is Killed.GONE
    assert process.poll() is None


def test_a_queued_job_never_starts(workspace: WorkspacePaths) -> None:
    job = workspace.job(A)
    tickets.claim_launch(job, launch(A))
    assert kill_job(workspace, A).killed is Killed.CANCELLED
    attempt = tickets.newest_attempt(job)
    assert attempt is not None
    assert attempt.void
    assert kill_job(workspace, A).killed is Killed.NOT_LIVE


def test_a_dead_job_is_recorded(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A, outcome=None, by=dead_process())
    assert kill_job(workspace, A).killed is Killed.GONE
    attempt = tickets.last_attempt(job)
    assert attempt is not None
    assert attempt.end is not None
    assert attempt.end.outcome is Outcome.DIED


def test_a_job_on_another_machine(
    workspace: WorkspacePaths, victim: Victim, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, identity = victim
    make_job(workspace, A, outcome=None, by=identity)
    monkeypatch.setattr(processes, "host_name", lambda: "elsewhere")
    report = kill_job(workspace, A)
    assert report.killed is Killed.ELSEWHERE
    assert identity.host in report.detail
    assert process.poll() is None


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.FAILED])
def test_what_is_over_stays_as_it_is(workspace: WorkspacePaths, outcome: Outcome) -> None:
    make_job(workspace, A, outcome=outcome)
    assert kill_job(workspace, A).killed is Killed.NOT_LIVE
    assert kill_job(workspace, B).killed is Killed.NOT_LIVE


def test_a_job_that_cannot_be_read(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A, outcome=None)
    Path(job.start(1)).write_text("{")
    report = kill_job(workspace, A)
    assert report.killed is Killed.UNREADABLE
    assert job.start(1) in report.detail


def test_a_job_on_its_way_to_the_trash(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    os.rename(workspace.transaction(done.name).job(A).root, workspace.job(A).root)
    assert kill_job(workspace, A).killed is Killed.CLEANING


def test_the_plans_that_go_on_are_named(workspace: WorkspacePaths, victim: Victim) -> None:
    process, identity = victim
    make_run(workspace, [reference(A)], run="1", plan=PlanState.COMPLETE)
    make_run(workspace, [reference(B)], run="2", plan=PlanState.RUNNING, driver=identity)
    make_run(workspace, [reference(A)], run="3", plan=PlanState.RUNNING, driver=identity)
    make_run(workspace, [reference(A)], run="4", plan=PlanState.RUNNING, driver=dead_process())
    broken = make_run(workspace, [reference(A)], run="5")
    Path(broken.record).write_text("")
    plans = live_plans(workspace, frozenset([A]))
    assert [plan.run for plan in plans] == ["3"]
    assert str(identity.pid) in str(plans[0])
    assert stop_plan(workspace, plans[0])
    assert process.wait(timeout=30) == -signal.SIGTERM
    assert not stop_plan(workspace, plans[0])
