"""Jobs go to the trash by a plan, and come back as they were."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.folders import key, make_job, make_run, picture, reference
from tests.engine.making import dead_process, launch
from xpm_engine.errors import OccupiedError, StorageError, UsageError
from xpm_engine.workspace import cleaning, processes, scan, tickets
from xpm_engine.workspace.cleaning import moves
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Piece, PieceKind

A, B, C = key(1), key(2), key(3, "ir.evaluate")


def _state(workspace: WorkspacePaths, number: int = 1) -> JobState:
    return scan.read_job(workspace, key(number)).state


def test_planning_touches_nothing(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    before = picture(workspace.root)
    plan = cleaning.measure(workspace, cleaning.plan_removal(workspace, [A]))
    assert picture(workspace.root) == before
    assert [row.key for row in plan.ready] == [A]


def test_a_row_tells_what_would_go(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, tags={"lr": 0.1})
    row = cleaning.plan_removal(workspace, [A]).rows[0]
    assert row.job.state is JobState.DONE
    assert row.job.tags == {"lr": 0.1}
    assert row.size is None
    assert row.last == 1


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.FAILED, Outcome.CANCELLED])
def test_there_and_back_again(workspace: WorkspacePaths, outcome: Outcome) -> None:
    job = make_job(workspace, A, outcome=outcome)
    before, state = picture(job.root), _state(workspace)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    assert [removal.key for removal in done.removals] == [A]
    assert not done.left
    assert not os.path.lexists(job.root)
    assert os.path.isdir(workspace.transaction(done.name).job(A).root)
    report = cleaning.undo(workspace, done.name)
    assert report.returned == (A,)
    assert picture(job.root) == before
    assert _state(workspace) is state
    assert os.listdir(workspace.trash) == []


def test_a_subset_is_a_subset(workspace: WorkspacePaths) -> None:
    for name in (A, B, C):
        make_job(workspace, name)
    plan = cleaning.plan_removal(workspace, [A, B, C]).only([B])
    cleaning.carry_out(workspace, plan)
    assert set(scan.list_jobs(workspace)) == {A, C}


def test_a_job_cleaned_and_brought_back_can_be_cleaned_again(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    before = picture(job.root)
    for _ in range(3):
        done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
        assert len(done.removals) == 1
        cleaning.undo(workspace, done.name)
    assert picture(job.root) == before
    assert _state(workspace) is JobState.DONE


def test_a_plan_may_claim_the_next_attempt_after_an_undo(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A, outcome=Outcome.FAILED)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    cleaning.undo(workspace, done.name)
    assert max(tickets.ticket_names(job)) == 2
    assert tickets.claim_launch(job, launch(A, 3))


def test_undo_never_overwrites(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_job(workspace, B)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A, B]))
    newer = make_job(workspace, A, outcome=Outcome.FAILED)
    before = picture(newer.root)
    report = cleaning.undo(workspace, done.name)
    assert report.returned == (B,)
    assert [kept.key for kept in report.kept] == [A]
    assert "newer folder" in report.kept[0].why
    assert picture(newer.root) == before
    left = cleaning.list_trash(workspace)
    assert [removal.key for removal in left[0].removals] == [A]
    assert not left[0].unfinished


def test_undo_leaves_even_an_empty_folder_alone(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    os.mkdir(job.root)
    assert cleaning.undo(workspace, done.name).kept
    assert os.listdir(job.root) == []


def test_what_stayed_in_the_trash_comes_back_once_its_place_is_free(
    workspace: WorkspacePaths,
) -> None:
    job = make_job(workspace, A)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    os.mkdir(job.root)
    cleaning.undo(workspace, done.name)
    os.rmdir(job.root)
    assert cleaning.undo(workspace, done.name).returned == (A,)
    assert _state(workspace) is JobState.DONE


def test_the_trash_tells_who_cleaned_what(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, tags={"lr": 0.1})
    plan = cleaning.measure(workspace, cleaning.plan_removal(workspace, [A]))
    done = cleaning.carry_out(workspace, plan)
    listed = cleaning.list_trash(workspace)
    assert listed == (done,)
    assert listed[0].user == processes.user_name()
    assert listed[0].size == plan.size
    assert listed[0].removals[0].tags == {"lr": 0.1}


def test_the_newest_clean_is_listed_first(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_job(workspace, A)
    make_job(workspace, B)
    names: list[str] = []
    for second, name in enumerate((A, B)):
        monkeypatch.setattr("time.strftime", lambda *_, s=second: f"20261123-09120{s}")
        names += [cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [name])).name]
    assert [item.name for item in cleaning.list_trash(workspace)] == names[::-1]


def test_purge_is_for_good(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    os.chmod(f"{job.root}/result.txt", 0o400)
    os.mkdir(f"{job.root}/closed")
    Path(f"{job.root}/closed/file").touch()
    os.chmod(f"{job.root}/closed", 0o500)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    cleaning.purge(workspace, done.name)
    assert os.listdir(workspace.trash) == []
    assert cleaning.list_trash(workspace) == ()
    with pytest.raises(UsageError, match="no clean"):
        cleaning.undo(workspace, done.name)


@pytest.mark.parametrize("name", ["nothing", "..", "../jobs", "a/b", "", "x\n"])
def test_only_a_clean_of_the_trash_can_be_undone(workspace: WorkspacePaths, name: str) -> None:
    make_job(workspace, A)
    with pytest.raises(UsageError):
        cleaning.undo(workspace, name)
    with pytest.raises(UsageError):
        cleaning.purge(workspace, name)


def test_a_running_job_stays(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A, outcome=None)
    plan = cleaning.plan_removal(workspace, [A])
    assert plan.ready == ()
    assert "running" in plan.rows[0].refused
    before = picture(workspace.jobs)
    done = cleaning.carry_out(workspace, plan)
    assert done.removals == ()
    assert [left.key for left in done.left] == [A]
    assert picture(workspace.jobs) == before
    assert tickets.ticket_names(job) == {1: {"launch", "start"}}
    assert os.listdir(workspace.trash) == []


def test_a_queued_job_stays(workspace: WorkspacePaths) -> None:
    tickets.claim_launch(workspace.job(A), launch(A))
    assert "queued" in cleaning.plan_removal(workspace, [A]).rows[0].refused


def test_a_dead_job_is_recorded_as_died_and_goes(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, outcome=None, by=dead_process())
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    assert len(done.removals) == 1
    cleaning.undo(workspace, done.name)
    attempt = tickets.last_attempt(workspace.job(A))
    assert attempt is not None
    assert attempt.end is not None
    assert attempt.end.outcome is Outcome.DIED


def test_a_job_that_nothing_is_proved_about_stays(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_job(workspace, A, outcome=None)
    monkeypatch.setattr(processes, "host_name", lambda: "elsewhere")
    assert "another machine" in cleaning.plan_removal(workspace, [A]).rows[0].refused


def test_a_job_started_after_the_plan_stays(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A, outcome=Outcome.FAILED)
    plan = cleaning.plan_removal(workspace, [A])
    tickets.claim_launch(job, launch(A, 2))
    done = cleaning.carry_out(workspace, plan)
    assert done.removals == ()
    assert "started again" in done.left[0].why
    assert tickets.ticket_names(job)[2] == {"launch"}


def test_a_job_replaced_after_the_plan_stays(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    plan = cleaning.plan_removal(workspace, [A])
    cleaning.carry_out(workspace, plan)
    job = make_job(workspace, A, outcome=None)
    done = cleaning.carry_out(workspace, plan)
    assert done.removals == ()
    assert tickets.ticket_names(job) == {1: {"launch", "start"}}


def test_a_job_whose_lock_is_held_stays(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    lock = tickets.take_lock(job, patience=0.0)
    assert lock is not None
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    assert "lock is held" in done.left[0].why
    os.close(lock)
    assert len(cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A])).removals) == 1


def test_a_pinned_job_stays(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    plan = cleaning.plan_removal(workspace, [A])
    Path(job.pin).write_text("{}")
    assert cleaning.plan_removal(workspace, [A]).rows[0].refused == "it is pinned"
    assert cleaning.carry_out(workspace, plan).left[0].why == "it is pinned"


def test_a_job_that_is_not_there_is_said(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    assert "no such folder" in cleaning.plan_removal(workspace, [B]).rows[0].refused


def test_an_unreadable_job_stays(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    os.unlink(job.summary)
    Path(job.end(1)).write_text("{")
    plan = cleaning.plan_removal(workspace, [A])
    assert "can't be read" in plan.rows[0].refused


def test_another_users_folder_stays(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_job(workspace, A)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    assert "belongs to" in cleaning.plan_removal(workspace, [A]).rows[0].refused


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_that_really_is_another_users_stays(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    os.chown(job.root, 65534, 65534)
    plan = cleaning.plan_removal(workspace, [A])
    assert plan.rows[0].refused.startswith("it belongs to")
    done = cleaning.carry_out(workspace, plan)
    assert done.empty
    assert os.path.isdir(job.root)


def test_a_read_only_folder_stays(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    os.chmod(job.root, 0o555)
    assert "read-only" in cleaning.plan_removal(workspace, [A]).rows[0].refused
    os.chmod(job.root, 0o755)


def test_modes_survive(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    os.chmod(f"{job.root}/result.txt", 0o640)
    os.chmod(job.root, 0o750)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    cleaning.undo(workspace, done.name)
    assert stat.S_IMODE(os.stat(job.root).st_mode) == 0o750
    assert stat.S_IMODE(os.stat(f"{job.root}/result.txt").st_mode) == 0o640


def test_who_was_made_from_it_is_named(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_job(workspace, C, dependencies=[A])
    plan = cleaning.plan_removal(workspace, [A])
    assert [need.job for need in plan.needed_by(plan.rows[0])] == [C]
    assert plan.ready


def test_who_leaves_with_it_does_not_need_it(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_job(workspace, C, dependencies=[A])
    plan = cleaning.plan_removal(workspace, [A, C])
    assert plan.needed_by(plan.rows[0]) == ()
    smaller = plan.only([A])
    assert [need.job for need in smaller.needed_by(smaller.rows[0])] == [C]


def test_what_a_running_job_is_made_from_stays(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_job(workspace, C, outcome=None, dependencies=[A])
    row = cleaning.plan_removal(workspace, [A]).rows[0]
    assert str(C) in row.refused


def test_a_live_run_keeps_what_it_references(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_job(workspace, B)
    make_run(workspace, [reference(A)], plan=PlanState.RUNNING)
    plan = cleaning.plan_removal(workspace, [A, B])
    assert "goes on and needs it" in plan.rows[0].refused
    done = cleaning.carry_out(workspace, plan)
    assert [removal.key for removal in done.removals] == [B]


@pytest.mark.parametrize("plan", [PlanState.COMPLETE, PlanState.RAISED, PlanState.INTERRUPTED])
def test_a_run_that_is_over_keeps_nothing(workspace: WorkspacePaths, plan: PlanState) -> None:
    make_job(workspace, A)
    make_run(workspace, [reference(A)], plan=plan)
    assert cleaning.plan_removal(workspace, [A]).ready


def test_a_crashed_run_keeps_nothing(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_run(workspace, [reference(A)], plan=PlanState.RUNNING, driver=dead_process())
    assert cleaning.plan_removal(workspace, [A]).ready


def test_a_run_that_began_after_the_plan_keeps_its_jobs(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    before = picture(job.root)
    plan = cleaning.plan_removal(workspace, [A])
    make_run(workspace, [reference(A)], plan=PlanState.RUNNING)
    done = cleaning.carry_out(workspace, plan)
    assert done.removals == ()
    assert "goes on and needs it" in done.left[0].why
    assert picture(job.root) == before
    assert _state(workspace) is JobState.DONE


def test_a_live_run_that_references_more_later_is_asked_again(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    paths = make_run(workspace, [reference(B)], plan=PlanState.RUNNING)
    plan = cleaning.plan_removal(workspace, [A])
    with open(paths.manifest, "ab") as file:
        import json

        file.write(json.dumps(reference(A).to_json()).encode() + b"\n")
    assert cleaning.carry_out(workspace, plan).removals == ()


def test_a_job_left_behind_by_a_later_run_keeps_what_it_is_made_from(
    workspace: WorkspacePaths,
) -> None:
    make_job(workspace, A)
    plan = cleaning.plan_removal(workspace, [A])
    make_run(workspace, [reference(C, dependencies=[A])], plan=PlanState.INTERRUPTED)
    make_job(workspace, C, outcome=None, dependencies=[A])
    done = cleaning.carry_out(workspace, plan)
    assert done.removals == ()
    assert str(C) in done.left[0].why


def test_a_retry_that_began_after_the_plan_keeps_what_its_jobs_are_made_from(
    workspace: WorkspacePaths,
) -> None:
    make_job(workspace, A)
    plan = cleaning.plan_removal(workspace, [A])
    # It names what it runs again, and not what that is made from.
    make_run(workspace, [reference(C, dependencies=[A])], plan=PlanState.RUNNING)
    done = cleaning.carry_out(workspace, plan)
    assert done.removals == ()
    assert "goes on and needs it" in done.left[0].why


def test_a_manifest_that_lost_its_last_lines_after_the_plan_stops_the_clean(
    workspace: WorkspacePaths,
) -> None:
    make_job(workspace, A)
    plan = cleaning.plan_removal(workspace, [A])
    paths = make_run(workspace, [reference(B), reference(A)])
    manifest = Path(paths.manifest)
    manifest.write_bytes(manifest.read_bytes().splitlines(keepends=True)[0])
    done = cleaning.carry_out(workspace, plan)
    assert done.removals == ()
    assert "closing line" in done.left[0].why


@pytest.mark.parametrize("together", [True, False])
def test_what_a_job_is_made_from_stays_with_it_if_it_stays_after_all(
    workspace: WorkspacePaths, together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pinned while the plan was on the screen: what it is made from was to go with it."""
    if not together:
        monkeypatch.setattr(moves, "MOST_LOCKS", 1)
    last = key(4, "ir.report")
    make_job(workspace, A)
    make_job(workspace, B)
    make_job(workspace, C, dependencies=[A])
    make_job(workspace, last, dependencies=[C])
    plan = cleaning.plan_removal(workspace, [A, B, C, last])
    assert len(plan.ready) == 4
    Path(workspace.job(last).pin).write_text("{}")
    done = cleaning.carry_out(workspace, plan)
    assert [gone.key for gone in done.removals] == [B]
    why = {left.key: left.why for left in done.left}
    assert why == {
        last: "it is pinned",
        C: f"{last} is made from it",
        A: f"{C} is made from it",
    }
    assert set(scan.list_jobs(workspace)) == {A, C, last}


def test_a_job_that_was_named_goes_whoever_was_made_from_it(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_job(workspace, C, dependencies=[A])
    plan = cleaning.plan_removal(workspace, [A])
    Path(workspace.job(C).pin).write_text("{}")
    assert [gone.key for gone in cleaning.carry_out(workspace, plan).removals] == [A]


def test_a_damaged_manifest_of_a_live_run_stops_the_clean(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    paths = make_run(workspace, [reference(B)], plan=PlanState.RUNNING)
    with open(paths.manifest, "ab") as file:
        file.write(b'{"v": 1, "task"\n')
    row = cleaning.plan_removal(workspace, [A]).rows[0]
    assert "can't be read" in row.refused
    assert "line 2" in row.refused


def test_a_run_whose_record_is_damaged_may_go_on(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    paths = make_run(workspace, [reference(A)])
    Path(paths.record).write_text("")
    assert cleaning.plan_removal(workspace, [A]).ready == ()


def test_jobs_that_cannot_be_read_are_doubts(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    broken = make_job(workspace, C, dependencies=[A])
    os.unlink(broken.summary)
    Path(broken.end(1)).write_text("")
    plan = cleaning.plan_removal(workspace, [A])
    assert len(plan.doubts) == 1
    assert broken.end(1) in plan.doubts[0]


def test_records_that_the_caller_has_are_used_for_needs_alone(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, outcome=None)
    make_job(workspace, C)
    stale = scan.JobRecord(A, JobState.DONE)
    other = scan.JobRecord(C, JobState.DONE, dependencies=(A,))
    plan = cleaning.plan_removal(workspace, [A], records={A: stale, C: other})
    assert plan.rows[0].job.state is JobState.RUNNING
    assert [need.job for need in plan.rows[0].needs] == [C]


def test_an_end_that_is_known_and_still_the_last_is_not_read_again(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_job(workspace, A)
    make_job(workspace, B)
    known = {name: scan.read_job(workspace, name) for name in (A, B)}
    # B goes on after it was read.
    tickets.claim_launch(workspace.job(B), launch(B, 2))
    read: list[JobKey] = []
    real = scan.read_job

    def counted(paths: WorkspacePaths, name: JobKey) -> scan.JobRecord:
        read.append(name)
        return real(paths, name)

    monkeypatch.setattr(scan, "read_job", counted)
    plan = cleaning.plan_removal(workspace, [A, B], records=known)
    assert read == [B]
    assert [row.job.state for row in plan.rows] == [JobState.DONE, JobState.QUEUED]
    assert [row.last for row in plan.ready] == [1]


def test_hard_links_are_counted_once(workspace: WorkspacePaths) -> None:
    first, second = make_job(workspace, A), make_job(workspace, B)
    Path(f"{first.root}/big").write_bytes(b"x" * 1_000_000)
    lonely = cleaning.measure(workspace, cleaning.plan_removal(workspace, [A, B])).size
    os.link(f"{first.root}/big", f"{second.root}/big")
    assert cleaning.measure(workspace, cleaning.plan_removal(workspace, [A, B])).size == lonely
    assert lonely is not None
    assert lonely >= 1_000_000


def test_on_a_full_disk_nothing_is_touched(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_job(workspace, A)
    before = picture(workspace.jobs)
    plan = cleaning.plan_removal(workspace, [A])

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageError, match="No space left") as caught:
        cleaning.carry_out(workspace, plan)
    assert "--empty-trash" in f"{caught.value.hint}"
    monkeypatch.undo()
    assert picture(workspace.jobs) == before
    assert cleaning.list_trash(workspace) == ()


def test_a_full_disk_does_not_stop_an_undo(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(workspace, A)
    Path(f"{job.root}/large").write_bytes(b"x")
    before = picture(job.root)
    file = Piece(PieceKind.FILE, (A.task, A.identifier, "large"))
    plan = replace(cleaning.plan_removal(workspace, []), pieces=(file,))
    dropped = cleaning.carry_out(workspace, plan)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    assert cleaning.undo(workspace, done.name).returned == (A,)
    assert cleaning.undo(workspace, dropped.name).pieces == (file,)
    monkeypatch.undo()
    assert picture(job.root) == before
    assert _state(workspace) is JobState.DONE
    assert os.listdir(workspace.trash) == []


def test_a_rename_that_is_refused_leaves_the_job_as_it_was(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(workspace, A)
    before = picture(job.root)
    plan = cleaning.plan_removal(workspace, [A])
    rename = os.rename

    def refuse(source: str, target: str) -> None:
        if source == job.root:
            raise OSError(18, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    done = cleaning.carry_out(workspace, plan)
    assert "another disk" in done.left[0].why
    assert picture(job.root) == before
    assert _state(workspace) is JobState.DONE


def test_where_a_file_can_have_no_second_name_each_ticket_is_a_file(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(workspace, A)
    before = picture(job.root)

    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    assert len(done.removals) == 1
    cleaning.undo(workspace, done.name)
    assert picture(job.root) == before


def test_two_cannot_work_on_one_clean(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_job(workspace, A)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    lock = tickets.hold(workspace.transaction(done.name).lock, patience=0.0)
    assert lock is not None
    monkeypatch.setattr("xpm_engine.workspace.cleaning.transactions.PATIENCE", 0.0)
    with pytest.raises(OccupiedError, match="works on"):
        cleaning.undo(workspace, done.name)
    assert cleaning.list_trash(workspace)[0].unfinished
    os.close(lock)
    assert cleaning.undo(workspace, done.name).returned == (A,)


def test_a_clean_whose_journal_is_lost_can_be_undone(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    before = picture(job.root)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    Path(workspace.transaction(done.name).journal).write_bytes(b"\0\0\0\nx\n")
    listed = cleaning.list_trash(workspace)
    assert listed[0].problem
    assert [removal.key for removal in listed[0].removals] == [A]
    assert cleaning.undo(workspace, done.name).returned == (A,)
    assert picture(job.root) == before
    assert _state(workspace) is JobState.DONE


def test_a_disk_that_fills_up_during_the_moves_does_not_undo_them(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_job(workspace, A)
    plan = cleaning.plan_removal(workspace, [A])
    write, rename = os.write, os.rename

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    def rename_and_fill(source: str, target: str) -> None:
        rename(source, target)
        monkeypatch.setattr(os, "write", full)

    monkeypatch.setattr(os, "rename", rename_and_fill)
    done = cleaning.carry_out(workspace, plan)
    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "rename", rename)
    assert [removal.key for removal in done.removals] == [A]
    assert cleaning.undo(workspace, done.name).returned == (A,)
