"""What jobs need: sizes, durations, tokens, and what is refused."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_engine import Resources, Token
from xpm_engine.errors import UnreadableError, UsageError, XpmError
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.resources import (
    CPU,
    GPU,
    MEMORY,
    Granted,
    Kind,
    Resource,
    demand_to_json,
    parse_duration,
    parse_size,
    read_demand,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (17, 17),
        ("17", 17),
        ("17B", 17),
        ("500MB", 500_000_000),
        ("4GiB", 4 * 1024**3),
        ("4G", 4 * 1024**3),
        ("1.5 kib", 1536),
        ("2tb", 2 * 1000**4),
    ],
)
def test_sizes(text: int | str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("bad", ["", "GiB", "4 GiBs", "-1", "4,5GB", "1e9", True, -1, 1.5, None])
def test_what_is_no_size(bad: Any) -> None:
    with pytest.raises(UsageError, match="no size"):
        parse_size(bad)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (90, 90),
        (1.5, 1.5),
        (timedelta(hours=2), 7200),
        ("45s", 45),
        ("45min", 2700),
        ("2h", 7200),
        ("1d12h", 129_600),
        ("1.5 H", 5400),
    ],
)
def test_durations(text: Any, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "bad", ["", "2", "2 parsecs", "-2h", "h", 0, -1, True, None, float("nan"), float("inf")]
)
def test_what_is_no_duration(bad: Any) -> None:
    with pytest.raises(UsageError, match="no duration"):
        parse_duration(bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"cpus": -1},
        {"cpus": 1.5},
        {"gpus": True},
        {"tokens": {"a": 0}},
        {"tokens": {"a/b": 1}},
        {"memory": "much"},
        {"time": "long"},
    ],
)
def test_what_can_be_no_need(bad: dict[str, Any]) -> None:
    with pytest.raises(XpmError):
        Resources(**bad)


def test_a_token_is_a_name_and_a_count() -> None:
    with pytest.raises(UsageError):
        Token("licence", 0)
    with pytest.raises(UsageError, match="can't name a token"):
        Token("../licence")


def test_needs_are_values() -> None:
    token = Token("licence", 2)
    needs = Resources(cpus=2, memory="1GiB", time="1h", tokens={token: 1, "disk": 2})
    assert needs == Resources(cpus=2, memory=1024**3, time=3600, tokens={token: 1, "disk": 2})
    assert len({needs, replace(needs), replace(needs, gpus=1)}) == 2
    assert needs.declared == {"licence": 2}
    assert needs.named == {"licence": 1, "disk": 2}
    with pytest.raises(FrozenInstanceError):
        needs.cpus = 3  # type: ignore[misc]


def test_all_take_in_one_order() -> None:
    needs = Resources(cpus=2, memory=7, gpus=1, tokens={"b": 1, "a": 3})
    assert needs.demand() == (
        (Resource(Kind.TOKEN, "a"), 3),
        (Resource(Kind.TOKEN, "b"), 1),
        (GPU, 1),
        (MEMORY, 7),
        (CPU, 2),
    )


@given(
    st.builds(
        Resources,
        cpus=st.integers(0, 99),
        memory=st.none() | st.integers(0, 2**50),
        gpus=st.integers(0, 9),
        tokens=st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(1, 9)),
    )
)
def test_a_demand_is_read_back(needs: Resources) -> None:
    demand = needs.demand()
    data = json.loads(json.dumps(demand_to_json(demand)))
    assert read_demand(Fields(data, "f")) == demand


def test_what_was_granted_is_read_from_the_order() -> None:
    granted = Granted(("0", "2"), "/run/pool")
    data = {**Resources(gpus=2).to_json(), **granted.to_json()}
    assert Granted.read(json.loads(json.dumps(data)), "f") == granted
    assert Granted.read({}, "f") == Granted()
    with pytest.raises(UnreadableError):
        Granted.read({"devices": [0]}, "f")
