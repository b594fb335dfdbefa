"""Parameters as they are pasted elsewhere."""

from __future__ import annotations

import json
from typing import Any

from xpm_engine.verbs.forms import json_text, python_text
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.params import (
    CodeRecord,
    FieldKind,
    FieldRecord,
    ObjectRecord,
    ParamsRecord,
)

CODE = CodeRecord("ir", "Learn", "/home/you/ir.py", "/home/you")
MADE = JobKey("ir.index", "3f2a10" + "0" * 26)


def field(
    name: str, value: Any, *, default: bool = False, kind: FieldKind = FieldKind.PARAM
) -> FieldRecord:
    return FieldRecord(name, kind, value, default, "0" * 32, "Any")


def thing(name: str, *fields: FieldRecord, made: JobKey | None = None) -> ObjectRecord:
    return ObjectRecord(f"ir.{name}", "ir", name, "0" * 32, "0" * 32, fields, producer=made)


def record(*objects: ObjectRecord) -> ParamsRecord:
    return ParamsRecord(len(objects) - 1, objects, CODE)


NESTED = record(
    thing("Adam", field("lr", 0.01), field("eps", 1e-8, default=True)),
    thing("Index", field("stem", "krovetz"), made=MADE),
    thing(
        "Learn",
        field("optimizer", {"$config": 0}),
        field("index", {"$config": 1}),
        field("threads", 8, default=True, kind=FieldKind.OPTION),
        field("path", {"$path": ["job:a", "index"]}, kind=FieldKind.PATH),
    ),
)


def test_json_has_all_that_can_be_set() -> None:
    assert json.loads(json_text(NESTED)) == {
        "$class": "ir.Learn",
        "optimizer": {"$class": "ir.Adam", "lr": 0.01, "eps": 1e-08},
        "index": {"$class": "ir.Index", "$job": str(MADE), "stem": "krovetz"},
        "threads": 8,
    }


def test_python_leaves_defaults_out_and_names_the_job_of_an_output() -> None:
    assert python_text(NESTED) == (
        "Learn(\n"
        "    optimizer=Adam(lr=0.01),\n"
        "    index=Index(  # of job 3f2a10\n"
        "        stem='krovetz',\n"
        "    ),\n"
        ")"
    )


def test_every_kind_of_value_is_python() -> None:
    values: list[tuple[Any, str]] = [
        (None, "None"),
        (True, "True"),
        ("it's", '"it\'s"'),
        ([1, [2]], "[1, [2]]"),
        ({"$tuple": [1]}, "(1,)"),
        ({"$tuple": [1, 2]}, "(1, 2)"),
        ({"$set": []}, "set()"),
        ({"$set": [1, 2]}, "{1, 2}"),
        ({"$dict": [["a", 1]]}, "{'a': 1}"),
        ({"$path": ["abs", "/data"]}, "Path('/data')"),
        ({"$int": "0x1000000000000000000"}, "0x1000000000000000000"),
        ({"$float": "nan"}, "float('nan')"),
        ({"$enum": ["ir", "Stem", "PORTER"]}, "Stem.PORTER"),
        ({"$time": ["date", "2026-11-23"]}, "date.fromisoformat('2026-11-23')"),
        ({"$time": ["timedelta", 5]}, "timedelta(microseconds=5)"),
        ({"$value": ["ir.Version", "1.2"]}, "Version('1.2')"),
    ]
    for value, text in values:
        assert python_text(record(thing("Learn", field("x", value)))) == f"Learn(x={text})"


def test_nothing_set() -> None:
    assert python_text(record(thing("Learn"))) == "Learn()"
