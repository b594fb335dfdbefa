"""Other programs, what is copied, and what is kept here of a workspace there."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.driving import WIDE, Driven
from tests.tui.far.conftest import Line
from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace
from xpm_engine.workspace.records.reasons import Frame, Outcome, Reason, ReasonKind
from xpm_tui.app import XpmApp
from xpm_tui.far.copies import ABOUT, KEPT, forget_old
from xpm_tui.far.place import FarPlace
from xpm_tui.far.site import FarSite
from xpm_tui.outside.programs import Errand
from xpm_tui.screens.arriving import Goal
from xpm_tui.screens.empty import EmptyScreen

JOB = FakeJob("drmm.learn", "one", {"lr": 0.1})


@pytest.fixture
def site(workspace: FakeWorkspace, open_far: Callable[[], FarPlace]) -> FarSite:
    workspace.done(JOB, run="exp/20261123-091200")
    workspace.log(JOB, "epoch 1\n")
    workspace.run("exp", [JOB])
    return FarSite(open_far())


def _driven(workspace: FakeWorkspace, site: FarSite, goal: Goal | None = None) -> Driven:
    found = Driven(workspace)
    found.app = XpmApp(site.place.here, clock=lambda: NOON, far=site, goal=goal, survey=False)
    return found


def _text(app: Driven) -> str:
    return "\n".join(app.lines())


async def test_a_shell_there(
    workspace: FakeWorkspace, site: FarSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: list[Errand] = []
    async with _driven(workspace, site, Goal(JOB.key.short)).at(WIDE) as app:
        monkeypatch.setattr(app.app, "run_errand", run.append)
        await app.until(lambda: f"learn lr=0.1   ✓ done   {JOB.key.short}" in _text(app))
        await app.press("exclamation_mark")
        await app.until(lambda: run)
        *words, last = run[0].command
        assert words[0] == "ssh"
        assert words[-1] == "elsewhere"
        assert last.startswith(f"cd {workspace.paths.root}")
        assert last.endswith("&& exec $SHELL -l")


async def test_the_pager_shows_what_was_brought_here(
    workspace: FakeWorkspace, site: FarSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: list[Errand] = []
    async with _driven(workspace, site, Goal(JOB.key.short)).at(WIDE) as app:
        monkeypatch.setattr(app.app, "run_errand", run.append)
        await app.press("L")
        await app.until(lambda: "epoch 1" in "\n".join(app.lines()))
        await app.press("vertical_line")
        await app.until(lambda: run)
        assert Path(run[0].command[-1]).read_text() == "epoch 1\n"


async def test_a_file_there_is_looked_at_as_a_copy(
    workspace: FakeWorkspace,
    site: FarSite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAGER", "less")
    script = tmp_path / "train.py"
    script.write_text("one\ntwo\n")
    bad = FakeJob("drmm.learn", "bad")
    frame = Frame(str(script), 2, "step", "two")
    reason = Reason(ReasonKind.EXCEPTION, "no", "ValueError", frame)
    workspace.end(bad, Outcome.FAILED, reason=reason)
    workspace.reference(workspace.paths.run("exp", "20261123-091200"), [bad])
    Path(workspace.paths.job(bad.key).root, "result.txt").write_text("42")
    run: list[Errand] = []
    async with _driven(workspace, site, Goal(bad.key.short)).at(WIDE) as app:
        monkeypatch.setattr(app.app, "run_errand", run.append)
        await app.until(lambda: "train.py:2 in step" in _text(app))
        await app.press("o")
        await app.until(lambda: run)
        copy = Path(run[0].command[-1])
        assert run[0].command[:2] == ("less", "+2g")
        assert copy != script
        assert copy.read_text() == script.read_text()
        assert copy.stat().st_mode & 0o777 == 0o400
        app.main.enter_right()
        await app.press("5")
        await app.until(lambda: "result.txt" in _text(app))
        await app.press("g")
        while getattr(app.main.here().row, "name", "") != "result.txt":
            await app.press("j")
        await app.press("vertical_line")
        await app.until(lambda: len(run) == 2)
        assert Path(run[1].command[-1]).read_text() == "42"
        # What is too large for that says so, and what went away too.
        monkeypatch.setattr("xpm_tui.far.opened.MOST", 1)
        await app.press("o")
        await app.until(lambda: "result.txt has 2 B, too much to bring here" in _text(app))
        script.unlink()
        os.unlink(workspace.paths.job(bad.key).root + "/result.txt")
        await app.press("o")
        await app.until(lambda: "the file is not there any more" in _text(app))
        assert len(run) == 2
    assert not copy.exists()


def test_what_is_copied_names_the_other_machine(workspace: FakeWorkspace, site: FarSite) -> None:
    folder = workspace.paths.job(JOB.key).root
    forms = dict(site.forms([JOB.key]))
    assert forms["folder"] == folder
    assert forms["folder, for scp and rsync"] == f"elsewhere:{folder}"
    opens = f"xpm-tui ssh://elsewhere{workspace.paths.root}"
    assert forms["command that opens it"] == f"{opens} --job {JOB.key.short}"
    assert dict(site.forms([]))["command that opens it"] == opens


async def test_an_experiment_that_is_not_there_is_told(
    workspace: FakeWorkspace, site: FarSite
) -> None:
    async with _driven(workspace, site, Goal("", "expp")).at(WIDE) as app:
        await app.until(lambda: "expp" in app.lines()[-2])


async def test_an_empty_workspace_there(
    workspace: FakeWorkspace, open_far: Callable[[], FarPlace]
) -> None:
    site = FarSite(open_far())
    async with _driven(workspace, site).at(WIDE) as app:
        await app.until(lambda: isinstance(app.app.screen, EmptyScreen))
        text = "\n".join(app.lines())
        assert re.search(r"Nothing has run in elsewhere:/\S+", text)
        assert "demo" not in text
        assert site.place.here.root not in text
        workspace.done(JOB, run="exp/20261123-091200")
        workspace.run("exp", [JOB])
        await app.until(lambda: not isinstance(app.app.screen, EmptyScreen))


async def test_a_workspace_that_went_away_there(workspace: FakeWorkspace, site: FarSite) -> None:
    root = workspace.paths.root
    async with _driven(workspace, site).at(WIDE) as app:
        await app.until(lambda: "● live" in app.lines()[-2])
        os.rename(root, root + "-moved")
        await app.until(lambda: app.app.store.problem)
        assert "not there any more" in app.app.store.problem
        await app.until(lambda: "can't be read" in app.lines()[-2])
        assert app.app.store.record(JOB.key).attempt == 1
        os.rename(root + "-moved", root)
        await app.until(lambda: "● live" in app.lines()[-2])


async def test_a_workspace_that_may_not_be_read(
    workspace: FakeWorkspace, bound_line: Line, site: FarSite
) -> None:
    async with _driven(workspace, site).at(WIDE) as app:
        await app.until(lambda: "● live" in app.lines()[-2])
        os.chmod(workspace.paths.jobs, 0)
        try:
            app.app.watcher.look_now()
            await app.until(lambda: "ermission" in app.app.store.problem)
            assert app.app.store.record(JOB.key).attempt == 1
        finally:
            os.chmod(workspace.paths.jobs, 0o700)


async def test_what_was_never_seen_is_not_called_empty(
    workspace: FakeWorkspace, site: FarSite, line: Line
) -> None:
    found = _driven(workspace, site)
    line.cut()
    async with found.app.run_test(size=WIDE) as found.pilot:
        await found.until(lambda: "link lost, again in" in found.lines()[-2])
        assert not isinstance(found.app.screen, EmptyScreen)
        line.heal()
        await found.until(lambda: "● live" in found.lines()[-2])
        assert found.app.store.record(JOB.key).attempt == 1


async def test_the_agent_ends_again_and_again(
    workspace: FakeWorkspace, site: FarSite, line: Line
) -> None:
    async with _driven(workspace, site, Goal(JOB.key.short)).at(WIDE) as app:
        for number in range(5):
            await app.until(lambda: line.connection is not None and line.connection.alive)
            assert line.connection is not None
            line.connection.close()
            other = FakeJob("drmm.learn", f"more {number}")
            workspace.done(other)
            await app.until(lambda other=other: app.app.store.record(other.key).attempt)  # type: ignore[misc]
        await app.until(lambda: "● live" in app.lines()[-2])
        assert app.app.store.record(JOB.key).attempt == 1


def test_what_nobody_opened_for_long_is_removed(tmp_path: Path) -> None:
    old, young, stranger = ("a" * 24, "b" * 24, "notes")
    for name in (old, young, stranger):
        (tmp_path / name).mkdir()
        (tmp_path / name / ABOUT).write_text("{}")
        if name != young:
            then = time.time() - KEPT - 60
            os.utime(tmp_path / name / ABOUT, (then, then))
    forget_old(str(tmp_path), but=old)
    assert (tmp_path / old).exists()
    forget_old(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == [young, stranger]
