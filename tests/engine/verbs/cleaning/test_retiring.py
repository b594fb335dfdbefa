"""From what is obsolete to what is moved, on the disk."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engine.folders import key, make_job, make_run, reference
from xpm_engine.errors import OccupiedError, UsageError
from xpm_engine.verbs.cleaning import clean, obsolete, pins
from xpm_engine.verbs.cleaning.retention import expired
from xpm_engine.verbs.cleaning.usage import NO_RUN, disk_usage
from xpm_engine.workspace import scan
from xpm_engine.workspace.cleaning.needs import RunWatch
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.obsolete import ObsoleteReason
from xpm_engine.workspace.records.fields import parse_time
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.settings import RetentionSettings

A, B, C, D = (key(number) for number in range(1, 5))
OLD, NEW, LATE = (f"2026112{day}-091200-ab12" for day in (1, 2, 3))
ROUNDS = 200


def _clean(workspace: WorkspacePaths, *, finished: bool = True) -> clean.Transaction:
    seen = obsolete.survey_workspace(workspace)
    chosen = obsolete.ticked(seen.survey, finished=finished)
    return clean.carry_out(
        workspace, obsolete.plan_clean(workspace, seen, map(obsolete.offer_of, chosen))
    )


def _moved(done: clean.Transaction) -> list[JobKey]:
    return [item.key for item in done.removals]


def test_a_finished_result_goes_only_when_asked(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_job(workspace, B)
    make_job(workspace, C, outcome=Outcome.FAILED)
    make_run(workspace, [reference(A), reference(B), reference(C)], run=OLD)
    make_run(workspace, [reference(A)], run=NEW)
    assert _moved(_clean(workspace, finished=False)) == [C]
    assert _moved(_clean(workspace)) == [B]
    assert _clean(workspace).empty
    assert scan.read_job(workspace, A).state is JobState.DONE


def test_deleting_a_subset_deletes_the_subset(workspace: WorkspacePaths) -> None:
    for name, above in ((A, []), (B, [A]), (C, []), (D, [])):
        make_job(workspace, name, dependencies=above)
    seen = obsolete.survey_workspace(workspace)
    assert {item.reason for item in seen.survey.obsolete} == {ObsoleteReason.IN_NO_RUN}
    assert obsolete.unneeded(seen.survey, [A, C]) == {C}
    assert obsolete.unneeded(seen.survey, [A, B]) == {A, B}
    chosen = [item for item in seen.survey.obsolete if item.key == C]
    assert _moved(
        clean.carry_out(
            workspace, obsolete.plan_clean(workspace, seen, map(obsolete.offer_of, chosen))
        )
    ) == [C]
    assert set(scan.list_jobs(workspace)) == {A, B, D}


def test_a_run_that_began_and_ended_meanwhile_keeps_its_jobs(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_job(workspace, B)
    make_run(workspace, [], run=OLD)
    seen = obsolete.survey_workspace(workspace)
    make_run(workspace, [reference(A)], run=NEW)
    chosen = map(obsolete.offer_of, obsolete.ticked(seen.survey, finished=True))
    plan = obsolete.plan_clean(workspace, seen, chosen)
    make_run(workspace, [reference(B)], run=LATE)
    done = clean.carry_out(workspace, plan)
    assert done.empty
    assert {left.key for left in done.left} == {A, B}


def test_a_truncated_manifest_moves_nothing(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_job(workspace, B, outcome=Outcome.FAILED)
    run = make_run(workspace, [reference(A), reference(C)], run=OLD)
    with open(run.manifest, "r+b") as file:
        file.truncate(os.path.getsize(run.manifest) - 4)
    assert _clean(workspace).empty
    (blocker,) = obsolete.survey_workspace(workspace).survey.blockers
    assert run.manifest in blocker


def test_a_plan_and_a_cleaner_race(tmp_path: Path) -> None:
    """Whatever the plan sees as a result stays; what was moved the plan did not see."""
    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            workspace = WorkspacePaths(str(tmp_path / str(number)))
            make_job(workspace, A)
            barrier = threading.Barrier(2)
            cleaning = pool.submit(_clean_at, workspace, barrier)
            seen = pool.submit(_plan_at, workspace, barrier).result(timeout=60)
            done = cleaning.result(timeout=60)
            state = scan.read_job(workspace, A).state
            assert state is (JobState.DONE if done.empty else JobState.NOT_SUBMITTED)
            if seen is JobState.DONE:
                assert done.empty


def _clean_at(workspace: WorkspacePaths, barrier: threading.Barrier) -> clean.Transaction:
    barrier.wait()
    return _clean(workspace)


def _plan_at(workspace: WorkspacePaths, barrier: threading.Barrier) -> JobState:
    """Reference first, then the tickets, as a plan does; whether the run ends soon or not."""
    barrier.wait()
    make_run(workspace, [reference(A)], run=NEW, plan=PlanState.RUNNING)
    return scan.read_job(workspace, A).state


def test_a_pinned_job_is_never_moved(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_job(workspace, B, dependencies=[A])
    assert pins.pin(workspace, [B], why="the paper's") == (B,)
    assert pins.pin(workspace, [B]) == ()
    assert _clean(workspace).empty
    named = clean.carry_out(workspace, clean.plan_removal(workspace, [B]))
    assert [left.why for left in named.left] == ["it is pinned"]
    assert pins.unpin(workspace, [A, B]) == (B,)
    assert _moved(_clean(workspace)) == [A, B]


def test_a_pin_that_comes_after_the_plan_holds(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_job(workspace, A)
    plan = clean.plan_removal(workspace, [A])
    refused: list[OccupiedError] = []

    def pin_now(self: object, keys: object) -> dict[JobKey, clean.Need]:
        try:
            pins.pin(workspace, [A])
        except OccupiedError as error:
            refused.append(error)
        return {}

    monkeypatch.setattr(RunWatch, "needs", pin_now)
    done = clean.carry_out(workspace, plan)
    assert done.empty
    assert len(refused) == 1
    assert scan.read_job(workspace, A).state is JobState.DONE


def test_a_job_without_a_folder_cant_be_pinned(workspace: WorkspacePaths) -> None:
    with pytest.raises(UsageError, match="nothing to keep"):
        pins.pin(workspace, [A])


def test_what_is_in_the_trash_too_long(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    done = clean.carry_out(workspace, clean.measure(workspace, clean.plan_removal(workspace, [A])))
    at = parse_time(done.at)
    assert at is not None
    settings = RetentionSettings(trash_days=14)
    assert expired(workspace, settings, now=at + 13 * 86_400) == ()
    assert [item.name for item in expired(workspace, settings, now=at + 15 * 86_400)] == [done.name]
    assert expired(workspace, RetentionSettings(trash_days=0), now=at + 1e9) == ()
    assert len(expired(workspace, RetentionSettings(trash_size=1000), now=at)) == 1
    assert expired(workspace, RetentionSettings(trash_size=10**9), now=at) == ()


def test_a_clean_by_a_clock_that_was_wrong_is_not_purged_at_once(workspace: WorkspacePaths) -> None:
    """A clock without a battery begins in 1970; what lies in the trash ended later than that."""
    make_job(workspace, A)
    plan = clean.plan_removal(workspace, [A])
    ended = parse_time(plan.rows[0].job.ended or "")
    assert ended is not None
    done = clean.carry_out(workspace, plan)
    journal = Path(workspace.transaction(done.name).journal)
    journal.write_text(journal.read_text().replace(done.at, "1970-01-01T00:00:09.000000Z"))
    assert clean.list_trash(workspace)[0].at.startswith("1970")
    settings = RetentionSettings(trash_days=14)
    assert expired(workspace, settings, now=ended + 13 * 86_400) == ()
    assert len(expired(workspace, settings, now=ended + 15 * 86_400)) == 1


def test_what_takes_how_much(workspace: WorkspacePaths) -> None:
    for name in (A, B, C):
        job = make_job(workspace, name)
        with open(f"{job.root}/model.bin", "wb") as file:
            file.write(b"x" * 50_000)
    os.link(f"{workspace.job(A).root}/model.bin", f"{workspace.job(A).root}/again.bin")
    make_run(workspace, [reference(A), reference(B)], run=OLD)
    make_run(workspace, [reference(A)], run=NEW)
    usage = disk_usage(workspace)
    rows = {row.experiments: row for row in usage.rows}
    assert (rows["drmm"].jobs, rows["drmm"].obsolete) == (1, 0)
    assert 50_000 <= rows["drmm"].size < 100_000
    assert rows[NO_RUN].jobs == 2
    assert rows[NO_RUN].obsolete == rows[NO_RUN].size
    assert disk_usage(workspace, [f"id={A.identifier}"]).rows == (rows["drmm"],)
