"""A dialog changes nothing by accident: Cancel is focused, and what was typed ahead is lost."""

from __future__ import annotations

import pytest
from rich.text import Text
from textual.app import App
from textual.widgets import Button

from tests.tui.screen_text import screen_lines
from xpm_tui.screens import dialog
from xpm_tui.screens.dialog import CANCELLED, Dialog


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.answers: list[int | None] = []

    def ask(self) -> None:
        lines = [Text("drmm [red]is[/red] driven by pid 4121")]
        dialog = Dialog("Kill 3 jobs?", lines, "Kill", "Kill, and stop the plan")
        self.push_screen(dialog, self.answers.append)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog, "GRACE", 0.01)


async def open_dialog(host: Host, pilot: object) -> None:
    host.ask()
    for _ in range(100):
        await pilot.pause(0.01)  # type: ignore[attr-defined]
        if isinstance(host.focused, Button):
            return
    raise AssertionError("the dialog was never armed")


@pytest.mark.usefixtures("at_once")
async def test_enter_presses_cancel() -> None:
    host = Host()
    async with host.run_test(size=(80, 24)) as pilot:
        await open_dialog(host, pilot)
        assert host.focused is not None
        assert host.focused.id == "cancel"
        text = "\n".join(screen_lines(host))
        assert "drmm [red]is[/red] driven by pid 4121" in text
        await pilot.press("enter")
        assert host.answers == [CANCELLED]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("key", ["tab", "right"])
async def test_the_other_button_confirms(key: str) -> None:
    host = Host()
    async with host.run_test(size=(80, 24)) as pilot:
        await open_dialog(host, pilot)
        await pilot.press(key, "enter")
        assert host.answers == [1]
        await open_dialog(host, pilot)
        await pilot.press(key, key, "enter")
        assert host.answers == [1, 2]


@pytest.mark.usefixtures("at_once")
async def test_escape_cancels_and_letters_do_nothing() -> None:
    host = Host()
    async with host.run_test(size=(80, 24)) as pilot:
        await open_dialog(host, pilot)
        await pilot.press("y", "k", "Y", "K", "X")
        assert host.answers == []
        await pilot.press("escape")
        assert host.answers == [CANCELLED]


async def test_keys_that_come_too_early_are_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog, "GRACE", 3_600.0)
    host = Host()
    async with host.run_test(size=(80, 24)) as pilot:
        host.ask()
        await pilot.pause()
        await pilot.press("tab", "enter", "enter", "escape", "space")
        assert host.answers == []
        assert isinstance(host.screen, Dialog)
