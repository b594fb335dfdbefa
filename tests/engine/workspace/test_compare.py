from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.submitting import submitting
from xpm_engine import Config, Constant, Option, Param, Task
from xpm_engine import field as declare
from xpm_engine.config import distinct
from xpm_engine.workspace.compare import differences, drift, part_of
from xpm_engine.workspace.differences import Difference, DifferenceKind
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.params import (
    CodeRecord,
    FieldKind,
    FieldRecord,
    ObjectRecord,
    ParamsRecord,
)


def texts(found: tuple[Difference, ...]) -> list[str]:
    return [each.text() for each in found]


@pytest.fixture(autouse=True)
def _submitting() -> Iterator[None]:
    with submitting():
        yield


def record(task: Task[Any]) -> ParamsRecord:
    """What would be stored with the task's job, written and read."""
    from tests.engine.submitting import order

    return ParamsRecord.from_json(order(task).params.to_json(), "here")


class Adam(Config):
    __xpmid__ = "t.adam"
    lr: Param[float] = 0.001
    amsgrad: Param[bool] = False


class Sgd(Config):
    __xpmid__ = "t.sgd"
    momentum: Param[float]


class Adamantine(Config):
    """The class Adam under another name."""

    __xpmid__ = "t.adamantine"
    lr: Param[float] = 0.001
    amsgrad: Param[bool] = False


class Learn(Task["Learn"]):
    __xpmid__ = "t.learn"
    optimizer: Param[Config]
    epochs: Param[int] = 4
    layers: Param[list[Any]] = declare(default_factory=list)
    threads: Option[int] = 8
    version: Constant[int] = 1

    def execute(self) -> None: ...


class Evaluate(Task["Evaluate"]):
    __xpmid__ = "t.evaluate"
    model: Param[Learn]
    weights: Param[Path | None] = None
    k: Param[Any] = 10

    def execute(self) -> None: ...


def learn(**values: Any) -> Learn:
    return Learn(**{"optimizer": Adam(), **values})


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ({}, {"epochs": 5}, "epochs 4 → 5"),
        ({"optimizer": Adam(lr=0.1)}, {"optimizer": Adam(lr=0.01)}, "optimizer.lr 0.1 → 0.01"),
        ({}, {"optimizer": Sgd(momentum=1)}, "optimizer: class Adam → Sgd"),
        ({}, {"optimizer": Adamantine()}, "optimizer: class renamed Adam → Adamantine"),
        ({"layers": [1, 2]}, {"layers": [1, 3]}, "layers [1, 2] → [1, 3]"),
        (
            {"layers": [1, Adam(lr=0.1)]},
            {"layers": [1, Adam(lr=0.2)]},
            "layers.1.lr 0.1 → 0.2",
        ),
        (
            {"layers": [{"a": Adam(lr=0.1), "b": 1}]},
            {"layers": [{"b": 1, "a": Adam(lr=0.2)}]},
            "layers.0.a.lr 0.1 → 0.2",
        ),
        ({"layers": [True]}, {"layers": [1]}, "layers [true] → [1]"),
        ({"layers": ["1"]}, {"layers": [1]}, 'layers ["1"] → [1]'),
        ({"layers": [math.nan]}, {"layers": [0.0]}, "layers [nan] → [0]"),
    ],
)
def test_a_change_is_one_sentence(old: Any, new: Any, sentence: str) -> None:
    before, after = record(learn(**old)), record(learn(**new))
    assert texts(differences(before, after)) == [sentence]
    assert texts(differences(before, after, everything=True)) == [sentence]


def test_long_values_are_shown_where_they_differ() -> None:
    before, after = (record(learn(layers=["x" * 300 + end])) for end in "ab")
    (found,) = differences(before, after)
    assert found.old != found.new
    assert len(found.old) < 80


def test_values_that_differ_behind_all_that_is_shown_still_differ() -> None:
    before, after = (record(learn(layers=["x" * 3000 + end])) for end in "ab")
    assert len(differences(before, after)) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"layers": [1, (2, 3)]}, {"layers": (1.0, [2, 3.0])}),
        ({"layers": [math.nan]}, {"layers": [-math.nan]}),
        ({"threads": 1}, {"threads": 2}),
        ({"optimizer": Adam(lr=0.001)}, {"optimizer": Adam()}),
    ],
)
def test_what_is_the_same_identifier_is_no_difference(old: Any, new: Any) -> None:
    assert differences(record(learn(**old)), record(learn(**new))) == ()


def test_everything_tells_options_too() -> None:
    before, after = record(learn(threads=1)), record(learn(threads=2))
    assert texts(differences(before, after, everything=True)) == ["option threads 1 → 2"]


def test_an_upstream_is_one_difference_and_its_own_record_tells_the_rest() -> None:
    old, new = learn(epochs=4).submit(), learn(epochs=5).submit()
    before, after = record(Evaluate(model=old)), record(Evaluate(model=new))
    (found,) = differences(before, after)
    assert found.kind is DifferenceKind.UPSTREAM
    assert found.old_job == JobKey("t.learn", old.__identifier__())
    assert found.new_job == JobKey("t.learn", new.__identifier__())
    assert found.text().startswith("model: upstream learn/")
    assert found.old_job is not None
    assert found.new_job is not None
    parts = part_of(before, found.old_job), part_of(after, found.new_job)
    assert parts[0] is not None
    assert parts[1] is not None
    assert texts(differences(*parts)) == ["epochs 4 → 5"]
    assert part_of(before, found.new_job) is None


def test_a_file_of_another_job_is_an_upstream_too() -> None:
    made = learn().submit()
    keys = [f"{digit}" * 32 for digit in "12"]
    paths = [Path(f"/ws/jobs/t.learn/{key}/model.pt") for key in keys]
    before, after = (record(Evaluate(model=made, weights=path)) for path in paths)
    (found,) = differences(before, after)
    assert found.kind is DifferenceKind.UPSTREAM
    assert (found.path, found.old_job) == ("weights", JobKey("t.learn", keys[0]))


class Before(Task["Before"]):
    """A task, and `After` is the same after its code was changed."""

    __xpmid__ = "t.changing"
    a: Param[int] = 4
    b: Param[float] = math.nan
    gone: Param[str] = "here"
    optimizer: Param[Adam] = declare(default_factory=lambda: Adam(lr=0.5))
    x: Param[int] = 0

    def execute(self) -> None: ...


class After(Task["After"]):
    __xpmid__ = "t.changing"
    a: Param[int] = 5
    b: Param[float] = -math.nan
    optimizer: Param[Adam] = declare(default_factory=lambda: Adam(lr=0.25))
    adopted: Param[int] = 7
    x: Param[int] = 0

    def execute(self) -> None: ...


class Downstream(Task["Downstream"]):
    __xpmid__ = "t.downstream"
    upstream: Param[Before | After]

    def execute(self) -> None: ...


class Further(Task["Further"]):
    __xpmid__ = "t.further"
    upstream: Param[Downstream]

    def execute(self) -> None: ...


DRIFT = [
    "default of After.a 4 → 5",
    "parameter gone is gone (was here)",
    "default of After.optimizer.lr 0.5 → 0.25",
]


def test_drift_is_what_was_left_out_and_has_changed() -> None:
    before, after = record(Before()), record(After())
    assert before.top.digest == after.top.digest
    assert differences(before, after) == ()
    assert texts(drift(before, after)) == DRIFT


class OnlyAdded(Task["OnlyAdded"]):
    __xpmid__ = "t.growing"
    a: Param[int] = 4
    b: Param[int] = 1

    def execute(self) -> None: ...


class NotYet(Task["NotYet"]):
    __xpmid__ = "t.growing"
    a: Param[int] = 4

    def execute(self) -> None: ...


class AsOption(Task["AsOption"]):
    __xpmid__ = "t.growing"
    a: Option[int] = 4

    def execute(self) -> None: ...


def test_a_parameter_that_the_saved_job_lacks_is_adopted() -> None:
    before, after = record(NotYet()), record(OnlyAdded())
    assert before.top.resolved != after.top.resolved
    assert drift(before, after) == ()
    assert texts(drift(after, before)) == ["parameter b is gone (was 1)"]


def test_a_parameter_that_became_an_option() -> None:
    assert drift(record(NotYet()), record(AsOption())) == ()
    assert drift(record(AsOption()), record(NotYet())) == ()
    assert texts(differences(record(NotYet(a=7)), record(AsOption(a=7)))) == [
        "parameter a is gone (was 7)"
    ]
    assert texts(differences(record(AsOption(a=7)), record(NotYet(a=7)))) == ["new parameter a = 7"]


def test_equal_objects_that_are_said_to_be_distinct() -> None:
    before, after = (record(learn(optimizer=distinct(name, Adam()))) for name in ("one", "two"))
    assert texts(differences(before, after)) == ["optimizer distinct 'one' → distinct 'two'"]
    plain = record(learn())
    assert texts(differences(plain, after)) == ["optimizer not distinct → distinct 'two'"]


class Make(Task["Adam"]):
    __xpmid__ = "t.make"

    def output(self) -> Adam:
        return Adam(lr=0.5)

    def execute(self) -> None: ...


def test_a_configuration_that_now_comes_from_a_job() -> None:
    made = Make()
    before, after = record(learn(optimizer=Adam(lr=0.5))), record(learn(optimizer=made.submit()))
    short = made.__identifier__()[:6]
    assert texts(differences(before, after)) == [f"optimizer Adam → Adam of make/{short}"]


def test_no_drift_without_a_change() -> None:
    assert drift(record(Before()), record(Before())) == ()


def test_everything_tells_what_no_identifier_shows() -> None:
    found = texts(differences(record(Before()), record(After()), everything=True))
    assert sorted(found) == sorted([*DRIFT, "new parameter adopted = 7"])


def test_a_default_that_changed_under_a_value_is_why_the_identifier_changed() -> None:
    before, after = record(Before(a=5)), record(After(a=5))
    assert texts(differences(before, after)) == ["default of After.a 4 → 5"]


class Kept(Task["Kept"]):
    __xpmid__ = "t.changing"
    a: Param[int] = declare(default=5, identifier_default=4)
    b: Param[float] = math.nan
    gone: Param[str] = "here"
    optimizer: Param[Adam] = declare(default_factory=lambda: Adam(lr=0.5))
    x: Param[int] = 0

    def execute(self) -> None: ...


def test_a_default_that_was_kept_for_the_identifier() -> None:
    assert texts(differences(record(Before()), record(Kept()))) == ["a 4 → 5"]
    assert drift(record(Before()), record(Kept(a=4))) == ()
    assert texts(differences(record(Before()), record(Kept(a=4, x=1)))) == ["x 0 → 1"]


def test_an_upstream_that_drifted_is_told_with_its_root_cause() -> None:
    for wrap in (Downstream, lambda **it: Further(upstream=Downstream(**it).submit())):
        before = record(wrap(upstream=Before().submit()))
        after = record(wrap(upstream=After().submit()))
        (found,) = drift(before, after)
        assert found.kind is DifferenceKind.UPSTREAM
        assert found.drifted_job == before.objects[before.root - 1].producer
        assert found.cause == DRIFT[0]
        assert found.text().endswith(": " + DRIFT[0])


def test_a_file_in_a_folder_of_a_job_that_drifted() -> None:
    made = learn().submit()
    old = record(Evaluate(model=made, weights=Path(f"/ws/jobs/t.learn/{'1' * 32}/model.pt")))
    top = replace(old.top, resolved="f" * 32)
    new = replace(old, objects=(*old.objects[:-1], top))
    (found,) = drift(old, new)
    assert found.drifted_job == JobKey("t.learn", "1" * 32)
    assert "made with other defaults" in found.text()


def test_identifiers_that_differ_without_any_field_are_told() -> None:
    old = record(learn())
    new = replace(old, objects=(*old.objects[:-1], replace(old.top, digest="f" * 32)))
    assert texts(differences(old, new)) == ["what is left out of the identifier of Learn"]


def test_records_of_another_encoding_are_compared_by_value() -> None:
    old, new = record(learn(epochs=5, layers=[Adam()])), record(learn(epochs=6, layers=[Adam()]))
    other = replace(new, encoding=2, objects=tuple(_rehashed(each) for each in new.objects))
    assert texts(differences(old, other)) == ["epochs 5 → 6"]


def _rehashed(each: ObjectRecord) -> ObjectRecord:
    fields = tuple(replace(part, digest=part.digest[::-1]) for part in each.fields)
    return replace(each, digest=each.digest[::-1], resolved=each.resolved[::-1], fields=fields)


def test_a_thousand_levels() -> None:
    records = []
    for lr in (0.1, 0.2):
        nested: Config = Adam(lr=lr)
        for _ in range(1000):
            nested = Nest(inner=nested)
        records.append(record(learn(optimizer=nested)))
    (found,) = differences(*records)
    assert found.path.endswith(".inner.lr")
    assert drift(*records)[0].path.endswith(".inner.lr")


class Nest(Config):
    __xpmid__ = "t.nest"
    inner: Param[Config]


# Random trees, whose digests a few lines here make.


@dataclass(frozen=True)
class Tree:
    """A configuration: its class, and its fields."""

    cls: str
    fields: tuple[tuple[str, Any], ...]
    """Name -> an integer, a tree, or a list of both."""
    kinds: tuple[FieldKind, ...] = field(default=())


names = st.lists(st.sampled_from("abcde"), max_size=4, unique=True)


def trees(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Tree]:
    values = inner | st.lists(inner, max_size=3).map(tuple)
    return names.flatmap(
        lambda chosen: st.builds(
            lambda cls, items, kinds: Tree(
                cls, tuple(zip(chosen, items, strict=True)), tuple(kinds)
            ),
            st.sampled_from(["A", "B"]),
            st.lists(values, min_size=len(chosen), max_size=len(chosen)),
            st.lists(
                st.sampled_from([FieldKind.PARAM, FieldKind.OPTION]),
                min_size=len(chosen),
                max_size=len(chosen),
            ),
        )
    )


any_tree = trees(st.recursive(st.integers(0, 9), trees, max_leaves=8))


def md5(*parts: Any) -> str:
    return hashlib.md5(repr(parts).encode()).hexdigest()


def digest(value: Any) -> str:
    if isinstance(value, Tree):
        pairs = zip(value.fields, value.kinds, strict=True)
        inside = [(n, digest(v)) for (n, v), kind in pairs if kind is FieldKind.PARAM]
        return md5(value.cls, *inside)
    return md5(*map(digest, value)) if isinstance(value, tuple) else md5(value)


def to_record(tree: Tree) -> ParamsRecord:
    rows: list[ObjectRecord] = []
    known: dict[int, int] = {}

    def written(value: Any) -> Any:
        if isinstance(value, tuple):
            return [written(item) for item in value]
        if not isinstance(value, Tree):
            return value
        if id(value) not in known:
            parts = [
                FieldRecord(name, kind, written(item), False, digest(item), "Any")
                for (name, item), kind in zip(value.fields, value.kinds, strict=True)
            ]
            known[id(value)] = len(rows)
            own = digest(value)
            rows.append(ObjectRecord(value.cls, "m", value.cls, own, own, tuple(parts)))
        return {"$config": known[id(value)]}

    root = written(tree)["$config"]
    return ParamsRecord(root, tuple(rows), CodeRecord("m", "q", "", ""))


def places(value: Any, path: str, kind: FieldKind) -> Iterator[tuple[str, FieldKind]]:
    """Where an integer stands that no plain list hides, and whether an option is above it."""
    if isinstance(value, Tree):
        for (name, item), own in zip(value.fields, value.kinds, strict=True):
            below = own if kind is FieldKind.PARAM else kind
            yield from places(item, f"{path}.{name}" if path else name, below)
    elif isinstance(value, tuple):
        if any(isinstance(item, Tree) for item in value):
            for index, item in enumerate(value):
                yield from places(item, f"{path}.{index}", kind)
        elif value:
            yield path, kind
    else:
        yield path, kind


def changed(value: Any, path: str) -> Any:
    """The tree with another integer at that place."""
    name, _, rest = path.partition(".")
    if isinstance(value, Tree):
        fields = tuple((n, changed(v, rest) if n == name else v) for n, v in value.fields)
        return replace(value, fields=fields)
    if isinstance(value, tuple):
        at = int(name or "0")
        return tuple(changed(v, rest) if i == at else v for i, v in enumerate(value))
    return value + 10


@settings(max_examples=50)
@given(any_tree, st.data())
def test_a_change_in_one_place_is_named_as_exactly_that_place(tree: Tree, data: Any) -> None:
    chosen = list(places(tree, "", FieldKind.PARAM))
    old = to_record(tree)
    assert differences(old, old, everything=True) == ()
    if not chosen:
        return
    path, kind = data.draw(st.sampled_from(chosen))
    new = to_record(changed(tree, path))
    found = differences(old, new, everything=True)
    assert [each.path for each in found] == [path]
    expected = DifferenceKind.OPTION if kind is FieldKind.OPTION else DifferenceKind.CHANGED
    assert found[0].kind is expected
    assert differences(old, new) == (() if kind is FieldKind.OPTION else found)


@settings(max_examples=50)
@given(any_tree, any_tree)
def test_there_are_differences_exactly_where_the_digests_differ(old: Tree, new: Tree) -> None:
    found = differences(to_record(old), to_record(new))
    assert bool(found) == (digest(old) != digest(new))
    assert all(each.text() and each.to_json() for each in found)
