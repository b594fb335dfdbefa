"""params.json: read with care, flattened, and as short text."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.params import (
    CodeRecord,
    FieldKind,
    FieldRecord,
    ObjectRecord,
    ParamsRecord,
    flatten,
    short_text,
)

DIGEST = "0123456789abcdef" * 2


def field(name: str, value: Any, **changes: Any) -> FieldRecord:
    values: dict[str, Any] = {"kind": FieldKind.PARAM, "is_default": False, "digest": DIGEST}
    return FieldRecord(name=name, value=value, type="Any", **{**values, **changes})


def made(cls: str, *fields: FieldRecord, **changes: Any) -> ObjectRecord:
    return ObjectRecord(f"ir.{cls}", "ir", cls, DIGEST, DIGEST, fields, **changes)


RECORD = ParamsRecord(
    root=2,
    objects=(
        made("Adam", field("lr", 0.1), field("eps", 1e-8, is_default=True), doc="An optimizer."),
        made("Model", field("name", "x"), producer=JobKey("ir.prepare", DIGEST)),
        made(
            "Learner",
            field("optimizer", {"$config": 0}, help="How to step", default=None, has_default=True),
            field("models", [{"$config": 1}, {"$config": 1}, 3]),
            field("threads", 4, kind=FieldKind.OPTION),
            field("version", 2, kind=FieldKind.CONSTANT),
            field("out", {"$path": ["job:a/b", "out"]}, kind=FieldKind.PATH, digest=""),
            field("sizes", [1, 2]),
            field("seed", None),
            is_task=True,
            tags={"kind": "a"},
        ),
    ),
    code=CodeRecord("plan", "Learner", "/p/plan.py", "/p", ("/p", "/lib")),
)


def test_a_record_comes_back_the_same() -> None:
    text = json.dumps(RECORD.to_json())
    assert ParamsRecord.from_json(json.loads(text), "here") == RECORD


def test_flatten_names_what_is_not_at_its_default() -> None:
    assert flatten(RECORD) == {
        "optimizer": "Adam",
        "optimizer.lr": 0.1,
        "models": "[Model, Model, 3]",
        "threads": 4,
        "sizes": "[1, 2]",
        "seed": None,
    }


OUTPUT = made("Evaluate", field("k1", 0.6), producer=JobKey("ir.evaluate", DIGEST))
LAYER = made("Layer", field("size", 8))


@pytest.mark.parametrize(
    ("value", "flat"),
    [
        ({"$config": 0}, {"it": "Evaluate", "it.k1": 0.6}),
        ({"$config": 1}, {"it": "Layer", "it.size": 8}),
        ([{"$config": 0}] * 18, {"it": "18 × Evaluate"}),
        ({"$tuple": [{"$config": 0}]}, {"it": "1 × Evaluate"}),
        ({"$set": [{"$config": 0}, {"$config": 1}]}, {"it": "1 × Evaluate, 1 × Layer"}),
        ({"$dict": [["a", {"$config": 0}], ["b", [{"$config": 0}]]]}, {"it": "2 × Evaluate"}),
        ({"$dict": [["a", {"$config": 0}], ["b", 2]]}, {"it": "{a: Evaluate, b: 2}"}),
        ([{"$config": 1}, 3], {"it.0": "Layer", "it.0.size": 8, "it.1": 3}),
        ([[{"$config": 1}]], {"it.0.0": "Layer", "it.0.0.size": 8}),
        ({"$tuple": [{"$config": 1}]}, {"it": "(Layer)"}),
        ({"$dict": 3}, {"it": "{'$dict': 3}"}),
    ],
)
def test_outputs_in_containers_are_counted_and_others_are_opened(
    value: Any, flat: dict[str, Any]
) -> None:
    record = ParamsRecord(2, (OUTPUT, LAYER, made("Hold", field("it", value))), RECORD.code)
    assert flatten(record) == flat


def test_an_object_with_very_many_paths_is_not_opened_along_all_of_them() -> None:
    pairs = [made("Leaf")]
    for row in range(60):
        part = {"$config": row}
        pairs.append(made("Pair", field("left", part), field("right", part), field("size", row)))
    flat = flatten(ParamsRecord(60, tuple(pairs), RECORD.code))
    assert len(flat) < 1000
    assert flat["size"] == 59
    assert flat["right"] == "Pair"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        (3, "3"),
        (0.1, "0.1"),
        (1e-8, "1e-08"),
        (1 / 3, "0.3333333333333333"),
        ("a b", "a b"),
        ("a\n", r"'a\n'"),
        ("\udc80", r"'\udc80'"),
        ([1, ["a"]], "[1, [a]]"),
        ({"$tuple": [1]}, "(1)"),
        ({"$set": [1, 2]}, "{1, 2}"),
        ({"$dict": [["a", 1], [2, None]]}, "{a: 1, 2: none}"),
        ({"$path": ["project", "a/b"]}, "a/b"),
        ({"$path": ["abs", "/a"]}, "/a"),
        ({"$path": ["job:t/i", "a"]}, "job:t/i/a"),
        ({"$int": "0xff"}, "0xff"),
        ({"$float": "nan"}, "nan"),
        ({"$enum": ["m", "Colour", "RED"]}, "RED"),
        ({"$time": ["date", "2026-01-01"]}, "2026-01-01"),
        ({"$value": ["geo.Point", {"x": 1}]}, "Point({'x': 1})"),
        ({"$config": 0}, "#0"),
        ({"$path": 3}, "{'$path': 3}"),
        ({"$new": 3}, "{'$new': 3}"),
        ({"a": 1, "b": 2}, "{'a': 1, 'b': 2}"),
    ],
)
def test_short_text(value: Any, text: str) -> None:
    assert short_text(value) == text


def test_short_text_is_short() -> None:
    assert short_text(list(range(1_000_000)), limit=12) == "[0, 1, 2, 3…"
    assert short_text({"$config": 0}, RECORD) == "Adam"
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert len(short_text(deep)) <= 60


@pytest.mark.parametrize("limit", [60, 400])
def test_short_text_of_what_is_nested_deeply(limit: int) -> None:
    deep: Any = 1
    for _ in range(300):
        deep = {"$dict": [["a", [deep]]]}
    text = short_text(deep, limit=limit)
    assert text.startswith("{a: [{a: [")
    assert len(text) == limit


def test_a_newer_or_foreign_file_says_so() -> None:
    for data, match in (
        ({**RECORD.to_json(), "v": 2}, "newer version"),
        ({}, "no version number"),
        ([], "not a JSON object"),
        (None, "not a JSON object"),
        ({**RECORD.to_json(), "root": 7}, "root 7 is no row"),
        ({**RECORD.to_json(), "objects": [3]}, "not a JSON object"),
    ):
        with pytest.raises(UnreadableError, match=match):
            ParamsRecord.from_json(data, "here")


def test_a_reference_to_a_later_row_is_refused() -> None:
    data = RECORD.to_json()
    data["objects"][0]["fields"][0]["value"] = [{"$config": 2}]
    with pytest.raises(UnreadableError, match="refers to row 2"):
        ParamsRecord.from_json(data, "here")


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [path] if path else []
    items = data.items() if isinstance(data, dict) else []
    items = enumerate(data) if isinstance(data, list) else items
    for key, item in items:
        found += places(item, (*path, key))
    return found


PLACES = places(RECORD.to_json())
JUNK = st.one_of(st.none(), st.integers(-3, 3), st.text(max_size=3), st.just([]), st.just({}))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PLACES), JUNK | st.just(...))
def test_any_damage_is_unreadable_or_harmless(place: tuple[Any, ...], junk: Any) -> None:
    data = copy.deepcopy(RECORD.to_json())
    holder = data
    for key in place[:-1]:
        holder = holder[key]
    if junk is ...:
        del holder[place[-1]]
    else:
        holder[place[-1]] = junk
    try:
        record = ParamsRecord.from_json(data, "here")
    except UnreadableError as error:
        assert "here" in str(error)  # noqa: PT017 (an error or none is right)
        return
    flatten(record)
    for each in record.objects:
        for part in each.fields:
            short_text(part.value, record)
