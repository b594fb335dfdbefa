"""A workspace that is looked at read-only is changed by no verb of the process."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.engine.folders import key, make_job
from xpm_engine.errors import UsageError
from xpm_engine.verbs import drift
from xpm_engine.verbs.cleaning import clean, pins
from xpm_engine.verbs.kill import LivePlan, kill_job, stop_plan
from xpm_engine.verbs.protection import protect
from xpm_engine.verbs.retry import plan_retry
from xpm_engine.verbs.starting import start_retry
from xpm_engine.workspace import processes
from xpm_engine.workspace.layout import WorkspacePaths

A = key(1)


def _plan() -> LivePlan:
    return LivePlan("drmm", "1", processes.own_identity())


CHANGES: dict[str, Callable[[WorkspacePaths], object]] = {
    "kill": lambda workspace: kill_job(workspace, A),
    "stop": lambda workspace: stop_plan(workspace, _plan()),
    "pin": lambda workspace: pins.pin(workspace, [A]),
    "unpin": lambda workspace: pins.unpin(workspace, [A]),
    "clean": lambda workspace: clean.carry_out(workspace, clean.plan_removal(workspace, [A])),
    "undo": clean.undo,
    "purge": lambda workspace: clean.purge(workspace, "20261123-091200-abc"),
    "accept": lambda workspace: drift.accept(workspace, ()),
    "rerun": lambda workspace: drift.rerun(workspace, ()),
    "retry": lambda workspace: start_retry(plan_retry(workspace, [A])),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_verb_refuses(workspace: WorkspacePaths, change: str) -> None:
    make_job(workspace, A)
    before = sorted(os.walk(workspace.root))
    with protect(workspace), pytest.raises(UsageError, match="read-only"):
        CHANGES[change](workspace)
    assert sorted(os.walk(workspace.root)) == before


def test_only_that_workspace_and_only_meanwhile(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    with protect(WorkspacePaths("/elsewhere")), protect(workspace):
        assert clean.plan_removal(workspace, [A]).rows
    with protect(WorkspacePaths("/elsewhere")):
        assert pins.pin(workspace, [A]) == (A,)
    assert pins.unpin(workspace, [A]) == (A,)
