"""Copying, and opening in other programs, what is under the cursor; the palette and the help."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.patience import PATIENCE
from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_tui.filtering.work import Answer, Work
from xpm_tui.outside.programs import Errand
from xpm_tui.screens.copy_as import CopyAsScreen
from xpm_tui.screens.palette import Palette
from xpm_tui.store import ExperimentSubject, JobSubject
from xpm_tui.widgets.log.view import LogView
from xpm_tui.widgets.pick_list import PickList

Jobs = dict[str, FakeJob]
Drive = Callable[..., Driven]
both_sizes = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])

TO_JOB = ("j", "j", "l", "j")
"""To `learn lr=0.1 seed=1`, which failed."""


@pytest.fixture
def errands(monkeypatch: pytest.MonkeyPatch) -> list[Errand]:
    """What would have been run in the terminal."""
    found: list[Errand] = []
    monkeypatch.setattr("xpm_tui.app.XpmApp.run_errand", lambda _, errand: found.append(errand))
    return found


@both_sizes
async def test_copying_says_what_was_copied(
    drive: Drive, size: tuple[int, int], jobs: Jobs
) -> None:
    async with drive().at(size) as app:
        await app.press("y")
        assert app.app.clipboard == "drmm"
        await app.press(*TO_JOB, "y")
        identifier = jobs["learn lr=0.1 seed=1"].key.identifier
        assert app.app.clipboard == identifier
        assert f"copied: {identifier}" in app.lines()[-2]
        await app.press("space", "space", "y")
        both = [jobs[f"learn lr=0.1 seed={seed}"].key.identifier for seed in (1, 2)]
        assert sorted(app.app.clipboard.split()) == sorted(both)
        assert "and 1 more line" in app.lines()[-2]


async def test_the_chosen_lines_of_a_log(drive: Drive, jobs: Jobs) -> None:
    async with drive().at(WIDE) as app:
        await app.press(*TO_JOB, "j", "j", "j", "L")
        await app.until(lambda: isinstance(app.app.focused, LogView))
        await app.until(lambda: "grad norm" in "\n".join(app.lines()))
        await app.press("v", "k", "y")
        await app.until(lambda: app.app.clipboard.count("WARNING grad norm") == 2)
        assert "copied: WARNING grad norm 12.4 clipped and 1 more line" in app.lines()[-2]


@both_sizes
async def test_copy_as_offers_forms(
    drive: Drive, size: tuple[int, int], workspace: FakeWorkspace, jobs: Jobs
) -> None:
    key = jobs["learn lr=0.1 seed=1"].key
    async with drive().at(size) as app:
        await app.press(*TO_JOB, "Y")
        await app.until(lambda: isinstance(app.app.screen, CopyAsScreen))
        await app.pilot.pause()
        text = "\n".join(app.lines())
        assert "command that explains it" in text
        await app.press("j", "j", "enter")
        assert app.app.clipboard == workspace.paths.job(key).root
        await app.press("Y")
        await app.until(lambda: isinstance(app.app.screen, CopyAsScreen))
        await app.press("G", "enter")
        assert '"trainer.optimizer.lr": 0.1' in app.app.clipboard
        await app.press("Y")
        await app.until(lambda: isinstance(app.app.screen, CopyAsScreen))
        await app.press("backspace")
        assert not isinstance(app.app.screen, CopyAsScreen)


async def test_the_editor_goes_where_it_failed(
    drive: Drive,
    errands: list[Errand],
    workspace: FakeWorkspace,
    jobs: Jobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VISUAL", "vi")
    async with drive().at(WIDE) as app:
        await app.press(*TO_JOB, "o")
        assert "the file is not there: /home/you/ir/train.py" in app.lines()[-2]
        monkeypatch.setattr("os.path.isfile", lambda _: True)
        await app.press("o")
        assert errands[-1].command == ("vi", "+88", "/home/you/ir/train.py")
        await app.press("g", "enter", "o")
        assert errands[-1].command == ("vi", "+88", "/home/you/ir/train.py")
        await app.press("backspace", "j", "o")
        assert errands[-1].command[-1] == "plan.py"


@both_sizes
async def test_pager_and_shell(
    drive: Drive,
    size: tuple[int, int],
    errands: list[Errand],
    workspace: FakeWorkspace,
    jobs: Jobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAGER", "less")
    live = workspace.paths.job(jobs["learn lr=0.01 seed=1"].key)
    async with drive().at(size) as app:
        await app.press(*TO_JOB, "j", "j", "j", "vertical_line")
        assert errands[-1].command == ("less", "+G", live.stderr(1))
        await app.press("exclamation_mark")
        assert errands[-1].folder == live.root
        await app.press("j", "j", "j", "vertical_line")
        assert "it has not started, so there is no log" in app.lines()[-2]
        await app.press("g", "j", "exclamation_mark")
        assert errands[-1].folder == workspace.paths.experiment("drmm")


async def test_readonly_leaves_editor_and_shell_shut(
    drive: Drive, errands: list[Errand], jobs: Jobs
) -> None:
    async with drive(readonly=True).at(WIDE) as app:
        await app.press(*TO_JOB, "o")
        assert "--readonly" in app.lines()[-2]
        await app.press("exclamation_mark")
        assert "--readonly" in app.lines()[-2]
        await app.press("j", "j", "j", "vertical_line")
        assert errands[-1].environment is not None
        assert errands[-1].environment["LESSSECURE"] == "1"


async def test_a_terminal_that_can_not_be_left_says_so(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    async with drive().at(WIDE) as app:
        await app.press(*TO_JOB, "exclamation_mark")
        assert "this terminal can't be left to another program" in app.lines()[-2]


@both_sizes
async def test_the_palette_jumps_to_a_job(drive: Drive, size: tuple[int, int], jobs: Jobs) -> None:
    key = jobs["evaluate of lr=0.01 seed=2"].key
    async with drive().at(size) as app:
        await app.press("colon")
        assert isinstance(app.app.screen, Palette)
        await app.press(*key.identifier[:8], "enter")
        await app.settle()
        assert isinstance(app.tree.subject, JobSubject)
        assert app.tree.subject.key == key
        await app.press("ctrl+p", *"task:learn seed=3 lr=0.001", "enter")
        await app.settle()
        assert isinstance(app.tree.subject, JobSubject)
        assert app.tree.subject.key == jobs["learn lr=0.001 seed=3"].key


async def test_of_very_many_jobs_the_palette_looks_in_a_thread(
    drive: Drive, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_tui.filtering.job_filter.FEW", 0)
    may_end, run = threading.Event(), Work.run

    def wait(work: Work) -> Answer:
        may_end.wait(PATIENCE)
        return run(work)

    monkeypatch.setattr(Work, "run", wait)
    async with drive().at(WIDE) as app:
        await app.press("colon", *"le")
        assert "looking for jobs…" in "\n".join(app.lines())
        await app.press("down")
        row = app.app.screen.query_one(PickList).row
        assert row is not None
        may_end.set()
        await app.until(lambda: "matches" in "\n".join(app.lines()))
        assert "learn" in "\n".join(app.lines())
        assert app.app.screen.query_one(PickList).row == row


async def test_what_is_picked_before_it_is_found_is_picked_when_it_is(
    drive: Drive, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_tui.filtering.job_filter.FEW", 0)
    key = jobs["learn lr=0.001 seed=3"].key
    async with drive().at(WIDE) as app:
        await app.press("colon", *"task:learn seed=3 lr=0.001", "enter")
        await app.until(lambda: app.tree.subject == JobSubject(key, app.app.store.home_of(key)))
        assert not isinstance(app.app.screen, Palette)
        await app.press("colon", *"no such thing at all", "enter")
        await app.until(lambda: "nothing is called that" in "\n".join(app.lines()))


async def test_the_palette_jumps_out_of_a_filter_and_to_orphans(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    orphan = FakeJob("ir.lost", "x", {"lost": 1})
    workspace.done(orphan)
    async with drive().at(WIDE) as app:
        await app.press("slash", *"seed=1", "enter")
        await app.press("colon", *"seed=2 lr=0.1 task:learn", "enter")
        await app.settle()
        assert "no filter" in app.lines()[-2] or "the filter hid" in app.lines()[-2]
        assert "lr=0.1 seed=2" in app.row()
        await app.press("colon", *"lost=1", "enter")
        assert app.right.subject == JobSubject(orphan.key, None)
        assert app.right.has_focus_within


async def test_the_palette_runs_actions_and_says_why_not(drive: Drive, jobs: Jobs) -> None:
    async with drive().at(WIDE) as app:
        await app.press("colon", *"group", "enter")
        assert "by tag" in app.lines()[-2]
        await app.press("colon", *"undo", "enter")
        assert isinstance(app.app.screen, Palette)
        assert "nothing was changed in this session" in "\n".join(app.lines())
        await app.press("escape", "colon", *"experiment ablation", "enter")
        assert app.tree.subject == ExperimentSubject("ablation")
        await app.settle()
        await app.press("colon", *"tab waiting", "enter")
        assert "[3 Waiting]" in "\n".join(app.lines())
        await app.press("colon", *"theme light", "enter")
        assert app.app.theme == "xpm-light"
        await app.press("colon", *"no such thing at all", "enter")
        assert "nothing is called that" in "\n".join(app.lines())
        await app.press("escape")


@pytest.mark.usefixtures("jobs")
async def test_a_palette_of_another_screen_has_its_actions(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        await app.press("j", "x")
        await app.until(lambda: app.app.screen is not app.main)
        await app.press("colon", *"back", "enter")
        await app.until(lambda: app.app.screen is app.main)


@pytest.mark.usefixtures("jobs")
async def test_alt_and_a_letter_is_escape_and_the_letter(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.press("enter")
        assert app.right.has_focus_within
        before = app.row()
        await app.press("alt+j")
        await app.until(lambda: app.tree.has_focus and app.row() != before)


@pytest.mark.usefixtures("jobs")
async def test_no_key_of_textuals_own_is_left(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        for key in ("ctrl+q", "ctrl+backslash", "f1"):
            await app.press(key)
            assert app.app.screen is app.main
            assert app.app.is_running
        bound = {
            key for _, binding, *_ in app.main.active_bindings.values() for key in [binding.key]
        }
        assert "ctrl+q" not in bound
