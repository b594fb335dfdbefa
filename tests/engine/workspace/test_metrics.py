"""Lines of metrics: what is written is read, whatever the values, and damage is passed over."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.making import end
from xpm_engine.workspace.atomic import MAX_LINE, dumps
from xpm_engine.workspace.records.metrics import (
    MAX_NAME,
    Metric,
    last_values,
    metric_line,
    number_to_json,
    numbers_from_json,
    numbers_to_json,
    parse_metrics,
    repeat_lines,
)
from xpm_engine.workspace.records.tickets import End

AT = "2026-11-23T05:52:01.123456Z"
NAMES = st.text(min_size=1, max_size=MAX_NAME)
STEPS = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def _same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


@given(NAMES, st.floats(), STEPS)
def test_a_value_comes_back(name: str, value: float, step: float | None) -> None:
    line = metric_line(name, value, step, at=AT, attempt=3)
    assert line.endswith("\n")
    assert line.isascii()
    assert len(line) <= MAX_LINE or (isinstance(step, int) and abs(step) > 10**300)
    found = parse_metrics(line.encode())
    assert found.bad == 0
    (read,) = found.values
    assert _same(read.value, value)
    assert read == Metric(name, read.value, read.step, AT, 3)
    assert read.step == step or (isinstance(step, int) and abs(step) > 2**53)


def test_the_format_is_plain_json() -> None:
    line = metric_line("loss", 0.25, 7, at=AT, attempt=2)
    assert json.loads(line) == {"v": 1, "t": AT, "n": 2, "name": "loss", "value": 0.25, "step": 7}
    nan = json.loads(metric_line("loss", math.nan, None, at=AT, attempt=2))
    assert (nan["value"], nan["step"]) == ("NaN", None)


@given(st.dictionaries(NAMES, st.floats(), max_size=60))
def test_last_values_come_back_from_short_lines(values: dict[str, float]) -> None:
    lines = list(repeat_lines(values, at=AT, attempt=1))
    assert all(len(line) <= MAX_LINE for line in lines)
    found = last_values("".join(lines).encode(), attempt=1)
    assert found.keys() == values.keys()
    assert all(_same(found[name], values[name]) for name in values)
    assert parse_metrics("".join(lines).encode()).bad == 0


def test_the_last_value_of_each_is_told_for_that_attempt_only() -> None:
    data = "".join(
        metric_line(name, value, None, at=AT, attempt=attempt)
        for name, value, attempt in (("a", 1, 1), ("a", 2.0, 2), ("b", 3.0, 1), ("a", 4.0, 2))
    ).encode()
    assert last_values(data, attempt=2) == {"a": 4.0}
    assert last_values(data, attempt=1) == {"a": 1.0, "b": 3.0}


def test_damage_is_counted_and_passed_over() -> None:
    good = metric_line("a", 1.0, None, at=AT, attempt=1).encode()
    bad = b'\xff\n[1]\n{}\n{"name":"a","value":"high"}\n'
    bad += b'{"name":3,"value":1}\n{"name":"a","value":true}\n'
    found = parse_metrics(bad + good + b'{"v":1,"name":"a"')
    assert [each.value for each in found.values] == [1.0]
    assert found.bad == 7
    assert last_values(bad + good, attempt=1) == {"a": 1.0}


@given(st.binary(max_size=200))
def test_no_bytes_are_too_much(data: bytes) -> None:
    parse_metrics(data)
    last_values(data, attempt=1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_end_keeps_what_json_has_no_number_for(value: float) -> None:
    made = end(metrics={"loss": value, "mrr": 0.5})
    data = dumps(made.to_json())
    read = End.from_json(json.loads(data), "x")
    assert _same(read.metrics["loss"], value)
    assert read.metrics["mrr"] == 0.5


def test_what_is_no_number_is_left_out_of_an_end() -> None:
    assert numbers_from_json({"a": "x", "b": None, "c": True, "d": 10**400}) == {"d": math.inf}
    assert numbers_from_json([1]) == {}
    assert numbers_to_json({"a": -math.inf}) == {"a": "-Infinity"}
    assert number_to_json(1.5) == 1.5
