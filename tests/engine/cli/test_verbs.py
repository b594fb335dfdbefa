"""The verbs on a workspace that stands there."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.cli.conftest import Done
from tests.engine.folders import key, make_job, make_run, picture, reference
from tests.engine.making import launch
from xpm_engine.workspace import processes, scan, tickets
from xpm_engine.workspace.layout import JobPaths, WorkspacePaths
from xpm_engine.workspace.records.fields import format_time
from xpm_engine.workspace.records.mirror import Mirror
from xpm_engine.workspace.records.reasons import Frame, Outcome, Reason, ReasonKind
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import Start

Xpm = Callable[..., Done]
A, B = key(0xA1), key(0xB2)
SHORT = [name.identifier for name in (A, B)]


@pytest.fixture
def jobs(workspace: WorkspacePaths) -> tuple[JobPaths, JobPaths]:
    first = make_job(workspace, A, tags={"lr": 0.1})
    second = make_job(workspace, B, outcome=Outcome.FAILED, dependencies=[A])
    make_run(workspace, [reference(A, tags={"lr": 0.1}), reference(B, dependencies=[A])])
    return first, second


def _json(done: Done) -> Any:
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["v"] == 1
    return document


def test_ls_names_state_job_and_tags(xpm: Xpm, jobs: object) -> None:
    lines = xpm("ls").stdout.splitlines()
    assert lines[0] == "drmm/20261123-091200-ab12  plan complete  1 done, 1 failed"
    assert lines[1].split()[:3] == ["done", f"ir.bm25/{A.short}", "lr=0.1"]
    assert lines[2].split()[:2] == ["failed", f"ir.bm25/{B.short}"]


def test_ls_says_what_it_can_not_look_into(
    xpm: Xpm, jobs: object, workspace: WorkspacePaths, tmp_path: Path
) -> None:
    os.symlink(tmp_path / "unmounted", f"{workspace.jobs}/ir.learn")
    done = xpm("ls", "--all")
    assert done.stderr.startswith(f"left out: {workspace.jobs}/ir.learn is a symbolic link")
    assert len(done.stdout.splitlines()) == 2


def test_ls_as_json(xpm: Xpm, jobs: tuple[JobPaths, JobPaths]) -> None:
    run = _json(xpm("ls", "--json"))["runs"][0]
    assert (run["experiment"], run["plan"], run["problem"]) == ("drmm", "complete", None)
    first, second = run["jobs"]
    assert (first["id"], first["state"], first["tags"]) == (A.identifier, "done", {"lr": 0.1})
    assert second["depends_on"] == [str(A)]
    assert second["folder"] == jobs[1].root
    assert _json(xpm("ls", "drmm", "--json"))["runs"] == [run]
    assert [job["id"] for job in _json(xpm("ls", "--all", "--json"))["jobs"]] == SHORT


def test_ls_tells_old_word_of_another_host_with_its_time(
    xpm: Xpm, workspace: WorkspacePaths
) -> None:
    order = launch(A)
    job = workspace.job(A)
    mirror = Mirror("alpha", format_time(time.time() - 90))
    me = processes.own_identity()
    start = Start(tickets.new_nonce(), order.nonce, me, mirror.as_of, "ada", mirror=mirror)
    tickets.claim_launch(job, order)
    tickets.claim_start(job, 1, start)
    assert re.search(r"running +ir.bm25/\w+ .* as of \S+ on alpha", xpm("ls", "--all").stdout)


def test_ls_of_what_is_not_there(xpm: Xpm, jobs: object) -> None:
    done = xpm("ls", "dram")
    assert done.returncode == 2
    assert "did you mean drmm?" in done.stderr


def test_ls_lists_what_a_filter_selects(xpm: Xpm, jobs: object) -> None:
    found = _json(xpm("ls", "state:failed", "--json"))["jobs"]
    assert [row["id"] for row in found] == [B.identifier]
    assert _json(xpm("ls", "lr>0.05", "-w", "ws", "--json"))["jobs"][0]["id"] == A.identifier
    nothing = xpm("ls", "lr>7")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "no job is like that" in nothing.stderr


def test_ls_groups_failures_by_their_cause(xpm: Xpm, workspace: WorkspacePaths) -> None:
    assert "nothing has failed" in xpm("ls", "--causes").stderr
    frame = Frame("/project/train.py", 88, "step", "loss = self.model(batch).mean()")
    keys = [key(number) for number in range(10, 17)]
    for number, name in enumerate(keys):
        text = f"CUDA out of memory (2.0{number} GiB)\x1b[2J"
        reason = Reason(ReasonKind.EXCEPTION, text, "torch.OutOfMemoryError", frame)
        tags = {"lr": 0.1, "seed": number}
        make_job(workspace, name, outcome=Outcome.FAILED, reason=reason, tags=tags)
    other = key(20)
    killed = Reason(ReasonKind.SIGNAL, "SIGKILL")
    make_job(workspace, other, outcome=Outcome.FAILED, reason=killed)
    lines = [reference(name, tags={"lr": 0.1, "seed": n}) for n, name in enumerate(keys)]
    make_run(workspace, [*lines, reference(other)])
    make_run(workspace, lines, experiment="also")
    told = xpm("ls", "--causes").stdout.splitlines()
    assert told[0] == "8 failed, 2 causes"
    assert told[1] == "     7  CUDA out of memory (2.00 GiB)�[2J  train.py:88 step"
    assert told[2].strip() == f"> {frame.source}"
    assert told[3].strip().startswith("the same in all: lr=0.1")
    assert "seed" not in told[3]
    assert told[4].strip().endswith(f"{keys[4].task}/{keys[4].short}, …")
    assert told[5].strip() == "retry with more memory"
    first, second = _json(xpm("ls", "--causes", "--json"))["causes"]
    assert (first["count"], second["count"]) == (7, 1)
    assert [job["id"] for job in first["jobs"]] == [name.identifier for name in keys]
    assert (first["where"], first["same"]["lr"]) == ("train.py:88 step", 0.1)
    only = _json(xpm("ls", "seed:1", "--causes", "--json"))["causes"]
    assert [job["id"] for cause in only for job in cause["jobs"]] == [keys[1].identifier]
    assert xpm("ls", "also", "--causes").stdout.startswith("7 failed, 1 cause\n")


def test_ls_says_what_a_filter_means(xpm: Xpm, jobs: object) -> None:
    unknown = xpm("ls", "lrr>0.05")
    assert unknown.returncode == 0
    assert "did you mean lr" in unknown.stderr
    broken = xpm("ls", "lr>")
    assert broken.returncode == 2
    assert "^" in broken.stderr


def test_kill_refuses_a_filter_that_may_mean_anything(xpm: Xpm, jobs: object) -> None:
    done = xpm("kill", "lrr:0.1")
    assert done.returncode == 2
    assert "did you mean lr" in done.stderr
    done = xpm("kill", "state:done")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "no job there runs or is queued\n"


def test_ls_shows_damage_as_damage(xpm: Xpm, jobs: tuple[JobPaths, JobPaths]) -> None:
    Path(jobs[0].summary).unlink()
    Path(jobs[0].end(1)).write_text("")
    done = xpm("ls")
    assert done.returncode == 0
    assert "unreadable" in done.stdout
    assert "is empty" in done.stdout


def test_ls_prints_nothing_that_steers_a_terminal(xpm: Xpm, workspace: WorkspacePaths) -> None:
    make_run(workspace, [reference(A, tags={"\x1b[2J": "a\nb", "[/x]": "\u202e"})])
    out = xpm("ls").stdout
    assert not {"\x1b", "\u202e"} & set(out)
    assert len(out.splitlines()) == 2


def test_ls_writes_nothing(xpm: Xpm, workspace: WorkspacePaths, jobs: object) -> None:
    before = picture(workspace.root)
    for arguments in (["ls"], ["ls", "--all"], ["log", A.identifier], ["undo", "--list"]):
        xpm(*arguments)
    xpm("clean", A.identifier, "--dry-run")
    assert picture(workspace.root) == before


def test_log_prints_the_log_and_names_the_file(xpm: Xpm, jobs: tuple[JobPaths, JobPaths]) -> None:
    done = xpm("log", B.identifier)
    assert done.stdout == "err\n"
    assert done.stderr == f"==> {jobs[1].stderr(1)} <==\n"
    assert xpm("log", B.identifier, "--stdout").stdout == "out\n"
    assert xpm("log", B.identifier, "--stdout", "-f").stdout == "out\n"
    assert xpm("log", B.identifier, "-n", "0").stdout == ""


def test_log_by_a_path(xpm: Xpm, jobs: tuple[JobPaths, JobPaths]) -> None:
    assert xpm("log", jobs[1].stdout_link, "--stdout").stdout == "out\n"


def test_log_of_an_earlier_attempt(xpm: Xpm, jobs: object) -> None:
    done = xpm("log", B.identifier, "--attempt", "3")
    assert done.returncode == 2
    assert "attempt 3" in done.stderr


def test_kill_says_what_came_of_it(xpm: Xpm, workspace: WorkspacePaths, jobs: object) -> None:
    queued = key(0xC3)
    tickets.claim_launch(workspace.job(queued), launch(queued))
    done = xpm("kill", A.identifier, queued.identifier)
    assert done.returncode == 0
    assert f"ir.bm25/{A.short}: was not running" in done.stdout
    assert f"ir.bm25/{queued.short}: cancelled before it started" in done.stdout


def test_kill_names_the_plan_that_goes_on(xpm: Xpm, workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_run(workspace, [reference(A)], plan=PlanState.RUNNING)
    done = xpm("kill", A.identifier)
    assert f"process {os.getpid()}" in done.stderr
    assert "--plan" in done.stderr


def test_clean_and_undo(xpm: Xpm, jobs: tuple[JobPaths, JobPaths]) -> None:
    before = [picture(job.root) for job in jobs]
    shown = xpm("clean", A.identifier, B.identifier, "--dry-run").stdout
    assert "[x] ir.bm25/000000  done  lr=0.1" in shown
    done = xpm("clean", A.identifier, B.identifier, "--yes")
    assert done.returncode == 0
    assert "moved 2 jobs to the trash" in done.stdout
    name = done.stdout.split()[-1]
    assert xpm("undo", "--list").stdout.startswith(f"{name}  2 jobs  ")
    assert xpm("undo", name).stdout == "moved 2 jobs back\n"
    assert [picture(job.root) for job in jobs] == before


def test_clean_names_who_needs_it(xpm: Xpm, jobs: object) -> None:
    assert f"needed by ir.bm25/{B.short}" in xpm("clean", A.identifier, "-n").stdout
    assert "needed" not in xpm("clean", A.identifier, B.identifier, "-n").stdout


def test_clean_asks_somebody(xpm: Xpm, workspace: WorkspacePaths, jobs: object) -> None:
    done = xpm("clean", A.identifier)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert scan.read_job(workspace, A).state is JobState.DONE


def test_clean_leaves_what_runs(xpm: Xpm, workspace: WorkspacePaths) -> None:
    make_job(workspace, A, outcome=None)
    done = xpm("clean", A.identifier, "--yes")
    assert done.returncode == 0
    assert "stays: it is running" in done.stdout
    assert scan.read_job(workspace, A).state is JobState.RUNNING


def test_clean_and_undo_as_json(xpm: Xpm, workspace: WorkspacePaths, jobs: object) -> None:
    plan = _json(xpm("clean", A.identifier, "--dry-run", "--json"))["plan"]
    assert plan[0]["needed_by"] == [str(B)]
    assert plan[0]["bytes"] > 0
    done = _json(xpm("clean", A.identifier, "--yes", "--json"))
    assert done["moved"] == [str(A)]
    listed = _json(xpm("undo", "--list", "--json"))["cleans"]
    assert [item["transaction"] for item in listed] == [done["transaction"]]
    make_job(workspace, A)
    kept = _json(xpm("undo", "--json"))
    assert kept["returned"] == []
    assert kept["kept"][0]["job"] == str(A)


def test_undo_of_nothing(xpm: Xpm, jobs: object) -> None:
    for arguments in (["undo"], ["undo", "nothing"], ["undo", "../.."]):
        done = xpm(*arguments)
        assert done.returncode == 2
        assert "trash" in done.stderr
    assert xpm("undo", "--list").stderr == "the trash is empty\n"
