"""Which jobs a retry takes, and why it refuses others: from the folders alone."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.engine.folders import key, make_job, make_run, picture, reference
from tests.engine.making import dead_process, launch
from xpm_engine.errors import UsageError
from xpm_engine.verbs.retry import ResourceChanges, RetryPlan, plan_retry
from xpm_engine.verbs.retry_outline import RefusalKind, Role
from xpm_engine.workspace import cleaning, processes, scan, tickets
from xpm_engine.workspace.atomic import append_bytes, dumps
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.orders import OrderLines, StoredOrder
from xpm_engine.workspace.records.params import CodeRecord, ObjectRecord, ParamsRecord
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.resources import Resources, Token
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import Launch, Retrying
from xpm_engine.workspace.retries import with_retries
from xpm_engine.workspace.standing import read_current

A, B, C, D = map(key, range(1, 5))
DIGEST = "0" * 32
PARAMS = ParamsRecord(
    0,
    (ObjectRecord("m.T", "m", "T", DIGEST, DIGEST),),
    CodeRecord("m", "T", "", "/project"),
).to_json()

FAILED, DONE = Outcome.FAILED, Outcome.DONE


def _order(name: JobKey, *dependencies: JobKey) -> StoredOrder:
    return StoredOrder(name, PARAMS, DIGEST, dependencies)


def _store(workspace: WorkspacePaths, *orders: StoredOrder) -> None:
    """Two jobs that failed or wait, in one run that kept the orders of those that wait."""
    lines = [reference(order.key, dependencies=order.dependencies) for order in orders]
    paths = make_run(workspace, lines)
    data = b"".join(dumps(order.to_json()) + b"\n" for order in orders)
    append_bytes(paths.orders, data)


def _roles(plan: RetryPlan) -> dict[JobKey, Role]:
    return {job.key: job.role for job in plan.jobs}


def _kinds(plan: RetryPlan) -> dict[JobKey, RefusalKind]:
    return {refusal.key: refusal.kind for refusal in plan.refused}


def _elsewhere() -> ProcessIdentity:
    return replace(processes.own_identity(), machine_id="another", host="node17")


def test_planning_writes_nothing(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, outcome=FAILED, params=PARAMS)
    _store(workspace, _order(A), _order(B, A))
    before = picture(workspace.root)
    plan = plan_retry(workspace, [A], assume_dead=True)
    assert _roles(plan) == {A: Role.AGAIN, B: Role.DEPENDANT}
    assert picture(workspace.root) == before


def test_what_is_over_or_goes_on_is_refused(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, params=PARAMS)
    make_job(workspace, B, outcome=None, params=PARAMS)
    tickets.claim_launch(workspace.job(C), launch(C, params=PARAMS))
    plan = plan_retry(workspace, [A, B, C, D])
    assert _kinds(plan) == {
        A: RefusalKind.DONE,
        B: RefusalKind.RUNNING,
        C: RefusalKind.RUNNING,
        D: RefusalKind.NO_ORDER,
    }
    assert not plan.jobs


def test_what_was_queued_by_a_dead_plan_is_taken_over(workspace: WorkspacePaths) -> None:
    tickets.claim_launch(workspace.job(A), launch(A, params=PARAMS, driver=dead_process()))
    assert _roles(plan_retry(workspace, [A])) == {A: Role.AGAIN}


def test_what_cannot_be_read_is_refused(workspace: WorkspacePaths) -> None:
    Path(make_job(workspace, A, outcome=FAILED, params=PARAMS).end(1)).write_text("{")
    make_job(workspace, B, outcome=FAILED, params={"v": 1, "root": 3})
    plan = plan_retry(workspace, [A, B])
    assert _kinds(plan) == {A: RefusalKind.UNREADABLE, B: RefusalKind.UNREADABLE}
    assert "1.end" in plan.refused[0].text


def test_what_is_on_its_way_to_the_trash_is_refused(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, outcome=FAILED, params=PARAMS)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    os.rename(workspace.transaction(done.name).job(A).root, workspace.job(A).root)
    assert _kinds(plan_retry(workspace, [A])) == {A: RefusalKind.CLEANING}


def test_only_a_person_says_that_a_job_elsewhere_is_dead(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A, outcome=None, by=_elsewhere(), params=PARAMS)
    assert scan.read_job(workspace, A).state is JobState.UNREACHABLE
    plan = plan_retry(workspace, [A])
    assert _kinds(plan) == {A: RefusalKind.UNREACHABLE}
    assert "node17" in plan.refused[0].text
    plan = plan_retry(workspace, [A], assume_dead=True)
    assert _roles(plan) == {A: Role.AGAIN}
    assert plan.presumed_dead == (A,)
    attempt = tickets.last_attempt(job)
    assert attempt is not None
    assert tickets.assume_dead(job, attempt, user="ada")
    record = scan.read_job(workspace, A)
    assert record.state is JobState.DIED
    assert record.reason is not None
    assert "ada says that it is dead" in record.reason.text
    assert "node17" in record.reason.text


def test_a_job_that_can_be_asked_is_never_taken_for_dead(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A, outcome=None, params=PARAMS)
    attempt = tickets.last_attempt(job)
    assert attempt is not None
    assert not tickets.assume_dead(job, attempt, user="ada")
    assert scan.read_job(workspace, A).state is JobState.RUNNING


def test_what_is_blocked_by_another_job_as_well_stays(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, outcome=FAILED, params=PARAMS)
    make_job(workspace, B, outcome=FAILED, params=PARAMS)
    _store(workspace, _order(A), _order(B), _order(C, A, B), _order(D, C))
    plan = plan_retry(workspace, [A])
    assert _roles(plan) == {A: Role.AGAIN}
    assert _kinds(plan) == {C: RefusalKind.STILL_BLOCKED, D: RefusalKind.STILL_BLOCKED}
    assert "is failed" in plan.refused[0].text
    plan = plan_retry(workspace, [A, B])
    assert _roles(plan) == {
        A: Role.AGAIN,
        B: Role.AGAIN,
        C: Role.DEPENDANT,
        D: Role.DEPENDANT,
    }


def test_what_runs_is_waited_for(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, outcome=FAILED, params=PARAMS)
    make_job(workspace, B, outcome=None, params=PARAMS)
    _store(workspace, _order(A), _order(B), _order(C, A, B))
    assert _roles(plan_retry(workspace, [A])) == {
        A: Role.AGAIN,
        B: Role.FOLLOWED,
        C: Role.DEPENDANT,
    }


def test_what_an_asked_job_needs_comes_first(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, outcome=FAILED, params=PARAMS)
    make_job(workspace, B, outcome=FAILED, dependencies=[A], params=PARAMS)
    plan = plan_retry(workspace, [B])
    assert list(_roles(plan).items()) == [(A, Role.UPSTREAM), (B, Role.AGAIN)]
    Path(workspace.job(A).end(1)).write_text("{")
    plan = plan_retry(workspace, [B])
    assert _kinds(plan) == {A: RefusalKind.UNREADABLE, B: RefusalKind.UPSTREAM}


def test_a_chain_of_thousands_is_no_trouble(workspace: WorkspacePaths) -> None:
    keys = [key(n) for n in range(1, 3001)]
    make_job(workspace, keys[0], outcome=FAILED, params=PARAMS)
    orders = [_order(keys[0])]
    orders += [_order(each, before) for before, each in pairwise(keys)]
    _store(workspace, *orders)
    assert len(plan_retry(workspace, [keys[0]]).dependants) == 2999
    assert len(plan_retry(workspace, [keys[-1]]).again) == 3000


def test_changed_resources_keep_the_rest() -> None:
    before = Resources(cpus=2, memory="4GiB", grace=30.0, tokens={Token("db", 3): 1, "disk": 2})
    order = replace(_order(A), resources=before.to_json())
    now = Resources.read(ResourceChanges(memory="8GiB").apply(order).resources, "x")
    assert (now.cpus, now.memory, now.grace) == (2, 8 * 1024**3, 30.0)
    assert dict(now.tokens) == dict(before.tokens)
    assert now.declared == {"db": 3}
    assert ResourceChanges().apply(order) is order
    with pytest.raises(UsageError, match="no duration"):
        ResourceChanges(time="soon").check()


def test_orders_are_kept_whole() -> None:
    made = launch(
        A,
        params=PARAMS,
        tags={"seed": 1},
        resumable=True,
        shared=("m.t/data/" + DIGEST,),
        retrying=Retrying(3, ("exception",), 5),
    )
    assert Launch.from_json(made.to_json(), "x") == made
    order = StoredOrder.of_launch(made)
    lines = [dumps(each.to_json()) for each in (_order(B), order, _order(C))]
    data = b"\n".join([*lines, dumps(_order(D).to_json())[:140], b"garbage"])
    found = OrderLines(data, "x")
    assert found.get(A) == order
    assert found.get(C) == _order(C)
    assert found.get(D) is None


def test_a_retry_tells_what_its_jobs_wait_for(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, outcome=FAILED, params=PARAMS)
    plan = make_run(workspace, [reference(A), reference(B, dependencies=[A])])
    blocked = {"task": B.task, "id": B.identifier, "kind": "upstream failed", "on": [str(A)]}
    Path(plan.queue).write_bytes(dumps({"v": 1, "at": "", "waits": [blocked]}))
    retry = make_run(workspace, [reference(B)], run="20261123-101200-ab12.retry")
    current = read_current(workspace, "drmm")
    assert current is not None
    views = current.views
    assert [view.run for view in views] == ["20261123-091200-ab12", "20261123-101200-ab12.retry"]
    assert views[0].queue is not None
    assert [wait.key for wait in views[0].queue.waits] == [B]
    merged = with_retries(views[0], views[1:])
    assert merged.queue is not None
    assert merged.queue.waits == ()
    Path(retry.queue).write_bytes(dumps({"v": 1, "at": "", "waits": [blocked]}))
    again = scan.read_run(workspace, "drmm", "20261123-101200-ab12.retry")
    still = with_retries(views[0], [again])
    assert still.queue is not None
    assert [wait.key for wait in still.queue.waits] == [B]
