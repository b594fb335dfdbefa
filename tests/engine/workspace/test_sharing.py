"""Which jobs share a folder: told by what was read of them, and by their orders where it is not."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.big_workspace import TASKS, Shape, make
from tests.engine.folders import key, make_job
from tests.engine.making import launch
from xpm_engine.verbs.cleaning.obsolete import survey_workspace
from xpm_engine.verbs.cleaning.offers import Section, offer_obsolete
from xpm_engine.workspace import cleaning, scan, tickets
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.cleaning.shared import users_of_shared
from xpm_engine.workspace.index import Records, pack_job
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import lists_none

FOLDER = "ir.bm25/checkpoints/" + "0" * 32
OTHER = "ir.bm25/checkpoints/" + "1" * 32


def _known(workspace: WorkspacePaths) -> Records:
    """All jobs as they are remembered."""
    return Records({name: pack_job(scan.read_job(workspace, name)) for name in _jobs(workspace)})


def _jobs(workspace: WorkspacePaths) -> list[JobKey]:
    return sorted(scan.list_jobs(workspace))


def _lists(workspace: WorkspacePaths, name: JobKey, *folders: str, told: bool = True) -> None:
    """Let the orders of a job list these, and its summary, unless that is an older one."""
    job = workspace.job(name)
    attempt = max(tickets.ticket_names(job))
    order = tickets.read_attempt(job, attempt, {"launch"}).launch
    write_atomic(job.launch(attempt), dumps(replace(order, shared=folders).to_json()))
    summary = tickets.read_summary(job)
    if summary is not None:
        summary = replace(summary, shared=folders if told else None)
        write_atomic(job.summary, dumps(summary.to_json()))


def test_what_is_remembered_says_what_the_orders_do(workspace: WorkspacePaths) -> None:
    make_job(workspace, key(1))
    _lists(workspace, key(1), FOLDER)
    make_job(workspace, key(2), outcome=Outcome.FAILED)
    _lists(workspace, key(2), FOLDER, OTHER)
    make_job(workspace, key(3))
    _lists(workspace, key(3))
    make_job(workspace, key(4))
    _lists(workspace, key(4), OTHER, told=False)
    make_job(workspace, key(5), outcome=None)
    _lists(workspace, key(5), OTHER)
    tickets.claim_launch(workspace.job(key(6)), launch(key(6), shared=(FOLDER,)))
    make_job(workspace, key(7))
    tickets.claim_launch(workspace.job(key(7)), launch(key(7), 2, shared=(FOLDER,)))
    expected = {
        FOLDER: {str(key(number)) for number in (1, 2, 6, 7)},
        OTHER: {str(key(number)) for number in (2, 4, 5)},
    }
    for found in (
        users_of_shared(workspace),
        users_of_shared(workspace, _known(workspace).sharing()),
    ):
        assert {name: set(users) for name, users in found.items()} == expected


def test_a_later_attempt_that_lists_none_gives_nothing_up(workspace: WorkspacePaths) -> None:
    make_job(workspace, key(1))
    _lists(workspace, key(1), FOLDER)
    tickets.claim_launch(workspace.job(key(1)), launch(key(1), 2))
    done = replace(scan.read_job(workspace, key(1)), state=JobState.DONE, ended="x" * 27)
    rows = Records({key(1): pack_job(replace(done, shared=()))})
    assert isinstance(rows.rows[key(1)], bytes)
    assert users_of_shared(workspace, rows.sharing()) == {FOLDER: (str(key(1)),)}
    assert users_of_shared(workspace) == {FOLDER: (str(key(1)),)}


def test_an_order_that_cannot_be_read_may_list_any(workspace: WorkspacePaths) -> None:
    make_job(workspace, key(1))
    os.makedirs(workspace.shared_folder(FOLDER))
    Path(workspace.job(key(1)).launch(1)).write_text("{")
    for found in (
        users_of_shared(workspace),
        users_of_shared(workspace, _known(workspace).sharing()),
    ):
        assert "nobody knows" in found[FOLDER][0]


@pytest.mark.parametrize(
    ("data", "none"),
    [
        (b'{"shared":[]}', True),
        (b'{"shared":["a"]}', False),
        (b'{"params":{"shared":[]},"shared":["a"]}', False),
        (b'{"params":{"shared":[]},"shared":[]}', True),
        (b'{"why":"\\"shared\\":[]","shared":["a"]}', False),
        (b'{"shared": []}', False),
        (b'{"shared":[]', False),
        (b"{}", False),
        (b"", False),
    ],
)
def test_what_says_for_certain_that_none_is_shared(data: bytes, none: bool) -> None:
    assert lists_none(data) is none


def test_a_survey_reads_no_order_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make(tmp_path / "ws", Shape(40, experiments=2, running=0, waiting=0, sharing=4))
    seen = survey_workspace(workspace)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an order was read")

    monkeypatch.setattr(tickets, "read_attempt", refuse)
    monkeypatch.setattr("xpm_engine.workspace.cleaning.shared.read_bytes", refuse)
    rows = [row for row in offer_obsolete(workspace, seen).rows if row.section is Section.SHARED]
    monkeypatch.undo()
    assert {row.offer.names[2] for row in rows if not isinstance(row.offer, JobKey)} == {
        f"{number:032x}" for number in (4, 5)
    }
    assert {name.task for name in _jobs(workspace)} == set(TASKS)
    plan = replace(
        cleaning.plan_removal(workspace, []),
        pieces=tuple(row.offer for row in rows if not isinstance(row.offer, JobKey)),
    )
    assert len(cleaning.carry_out(workspace, plan).pieces) == 2
