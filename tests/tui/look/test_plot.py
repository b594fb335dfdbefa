"""Curves of dots: what they show, whatever the numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xpm_tui.look.plot import plot

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right() -> None:
    lines = plot([(0, 0), (1, 1), (2, 2), (3, 3)], 2, 1)
    assert lines == ["⡠⠊"]


def test_one_value_and_equal_values_are_a_line_at_the_bottom() -> None:
    assert plot([(1, 5)], 3, 1) == ["⡀⠀⠀"]
    assert plot([(1, 5), (9, 5)], 3, 1) == ["⣀⣀⣀"]


def test_what_is_not_finite_breaks_the_line_and_no_point_is_blank() -> None:
    assert plot([(0, 0), (1, float("nan")), (3, 0)], 2, 1) == ["⡀⢀"]
    assert plot([(0, float("nan"))], 2, 2) == ["⠀⠀", "⠀⠀"]
    assert plot([], 1, 1) == ["⠀"]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=50), st.integers(1, 40), st.integers(1, 8))
def test_a_plot_is_as_large_as_told(
    points: list[tuple[float, float]], width: int, height: int
) -> None:
    lines = plot(points, width, height)
    assert len(lines) == height
    assert all(len(line) == width for line in lines)
    assert {ord(sign) for line in lines for sign in line} <= set(range(0x2800, 0x2900))
