# ruff: noqa: PT017 (an error or none is right)
"""Properties of identifiers and checks over generated values."""

from __future__ import annotations

import datetime as dt
import json
import math
from enum import Enum
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from xpm_engine.config import Config, Option, Param, Task, live, save
from xpm_engine.config.filling import deep_copy
from xpm_engine.config.identifier import Hasher
from xpm_engine.config.order import order_of
from xpm_engine.config.paths import PathRoots
from xpm_engine.errors import ConfigError, ParameterError
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.params import flatten

ROOTS = PathRoots(WorkspacePaths("/ws"), "/project", "/data")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Word(str, Enum):  # noqa: UP042 (the kind that people have)
    RED = "red"
    A = "a"


class Leaf(Config):
    x: Param[Any] = None
    y: Param[float] = 0.0


class Other(Config):
    x: Param[Any] = None
    y: Param[float] = 0.0


class Reordered(Config):
    """Leaf, declared the other way round, with one parameter more."""

    __xpmid__ = f"{Leaf.__module__}.Leaf"
    new: Param[int] = 3
    y: Param[float] = 0.0
    x: Param[Any] = None


TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**60), 10**60),
    st.floats(),
    TEXT,
    st.sampled_from([*Colour, *Word]),
    TEXT.filter(lambda text: "\0" not in text).map(Path),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.timedeltas(),
)
HASHABLE = SCALARS | st.tuples(SCALARS, SCALARS)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.sets(HASHABLE, max_size=4),
        st.dictionaries(SCALARS, inner, max_size=4),
        st.builds(Leaf, x=inner, y=st.floats()),
        st.builds(Other, x=inner),
    )


VALUES = st.recursive(SCALARS, containers, max_leaves=12)


def canon(value: Any) -> Any:
    """What makes two values the same, spelt without the encoding: a nested comparable tuple."""
    if isinstance(value, (Leaf, Other)):
        kept = []
        for name, default in (("x", None), ("y", 0.0)):
            item = canon(getattr(value, name))
            if item != canon(default):
                kept.append((name, item))
        return (type(value).__name__, tuple(kept))
    if isinstance(value, Enum):
        return ("enum", type(value).__name__, value.name)
    if isinstance(value, bool) or value is None:
        return ("single", repr(value))
    if isinstance(value, float) and math.isnan(value):
        return ("number", "nan")
    if isinstance(value, (int, float)):
        return ("number", value)
    if isinstance(value, (list, tuple)):
        return ("list", tuple(canon(item) for item in value))
    if isinstance(value, (set, frozenset)):
        return ("set", frozenset(canon(item) for item in value))
    if isinstance(value, dict):
        pairs = [(canon(key), canon(item)) for key, item in value.items()]
        return ("dict", tuple(sorted(pairs, key=repr)))
    if isinstance(value, dt.datetime) and value.utcoffset() is not None:
        offset = value.utcoffset()
        assert offset is not None
        return ("aware", value.replace(tzinfo=None) - dt.datetime(1970, 1, 1) - offset)  # noqa: DTZ001
    return (type(value).__name__, value)


def make(value: Any) -> Leaf:
    return Leaf(x=value)


@settings(max_examples=400, deadline=None)
@given(VALUES, VALUES)
def test_identifiers_are_equal_exactly_when_values_are(one: Any, two: Any) -> None:
    same = canon(make(one)) == canon(make(two))
    assert (make(one).__identifier__() == make(two).__identifier__()) is same


NUMBERS = [0, 1, 1.0, True, False, None, 2**53, 2**53 + 1]
TEXTS = ["1", "", "a", "\0", "a\0", "red", "a\x00\x00\x00\x01b", Path("a"), Path("red")]
NESTED = [["a"], [["a"]], ["a", []], [0], [False], [{}], {}, [], {"a": 1}, {"a": {}}, {"b": 1}]
MORE = [set(), {"a"}, {1}, Word.A, Colour.RED, {"a": {"b": 1}}, {"a": 1, "b": {}}]
NEAR = st.sampled_from([*NUMBERS, *TEXTS, *NESTED, *MORE])


@settings(max_examples=400, deadline=None)
@given(st.recursive(NEAR, containers, max_leaves=3), st.recursive(NEAR, containers, max_leaves=3))
def test_near_values_are_told_apart(one: Any, two: Any) -> None:
    same = canon(make(one)) == canon(make(two))
    assert (make(one).__identifier__() == make(two).__identifier__()) is same


@settings(max_examples=100, deadline=None)
@given(VALUES, st.floats())
def test_orders_and_copies_have_no_influence(value: Any, y: float) -> None:
    one = Leaf(x=value, y=y)
    expected = one.__identifier__()
    assert Leaf(y=y, x=value).__identifier__() == expected
    assert Reordered(x=value, y=y).__identifier__() == expected
    assert deep_copy(one, {}).__identifier__() == expected
    part = make(value)
    shared, copies = make([part, part]), make([make(value), make(value)])
    assert shared.__identifier__() == copies.__identifier__()


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_values_survive_being_stored(value: Any) -> None:
    again = live(make(value))
    # A relative path comes back as the plan folder's, so that the digests stored with it are kept.
    assert again.__identifier__() == make(value).__identifier__()
    if "Path" not in repr(canon(make(value))):
        assert canon(again) == canon(make(value))
        assert Hasher().digest(again.x) == Hasher().digest(value)


class Hold(Task):
    value: Param[Any]
    other: Option[Any] = [1]
    leaves: Param[list[Leaf]] = [Leaf(x=2)]


@settings(max_examples=80, deadline=None)
@given(VALUES, VALUES, st.lists(st.builds(Leaf, x=VALUES), max_size=3))
def test_a_manifest_tells_what_the_record_does(value: Any, other: Any, leaves: list[Leaf]) -> None:
    made = Hold(value=1)
    order_of(made, ROOTS)
    for task in (
        Hold(value=value, other=other),
        Hold(value=[value, made, made], leaves=leaves),
        Hold(value=made, other=[(made, Leaf(x=made))], leaves=leaves),
    ):
        order = order_of(task, ROOTS)
        assert repr(list(order.flat.items())) == repr(list(flatten(order.params).items()))


class Typed(Config):
    flag: Param[bool] = False
    count: Param[int] = 0
    rate: Param[float] = 0.0
    name: Param[str] = ""
    path: Param[Path] = Path("x")
    colour: Param[Colour] = Colour.RED
    sizes: Param[list[int]] = []
    table: Param[dict[str, float]] = {}
    chosen: Param[set[str]] = set()
    pair: Param[tuple[int, str]] = (0, "")
    leaf: Param[Leaf | None] = None
    day: Param[dt.date] = dt.date(2026, 1, 1)


class Strange:
    def __repr__(self) -> str:
        raise ValueError

    def __eq__(self, other: object) -> bool:
        raise ValueError

    __hash__ = object.__hash__


ANY = VALUES | st.sampled_from([b"x", 1j, object(), Strange(), int, len, Leaf, ..., range(3)])


def fits(name: str, value: Any) -> bool:
    """Whether the value may be given to the parameter, by the rules as people state them."""
    kind = type(value)
    if name == "flag":
        return kind is bool
    if name == "count":
        return kind is int
    if name == "rate":
        return kind is float or (
            kind is int and abs(value) < 2**1023 and int(float(value)) == value
        )
    if name == "name":
        return kind is str
    if name == "path":
        return isinstance(value, Path)
    if name == "colour":
        return kind is Colour
    if name == "sizes":
        return kind in (list, tuple) and all(type(item) is int for item in value)
    if name == "table":
        return kind is dict and all(
            type(key) is str and fits("rate", item) for key, item in value.items()
        )
    if name == "chosen":
        return kind is set and all(type(item) is str for item in value)
    if name == "pair":
        return kind in (list, tuple) and [type(item) for item in value] == [int, str]
    if name == "leaf":
        return value is None or kind is Leaf
    return kind is dt.date


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(sorted(Typed._xpm_schema.settable)), ANY)
def test_a_value_is_kept_exactly_or_refused_clearly(name: str, value: Any) -> None:
    if fits(name, value):
        kept = getattr(Typed(**{name: value}), name)
        assert canon(kept) == canon(value)
        return
    try:
        Typed(**{name: value})
    except ParameterError as error:
        assert str(error).startswith(f"Typed.{name}")
        assert "test_properties.py:" in str(error)
    else:
        raise AssertionError(f"{name} took a {type(value)}")


@settings(max_examples=30, deadline=None)
@given(st.integers(900, 3000), st.sampled_from([list, dict, Leaf]))
def test_deep_nesting_works_or_gives_one_clear_error(depth: int, kind: type) -> None:
    value: Any = 1
    try:
        for _ in range(depth):
            value = Leaf(x=value) if kind is Leaf else [value] if kind is list else {"a": value}
        Leaf(x=value).__identifier__()
    except ConfigError as error:
        assert "nested too deeply" in str(error)
        assert kind is not Leaf


def test_large_integers_are_stored(tmp_path: Path) -> None:
    save(make(10**10_000), tmp_path / "big.json")
    json.loads((tmp_path / "big.json").read_text())
