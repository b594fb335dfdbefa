"""Cleaning from the command line: what is offered, asked and told."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.cli.conftest import Done
from tests.engine.folders import key, make_job, make_run, picture, reference
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome

Xpm = Callable[..., Done]
A, B, C, D = (key(number * 0x1111_1111 << 96) for number in range(1, 5))


@pytest.fixture
def history(workspace: WorkspacePaths) -> WorkspacePaths:
    """A stays, B was replaced, C failed and was replaced, D is in no run."""
    make_job(workspace, A, tags={"lr": 0.1})
    make_job(workspace, B, tags={"lr": 0.5})
    make_job(workspace, C, outcome=Outcome.FAILED, tags={"lr": 1})
    make_job(workspace, D)
    old = [reference(name, tags={"lr": lr}) for name, lr in ((A, 0.1), (B, 0.5), (C, 1))]
    make_run(workspace, old, run="20261121-091200-ab12")
    make_run(workspace, old[:1], run="20261122-091200-ab12")
    return workspace


def _json(done: Done) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _standing(workspace: WorkspacePaths) -> set[object]:
    return set(scan.list_jobs(workspace))


def test_what_is_obsolete_is_shown_with_reasons(xpm: Xpm, history: WorkspacePaths) -> None:
    before = picture(history.root)
    out = xpm("clean", "-n").stdout
    assert picture(history.root) == before
    assert f"[x] ir.bm25/{C.short}  lr=1" in out
    assert "nothing is lost" in out
    assert f"[ ] ir.bm25/{B.short}  lr=0.5" in out
    assert "2.0 s again" in out
    assert "lr 0.5 → 0.1" in out
    assert f"[ ] ir.bm25/{D.short}" in out
    assert "no run names it" in out
    assert A.short not in out
    assert "1 of 3 to the trash" in out


def test_where_there_is_nothing_to_clean(xpm: Xpm, history: WorkspacePaths) -> None:
    assert xpm("clean", "--all-obsolete", "--yes").returncode == 0
    assert xpm("clean").stdout == "nothing is obsolete\n"
    assert xpm("clean", "lr:7").stdout == "no job is selected\n"


def test_of_a_job_that_can_not_be_read_nobody_knows_what_it_took(
    xpm: Xpm, history: WorkspacePaths
) -> None:
    with open(history.job(B).end(1), "w", encoding="ascii") as file:
        file.write("{")
    out = xpm("clean", "-n").stdout
    assert "nobody knows how long it takes again" in out


def test_where_the_newest_clean_can_not_come_back_the_one_before_is_named(
    xpm: Xpm, history: WorkspacePaths
) -> None:
    first = _json(xpm("clean", D.identifier, "--yes", "--json"))["transaction"]
    assert xpm("clean", B.identifier, "--yes").returncode == 0
    make_job(history, B)
    said = xpm("undo").stdout
    assert "a newer folder stands in its place" in said
    assert said.endswith(f"the clean before it: xpm undo {first}\n")
    assert "moved 1 job back" in xpm("undo", first).stdout


def test_a_job_that_runs_is_not_said_to_need_itself(xpm: Xpm, history: WorkspacePaths) -> None:
    make_job(history, key(9), outcome=None)
    out = xpm("clean", "state:running", "--yes").stdout
    assert "stays: it is running" in out
    assert "--needed" not in out
    assert "0 jobs of 1 to the trash" in out


def test_failed_jobs_go_and_come_back(xpm: Xpm, history: WorkspacePaths) -> None:
    assert "moved 1 job to the trash" in xpm("clean", "--yes").stdout
    assert _standing(history) == {A, B, D}
    assert "moved 2 jobs to the trash" in xpm("clean", "--all-obsolete", "--yes").stdout
    assert _standing(history) == {A}
    xpm("undo")
    xpm("undo")
    assert _standing(history) == {A, B, C, D}


def test_obsolete_as_json(xpm: Xpm, history: WorkspacePaths) -> None:
    rows = _json(xpm("clean", "-n", "--json"))["obsolete"]
    told = {row["id"]: (row["reason"], row["ticked"], row["needed_by"]) for row in rows}
    assert told == {
        B.identifier: ("replaced", False, []),
        C.identifier: ("failed", True, []),
        D.identifier: ("in no run", False, []),
    }
    done = _json(xpm("clean", "--yes", "--json"))
    assert done["moved"] == [str(C)]
    assert done["transaction"]


def test_a_filter_leaves_what_somebody_needs(xpm: Xpm, history: WorkspacePaths) -> None:
    out = xpm("clean", "state:done", "-n").stdout
    assert f"[ ] ir.bm25/{A.short}" in out
    assert "needed by drmm/20261122-091200-ab12" in out
    assert "2 jobs of 3 to the trash" in out
    xpm("clean", "state:done", "--yes")
    assert _standing(history) == {A, C}
    xpm("clean", "state:done", "--needed", "--yes")
    assert _standing(history) == {C}


def test_rows_that_are_alike_are_one_unless_each_is_asked_for(
    xpm: Xpm, history: WorkspacePaths
) -> None:
    names = [key(number << 64) for number in range(5)]
    for seed, name in enumerate(names):
        make_job(history, name, outcome=Outcome.FAILED, tags={"lr": 7, "seed": seed})
    out = xpm("clean", "-n").stdout
    assert "[x] ir.bm25  lr=7 seed=0..4  (5 jobs)" in out
    assert "; no run names it" in out
    assert names[0].short not in out
    assert "--each" in out
    each = xpm("clean", "-n", "--each").stdout
    assert all(f"[x] ir.bm25/{name.short}  lr=7 seed=" in each for name in names)
    assert len(_json(xpm("clean", "-n", "--json"))["obsolete"]) == 8
    for name in names:
        xpm("pin", name.identifier)
    pinned = xpm("clean", "-n").stdout
    assert "[-] ir.bm25  lr=7 seed=0..4  (5 jobs)" in pinned
    assert "stay: it is pinned" in pinned


def test_leftovers_are_told_apart(xpm: Xpm, workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A, attempt=2)
    os.makedirs(job.leftovers(1))
    make_run(workspace, [reference(A)])
    assert "attempt 1" in xpm("clean", "-n").stdout
    done = xpm("clean", "--yes").stdout
    assert "moved the leftovers of 1 attempt to the trash" in done
    assert "the leftovers of 1 attempt" in xpm("undo", "--list").stdout
    assert xpm("undo").stdout == "moved the leftovers of 1 attempt back\n"


def test_a_purge_wants_a_typed_word(
    xpm: Xpm, history: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    typed = iter(["yes", "purge", "purge"])

    def prompt(text: str, *, default: str, show_default: bool) -> str:
        return next(typed)

    monkeypatch.setattr("click.prompt", prompt)
    assert xpm("clean", "--purge", "--yes").returncode == 130
    assert _standing(history) == {A, B, C, D}
    assert "purged 1 job" in xpm("clean", "--purge", "--yes").stdout
    assert xpm("undo", "--list").stderr == "the trash is empty\n"
    xpm("clean", D.identifier, "--yes")
    assert "purged 1 clean" in xpm("clean", "--empty-trash").stdout
    assert xpm("undo", "--list").stderr == "the trash is empty\n"


def test_wrong_use(xpm: Xpm, history: WorkspacePaths) -> None:
    for arguments in (["clean", "x", "--all-obsolete"], ["clean", "--needed"], ["pin"], ["unpin"]):
        assert xpm(*arguments).returncode == 2
    assert xpm("clean").returncode == 2
    assert "--yes" in xpm("clean").stderr


def test_old_cleans_are_purged_by_the_next(
    xpm: Xpm, history: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    xpm("clean", "--yes")
    with open(history.settings, "w", encoding="ascii") as file:
        file.write('[retention]\ntrash_size = "1kB"\n')
    assert "purges 1 clean" in xpm("clean", "-n").stdout
    assert "1 job" in xpm("undo", "--list").stdout
    xpm("clean", "--all-obsolete", "--yes")
    (listed,) = _json(xpm("undo", "--list", "--json"))["cleans"]
    assert sorted(listed["jobs"]) == sorted([str(B), str(D)])


def test_pin_and_unpin(xpm: Xpm, history: WorkspacePaths) -> None:
    assert _json(xpm("pin", D.identifier, "-n", "--json"))["pinned"] == [str(D)]
    assert _standing(history) == {A, B, C, D}
    assert "pinned 1 job" in xpm("pin", D.identifier, "--why", "for the paper").stdout
    assert "needed by a pin" in xpm("clean", "-n").stdout
    assert "stays: it is pinned" in xpm("clean", D.identifier, "-n").stdout
    assert "unpinned 1 job" in xpm("unpin", "is:pinned").stdout
    assert "moved" in xpm("clean", D.identifier, "--yes").stdout


def test_du(xpm: Xpm, history: WorkspacePaths) -> None:
    out = xpm("du").stdout
    assert "drmm  ir.bm25  1 job" in out
    assert "(in no latest run)  ir.bm25  3 jobs, " in out
    assert " that nobody needs" in out
    told = _json(xpm("du", "--json"))
    assert told["bytes"] == sum(row["bytes"] for row in told["rows"])
    assert 0 < told["obsolete_bytes"] < told["bytes"]


def test_a_run_and_what_only_it_names(xpm: Xpm, history: WorkspacePaths) -> None:
    old = "drmm/20261121-091200-ab12"
    out = xpm("clean", "--run", "drmm/20261121", "-n").stdout
    assert f"[x] run {old}" in out
    assert "--all-obsolete moves the jobs too that only these runs name" in out
    done = _json(xpm("clean", "--run", "drmm/20261121", "--all-obsolete", "--yes", "--json"))
    assert sorted(done["moved"]) == sorted([str(B), str(C)])
    assert [piece["name"] for piece in done["moved_pieces"]] == [old]
    assert scan.list_runs(history, "drmm") == ["20261122-091200-ab12"]
    assert _json(xpm("undo", "-n", "--json"))["returned_pieces"][0]["name"] == old
    assert scan.list_runs(history, "drmm") == ["20261122-091200-ab12"]
    assert "1 run" in xpm("undo").stdout
    assert len(scan.list_runs(history, "drmm")) == 2


def test_a_whole_experiment(xpm: Xpm, history: WorkspacePaths) -> None:
    xpm("clean", "--run", "drmm", "--all-obsolete", "--yes")
    assert scan.list_experiments(history) == []
    assert _standing(history) == {D}
    xpm("undo")
    assert len(scan.list_runs(history, "drmm")) == 2
    assert _standing(history) == {A, B, C, D}
    missing = xpm("clean", "--run", "drm", "-n")
    assert (missing.returncode, "did you mean drmm" in missing.stderr) == (2, True)


def test_so_much_as_cheaply_as_possible(xpm: Xpm, history: WorkspacePaths) -> None:
    with open(f"{history.job(D).root}/model", "wb") as file:
        file.write(b"x" * 1_000_000)
    rows = _json(xpm("clean", "--free", "10kB", "-n", "--json"))["obsolete"]
    assert [row["id"] for row in rows if row["ticked"]] == [C.identifier]
    rows = _json(xpm("clean", "--free", "500kB", "-n", "--json"))["obsolete"]
    assert [row["id"] for row in rows if row["ticked"]] == [D.identifier]
    assert xpm("clean", "--free", "much").returncode == 2


def test_policies_are_shown_and_carried_out_when_asked(xpm: Xpm, history: WorkspacePaths) -> None:
    assert "there is no policy" in xpm("clean", "--policy").stderr
    with open(history.settings, "w", encoding="ascii") as file:
        file.write("[retention]\nkeep_runs = 1\n[retention.drop_files]\n'*' = ['result.txt']\n")
    before = picture(history.root)
    out = xpm("clean", "--policy", "--dry-run").stdout
    assert picture(history.root) == before
    assert "[x] run drmm/20261121-091200-ab12" in out
    assert "Files of finished jobs" in out
    xpm("clean", "--yes")
    assert len(scan.list_runs(history, "drmm")) == 2
    assert "1 run and 2 files" in xpm("clean", "--policy", "--yes").stdout
    assert "and 2 files" in xpm("undo").stdout
    assert os.path.exists(f"{history.job(A).root}/result.txt")


def test_what_stays_known_after_a_purge(xpm: Xpm, history: WorkspacePaths) -> None:
    assert "nothing was deleted" in xpm("undo", "--purged").stderr
    xpm("clean", "--purge", "--yes")
    (record,) = _json(xpm("undo", "--purged", "--json"))["purged"]
    assert [job["id"] for job in record["jobs"]] == [C.identifier]
    out = xpm("undo", "--purged", record["transaction"]).stdout
    assert f"ir.bm25/{C.short}  failed" in out
    assert "tags: lr=1" in out
    assert "stderr: err" in out
    assert xpm("undo", "--purged", "nothing").returncode == 2
    for text in (C.short, f"bm25/{C.short}", "lr:1 state:failed", "ended>2020-01-01"):
        shown = _json(xpm("undo", "--purged", text, "--json"))["purged"]
        assert [job["id"] for item in shown for job in item["jobs"]] == [C.identifier]
    assert xpm("undo", "--purged", "lr:2").returncode == 2
    assert xpm("undo", "--purged", "lr:(").returncode == 2


def test_who_asks_for_a_job_that_is_gone_is_told_where_it_is(
    xpm: Xpm, history: WorkspacePaths
) -> None:
    xpm("clean", "--yes")
    asked = xpm("log", C.short)
    assert asked.returncode == 2
    assert "lies in the trash" in asked.stderr
    assert "`xpm undo 20" in asked.stderr
    xpm("clean", "--empty-trash", "--yes")
    asked = xpm("why", C.short)
    assert "was deleted for good" in asked.stderr
    assert f"xpm undo --purged {C.short}" in asked.stderr


def test_a_packed_log_is_named_and_read(xpm: Xpm, history: WorkspacePaths) -> None:
    with open(history.settings, "w", encoding="ascii") as file:
        file.write("[retention]\npack_logs = 1\n")
    xpm("clean", "--policy", "--yes")
    said = xpm("log", A.short, "--stdout")
    assert (said.stdout, "1.out.gz <==" in said.stderr) == ("out\n", True)
    assert xpm("log", A.short, "-n", "5", "--stdout").stdout == "out\n"
