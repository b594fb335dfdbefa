"""Values: what is taken, what it becomes, and what is said of the rest."""

from __future__ import annotations

import copy
import datetime as dt
import math
import pickle
from enum import Enum, Flag, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import numpy as np
import pytest
from annotated_types import Ge, Gt, MinLen
from pydantic import AfterValidator, StringConstraints

from xpm_engine.config import Config, Constant, Option, Param, register_type
from xpm_engine.errors import DefinitionError, ParameterError


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Word(str, Enum):  # noqa: UP042 (the kind that people have)
    A = "a"


class Level(IntEnum):
    LOW = 1


class Access(Flag):
    R = 1
    W = 2


class Point:
    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y


register_type(Point, encode=lambda p: [p.x, p.y], decode=lambda data: Point(*data))


class Adam(Config):
    lr: Param[float] = 1e-3


class Big(Adam):
    more: Param[int] = 0


class Holder(Config):
    value: Param[Any]


def holder(declared: Any) -> type[Config]:
    return type(
        "Holder", (Config,), {"__annotations__": {"value": Param[declared]}, "__module__": __name__}
    )


UTC = dt.UTC
NOW = dt.datetime(2026, 11, 23, 5, 52, tzinfo=UTC)
ADAM = Adam()

TAKEN = [
    (int, 3, 3),
    (int, 10**500, 10**500),
    (int, np.int64(3), 3),
    (float, 3, 3.0),
    (float, 0.1, 0.1),
    (float, np.float32(0.5), 0.5),
    (float, np.float64(0.1), 0.1),
    (float, float("inf"), math.inf),
    (bool, True, True),
    (bool, np.bool_(True), True),
    (str, "x\udc80", "x\udc80"),
    (str, np.str_("x"), "x"),
    (None, None, None),
    (Path, Path("a/b"), Path("a/b")),
    (Colour, Colour.RED, Colour.RED),
    (Access, Access.R | Access.W, Access.R | Access.W),
    (list[int], [1, 2], [1, 2]),
    (list[int], (1, 2), [1, 2]),
    (list[float], [1], [1.0]),
    (list, [1, "a", None], [1, "a", None]),
    (tuple[int, ...], [1, 2], (1, 2)),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[()], [], ()),
    (tuple, [1, "a"], (1, "a")),
    (set[int], {1, 2}, {1, 2}),
    (set[int], frozenset({1}), {1}),
    (frozenset[str], {"a"}, frozenset({"a"})),
    (dict[str, float], {"a": 1}, {"a": 1.0}),
    (dict[Colour, list[int]], {Colour.RED: (1,)}, {Colour.RED: [1]}),
    (dict, {1: {"a": None}}, {1: {"a": None}}),
    (Literal["a", 1], "a", "a"),
    (Literal["a", 1], 1, 1),
    (Optional[int], None, None),  # noqa: UP045
    (int | float, 3, 3),
    (int | float, 3.0, 3.0),
    (float | str, 3, 3.0),
    (str | list[int], (1,), [1]),
    (Any, np.int8(3), 3),
    (Any, [np.float64(0.5), {"a": (1,)}], [0.5, {"a": (1,)}]),
    (dt.datetime, NOW, NOW),
    (dt.date, dt.date(2026, 1, 1), dt.date(2026, 1, 1)),
    (dt.time, dt.time(1, 2), dt.time(1, 2)),
    (dt.timedelta, dt.timedelta(days=1), dt.timedelta(days=1)),
    (Adam, ADAM, ADAM),
    (list[Adam], [ADAM], [ADAM]),
    (dict[str, Adam | None], {"a": None, "b": ADAM}, {"a": None, "b": ADAM}),
    (Annotated[int, Gt(0)], 3, 3),
    (Annotated[float, Ge(0)], 3, 3.0),
    (Annotated[list[Adam], MinLen(1)], [ADAM], [ADAM]),
    (Annotated[str, StringConstraints(to_lower=True)], "ABC", "abc"),
    (list[Annotated[int, Gt(0)]], (1, 2), [1, 2]),
]


@pytest.mark.parametrize(("declared", "given", "kept"), TAKEN)
def test_value_is_taken_in_its_exact_form(declared: Any, given: Any, kept: Any) -> None:
    value = holder(declared)(value=given).value
    assert value == kept
    assert type(value) is type(kept)


REFUSED = [
    (int, "3"),
    (int, True),
    (int, 1.5),
    (int, 3.0),
    (int, Level.LOW),
    (int, None),
    (int, np.float64(3)),
    (int, np.bool_(True)),
    (float, "3"),
    (float, True),
    (float, 2**53 + 1),
    (float, 10**400),
    (float, 1j),
    (bool, 1),
    (bool, "true"),
    (str, 1),
    (str, b"x"),
    (str, Word.A),
    (str, Path("x")),
    (None, 0),
    (Path, "x"),
    (Path, Path("a\0b")),
    (Colour, "red"),
    (Colour, Word.A),
    (list[int], [1, "2"]),
    (list[int], "12"),
    (list[int], {1}),
    (list[int], np.array([1, 2])),
    (tuple[int, str], [1]),
    (tuple[int, str], ["a", 1]),
    (set[int], [1]),
    (set[int], {"a"}),
    (dict[str, int], {1: 1}),
    (dict[str, int], {"a": "b"}),
    (dict[str, int], [("a", 1)]),
    (dict, {(1, 2): 3}),
    (Literal["a", 1], True),
    (Literal["a", 1], 1.0),
    (Literal["a", 1], []),
    (int | str, 1.5),
    (int | None, "x"),
    (Any, object()),
    (Any, lambda: 1),
    (Any, b"x"),
    (Any, [1, [2, {3}, object()]]),
    (Any, int),
    (dt.datetime, dt.date(2026, 1, 1)),
    (dt.date, dt.datetime(2026, 1, 1)),  # noqa: DTZ001
    (dt.datetime, "2026-01-01"),
    (Adam, Adam),
    (Adam, Holder(value=1)),
    (Adam, None),
    (Big, Adam()),
    (list[Adam], [1]),
    (Annotated[int, Gt(0)], 0),
    (Annotated[int, Gt(0)], True),
    (list[Annotated[int, Gt(0)]], [1, 0]),
    (Annotated[list[Adam], MinLen(1)], []),
]


@pytest.mark.parametrize(("declared", "given"), REFUSED)
def test_value_is_refused_with_one_clear_error(declared: Any, given: Any) -> None:
    with pytest.raises(ParameterError, match=r"^Holder\.value.*expected ") as caught:
        holder(declared)(value=given)
    assert "test_values.py:" in str(caught.value)


def test_the_place_inside_a_container_is_named() -> None:
    with pytest.raises(ParameterError, match=r"Holder.value\['a'\]\[1\]: expected int, got 'x'"):
        holder(dict[str, list[int]])(value={"a": [1, "x"]})


def test_constraint_says_what_pydantic_says() -> None:
    with pytest.raises(ParameterError, match="greater than 0"):
        holder(Annotated[int, Gt(0)])(value=-1)


def test_a_constraint_that_is_none_names_its_parameter() -> None:
    cls = holder(Annotated[int, Gt("x")])  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(DefinitionError, match=r"\.value: the constraints of int, .*'gt' must"):
            cls(value=1)


def test_validator_that_changes_the_type_is_refused() -> None:
    with pytest.raises(ParameterError, match="expected int, got '3'"):
        holder(Annotated[int, AfterValidator(str)])(value=3)


def test_numpy_scalars_inside_become_exact() -> None:
    value = Holder(value={"a": [np.float32(0.1)]}).value["a"][0]
    assert type(value) is float
    assert value == float(np.float32(0.1))


@pytest.mark.parametrize("declared", [bytes, complex, type, list[bytes], bytes | None])
def test_a_type_that_cannot_be_written_is_refused(declared: Any) -> None:
    with pytest.raises(DefinitionError, match="can't be the type of a parameter"):
        holder(declared)


def test_registered_type_is_taken() -> None:
    assert Holder(value=Point(1, 2)).value.x == 1
    assert holder(Point)(value=Point(1, 2)).value.y == 2
    one, two = Holder(value=Point(1, 2)), Holder(value=Point(1, 2))
    assert one.__identifier__() == two.__identifier__()
    assert one.__identifier__() != Holder(value=[1, 2]).__identifier__()


def test_registered_name_is_taken_once() -> None:
    class Other: ...

    with pytest.raises(DefinitionError, match="already registered"):
        register_type(Other, encode=str, decode=str, name=f"{__name__}.Point")


def test_all_bad_fields_are_named_with_did_you_mean() -> None:
    class Learner(Config):
        adam: Param[Adam]
        seed: Param[int] = 1
        version: Constant[int] = 3

    with pytest.raises(ParameterError) as caught:
        Learner(adam=3, sed=3, seed="x", version=4)
    lines = str(caught.value).splitlines()
    assert lines[0] == "Learner: 4 problems"
    assert lines[1] == "  Learner.adam: expected Adam, got 3 (int)"
    assert lines[2] == "  Learner.sed: no such parameter; did you mean 'seed'?"
    assert lines[3] == "  Learner.seed: expected int, got 'x' (str)"
    assert lines[4] == "  Learner.version: is a Constant, and can't be set"
    assert lines[5].startswith(f"  where: {__file__}:")


def test_attributes_are_checked_when_set() -> None:
    adam = Adam()
    adam.lr = 3
    assert type(adam.lr) is float
    with pytest.raises(ParameterError, match="did you mean 'lr'"):
        adam.l = 3  # type: ignore[attr-defined]
    with pytest.raises(ParameterError, match=r"Adam.lr: expected float"):
        adam.lr = "x"  # type: ignore[assignment]
    with pytest.raises(ParameterError, match="can't be deleted"):
        del adam.lr
    with pytest.raises(AttributeError, match="did you mean 'lr'"):
        _ = adam.lrr  # type: ignore[attr-defined]
    assert adam.lr == 3.0


def test_what_is_missing_is_told_when_asked_for() -> None:
    class Inner(Config):
        x: Param[int]

    class Outer(Config):
        inner: Param[Inner]
        y: Param[int]

    outer = Outer(inner=Inner())
    with pytest.raises(ParameterError) as caught:
        outer.__identifier__()
    assert "Inner.x: missing (made at " in str(caught.value)
    assert "Outer.y: missing" in str(caught.value)


def test_given_containers_are_not_shared() -> None:
    mine = [1, 2]
    kept = Holder(value=mine)
    mine.append(3)
    assert kept.value == [1, 2]


def test_equality_and_hash_are_by_object() -> None:
    assert Adam() != Adam()
    adam = Adam()
    assert adam == adam
    assert len({adam, adam, Adam()}) == 2


def test_copy_changes_some_values() -> None:
    adam = Adam(lr=3).tag("a", 1)
    other = adam.copy(lr=4)
    assert (adam.lr, other.lr) == (3.0, 4.0)
    with pytest.raises(ParameterError, match="no such parameter") as caught:
        adam.copy(x=1)
    assert (caught.value.where or "").startswith(__file__)
    assert copy.copy(adam).lr == 3.0
    deep = copy.deepcopy(Holder(value=[adam]))
    assert deep.value[0] is not adam
    assert deep.value[0].lr == 3.0


def test_pickle_keeps_values() -> None:
    assert pickle.loads(pickle.dumps(Big(lr=3))).lr == 3.0


def test_validate_runs_when_complete_and_says_where() -> None:
    class Range(Config):
        low: Param[int]
        high: Param[int]

        def __validate__(self) -> None:
            if self.low > self.high:
                raise ValueError(f"low {self.low} is above high {self.high}")

    Range(low=3)
    with pytest.raises(ParameterError, match="Range: low 3 is above high 1") as caught:
        Range(low=3, high=1)
    assert "test_values.py:" in str(caught.value)


def test_a_repr_that_raises_does_no_harm() -> None:
    class Nasty:
        def __repr__(self) -> str:
            raise RuntimeError

    with pytest.raises(ParameterError, match="its repr raises RuntimeError"):
        Adam(lr=Nasty())


def test_options_are_checked_too() -> None:
    class Threads(Config):
        threads: Option[int] = 8

    with pytest.raises(ParameterError, match="expected int"):
        Threads(threads="many")


def test_text_shows_what_was_set() -> None:
    assert repr(Adam()) == "Adam()"
    assert repr(Holder(value=ADAM)) == "Holder(value=Adam(…))"
    assert repr(Adam(lr=2)) == "Adam(lr=2.0)"
