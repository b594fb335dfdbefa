"""The table: what it draws, and a cursor and marks that belong to rows, not to places."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import pytest
from rich.text import Text
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.tui.screen_text import widget_lines
from xpm_tui.widgets.table.model import Column
from xpm_tui.widgets.table.table import Table


class Run(NamedTuple):
    name: str
    loss: float | None


COLUMNS: tuple[Column[Run], ...] = (
    Column("name", lambda row: Text(row.name), lambda row: row.name, width=8),
    Column("loss", lambda row: Text(f"{row.loss}"), lambda row: row.loss, width=6, right=True),
)


def runs(count: int, *, first: int = 0) -> tuple[Run, ...]:
    return tuple(
        Run(f"run{number:03}", 1 / (abs(number) + 1)) for number in range(first, first + count)
    )


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.table: Table[Run] = Table(lambda row: row.name, columns=COLUMNS)
        self.opened: list[Run] = []
        self.wanted: list[frozenset[object]] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_table_opened(self, message: Table.Opened) -> None:
        self.opened.append(message.row)

    def on_table_marks_wanted(self, message: Table.MarksWanted) -> None:
        self.wanted.append(message.marks)
        self.table.show_marks(message.marks)


@pytest.fixture
def host() -> Host:
    return Host()


async def test_few_rows_stand_under_their_header(host: Host) -> None:
    async with host.run_test(size=(40, 6)) as pilot:
        host.table.show((Run("one", 0.5), Run("two", None)))
        await pilot.pause()
        assert widget_lines(host.table) == [
            "   name        loss",
            "▌  one          0.5",
            "   two         None",
            "",
            "",
            "",
        ]


async def test_the_last_line_says_how_many_rows_are_below(host: Host) -> None:
    async with host.run_test(size=(40, 5)) as pilot:
        host.table.show(runs(10))
        await pilot.pause()
        assert widget_lines(host.table)[-1] == "   ┊ 7 more rows"
        host.table.move_to_end(last=True)
        await pilot.pause()
        lines = widget_lines(host.table)
        assert lines[3].startswith("▌  run009")
        assert lines[-1] == "   ┊ end of 10 rows"


async def test_the_cursor_stays_on_its_row_and_its_height_when_rows_come_above(host: Host) -> None:
    async with host.run_test(size=(40, 12)) as pilot:
        host.table.show(runs(100, first=100))
        host.table.move_to("run150")
        await pilot.pause()
        height = at_cursor(host)
        host.table.show(runs(200))
        await pilot.pause()
        assert host.table.row == Run("run150", 1 / 151)
        assert at_cursor(host) == height


async def test_a_cursor_that_nobody_moved_stays_at_the_top(host: Host) -> None:
    async with host.run_test(size=(40, 7)) as pilot:
        host.table.show(runs(20, first=10))
        host.set_focus(None)
        await pilot.pause()
        host.table.show((*runs(10), *runs(20, first=10)))
        await pilot.pause()
        assert host.table.row == runs(1)[0]
        assert widget_lines(host.table)[1].startswith("▌  run000")
        host.table.focus()
        await pilot.pause()
        host.table.show(runs(20, first=-5))
        await pilot.pause()
        assert host.table.row == runs(1)[0]


async def test_a_row_that_goes_leaves_the_cursor_in_its_place(host: Host) -> None:
    async with host.run_test(size=(40, 12)) as pilot:
        host.table.show(runs(5))
        host.table.move_to("run002")
        host.table.show((*runs(2), *runs(2, first=3)))
        await pilot.pause()
        assert host.table.row == Run("run003", 0.25)
        host.table.show(())
        await pilot.pause()
        assert host.table.row is None
        assert widget_lines(host.table)[1:] == [""] * 11


async def test_sorting_keeps_the_cursor_on_its_row(host: Host) -> None:
    async with host.run_test(size=(40, 12)) as pilot:
        host.table.show(runs(50))
        host.table.move_to("run003")
        host.table.sort(COLUMNS[1])
        await pilot.pause()
        assert host.table.row == Run("run003", 0.25)
        assert "loss ↓" in widget_lines(host.table)[0]


async def test_other_columns_never_put_another_row_under_the_cursor(host: Host) -> None:
    loss = {run.name: run.loss for run in runs(9)}
    timed = replace(COLUMNS[1], order=lambda row: loss[row.name])
    async with host.run_test(size=(40, 20)) as pilot:
        table = host.table
        table.show(runs(9), columns=(COLUMNS[0], timed))
        table.sort(timed)
        table.move_to("run004")
        await pilot.pause()
        order = [row.name for row in table.model.shown]
        loss["run008"] = 9.0
        table.show(runs(9), columns=(COLUMNS[0], replace(timed, width=9)))
        assert [row.name for row in table.model.shown] == order
        assert table.row is not None
        assert table.row.name == "run004"
        table.show(runs(9), columns=COLUMNS[:1])
        assert table.row.name == "run004"
        assert table.model.key(table.model.shown[table._cursor]) == table._cursor_key == "run004"


async def test_marks_are_asked_for_and_drawn_when_told(host: Host) -> None:
    async with host.run_test(size=(40, 12)) as pilot:
        host.table.show(runs(4))
        host.table.toggle_mark()
        await pilot.pause()
        assert host.wanted == [frozenset({"run000"})]
        assert widget_lines(host.table)[1].startswith(" ◆ run000")
        assert host.table.row == Run("run001", 0.5)


async def test_a_range_is_marked_as_one(host: Host) -> None:
    async with host.run_test(size=(40, 12)) as pilot:
        host.table.show(runs(9))
        host.table.begin_range()
        host.table.move_by(2)
        host.table.toggle_mark()
        await pilot.pause()
        assert host.wanted == [frozenset({"run000", "run001", "run002"})]


async def test_all_that_is_shown_is_marked_and_nothing_hidden(host: Host) -> None:
    async with host.run_test(size=(40, 12)) as pilot:
        host.table.show(runs(20))
        host.table.narrow(lambda row: row.name.endswith("7"))
        host.table.mark_shown()
        await pilot.pause()
        assert host.wanted == [frozenset({"run007", "run017"})]


async def test_a_click_moves_and_a_second_one_opens(host: Host) -> None:
    async with host.run_test(size=(40, 12)) as pilot:
        host.table.show(runs(5))
        await pilot.click(host.table, offset=(6, 3))
        assert host.table.row == Run("run002", 1 / 3)
        await pilot.click(host.table, offset=(6, 3), times=2)
        assert host.opened == [Run("run002", 1 / 3)]


async def test_a_click_on_the_header_sorts_and_a_second_one_turns_round(host: Host) -> None:
    async with host.run_test(size=(40, 12)) as pilot:
        host.table.show(runs(5))
        await click_header(pilot, host)
        assert host.table.model.shown[0] == Run("run004", 0.2)
        await click_header(pilot, host)
        assert host.table.model.shown[0] == Run("run000", 1.0)


async def test_columns_scroll_sideways_and_the_marks_stay(host: Host) -> None:
    async with host.run_test(size=(14, 6)) as pilot:
        host.table.show(runs(3))
        host.table.show_marks(frozenset({"run001"}))
        host.table.sideways(5)
        await pilot.pause()
        assert widget_lines(host.table)[2] == " ◆ 1       0.5"


async def test_what_the_edge_of_the_screen_cuts_ends_in_an_ellipsis(host: Host) -> None:
    async with host.run_test(size=(16, 4)) as pilot:
        host.table.show((Run("one", 0.5), Run("two", 0.12345)))
        await pilot.pause()
        lines = widget_lines(host.table)
        assert lines[1:3] == ["▌  one       0.5", "   two       0.…"]
        host.table.sideways(5)
        await pilot.pause()
        assert widget_lines(host.table)[2].endswith("0.123…")


async def test_a_table_without_rows_says_so(host: Host) -> None:
    async with host.run_test(size=(30, 4)) as pilot:
        host.table.nothing = "nothing waits here"
        host.table.show(())
        await pilot.pause()
        assert widget_lines(host.table)[1] == "   nothing waits here"
        host.table.show((Run("one", 0.5),))
        await pilot.pause()
        assert "nothing" not in "".join(widget_lines(host.table))


async def test_only_lines_that_changed_are_drawn_again(host: Host) -> None:
    async with host.run_test(size=(40, 12)) as pilot:
        rows = runs(8)
        host.table.show(rows)
        await pilot.pause()
        drawn: list[int] = []
        render_line = host.table.render_line

        def counted(y: int):  # type: ignore[no-untyped-def]
            drawn.append(y)
            return render_line(y)

        host.table.render_line = counted  # type: ignore[method-assign]
        host.table.show(tuple(Run(row.name, row.loss) for row in rows))
        await pilot.pause()
        assert drawn == []
        host.table.show((*rows[:4], Run("run004", 7.0), *rows[5:]))
        await pilot.pause()
        assert set(drawn) == {5}


def at_cursor(host: Host) -> int:
    return [line.startswith("▌") for line in widget_lines(host.table)].index(True)


async def click_header(pilot: Pilot[None], host: Host) -> None:
    await pilot.click(host.table, offset=(18, 0))


async def test_a_table_that_fits_can_not_be_scrolled_sideways(host: Host) -> None:
    width = 3 + 8 + 2 + 6
    async with host.run_test(size=(width, 6)) as pilot:
        host.table.show(runs(3))
        await pilot.pause()
        before = widget_lines(host.table)
        host.table.sideways(8)
        await pilot.pause()
        assert widget_lines(host.table) == before
