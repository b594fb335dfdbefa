"""What the policies of [retention] select, and what frees so many bytes most cheaply."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.folders import key, make_job, make_run, picture, reference
from tests.engine.histories import job, line, run
from xpm_engine.errors import SettingsError
from xpm_engine.verbs.cleaning import budget, clean, obsolete, offers, policies
from xpm_engine.verbs.cleaning.offers import Offering, OfferRow, Section
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.obsolete import survey
from xpm_engine.workspace.records.metrics import numbers_to_json
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.settings import Best, RetentionSettings, load_settings

A, B, C, D = (key(number) for number in range(1, 5))
FIRST, SECOND, THIRD = (f"2026112{day}-091200-ab12" for day in (1, 2, 3))


def _offer(workspace: WorkspacePaths, **settings: Any) -> Offering:
    seen = obsolete.survey_workspace(workspace)
    return policies.offer_policies(workspace, seen, RetentionSettings(**settings))


def _told(offering: Offering) -> dict[str, bool]:
    """What each row is called, and whether it is ticked."""
    return {
        str(row.offer) if isinstance(row.offer, JobKey) else row.offer.words: row.ticked
        for row in offering.rows
    }


def _carry_out(workspace: WorkspacePaths, offering: Offering) -> clean.Transaction:
    plan = obsolete.plan_clean(workspace, offering.seen, offering.ticked)
    return clean.carry_out(workspace, plan)


def _metric(workspace: WorkspacePaths, name: JobKey, **metrics: float) -> None:
    found = workspace.job(name)
    summary = tickets.read_summary(found)
    assert summary is not None
    write_atomic(found.summary, dumps({**summary.to_json(), "metrics": numbers_to_json(metrics)}))


def test_the_last_runs_stay_with_what_they_name(workspace: WorkspacePaths) -> None:
    for name in (A, B, C):
        make_job(workspace, name)
    make_run(workspace, [reference(A), reference(C)], run=FIRST)
    make_run(workspace, [reference(B), reference(C)], run=SECOND)
    make_run(workspace, [reference(B)], run=THIRD)
    make_run(workspace, [reference(C)], experiment="other", run=FIRST)
    offering = _offer(workspace, keep_runs=2)
    assert _told(offering) == {f"run drmm/{FIRST}": True, str(A): True}
    before = picture(workspace.jobs), picture(workspace.run("drmm", FIRST).root)
    done = _carry_out(workspace, offering)
    assert scan.list_runs(workspace, "drmm") == [SECOND, THIRD]
    assert set(scan.list_jobs(workspace)) == {B, C}
    clean.undo(workspace, done.name)
    after = picture(workspace.jobs), picture(workspace.run("drmm", FIRST).root)
    assert {name: each for name, each in after[0].items() if each[0] == "file"} == {
        name: each for name, each in before[0].items() if each[0] == "file"
    }
    assert after[1] == before[1]


def test_the_complete_run_that_others_are_judged_by_stays(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_run(workspace, [reference(A)], run=FIRST)
    make_run(workspace, [], run=SECOND, plan=PlanState.INTERRUPTED)
    make_run(workspace, [], run=THIRD, plan=PlanState.INTERRUPTED)
    assert _told(_offer(workspace, keep_runs=1)) == {f"run drmm/{SECOND}": True}


def test_a_damaged_run_is_no_old_run_and_stops_the_jobs(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    for name in (FIRST, SECOND, THIRD):
        make_run(workspace, [reference(A)], run=name)
    with open(workspace.run("drmm", FIRST).manifest, "ab") as file:
        file.write(b"{\n")
    assert _told(_offer(workspace, keep_runs=1)) == {f"run drmm/{SECOND}": True}


def test_the_best_by_a_metric_stay(workspace: WorkspacePaths) -> None:
    for name, mrr in ((A, 0.1), (B, 0.3), (C, 0.2)):
        make_job(workspace, name)
        _metric(workspace, name, mrr=mrr, loss=1 - mrr)
    make_job(workspace, D)
    make_run(workspace, [reference(name) for name in (A, B, C, D)])
    best = {A.task: Best("mrr", 1)}
    assert _told(_offer(workspace, keep_best=best)) == {str(A): True, str(C): True}
    worst = {A.task: Best("mrr", 2, lowest=True)}
    assert _told(_offer(workspace, keep_best=worst)) == {str(B): True}
    (row,) = _offer(workspace, keep_best=worst).rows
    assert row.why == "mrr 0.3, place 3 of 3"


def test_what_others_are_made_from_or_is_pinned_is_not_ticked(workspace: WorkspacePaths) -> None:
    evaluate = key(1, "ir.evaluate")
    for name, mrr in ((A, 0.1), (B, 0.2), (C, 0.3)):
        make_job(workspace, name)
        _metric(workspace, name, mrr=mrr)
    make_job(workspace, evaluate, dependencies=[A])
    make_run(workspace, [reference(evaluate, dependencies=[A])])
    Path(workspace.job(B).pin).write_text("{}")
    told = _told(_offer(workspace, keep_best={A.task: Best("mrr", 1)}))
    assert told == {str(A): False, str(B): False}


def test_a_metric_that_is_no_number_ranks_nothing(workspace: WorkspacePaths) -> None:
    for name, mrr in ((A, float("nan")), (B, 0.3)):
        make_job(workspace, name)
        _metric(workspace, name, mrr=mrr)
    assert _told(_offer(workspace, keep_best={A.task: Best("mrr", 1)})) == {}


def test_files_of_finished_jobs_go(workspace: WorkspacePaths) -> None:
    done, failed = make_job(workspace, A), make_job(workspace, B, outcome=Outcome.FAILED)
    for found in (done, failed):
        os.makedirs(f"{found.root}/models/old")
        for name in ("models/1.pt", "models/old/0.pt", "a.tmp", "models/b.tmp"):
            Path(f"{found.root}/{name}").touch()
    os.symlink("/etc/passwd", f"{done.root}/models/link.pt")
    make_run(workspace, [reference(A), reference(B)])
    patterns = {"*": ("*.tmp",), "ir.*": ("models/*.pt",), "other": ("result.txt",)}
    offering = _offer(workspace, drop_files=patterns)
    assert _told(offering) == {
        "file a.tmp": True,
        "file models/1.pt": True,
        "file models/b.tmp": True,
    }
    before = picture(done.root)
    moved = _carry_out(workspace, offering)
    assert sorted(os.listdir(f"{done.root}/models")) == ["link.pt", "old"]
    clean.undo(workspace, moved.name)
    assert picture(done.root) == before


def test_large_logs_are_packed(workspace: WorkspacePaths) -> None:
    found = make_job(workspace, A)
    Path(found.stdout(1)).write_text("line\n" * 1000)
    make_run(workspace, [reference(A)])
    assert _told(_offer(workspace, pack_logs=1000)) == {"log 1.out": True}
    moved = _carry_out(workspace, _offer(workspace, pack_logs=1000))
    assert _told(_offer(workspace, pack_logs=1000)) == {}
    clean.purge(workspace, moved.name)
    assert sorted(os.listdir(found.logs)) == ["1.err", "1.out.gz"]


def test_what_a_running_job_is_made_from_is_let_be(workspace: WorkspacePaths) -> None:
    found = make_job(workspace, A)
    Path(f"{found.root}/a.tmp").touch()
    make_job(workspace, key(1, "ir.evaluate"), outcome=None, dependencies=[A])
    (row,) = _offer(workspace, drop_files={"*": ("*.tmp",)}).rows
    assert not row.ticked
    assert "has not ended" in row.refused


@pytest.mark.parametrize(
    ("path", "pattern", "meant"),
    [
        ("a.pt", "*.pt", True),
        ("models/deep/a.pt", "*.pt", True),
        ("models/a.pt", "models/*.pt", True),
        ("models/deep/a.pt", "models/*.pt", False),
        ("models/deep/a.pt", "models/**/*.pt", True),
        ("models/a.pt", "models/**/*.pt", True),
        ("models/a.pt", "models/**", True),
        ("other/models/a.pt", "models/**", False),
    ],
)
def test_what_a_pattern_means(path: str, pattern: str, meant: bool) -> None:
    assert policies.matches(path, pattern) is meant


def test_policies_are_read_with_the_settings(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    os.makedirs(workspace.root, exist_ok=True)
    Path(workspace.settings).write_text(
        "[retention]\nkeep_runs = 3\npack_logs = '1MB'\nafter_run = true\n"
        "[retention.keep_best]\n'ir.learn' = {metric = 'mrr', keep = 2}\n"
        "[retention.drop_files]\n'*' = ['*.tmp']\n"
    )
    found = load_settings(workspace).retention
    assert (found.keep_runs, found.pack_logs) == (3, 1_000_000)
    assert found.keep_best == {"ir.learn": Best("mrr", 2)}
    assert found.drop_files == {"*": ("*.tmp",)}
    assert found.has_policies
    assert found.after_run
    assert not RetentionSettings().after_run
    assert not RetentionSettings().has_policies


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[retention]\nkeep_run = 3", "did you mean 'keep_runs'"),
        ("[retention]\nkeep_runs = 0", "no such number"),
        ("[retention]\nafter_run = 'yes'", "neither yes nor no"),
        ("[retention.keep_best]\nir.learn = {metric = 'mrr', keep = 2}", "in quotes"),
        ("[retention.keep_best]\n'ir.learn' = 3", "is no table"),
        ("[retention.drop_files]\n'*' = ['../other/*']", "no pattern"),
        ("[retention.drop_files]\n'*' = ['.xpm/*.end']", "no pattern"),
        ("[retention.drop_files]\n'*' = '*.tmp'", "no list"),
    ],
)
def test_a_policy_that_means_nothing_names_its_line(
    workspace: WorkspacePaths, text: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", workspace.root)
    os.makedirs(workspace.root, exist_ok=True)
    Path(workspace.settings).write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(workspace)
    assert words in f"{caught.value}"
    assert ":2" in f"{caught.value.where}"


# The cheapest way to so many bytes


def _offering(costs: list[float], dependencies: Mapping[int, int]) -> Offering:
    """Finished jobs of a run that was replaced, with what each takes to compute."""
    names = [key(number) for number in range(len(costs))]
    above = {names[down]: [names[up]] for down, up in dependencies.items()}
    lines = [line(name, dependencies=above.get(name, ())) for name in names]
    jobs = {
        name: job(name, seconds=cost, dependencies=above.get(name, ()))
        for name, cost in zip(names, costs, strict=True)
    }
    found = survey([run(1, lines), run(2, [])], jobs)
    rows = tuple(
        OfferRow(item.key, Section.REPLACED, "", item.job, needs=item.needs)
        for item in found.obsolete
    )
    return Offering(obsolete.Surveyed(found, frozenset()), rows)


pairs = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=7)


@given(pairs, st.integers(1, 200))
def test_the_cheapest_way_costs_at_most_twice_the_least(
    pairs: list[tuple[int, int]], wanted: int
) -> None:
    sizes = {key(number): size for number, (size, _) in enumerate(pairs)}
    costs = {key(number): float(cost) for number, (_, cost) in enumerate(pairs)}
    found = budget.propose(_offering([float(cost) for _, cost in pairs], {}), sizes, wanted)
    assert found.size == sum(sizes[offer] for offer in found.offers if isinstance(offer, JobKey))
    if sum(sizes.values()) < wanted:
        assert (found.enough, found.offers) == (False, frozenset(sizes))
        return
    assert found.enough
    least = min(
        sum(costs[name] for name in names)
        for count in range(1, len(sizes) + 1)
        for names in combinations(sizes, count)
        if sum(sizes[name] for name in names) >= wanted
    )
    assert found.cost.seconds <= 2 * least


def test_what_is_made_from_a_job_goes_with_it() -> None:
    offering = _offering([1.0, 100.0, 50.0], {1: 0})
    sizes = {key(0): 100, key(1): 1, key(2): 99}
    assert budget.propose(offering, sizes, 90).offers == {key(2)}
    assert budget.propose(offering, sizes, 100).offers == {key(0), key(1)}


def test_what_somebody_needs_is_never_proposed(workspace: WorkspacePaths) -> None:
    for name in (A, B):
        make_job(workspace, name)
    make_job(workspace, C, dependencies=[B])
    make_run(workspace, [reference(A), reference(B)], run=FIRST)
    make_run(workspace, [reference(C, dependencies=[B])], run=SECOND)
    offering = offers.offer_obsolete(workspace, obsolete.survey_workspace(workspace))
    sizes = obsolete.measure_offered(workspace, [row.offer for row in offering.rows])
    assert budget.propose(offering, sizes, 10**12).offers == {A}
