"""The main screen, by its keys, at both sizes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.runs import PlanState
from xpm_tui.app import XpmApp
from xpm_tui.screens.help import HelpScreen
from xpm_tui.store import (
    AllJobsSubject,
    ExperimentSubject,
    GroupSubject,
    JobSubject,
    LogSubject,
    RunKey,
    RunSubject,
    Stream,
    WorkspaceSubject,
)
from xpm_tui.store.memory import Memory
from xpm_tui.widgets.frame.key_bar import KeyBar
from xpm_tui.widgets.jobs.columns import note_cell
from xpm_tui.widgets.log.view import LogView
from xpm_tui.widgets.table.table import Table

LATER = RunKey("drmm", "20261123-100000")
Jobs = dict[str, FakeJob]
Drive = Callable[..., Driven]
both_sizes = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])

pytestmark = pytest.mark.usefixtures("jobs")


@both_sizes
async def test_picture(
    drive: Drive, size: tuple[int, int], picture: Callable[[list[str]], None]
) -> None:
    async with drive().at(size) as app:
        await app.press("j", "j", "l", "j", "j", "j", "j", "l")
        await app.settle()
        await app.until(lambda: "27 kB" in "\n".join(app.tree_lines()))
        picture(app.around())


async def test_the_peek_of_what_failed_names_its_causes(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        await app.press("g")
        await app.until(lambda: "Failed: 4 jobs, 3 causes" in "\n".join(app.lines()))
        text = "\n".join(app.lines())
        assert "2 × out of memory  train.py:88 step" in text
        assert "1 × empty batch  train.py:88 step" in text
        assert "1 × no exit record, and process 4980 is gone" in text


@both_sizes
async def test_the_bar_has_no_key_that_would_find_nothing_to_do(
    drive: Drive, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        await app.press("g")
        await app.settle()
        assert "R retry…" in app.lines()[-1]
        assert "K kill…" not in app.lines()[-1]
        await app.press("j")
        await app.settle()
        assert "K kill…" in app.lines()[-1]
        await app.press("G", "k")
        assert app.tree.subject == ExperimentSubject("ablation")
        assert "K kill…" not in app.lines()[-1]


@both_sizes
async def test_the_bar_tells_the_keys_of_a_field(drive: Drive, size: tuple[int, int]) -> None:
    async with drive().at(size) as app:
        before = app.lines()[-1]
        await app.press("slash")
        told = ("tab complete", "↓ ↑ another") if size == WIDE else ()
        assert app.lines()[-1].endswith("  ".join(["enter keep", *told, "esc give up"]))
        await app.press("escape")
        assert app.lines()[-1] == before


@both_sizes
async def test_marking_a_cause_marks_its_jobs(
    drive: Drive, size: tuple[int, int], jobs: Jobs
) -> None:
    async with drive().at(size) as app:
        await app.press("g", "enter")
        await app.settle()
        await app.press("space")
        first = {jobs["learn lr=0.1 seed=1"].key, jobs["learn lr=0.1 seed=2"].key}
        assert app.main._marks == first
        marked = [line for line in app.lines() if "◆" in line and "out of memory" in line]
        assert len(marked) == 1
        await app.press("asterisk")
        assert len(app.main._marks) == 4
        await app.press("g", "space")
        assert first.isdisjoint(app.main._marks)
        await app.press("u")
        assert app.main._marks == frozenset()


@both_sizes
async def test_a_silent_host_is_told_in_tree_and_table(
    drive: Drive, size: tuple[int, int], workspace: FakeWorkspace
) -> None:
    far = ProcessIdentity("theirs", "theirs", "", 4121, 1, "node17")
    silent, lively = (FakeJob("ir.far", name, {"lr": name}) for name in ("silent", "lively"))
    for job, seconds in ((silent, 240), (lively, 20)):
        paths = workspace.start(job, run="far/1", by=far, levels=[(0.5, "epoch 1/2")])
        Path(paths.alive).touch()
        for path in (paths.alive, paths.start(1)):
            os.utime(path, (NOON - seconds, NOON - seconds))
    workspace.run("far", [silent, lively], run="20261123-100000", started=600)
    async with drive().at(size) as app:
        assert app.tree.reveal(silent.key, RunKey("far", "20261123-100000"))
        await app.pilot.pause()
        row = next(line for line in app.tree_lines() if "silent" in line)
        assert row.endswith("no sign for 4 min")
        other = next(line for line in app.tree_lines() if "lively" in line)
        assert "50 %" in other
        assert "no sign" not in other
        job = app.app.store.job(silent.key, RunKey("far", "20261123-100000"))
        note = note_cell(job).plain
        assert note.startswith("no sign for ")
        assert note.endswith(", on node17")


@both_sizes
async def test_the_cursor_begins_at_the_first_experiment(
    drive: Drive, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        await app.settle()
        assert app.tree.subject == ExperimentSubject("drmm")
        assert app.right.subject == ExperimentSubject("drmm")


@both_sizes
async def test_moving_unfolding_and_back_to_the_parent(drive: Drive, size: tuple[int, int]) -> None:
    async with drive().at(size) as app:
        await app.press("j", "j", "l", "l")
        assert "lr=0.1 seed=1" in app.row()
        await app.press("h")
        assert "learn" in app.row()
        await app.press("h")
        assert "lr=0.1 seed=1" not in "\n".join(app.tree_lines())
        await app.press("h", "h")
        assert app.tree.subject == ExperimentSubject("drmm")
        assert "learn" not in "\n".join(app.tree_lines())
        await app.press("G")
        assert "All jobs" in app.row()
        await app.press("g")
        assert "Failed" in app.row()


@both_sizes
async def test_what_everything_is_inside_of_is_the_workspace(
    drive: Drive, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        await app.press("h", "h")
        assert app.right.subject == WorkspaceSubject()
        await app.until(lambda: any("nothing ended" in line for line in app.lines()))
        await app.press("j")
        await app.until(lambda: app.right.subject == app.tree.subject)


@both_sizes
async def test_the_right_side_follows_the_cursor(drive: Drive, size: tuple[int, int]) -> None:
    async with drive().at(size) as app:
        await app.press("j")
        await app.settle()
        assert isinstance(app.right.subject, GroupSubject)


@both_sizes
async def test_enter_opens_and_backspace_comes_back(drive: Drive, size: tuple[int, int]) -> None:
    async with drive().at(size) as app:
        await app.press("j", "j", "enter")
        assert app.right.has_focus_within
        assert app.tree.display is (size == WIDE)
        await app.press("backspace")
        assert app.tree.has_focus
        assert app.tree.display
        await app.press("escape")
        assert app.app.is_running


@both_sizes
async def test_a_job_is_opened_and_its_log(drive: Drive, size: tuple[int, int]) -> None:
    async with drive().at(size) as app:
        await app.press("j", "j", "l", "j", "L")
        assert app.right.has_focus_within
        assert isinstance(app.right.subject, (JobSubject, LogSubject))
        await app.until(lambda: any("Log]" in line for line in app.lines()))


async def test_progress_and_logs_are_rows_of_their_own(drive: Drive, jobs: Jobs) -> None:
    async with drive().at(WIDE) as app:
        await app.press("j", "j", "l", "j", "j", "j", "j", "l", "j", "j")
        assert "batch 812/1400" in app.row()
        await app.press("j")
        learn = jobs["learn lr=0.01 seed=1"].key
        subject = app.tree.subject
        assert isinstance(subject, LogSubject)
        assert (subject.key, subject.stream) == (learn, Stream.STDERR)


async def test_groupings_take_turns(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.press("t")
        assert any("stem=a" in line for line in app.tree_lines())
        assert "by tag" in app.lines()[-2]
        await app.press("t")
        assert any("blocked" in line for line in app.tree_lines())
        await app.press("t")
        assert any("learn lr=0.1 seed=1" in line for line in app.tree_lines())
        await app.press("t")
        assert any("learn" in line and "1/9" in line for line in app.tree_lines())


async def test_marks_are_kept_by_job(drive: Drive, jobs: Jobs) -> None:
    async with drive().at(WIDE) as app:
        await app.press("j", "j", "l", "j", "space", "space")
        assert "2 marked" in app.lines()[-2]
        assert sum("◆" in line for line in app.tree_lines()) == 2
        await app.press("h", "space")
        assert "9 marked" in app.lines()[-2]
        await app.press("space")
        assert "marked" not in app.lines()[-2]
        await app.press("j", "space", "u")
        assert "marked" not in app.lines()[-2]


@both_sizes
async def test_no_key_dresses_the_whole_screen_anew(
    drive: Drive, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class of a screen has the styles of all in it worked out again: 60 ms."""
    dressed: list[object] = []
    apply = Stylesheet.apply

    def count(sheet: Stylesheet, node: DOMNode, **options: Any) -> None:
        dressed.append(node)
        apply(sheet, node, **options)

    async with drive().at(size) as app:
        monkeypatch.setattr(Stylesheet, "apply", count)
        for key in ("m", "m", "j", "enter", "backspace", "tab", "m", "m", "tab", "slash"):
            dressed.clear()
            await app.press(key)
            assert len(dressed) < 30, key


async def test_what_keys_may_ask_for_is_worked_out_piece_by_piece_while_none_comes(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive().at(WIDE) as app:
        left = [True] * 4 + [False]
        monkeypatch.setattr("xpm_tui.screens.filter_screen.AHEAD", 0.0001)
        monkeypatch.setattr(
            app.app.store, "prepare", lambda: (sleep(0.001), bool(left) and left.pop(0))[1]
        )
        app.main._acted_at = monotonic()
        app.main._prepare_answers()
        assert len(left) == 5, "a key came a moment ago"
        app.main._acted_at = 0.0
        app.main._prepare_answers()
        assert len(left) == 4, "so little at once that no key waits"
        await app.until(lambda: not left)


async def test_this_pane_alone(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.press("m")
        assert not app.right.display
        assert app.tree.size.width == 120
        await app.press("m")
        assert app.right.display


async def test_earlier_runs_unfold(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.press("j", "j", "j", "j")
        assert "earlier runs" in app.row()
        await app.press("l", "j")
        assert "20 Nov 10" in app.row()


async def test_a_group_shows_as_many_as_fit_and_says_how_many_more(
    drive: Drive, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_tui.widgets.tree.model.CAP", 4)
    async with drive().at(WIDE) as app:
        await app.press("j", "j", "l", "j", "j", "j", "j", "j")
        assert "… 5 more (enter: all in a table)" in app.row()
        await app.press("enter")
        assert isinstance(app.right.subject, GroupSubject)
        assert app.right.has_focus_within


async def test_the_cursor_stays_on_its_row_when_rows_come_above(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    async with drive().at(WIDE) as app:
        await app.press("j", "j", "l", "j", "j")
        before, height = app.row(), app.tree_lines().index(app.row())
        more = [FakeJob("aaa", str(number)) for number in range(3)]
        for job in more:
            workspace.done(job, ended=5)
        workspace.run("zzz", more)
        await app.look(lambda: app.app.store.experiment("zzz"))
        await app.until(lambda: any("zzz" in line for line in app.tree_lines()))
        assert app.row() == before
        assert app.tree_lines().index(app.row()) >= height


async def test_the_cursor_stays_at_its_height_when_rows_come_above_the_screen(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    async with drive().at(NARROW) as app:
        await app.press("j", "j", "l", *"jjjjjjjjjj", "l", *"jjjjjkkkk")
        before, place = app.row(), app.tree_lines().index(app.row())
        assert app.tree.scroll_offset.y > 0
        more = [FakeJob("aaa", str(number)) for number in range(3)]
        for job in more:
            workspace.done(job, ended=5)
        workspace.run("zzz", more, started=0, run="20261123-115959")
        await app.look(lambda: any("zzz" in row.label for row in app.tree.model.rows))
        await app.pilot.pause()
        assert app.row() == before
        assert app.tree_lines().index(before) == place
        assert app.tree.model.rows[1].label == "zzz"


async def test_what_ends_is_drawn_where_it_was_while_keys_are_pressed(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    async with drive().at(WIDE) as app:
        await app.press("j", "j", "l", "j", "j", "j", "j")
        before = app.tree_lines()
        place = before.index(app.row())
        learn = jobs["learn lr=0.01 seed=1"]
        assert "lr=0.01 seed=1" in before[place]
        workspace.failed(learn, run="drmm/20261123-091200", ended=1)
        await app.look(lambda: any("✗ lr=0.01 seed=1" in line for line in app.tree_lines()))
        assert "✗ lr=0.01 seed=1" in app.tree_lines()[place]
        assert app.row() == app.tree_lines()[place]


async def test_a_row_that_vanishes_leaves_the_cursor_at_what_it_was_in(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    async with drive().at(WIDE) as app:
        await app.press("G", "k", "l", "j", "l", "j")
        assert "depth=" in app.row()
        import shutil

        shutil.rmtree(workspace.paths.experiment("ablation"))
        await app.look(lambda: app.app.store.experiment("ablation") is None)
        await app.until(lambda: "depth=" not in app.row())
        assert app.tree.row is not None


@both_sizes
async def test_a_plan_that_is_run_again_leaves_the_reader_where_he_is(
    drive: Drive, size: tuple[int, int], workspace: FakeWorkspace, jobs: Jobs
) -> None:
    async with drive().at(size) as app:
        job = jobs["learn lr=0.01 seed=2"]
        assert app.tree.reveal(job.key, RunKey("drmm", "20261123-091200"))
        await app.press("L")
        await app.until(lambda: isinstance(app.app.focused, LogView))
        view = app.app.focused
        assert isinstance(view, LogView)
        await app.press("g")
        seen = view.size, view.scroll_offset, view.cursor_text
        workspace.run("drmm", [jobs["learn lr=0.01 seed=1"], job], run=LATER.run)
        await app.look(lambda: app.tree.subject == JobSubject(job.key, LATER))
        await app.settle()
        assert app.app.focused is view
        assert (view.size, view.scroll_offset, view.cursor_text) == seen
        assert app.right.subject == JobSubject(job.key, LATER)
        await app.press("backspace")
        assert app.app.focused is app.tree
        assert app.tree.subject == JobSubject(job.key, LATER)


async def test_a_key_that_can_not_act_says_why(drive: Drive) -> None:
    async with drive(readonly=True).at(WIDE) as app:
        await app.press("x")
        assert "--readonly" in app.lines()[-2]
        assert "read-only" in app.lines()[-2]
        await app.press("X")
        assert "--readonly" in app.lines()[-2]
        await app.press("s")
        assert "works in a table" in app.lines()[-2]
        await app.press("L")
        assert "there is no job under the cursor" in app.lines()[-2]


@both_sizes
async def test_help_tells_the_keys_of_this_place_and_does_them(
    drive: Drive, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        await app.press("question_mark")
        assert isinstance(app.app.screen, HelpScreen)
        text = "\n".join(app.lines())
        assert "Open what is under the cursor" in text
        await app.press("enter")
        await app.until(lambda: app.right.has_focus_within)


@both_sizes
async def test_the_keys_below_fit_and_end_in_the_question_mark(
    drive: Drive, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        last = app.lines()[-1]
        assert last.endswith("? all keys")
        assert "enter open" in last
        assert len(last) <= size[0]


async def test_the_bar_has_the_keys_of_what_was_read_before_any_key(
    drive: Drive,
) -> None:
    async with drive().at(NARROW) as app:
        await app.until(lambda: app.app.store.checked == 1.0)
        await app.pilot.pause()
        shown = app.lines()[-1]
        await app.press("j", "k")
        assert app.lines()[-1] == shown
        assert "x clean…" in shown


async def test_marks_are_told_at_once_whatever_was_said_before(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.press("g", "j", "y")
        assert "copied" in app.lines()[-2]
        await app.press("space")
        assert "marked" in app.lines()[-2]


async def test_a_click_on_a_key_does_it(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        at = app.lines()[-1].index("t group")
        await app.pilot.click(KeyBar, offset=(at, 0))
        await app.pilot.pause()
        assert "by tag" in app.lines()[-2]


async def test_the_mouse_moves_folds_and_opens(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        place = next(n for n, line in enumerate(app.tree_lines()) if "learn" in line)
        await app.pilot.click(app.tree, offset=(3, place))
        await app.pilot.pause()
        assert any("lr=0.01 seed=2" in line for line in app.tree_lines())
        await app.pilot.click(app.tree, offset=(12, place), times=2)
        await app.until(lambda: app.right.has_focus_within)


@both_sizes
async def test_a_job_goes_to_the_trash_and_comes_back(
    drive: Drive, size: tuple[int, int], workspace: FakeWorkspace, jobs: Jobs
) -> None:
    old = workspace.paths.job(jobs["old o1"].key)
    async with drive().at(size) as app:
        await app.press("G", "k", "l", "j", "l", "j", "j")
        assert "depth=1" in app.row()
        await app.press("x")
        await app.until(lambda: any("1 of 1 ticked" in line for line in app.lines()))
        await app.until(lambda: "depth=1" in "\n".join(app.lines()))
        await app.pilot.pause(0.4)
        await app.press("X")
        await app.until(lambda: not os.path.exists(old.root))
        await app.until(lambda: app.app.store.trash)
        assert "in the trash" in app.row()
        await app.press("z")
        await app.until(lambda: os.path.exists(old.root))
        await app.until(lambda: not app.app.store.trash)
        assert "✓ depth=1" in app.row()
        assert app.app.changes == ()


async def test_names_that_steer_terminals_or_read_as_markup(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    job = FakeJob("evil", "a", {"x": "[/red] \x1b[31mred\x1b[0m\nsecond", "y": "[b]bold"})
    workspace.failed(job, "bad \x1b]0;title\x07 [/x]", run="evil/20261123-091200")
    workspace.run("evil", [job], plan=PlanState.COMPLETE, ended=1)
    async with drive().at(WIDE) as app:
        await app.press("slash", *"evil", "enter", "j", "j")
        await app.settle()
        text = "\n".join(app.lines())
        assert "[/red]" in text
        assert "\x1b" not in text
        assert "\x07" not in text


async def test_the_terminal_is_made_smaller_and_larger(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        for width, height in [(80, 24), (30, 8), (20, 5), (200, 60), (99, 30), (100, 30)]:
            await app.pilot.resize_terminal(width, height)
            await app.pilot.pause()
            assert len(app.lines()) == height
        assert "drmm" in app.row()


async def test_files_that_are_damaged_are_rows(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    learn = workspace.paths.job(jobs["learn lr=0.01 seed=1"].key)
    with open(learn.start(1), "w", encoding="utf-8") as file:
        file.write("{")
    run = workspace.paths.run("ablation", "20261103-101500")
    with open(run.record, "wb") as raw:
        raw.write(b"\xff\xfe\x00")
    async with drive().at(WIDE) as app:
        await app.press("j", "j", "l")
        text = "\n".join(app.tree_lines())
        assert "? lr=0.01 seed=1" in text
        assert "1.start" in text
        assert "? run.json" in text


async def test_a_range_in_the_tree_is_marked_or_given_up(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.press("j", "j", "l", "j", "v", "j", "j")
        assert sum("◆" in line for line in app.tree_lines()) == 3
        assert "marked" not in app.lines()[-2]
        await app.press("backspace")
        assert not any("◆" in line for line in app.tree_lines())
        await app.press("v", "k", "space")
        assert "2 marked" in app.lines()[-2]
        await app.press("asterisk")
        assert "9 marked" in app.lines()[-2]
        await app.press("asterisk")
        assert "9 marked" not in app.lines()[-2]


async def test_q_leaves_what_is_open_before_it_leaves_the_app(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.press("j", "j", "l", "j", "L", "q")
        assert app.app.is_running
        assert app.tree.has_focus
        await app.press("q")
        await app.until(lambda: not app.app.is_running)


async def test_arrows_move_the_cursor_of_a_table(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.press("G", "tab")
        table = next(each for each in app.right.query(Table) if each.has_focus)
        assert len(table.model.shown) > 10
        places: list[int] = []
        await app.press("home")
        for key in ("down", "down", "up", "pagedown", "end", "home"):
            await app.press(key)
            places.append(table._cursor)
        last = len(table.model.shown) - 1
        assert places == [1, 2, 1, min(1 + table.page, last), last, 0]


async def test_siblings_of_what_is_open(drive: Drive, jobs: Jobs) -> None:
    async with drive().at(WIDE) as app:
        await app.press("j", "j", "l", "j", "enter", "full_stop")
        assert "lr=0.1 seed=2" in app.row()
        assert isinstance(app.right.subject, JobSubject)
        assert app.right.has_focus_within
        await app.press("comma", "comma")
        assert "lr=0.1 seed=1" in app.row()
        assert "no other beside it" in app.lines()[-2]
        await app.press("backspace", "h", "h", "h", "enter", "4", "j", "enter")
        assert isinstance(app.right.subject, RunSubject)
        before = app.right.subject
        await app.press("comma")
        assert isinstance(app.right.subject, RunSubject)
        assert app.right.subject != before


async def test_an_action_of_the_log_can_be_picked_from_the_help(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        await app.press("j", "j", "l", "j", "j", "j", "j", "L")
        view = app.main.query_one(LogView)
        await app.press("colon", *"wrap", "enter")
        await app.until(lambda: view.status.wrap)
        assert "/ search  e E error  f follow  w wrap" in app.lines()[-1]


async def test_what_was_read_while_the_app_leaves_is_dropped(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive().at(WIDE) as app:
        monkeypatch.setattr(XpmApp, "screen_stack", property(lambda _: []))
        monkeypatch.setattr(XpmApp, "screen", property(lambda _: pytest.fail("no screen is left")))
        app.app.on_xpm_app_disk_read(XpmApp.DiskRead())
        monkeypatch.undo()


async def test_until_a_key_comes_the_cursor_is_on_the_first_experiment(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    runs = workspace.paths.experiments
    os.rename(runs, f"{runs}.later")
    async with drive().at(WIDE) as app:
        assert app.tree.subject == AllJobsSubject()
        os.rename(f"{runs}.later", runs)
        await app.look(lambda: app.tree.subject == ExperimentSubject("drmm"))
        await app.press("G")
        workspace.run("newer", [jobs["old o1"]])
        await app.look(lambda: len(app.app.store.experiments()) == 3)
        assert app.tree.subject == AllJobsSubject()


@pytest.mark.parametrize("size", [(80, 12), (120, 12), (40, 10)])
async def test_a_pane_of_few_lines_shows_what_was_opened(
    drive: Drive, size: tuple[int, int]
) -> None:
    """As half of a terminal that tmux has split."""
    async with drive().at(size) as app:
        await app.press("enter")
        await app.until(lambda: any("1 Jobs" in line for line in app.lines()))
        await app.until(lambda: app.right.under_cursor)
        await app.press("escape")
        await app.until(lambda: app.main.focused is app.tree)
        assert any("drmm" in line for line in app.lines())


@both_sizes
async def test_a_workspace_that_goes_away_is_said_to_be_gone(
    drive: Drive, workspace: FakeWorkspace, size: tuple[int, int]
) -> None:
    root = workspace.paths.root
    async with drive().at(size) as app:
        os.rename(root, root + "-moved")
        await app.look(lambda: app.app.store.problem)
        await app.until(lambda: "is not there any more: /" in app.lines()[-2])
        assert app.lines()[-2].rstrip().endswith("can't be read")
        os.rename(root + "-moved", root)
        await app.look(lambda: not app.app.store.problem)
        await app.until(lambda: "is not there any more" not in app.lines()[-2])


async def test_reading_again_says_what_can_not_be_remembered(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Memory, "keep", _no_space)
    async with drive().at(WIDE) as app:
        await app.until(lambda: app.app.watcher.index_trouble)
        await app.press("r")
        assert "the next start has to read everything: index: no space" in "\n".join(app.lines())


def _no_space(memory: Memory) -> None:
    memory.trouble = "index: no space"


@both_sizes
async def test_the_log_of_a_job_that_runs_opens_at_the_stream_that_was_written_last(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs, size: tuple[int, int]
) -> None:
    job = jobs["learn lr=0.01 seed=1"]
    os.utime(workspace.paths.job(job.key).stderr(1), (1, 1))
    async with drive().at(size) as app:
        assert app.tree.reveal(job.key, RunKey("drmm", "20261123-091200"))
        await app.settle()
        await app.press("L")
        await app.until(lambda: isinstance(app.app.focused, LogView))
        view = app.app.focused
        assert isinstance(view, LogView)
        await app.until(lambda: view.status.labels)
        assert view.status.labels[view.status.current] == "stdout"
