"""Far jobs: claimed by nonce, run once, found again, ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.making import KEY, dead_process, end, launch, start
from tests.engine.remote.agents import connect
from tests.engine.supervising import wait_for
from xpm_engine.remote.agent.starting import Command
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace import tickets
from xpm_engine.workspace.layout import JobPaths, WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.tickets import Launch

ENGINE = """
import os, sys, time
from pathlib import Path

def main():
    root, attempt, nonce = sys.argv[1:]
    with open(root + "/ran", "a") as file:
        file.write(attempt + " " + nonce + "\\n")
    while not os.path.exists(root + "/stop"):
        time.sleep(0.01)
"""
"""An engine whose supervisor only notes that it was started."""


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    """A far workspace, and an engine beside it."""
    runtime = tmp_path / "engine" / "xpm_engine" / "runtime"
    runtime.mkdir(parents=True)
    (runtime / "__init__.py").touch()
    (runtime.parent / "__init__.py").touch()
    (runtime / "__main__.py").write_text(ENGINE)
    return WorkspacePaths(str(tmp_path / "ws"))


def _launch(agent: Connection, workspace: WorkspacePaths, order: Launch) -> Any:
    """Have one order run; what became of it."""
    parts = agent.stream(
        "launch",
        root=workspace.root,
        orders=[order.to_json()],
        granted=[{}],
        python=[sys.executable],
        engine=str(Path(workspace.root).parent / "engine"),
        code=[],
        warm=False,
    )
    ((index, answer),) = [told for part in parts for told in part.body.get("told", ())]
    assert index == 0
    return answer


def _ran(job: JobPaths, count: int) -> list[str]:
    path = Path(job.root, "ran")
    wait_for(lambda: path.exists() and len(path.read_text().splitlines()) >= count)
    return path.read_text().splitlines()


def test_an_order_is_claimed_and_started_once(agent: Connection, workspace: WorkspacePaths) -> None:
    order = launch(attempt=7)
    job = workspace.job(KEY)
    first = _launch(agent, workspace, order)
    assert (first["state"], first["attempt"], first["nonce"]) == ("ours", 1, order.nonce)
    assert _ran(job, 1) == [f"1 {order.nonce}"]
    # The answer was lost, and another connection asks again: its process is seen.
    other = connect()
    assert _launch(other, workspace, order)["attempt"] == 1
    other.close()
    assert _ran(job, 1) == [f"1 {order.nonce}"]
    assert tickets.ticket_names(job) == {1: {"launch"}}
    found = agent.ask("find", root=workspace.root, jobs=[[str(KEY), order.nonce], [str(KEY), "no"]])
    assert found["found"][0]["attempt"] == 1
    assert found["found"][1] is None
    Path(job.root, "stop").touch()


def test_an_order_whose_process_is_gone_is_started_again(
    agent: Connection, workspace: WorkspacePaths
) -> None:
    order = launch()
    job = workspace.job(KEY)
    tickets.claim_launch(job, order)
    assert _launch(agent, workspace, order)["state"] == "ours"
    assert len(_ran(job, 1)) == 1
    Path(job.root, "stop").touch()


def test_the_orders_of_others_are_followed(agent: Connection, workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    theirs = launch()
    tickets.claim_launch(job, theirs)
    found = _launch(agent, workspace, launch())
    assert (found["state"], found["nonce"]) == ("other", theirs.nonce)
    tickets.claim_start(job, 1, start())
    assert _launch(agent, workspace, launch())["start"]["user"] == "ada"
    tickets.record_end(job, 1, end())
    found = _launch(agent, workspace, launch())
    assert (found["state"], found["end"]["outcome"]) == ("done", "done")
    assert not Path(job.root, "ran").exists()


def test_a_result_is_there_or_on_its_way(agent: Connection, workspace: WorkspacePaths) -> None:
    job, asked = workspace.job(KEY), launch().to_json()

    def has() -> Any:
        return agent.ask("has", root=workspace.root, launch=asked)

    assert has() == {"has": False, "busy": False}
    tickets.claim_launch(job, launch())
    assert has() == {"has": False, "busy": True}
    tickets.claim_start(job, 1, start())
    assert has() == {"has": False, "busy": True}
    tickets.record_end(job, 1, end())
    assert has() == {"has": True, "busy": False}


def test_after_a_failure_comes_the_next_attempt(
    agent: Connection, workspace: WorkspacePaths
) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start())
    tickets.record_end(job, 1, end(Outcome.FAILED))
    assert _launch(agent, workspace, launch())["attempt"] == 2
    _ran(job, 1)
    Path(job.root, "stop").touch()


def test_a_void_order_never_starts(agent: Connection, workspace: WorkspacePaths) -> None:
    order = launch()
    job = workspace.job(KEY)
    job_asked = {"root": workspace.root, "launch": order.to_json(), "user": "ada", "why": "tired"}
    # It never came: nothing is made for it.
    assert agent.ask("void", **job_asked) == {"state": "void"}
    assert not Path(job.root).exists()
    # Somebody was here before: a late order must find its place taken.
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start())
    tickets.record_end(job, 1, end(Outcome.FAILED))
    assert agent.ask("void", **job_asked) == {"state": "void"}
    late = _launch(agent, workspace, order)
    assert (late["state"], late["attempt"], late["start"]["void"]) == ("ours", 2, True)
    assert not Path(job.root, "ran").exists()


def test_what_has_started_is_not_void(agent: Connection, workspace: WorkspacePaths) -> None:
    order = launch()
    job = workspace.job(KEY)
    tickets.claim_launch(job, order)
    tickets.claim_start(job, 1, start())
    found = agent.ask("void", root=workspace.root, launch=order.to_json(), user="ada", why="")
    assert (found["state"], found["start"]["void"]) == ("ours", False)


def test_the_dead_are_recorded_by_proof_only(agent: Connection, workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start())
    asked = {"root": workspace.root, "jobs": [[str(KEY), 1, ""], [str(KEY), 2, ""]]}
    assert agent.ask("reap", **asked) == {"reaped": ["lives", "gone"]}
    tickets.record_end(job, 1, end(Outcome.FAILED))
    tickets.claim_launch(job, launch(attempt=2))
    tickets.claim_start(job, 2, start(by=dead_process()))
    assert agent.ask("reap", **asked) == {"reaped": ["ended", "died"]}
    assert tickets.read_end(job, 2).outcome is Outcome.DIED


def test_killing(agent: Connection, workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    asked = {"root": workspace.root, "user": "ada"}
    assert agent.ask("kill", jobs=[[str(KEY), 1]], **asked) == {"killed": ["ended"]}
    tickets.claim_launch(job, launch())
    assert agent.ask("kill", jobs=[[str(KEY), 1]], **asked) == {"killed": ["cancelled"]}
    tickets.claim_launch(job, launch(attempt=2))
    tickets.claim_start(job, 2, start(by=dead_process()))
    assert agent.ask("kill", jobs=[[str(KEY), 2]], **asked) == {"killed": ["gone"]}


def test_jobs_in_bulk(agent: Connection, workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    Path(job.summary).write_text("{}")
    (row,) = agent.ask("jobs", root=workspace.root)["jobs"]
    task, identifier, stamp, names, texts = row
    assert f"{task}/{identifier}" == str(KEY)
    assert sorted(names) == ["1.launch", "job.json"]
    assert json.loads(texts["1.launch"])["attempt"] == 1
    assert texts["job.json"] == "{}"
    # What was seen is not told again; what is named and absent is told as such.
    assert agent.ask("jobs", root=workspace.root, known={str(KEY): stamp}) == {}
    absent = agent.ask("jobs", root=workspace.root, keys=[f"a.b/{'0' * 32}"])["jobs"]
    assert absent == [["a.b", "0" * 32, None, [], {}]]


def test_only_the_texts_that_differ_are_told_again(
    agent: Connection, workspace: WorkspacePaths
) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    Path(job.summary).write_text("{}")

    def told() -> dict[str, str | None]:
        (row,) = agent.ask("jobs", root=workspace.root, keys=[str(KEY)], again=True)["jobs"]
        assert sorted(row[3]) == sorted(os.listdir(job.xpm))
        texts: dict[str, str | None] = row[4]
        return texts

    assert sorted(told()) == ["1.launch", "job.json"]
    assert told() == {}
    Path(job.progress).write_text('{"a": 1}')
    assert told() == {"progress.json": '{"a": 1}'}
    Path(job.progress).write_text('{"a": 2}')
    assert told() == {"progress.json": '{"a": 2}'}
    # One that became too long is read by range: what was told of it holds no more.
    Path(job.progress).write_text(json.dumps({"a": "x" * 200_000}))
    assert told() == {"progress.json": None}
    os.unlink(job.progress)
    assert told() == {}
    # Who asks for all gets all.
    (row,) = agent.ask("jobs", root=workspace.root, keys=[str(KEY)])["jobs"]
    assert sorted(row[4]) == ["1.launch", "job.json"]


def test_runs_in_bulk(agent: Connection, workspace: WorkspacePaths) -> None:
    run = Path(workspace.run("exp", "20261127-1200-ab").root)
    run.mkdir(parents=True)
    (run / "jobs.jsonl").write_text("{}")
    (row,) = agent.ask("runs", root=workspace.root)["runs"]
    assert row[:2] == ["exp", "20261127-1200-ab"]
    assert row[2]["jobs.jsonl"][2] == 2


def test_an_engine_whose_cached_code_was_cut_short_is_entered(tmp_path: Path) -> None:
    package = tmp_path / "engine" / "xpm_engine"
    (package / "runtime").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "runtime" / "__init__.py").touch()
    (package / "runtime" / "warm.py").write_text("def main(): print('entered')\n")
    command = Command((sys.executable,), str(package.parent)).entering("warm")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    for _ in range(2):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("entered\n", "")
        (kept,) = (package / "runtime" / "__pycache__").glob("warm.*")
        # As a disk leaves it that was full.
        os.truncate(kept, 40)
