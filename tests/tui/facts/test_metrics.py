"""Metrics are read from the end of their file, whatever stands in it."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from xpm_tui.facts.metrics import BLOCKS, curve, read_metrics


def write(path: Path, *items: object) -> str:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return str(path)


def test_values_are_kept_by_name_in_their_order(tmp_path: Path) -> None:
    path = write(
        tmp_path / "metrics.jsonl",
        {"t": "x", "name": "loss", "value": 3, "step": 1},
        {"t": "x", "name": "mrr", "value": 0.5},
        {"t": "x", "name": "loss", "value": 2.5, "step": 2},
    )
    found = read_metrics(path)
    assert [(one.name, one.values, one.points[-1]) for one in found.series] == [
        ("loss", (3.0, 2.5), (2, 2.5)),
        ("mrr", (0.5,), (1, 0.5)),
    ]
    assert found.series[0].last == 2.5


def test_values_of_earlier_attempts_are_left_out_and_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path / "metrics.jsonl",
        {"n": 1, "name": "loss", "value": 9, "step": 1},
        {"n": 1, "name": "old", "value": 9, "step": 1},
        {"n": 2, "name": "loss", "value": 2, "step": 1},
    )
    found = read_metrics(path, attempt=2)
    assert [(one.name, one.values) for one in found.series] == [("loss", (2.0,))]
    assert found.earlier == 2


def test_bad_lines_are_counted_and_an_unfinished_one_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    good = b'{"name": "loss", "value": 1}\n'
    path.write_bytes(good + b"\xff\n[1]\n{}\n" + good + b'{"name": "lo')
    found = read_metrics(str(path))
    assert found.series[0].values == (1.0, 1.0)
    assert found.bad_lines == 3


def test_an_absent_file_holds_nothing_and_a_folder_is_said(tmp_path: Path) -> None:
    assert read_metrics(str(tmp_path / "absent")).series == ()
    assert "directory" in read_metrics(str(tmp_path)).problem


def test_only_the_end_of_a_long_file_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "metrics.jsonl", *({"name": "loss", "value": number} for number in range(100))
    )
    found = read_metrics(path, max_bytes=200)
    assert found.cut
    assert found.bad_lines == 0
    assert 0 < len(found.series[0].values) < 10
    assert found.series[0].last == 99.0


def test_a_curve_goes_from_the_lowest_to_the_highest() -> None:
    assert curve([1, 2, 3, 4, 5, 6, 7, 8], 8) == BLOCKS
    assert curve([5, 5, 5], 10) == BLOCKS[0] * 3
    assert curve([float("nan"), 1, float("inf"), 2], 4) == f" {BLOCKS[0]} {BLOCKS[-1]}"
    assert curve([-1.7e308, 1.7e308, 1.7e308], 2) == BLOCKS[0] + BLOCKS[-1]
    assert curve([], 10) == ""


@given(st.lists(st.floats()), st.integers(1, 60))
def test_a_curve_is_never_wider_than_told(values: list[float], width: int) -> None:
    drawn = curve(values, width)
    assert len(drawn) == min(width, len(values))
    assert set(drawn) <= {*BLOCKS, " "}
