"""Moving through a log: whatever is pressed, the cursor is on screen and the end can be reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpm_engine.workspace.logs import LogFile
from xpm_tui.widgets.log.position import LogPosition

MOVES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["move", "move_page", "scroll"]), st.integers(-12, 12)),
        st.tuples(st.sampled_from(["scroll_to", "go_to", "append"]), st.integers(0, 40)),
    ),
    max_size=25,
)


def position_in(path: Path, lines: int, heights: list[int], height: int) -> LogPosition:
    path.write_text("x\n" * lines)
    log = LogFile(path)
    log.refresh()
    position = LogPosition(log, lines_of=lambda row: heights[row % len(heights)])
    position.height = height
    position.settle()
    return position


@given(
    lines=st.integers(0, 30),
    heights=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    height=st.integers(1, 8),
    moves=MOVES,
)
@settings(deadline=None)
def test_any_moves_keep_the_cursor_on_screen_and_the_screen_full(
    tmp_path_factory: pytest.TempPathFactory,
    lines: int,
    heights: list[int],
    height: int,
    moves: list[tuple[str, int]],
) -> None:
    path = tmp_path_factory.mktemp("log") / "out"
    position = position_in(path, lines, heights, height)
    for name, by in moves:
        if name == "append":
            with path.open("a") as file:
                file.write("x\n" * by)
            position.log.refresh()
            position.settle()
        else:
            getattr(position, name)(by)
        shown = list(position.visible())
        total = sum(position.lines_of(position.row(i)) for i in range(position.count))
        assert len(shown) == min(height, total)
        if shown:
            assert position.cursor in {row for row, _ in shown}
        if position.following and position.count:
            last = position.row(position.count - 1)
            assert shown[-1] == (last, position.lines_of(last) - 1)


def test_moving_up_stops_following_and_counts_what_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "out"
    position = position_in(path, 20, [1], 5)
    assert position.following
    position.move(-1)
    with path.open("a") as file:
        file.write("x\n" * 7)
    position.log.refresh()
    position.settle()
    assert (position.following, position.missed) == (False, 7)
    position.to_end()
    assert (position.following, position.missed) == (True, 0)


def test_every_part_of_wrapped_lines_comes_by_when_paging(tmp_path: Path) -> None:
    position = position_in(tmp_path / "out", 9, [1, 7, 3], 4)
    wanted = {(row, part) for row in range(9) for part in range(position.lines_of(row))}
    seen = set(position.visible())
    for _ in range(40):
        position.move_page(-3)
        seen |= set(position.visible())
    assert seen == wanted
    seen = set(position.visible())
    for _ in range(40):
        position.move_page(3)
        seen |= set(position.visible())
    assert seen == wanted
