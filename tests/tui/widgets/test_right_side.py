"""The right side shows each kind of subject, opens what is in it, and steps back."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.hosting import Host, read_all, store_of
from tests.tui.screen_text import screen_lines
from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace, ago
from xpm_engine.workspace.cleaning.transactions import Transaction
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Removal
from xpm_engine.workspace.scan import JobRecord
from xpm_tui import clock
from xpm_tui.deeds import HereDeeds
from xpm_tui.store import (
    AllJobsSubject,
    Changed,
    Delta,
    EarlierRunsSubject,
    ExperimentSubject,
    FailedSubject,
    Grouping,
    GroupKey,
    GroupSubject,
    Job,
    JobSubject,
    RunKey,
    RunSubject,
    Store,
    TrashSubject,
    WorkspaceSubject,
)
from xpm_tui.widgets.job.overview_facts import Explained
from xpm_tui.widgets.job.view import JobView
from xpm_tui.widgets.jobs.view import SetView
from xpm_tui.widgets.right_side import RightSide
from xpm_tui.widgets.subject_view import SubjectView
from xpm_tui.widgets.table.table import Table

Picture = Callable[[list[str]], None]
both_sizes = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
RUN = RunKey("drmm", "20261123-091200")
LEARN = GroupSubject(RUN, GroupKey(Grouping.TASK, ("ir.learn",)))


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def store(same_host: None, workspace: FakeWorkspace, jobs: dict[str, FakeJob]) -> Store:
    return store_of(workspace)


@pytest.fixture
def side() -> RightSide:
    return RightSide(since=ago(8_000))


@pytest.fixture
def host(side: RightSide, workspace: FakeWorkspace) -> Host:
    return Host(side, HereDeeds(workspace.paths))


async def settle(pilot: Pilot[None], host: Host, wanted: str) -> str:
    """Wait until a text is on the screen: what is read in threads comes when it comes."""
    text = ""
    for _ in range(500):
        await pilot.pause(0.02)
        text = "\n".join(screen_lines(host))
        if wanted in text:
            return text
    raise AssertionError(f"{wanted!r} never came:\n{text}")


@both_sizes
async def test_picture_of_a_group(
    host: Host, side: RightSide, store: Store, size: tuple[int, int], picture: Picture
) -> None:
    async with host.run_test(size=size) as pilot:
        side.show(LEARN, store)
        side.focus_view()
        await pilot.pause()
        picture(without_pid(screen_lines(host)))


@both_sizes
async def test_picture_of_causes(
    host: Host, side: RightSide, store: Store, size: tuple[int, int], picture: Picture
) -> None:
    async with host.run_test(size=size) as pilot:
        side.show(FailedSubject(), store)
        side.focus_view()
        await pilot.pause()
        picture(without_pid(screen_lines(host)))


@both_sizes
async def test_picture_of_what_waits(
    host: Host, side: RightSide, store: Store, size: tuple[int, int], picture: Picture
) -> None:
    async with host.run_test(size=size) as pilot:
        side.show(ExperimentSubject("drmm"), store)
        side.focus_view()
        await pilot.press("3")
        await pilot.pause()
        picture(without_pid(screen_lines(host)))


async def test_actions_on_a_cause_take_all_its_jobs(
    host: Host, side: RightSide, store: Store
) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(FailedSubject(), store)
        side.focus_view()
        await pilot.pause()
        assert set(side.under_cursor) == set(store.keys(LEARN)[:2])
        await pilot.press("j")
        assert len(side.under_cursor) == 1
        await pilot.press("3")
        assert side.under_cursor == ()


async def test_the_causes_below_the_table_follow_the_cursor(
    host: Host, side: RightSide, store: Store
) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(FailedSubject(), store)
        side.focus_view()
        text = await settle(pilot, host, "> 88   loss = self.model(batch).mean()")
        assert "blocks evaluate" in text
        assert "R with more memory" in text
        await pilot.press("j")
        text = await settle(pilot, host, "† lr=0.1 seed=3")
        assert "loss = self.model" not in text


async def test_what_cannot_be_read_is_named_wherever_it_is_shown(
    host: Host, side: RightSide, workspace: FakeWorkspace, store: Store
) -> None:
    path = workspace.paths.run("drmm", "20261123-091200").manifest
    with open(path, "ab") as file:
        file.write(b"{\xff\n")
    store = store_of(workspace)
    async with host.run_test(size=(120, 40)) as pilot:
        side.show(ExperimentSubject("drmm"), store)
        side.focus_view()
        await settle(pilot, host, "? unreadable  20261123-091200/jobs.jsonl: line 21: truncated")
        await pilot.press("4")
        await settle(pilot, host, "unreadable jobs.jsonl")
        side.show(WorkspaceSubject(), store)
        text = await settle(pilot, host, "? unreadable  drmm/20261123-091200/jobs.jsonl: line 21")
        assert "unreadable jobs.jsonl" in text.split("drmm/20261123-091200/jobs.jsonl", 1)[1]


async def test_a_job_in_the_trash_says_how_it_comes_back(
    host: Host, side: RightSide, workspace: FakeWorkspace, store: Store
) -> None:
    key = store.keys(LEARN)[0]
    removal = Removal(key, 2, JobState.FAILED, None, {}, {}, None)
    clean = Transaction("20261122-t", ago(60), "you", "front1", (removal,))
    gone = JobRecord(key, JobState.NOT_SUBMITTED)
    store.apply(Delta(jobs={key: gone}, trash=(clean,)))
    run = RunKey("drmm", "20261120-101500")
    assert store.job(key, run) is store.job(key, run)
    async with host.run_test(size=(120, 40)) as pilot:
        side.show(JobSubject(key, run), store)
        await settle(pilot, host, "○ in the trash: z in Trash or `xpm undo 20261122-t` brings it")
        side.show(RunSubject(run), store)
        await settle(pilot, host, "in the trash")
        store.apply(Delta(trash=()))
        assert not store.job(key, run).trashed


async def test_the_workspace_says_what_happened_and_opens_an_experiment(
    host: Host, side: RightSide, store: Store
) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(WorkspaceSubject(), store)
        side.focus_view()
        await settle(pilot, host, "since your last visit today 09:46: 2 done, 3 failed in 2 causes")
        await pilot.press("enter")
        assert side.subject == ExperimentSubject("drmm")
        await settle(pilot, host, "✓4 (2 reused)")
        await pilot.press("backspace")
        assert side.subject == WorkspaceSubject()


async def test_a_cause_narrows_the_table_and_one_step_back_widens_it(
    host: Host, side: RightSide, store: Store
) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(LEARN, store)
        side.focus_view()
        await pilot.press("2", "enter")
        text = await settle(pilot, host, "learn in drmm › out of memory")
        assert text.count("✗ failed") == 2
        await pilot.press("escape")
        await settle(pilot, host, "[2 Causes]")
        await pilot.press("1")
        text = await settle(pilot, host, "● running")
        assert "› out of memory" not in text


async def test_a_job_opens_in_the_place_of_the_table_and_its_tabs_read_the_disk(
    host: Host, side: RightSide, store: Store, workspace: FakeWorkspace
) -> None:
    async with host.run_test(size=(80, 40)) as pilot:
        side.show(LEARN, store)
        side.focus_view()
        await pilot.press("enter")
        text = await settle(pilot, host, "[1 Overview]")
        assert "✗ failed after 4 min" in text
        assert "/home/you/ir/train.py:88 in step" in text
        assert "> 88   loss = self.model(batch).mean()" in text
        assert "⊖ blocked  evaluate lr=0.1 seed=1" in text
        await pilot.press("5")
        await settle(pilot, host, "1.launch")
        await pilot.press("6")
        await settle(pilot, host, "needed by   evaluate lr=0.1 seed=1")
        await pilot.press("4")
        await settle(pilot, host, "this job has told no metric")
        await pilot.press("escape")
        assert side.subject == LEARN
        await settle(pilot, host, "[1 Jobs]")


async def test_the_next_job_is_the_next_row(host: Host, side: RightSide, store: Store) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(LEARN, store)
        side.focus_view()
        await pilot.press("enter")
        await settle(pilot, host, "lr=0.1 seed=1   ✗ failed")
        await pilot.press("full_stop")
        await settle(pilot, host, "lr=0.1 seed=2   ✗ failed")
        await pilot.press("comma", "comma")
        await settle(pilot, host, "lr=0.1 seed=1   ✗ failed")


async def test_a_view_that_is_shown_again_is_fed_once(
    host: Host, side: RightSide, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed: list[str] = []

    def counted(view: type[SubjectView]) -> None:
        feed = view.feed

        def count(self: SubjectView, pane: int) -> None:
            fed.append(view.__name__)
            feed(self, pane)

        monkeypatch.setattr(view, "feed", count)

    counted(SetView)
    counted(JobView)
    async with host.run_test(size=(78, 30)) as pilot:
        side.show(LEARN, store)
        side.focus_view()
        await settle(pilot, host, "[1 Jobs]")
        for _ in range(2):
            fed.clear()
            await pilot.press("enter")
            await settle(pilot, host, "lr=0.1 seed=1   ✗ failed")
            await pilot.press("backspace")
            await settle(pilot, host, "[1 Jobs]")
        assert fed == ["JobView", "SetView"]


async def test_a_link_leads_to_another_job_and_back(
    host: Host, side: RightSide, store: Store
) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(LEARN, store)
        side.focus_view()
        await pilot.press("enter", "6", "G", "enter")
        await settle(pilot, host, "drmm › evaluate lr=0.1 seed=1   ⊖ blocked")
        await pilot.press("escape")
        await settle(pilot, host, "drmm › learn lr=0.1 seed=1   ✗ failed")


async def test_the_log_of_a_running_job_opens_at_what_was_written_last(
    host: Host, side: RightSide, store: Store, workspace: FakeWorkspace
) -> None:
    paths = workspace.paths.job(store.keys(LEARN)[3])
    os.utime(paths.stderr(1), (NOON - 60, NOON - 60))
    os.utime(paths.stdout(1), (NOON - 5, NOON - 5))
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(LEARN, store)
        side.focus_view()
        for _ in range(3):
            await pilot.press("j")
        await pilot.press("L")
        await settle(pilot, host, "epoch 3 batch 812 loss 0.4127")


async def test_slash_narrows_the_runs_while_it_is_typed(
    host: Host, side: RightSide, store: Store
) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(ExperimentSubject("drmm"), store)
        side.focus_view()
        await pilot.press("4", "slash", *"no such run")
        await settle(pilot, host, "/no such run")
        runs = side.view.reader()
        assert isinstance(runs, Table)
        assert not runs.model.shown
        await pilot.press("escape")
        assert runs.model.shown


async def test_marks_are_asked_for_by_job(side: RightSide, store: Store) -> None:
    wanted: list[frozenset[JobKey]] = []

    class MarkingHost(Host):
        def on_right_side_marks_wanted(self, message: RightSide.MarksWanted) -> None:
            wanted.append(message.marks)
            side.show_marks(message.marks)

    host = MarkingHost(side)
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(LEARN, store)
        side.focus_view()
        first = store.keys(LEARN)[0]
        assert side.target == first
        await pilot.press("space")
        await settle(pilot, host, " ◆ ✗ failed   0.1    1")
        assert wanted == [frozenset({first})]
        assert side.target == store.keys(LEARN)[1]


async def test_s_sorts_by_the_next_column_and_S_turns_it_round(
    host: Host, side: RightSide, store: Store
) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(LEARN, store)
        side.focus_view()
        await pilot.press("s", "s", "g")
        text = await settle(pilot, host, "lr ↓")
        assert text.index("0.001") < text.index("0.01   1") < text.index("0.1    1")
        await pilot.press("S")
        text = await settle(pilot, host, "lr ↑")
        assert text.index("0.1    1") < text.index("0.01   1") < text.index("0.001")


@both_sizes
async def test_columns_are_chosen_and_kept_for_the_next_set(
    host: Host, side: RightSide, store: Store, size: tuple[int, int]
) -> None:
    async with host.run_test(size=size) as pilot:
        side.show(LEARN, store)
        side.focus_view()
        await settle(pilot, host, "seed")
        await pilot.press("C")
        await settle(pilot, host, "Columns of the table")
        picture = screen_lines(host)
        assert any("[x]  seed" in line for line in picture)
        await pilot.press("j", "j", "space", *("j",) * 4, "space", "enter")
        text = await settle(pilot, host, "  task  ")
        assert "seed  " not in text
        side.show(ExperimentSubject("drmm"), store)
        assert "seed  " not in (await settle(pilot, host, "evaluate"))
        await pilot.press("C", "space", "escape")
        assert "state" in await settle(pilot, host, "evaluate")


async def test_escape_gives_up_a_range_before_anything_else(
    host: Host, side: RightSide, store: Store
) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(WorkspaceSubject(), store)
        side.focus_view()
        await pilot.press("enter")
        await settle(pilot, host, "[1 Jobs]")
        await pilot.press("v", "j", "j")
        assert (await settle(pilot, host, "▌◆")).count("◆") == 3
        await pilot.press("escape")
        assert side.subject == ExperimentSubject("drmm")
        assert "◆" not in await settle(pilot, host, "[1 Jobs]")


async def test_what_changes_on_the_disk_changes_on_the_screen_and_nothing_else(
    host: Host, side: RightSide, store: Store, workspace: FakeWorkspace
) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(LEARN, store)
        side.focus_view()
        await pilot.press("j", "j", "j")
        before = side.target
        running = FakeJob("ir.learn", "lr=0.01 seed=2", {"lr": 0.01, "seed": 2})
        workspace.done(running, run=str(RUN), ended=10)
        side.refresh_from(store, store.apply(read_all(workspace)))
        text = await settle(pilot, host, "✓2")
        assert "✓ done     0.01   2" in text
        assert side.target == before


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (AllJobsSubject(), "All jobs"),
        (EarlierRunsSubject("drmm"), "[4 Runs]"),
        (TrashSubject(), "0 cleans, 0 jobs"),
        (ExperimentSubject("no such"), "no such"),
    ],
)
async def test_other_subjects(
    host: Host, side: RightSide, store: Store, subject: object, words: str
) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(subject, store)  # type: ignore[arg-type]
        await settle(pilot, host, words)


async def test_an_earlier_run_is_opened_from_the_runs(
    host: Host, side: RightSide, store: Store
) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        side.show(EarlierRunsSubject("drmm"), store)
        side.focus_view()
        await settle(pilot, host, "[4 Runs]")
        await pilot.press("j", "enter")
        assert side.subject == RunSubject(RunKey("drmm", "20261120-101500"))
        text = await settle(pilot, host, "[1 Jobs]")
        assert "asked    plan.py seed=1,2,3" in text
        assert "added    15 jobs (learn lr=0.01 seed=1, learn lr=0.01 seed=2" in text


async def test_a_job_says_why_it_ran_where_the_user_stays(
    host: Host, side: RightSide, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[JobKey] = []

    def explain(workspace: WorkspacePaths, job: Job) -> Explained:
        asked.append(job.key)
        return Explained(job.key, job.record.attempt, "lr 0.1 → 0.01", "71c0de")

    monkeypatch.setattr("xpm_tui.widgets.job.overview.explain", explain)
    async with host.run_test(size=(120, 40)) as pilot:
        keys = store.keys(LEARN)[:3]
        for key in keys:
            side.show(JobSubject(key, RUN), store)
            await pilot.pause()
        await settle(pilot, host, "Ran because  lr 0.1 → 0.01   (nearest earlier job: 71c0de)")
        assert asked == [keys[2]]
        side.refresh_from(store, Changed(jobs=frozenset(keys)))
        await pilot.pause(0.6)
        assert asked == [keys[2]]


async def test_with_few_lines_it_says_the_most_important(
    host: Host, side: RightSide, store: Store
) -> None:
    async with host.run_test(size=(80, 8)) as pilot:
        failed, running = store.keys(LEARN)[0], store.keys(LEARN)[4]
        side.show(JobSubject(failed, RUN), store)
        await settle(pilot, host, "Reason       out of memory  train.py:88 step")
        side.show(JobSubject(running, RUN), store)
        text = await settle(pilot, host, "epoch 3 batch 812 loss 0.4127")
        assert "58 %   ~7 min left" in text
        assert "WARNING grad norm 12.4 clipped" in text
        side.show(LEARN, store)
        await settle(pilot, host, "learn in drmm")


HOSTILE = "[red]\x1b[2J[/x]\u202e🦊\n" + "y" * 300


@both_sizes
async def test_names_that_mean_harm_are_only_text(
    host: Host, side: RightSide, tmp_path: Path, size: tuple[int, int]
) -> None:
    workspace = FakeWorkspace(tmp_path / "ws")
    jobs = [
        FakeJob("ir.learn", f"{number}", {HOSTILE: HOSTILE, "n": number}, {HOSTILE: HOSTILE})
        for number in range(3)
    ]
    workspace.failed(jobs[0], HOSTILE)
    workspace.start(jobs[1], levels=[(0.5, HOSTILE)])
    workspace.done(jobs[2], metrics={HOSTILE: 0.5})
    run = workspace.run("drmm", jobs)
    store = store_of(workspace)
    async with host.run_test(size=size) as pilot:
        for subject in (WorkspaceSubject(), ExperimentSubject("drmm"), FailedSubject()):
            side.show(subject, store)
            await pilot.pause()
            assert_harmless(host)
        for job in jobs:
            side.show(JobSubject(job.key, RunKey("drmm", Path(run.root).name)), store)
            side.focus_view()
            for tab in "123456":
                await pilot.press(tab)
                await pilot.pause()
                assert_harmless(host)


def without_pid(lines: list[str]) -> list[str]:
    return [re.sub(r"pid \d+", "pid PID", line) for line in lines]


def assert_harmless(host: Host) -> None:
    for line in screen_lines(host):
        assert not set(line) & set("\x1b\x00\r\t\u202e")
