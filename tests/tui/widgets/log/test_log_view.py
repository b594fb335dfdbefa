"""The log view in a tiny app, at both sizes: text on screen, keys, files that change under it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.events import MouseScrollUp
from textual.geometry import Region
from textual.pilot import Pilot
from textual.strip import Strip

from tests.patience import PATIENCE
from xpm_tui.widgets.log.pane import LogPane
from xpm_tui.widgets.log.reading import LogStream
from xpm_tui.widgets.log.view import LogView

NARROW, WIDE = (80, 24), (120, 40)


class Host(App[None]):
    def __init__(self, *paths: Path, live: bool = False, at_error: bool = False) -> None:
        super().__init__()
        streams = [LogStream(path.name, path) for path in paths]
        self.pane = LogPane(streams, live=live, at_error=at_error)
        self.copied: list[LogView.LinesCopied] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.view.focus()

    def on_log_view_lines_copied(self, event: LogView.LinesCopied) -> None:
        self.copied.append(event)

    @property
    def rows(self) -> list[str]:
        """What is on the terminal, line by line, without the scroll bar in the last column."""
        strips = self.screen._compositor.render_strips(self.size)
        bar = range(1, self.size.height - 1)
        texts = [strip.text[: -1 if y in bar else None] for y, strip in enumerate(strips)]
        return [text.rstrip() for text in texts]

    @property
    def picture(self) -> str:
        return "\n".join(self.rows)


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait for what a thread has to find first."""
    app = pilot.app
    assert isinstance(app, Host)
    deadline = time.monotonic() + PATIENCE
    while True:
        await pilot.pause()
        if condition():
            return
        assert time.monotonic() < deadline, app.picture
        await asyncio.sleep(0.01)


def shows(app: Host, *words: str) -> Callable[[], bool]:
    return lambda: all(word in app.picture for word in words)


def wheel_up(view: LogView) -> MouseScrollUp:
    x, y = view.region.offset
    return MouseScrollUp(view, 5, 5, 0, 0, 0, False, False, False, x + 5, y + 5)


@pytest.fixture
def stderr(tmp_path: Path) -> Path:
    lines = [f"line {number}" for number in range(1, 2439)]
    lines[1201] = '  File "/home/you/ir/data.py", line 31, in collate'
    lines[1202] = '    raise OSError(5, "Input/output error")'
    lines[1203] = "OSError: [Errno 5] Input/output error: shard-0412 (retrying, 1 of 3)"
    lines[1204] = "".join(f"\r\x1b[32mepoch 2 batch {n}\x1b[0m [/x] 31 %" for n in range(8113))
    path = tmp_path / "stderr"
    path.write_text("\n".join(lines) + "\n")
    return path


async def test_the_wide_picture(stderr: Path, tmp_path: Path) -> None:
    stdout = tmp_path / "stdout"
    stdout.write_text("hello\n" * 88_120)
    app = Host(stderr, stdout, live=True)
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, shows(app, "line 2,438 of 2,438", "stdout 88,120"))
        await pilot.press("e")
        await until(pilot, shows(app, "no error further down"))
        await pilot.press("E")
        await until(pilot, shows(app, "error 1 of 1"))
        rows = app.rows
        assert rows[0] == "─[stderr 2,438]──stdout 88,120─" + "─" * 89
        at = next(y for y, row in enumerate(rows) if "Errno" in row)
        assert rows[at - 2 : at + 2] == [
            '  1,202   File "/home/you/ir/data.py", line 31, in collate',
            '  1,203     raise OSError(5, "Input/output error")',
            "▌ 1,204 OSError: [Errno 5] Input/output error: shard-0412 (retrying, 1 of 3)",
            "  1,205 epoch 2 batch 8112 [/x] 31 %   (one line, rewritten 8,112 times)",
        ]
        assert rows[-1].split("  ", 1)[0] == " line 1,204 of 2,438 · error 1 of 1"
        assert rows[-1].endswith("  follow off (you scrolled up) · 330.6 kB · ● live")
        assert len(rows[-1]) == 119


async def test_the_narrow_picture(stderr: Path) -> None:
    app = Host(stderr)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, shows(app, "2,438/2,438"))
        await pilot.press("E")
        await until(pilot, shows(app, "error 1/1"))
        rows = app.rows
        assert "▌OSError: [Errno 5] Input/output error: shard-0412 (retrying, 1 of 3)" in rows
        assert rows[-1].startswith(" 1,204/2,438 · error 1/1")
        assert rows[-1].endswith("follow off")


async def test_moving_up_stops_following_and_says_what_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("".join(f"line {number}\n" for number in range(100)))
    app = Host(path, live=True)
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, shows(app, "line 99"))
        with path.open("a") as file:
            file.write("followed\n")
        await until(pilot, shows(app, "followed"))
        await pilot.press("k")
        with path.open("a") as file:
            file.write("missed\n" * 1234)
        await until(pilot, shows(app, "+1,234 lines · G or click"))
        assert "followed" in app.picture
        await pilot.click(LogView, offset=(100, 37))
        await until(pilot, shows(app, "missed"))
        assert app.pane.view.status.following
        assert "+1,234" not in app.picture


async def test_find_moves_between_hits_and_shows_only_them(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("".join(f"line {n} {'Shard' if n % 50 == 0 else ''}\n" for n in range(1000)))
    app = Host(path)
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, shows(app, "line 1,000 of 1,000"))
        await pilot.press("slash", *"shard", "enter")
        await until(pilot, shows(app, "line 951 of 1,000", "/shard 20 hits"))
        await pilot.press("N")
        await until(pilot, shows(app, "line 901 of 1,000"))
        await pilot.press("n", "n")
        await until(pilot, shows(app, "no hit further down"))
        await pilot.press("ampersand")
        await until(pilot, shows(app, "/shard 20 hits only"))
        assert [row.split()[-2] for row in app.rows[1:21]] == [str(n) for n in range(0, 1000, 50)]
        await pilot.press("escape")
        await until(pilot, lambda: "/shard" not in app.picture)
        assert "line 950" in app.picture


async def test_a_search_given_up_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("one\n")
    app = Host(path)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, shows(app, "one"))
        await pilot.press("slash", "x", "escape")
        assert app.focused is app.pane.view
        assert app.pane.view.status.needle == ""


async def test_lines_are_copied_one_or_a_range(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("one\ntwo\n\x1b[31mthree\x1b[0m\n")
    app = Host(path)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, shows(app, "three"))
        await pilot.press("y", "v", "k", "y")
        await until(pilot, lambda: len(app.copied) == 2)
        assert [(event.copy.text, event.copy.lines) for event in app.copied] == [
            ("three", 1),
            ("two\nthree", 2),
        ]


async def test_a_log_opens_at_its_last_error(stderr: Path) -> None:
    app = Host(stderr, at_error=True)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, shows(app, "1,204/2,438", "▌OSError"))


async def test_each_stream_keeps_its_place(stderr: Path, tmp_path: Path) -> None:
    other = tmp_path / "stdout"
    other.write_text("elsewhere\n")
    app = Host(stderr, other)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, shows(app, "2,438/2,438"))
        await pilot.press("g")
        await until(pilot, shows(app, "1/2,438"))
        await pilot.press("full_stop")
        await until(pilot, shows(app, "elsewhere", "[stdout 1]"))
        await pilot.press("comma")
        await until(pilot, shows(app, "▌line 1\n", "1/2,438"))
        await pilot.click("LogTabs", offset=(20, 0))
        await until(pilot, shows(app, "elsewhere"))


async def test_wrapped_lines_can_be_read_to_their_end(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("first\n" + "x" * 1000 + "END\n" + "last\n")
    app = Host(path)
    async with app.run_test(size=(40, 10)) as pilot:
        await until(pilot, shows(app, "last"))
        assert "END" not in app.picture
        await pilot.press("w")
        await until(pilot, shows(app, "END", "last"))
        assert app.rows[-2] == "▌last"
        for _ in range(10):
            await pilot.press("pageup")
        await until(pilot, shows(app, "first"))


async def test_an_absent_log_says_so_and_appears(tmp_path: Path) -> None:
    path = tmp_path / "out"
    app = Host(path, live=True)
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, shows(app, "does not exist"))
        path.write_text("here it is [/x]\n")
        await until(pilot, shows(app, "here it is [/x]"))


async def test_no_stream_at_all_draws_nothing() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("j", "G", "n", "e", "ampersand", "v", "y", "w", "full_stop", "f", "l")
        assert app.pane.view.streams == ()


async def test_nothing_is_drawn_when_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("one\n")
    app = Host(path, live=True)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, shows(app, "one", "1/1"))
        drawn: list[int] = []
        view = app.pane.view
        render = view.render_lines

        def noted(crop: Region) -> list[Strip]:
            drawn.append(crop.height)
            return render(crop)

        view.render_lines = noted  # type: ignore[method-assign]
        looked = 0
        slices = view._read_slices

        async def counted() -> bool:
            nonlocal looked
            looked += 1
            return await slices()

        view._read_slices = counted  # type: ignore[method-assign]
        await until(pilot, lambda: looked > 2)
        assert drawn == []
        path.write_text("one\ntwo\n")
        await until(pilot, shows(app, "two"))
        assert drawn


async def test_keys_pressed_while_the_file_is_cut_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("start\n")
    app = Host(path, live=True)
    keys = [
        "k",
        "g",
        "pageup",
        "e",
        "slash",
        "x",
        "enter",
        "ampersand",
        "w",
        "N",
        "n",
        "v",
        "G",
        "w",
        "ampersand",
        "escape",
        "E",
        "f",
        "y",
        "ctrl+u",
    ]
    async with app.run_test(size=NARROW) as pilot:
        for turn, key in enumerate(keys * 2):
            match turn % 4:
                case 0:
                    with path.open("ab") as file:
                        file.write(b"x\r\xff\x1b[31mERROR\n" * 500)
                case 1:
                    path.write_bytes(b"short")
                case 2:
                    os.replace(path, tmp_path / "old")
                    path.write_bytes(b"new\n" * turn)
                case _:
                    path.unlink()
            app.pane.view._wake.set()
            await pilot.press(key)
        path.write_text("the very end\n")
        await pilot.press("escape", "escape", "G")
        await until(pilot, shows(app, "▌the very end", "1/1"))


async def test_wheel_and_scroll_bar_move_the_view(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("".join(f"line {number}\n" for number in range(1, 501)))
    app = Host(path)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, shows(app, "500/500"))
        view = app.pane.view
        view.post_message(wheel_up(view))
        await until(pilot, shows(app, "▌line 497", "follow off"))
        view.scroll_to(y=99, animate=False)
        await until(pilot, lambda: app.rows[1].strip("▌ ") == "line 100")


async def test_the_log_is_read_to_its_start_when_the_count_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("".join(f"line {number}\n" for number in range(1, 500_001)))
    app = Host(path)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("g")
        await until(pilot, shows(app, "▌line 1\n", "1/500,000"))
        await pilot.press("G")
        await until(pilot, shows(app, "▌line 500000", "500,000/500,000"))
