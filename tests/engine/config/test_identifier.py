"""The identifier, row by row of its specification."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from enum import Enum, Flag
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.engine.config.conftest import Recorder
from xpm_engine.config import (
    Config,
    Constant,
    LightTask,
    Option,
    Param,
    Task,
    current_submitter,
    distinct,
    field,
    pathgenerator,
    register_type,
)
from xpm_engine.config.identifier import partial_digest
from xpm_engine.config.paths import PathRoots, locate, using_roots
from xpm_engine.config.seal import seal
from xpm_engine.errors import ConfigError, CycleError
from xpm_engine.workspace.layout import WorkspacePaths

GOLDEN = Path(__file__).parent / "golden" / "identifiers-v1.json"


class Colour(Enum):
    __xpmid__ = "golden.Colour"
    RED = "red"


class Word(str, Enum):  # noqa: UP042 (the kind that people have)
    __xpmid__ = "golden.Word"
    RED = "red"


class Access(Flag):
    __xpmid__ = "golden.Access"
    R = 1
    W = 2


class Vector:
    def __init__(self, *items: int) -> None:
        self.items = items


register_type(Vector, encode=lambda v: list(v.items), decode=lambda d: Vector(*d), name="g.Vector")


class Value(Config):
    __xpmid__ = "golden.Value"
    value: Param[Any]


class Adam(Config):
    """Text that may change."""

    __xpmid__ = "golden.Adam"
    lr: Param[float] = 1e-3
    """Text that may change."""
    eps: Param[float] = 1e-8
    threads: Option[int] = 1


class Learner(Config):
    __xpmid__ = "golden.Learner"
    optimizer: Param[Adam] = Adam()
    sizes: Param[list[int]] = [1, 2]
    version: Constant[int] = 1
    epochs: Param[int]


class Pair(Config):
    __xpmid__ = "golden.Pair"
    left: Param[Config]
    right: Param[Config]


class Train(Task[Adam]):
    __xpmid__ = "golden.Train"
    seed: Param[int] = 0
    out: Param[Path] = pathgenerator("out")

    def output(self) -> Adam:
        return Adam(lr=0.25)


class Start(LightTask):
    __xpmid__ = "golden.Start"
    value: Param[Any]


class Run(Task):
    __xpmid__ = "golden.Run"
    value: Param[Any]


def of(value: Any) -> str:
    return Value(value=value).__identifier__()


def same(*values: Any) -> bool:
    return len({of(value) for value in values}) == 1


def different(*values: Any) -> bool:
    return len({of(value) for value in values}) == len(values)


def naive(*parts: int) -> dt.datetime:
    return dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


CASES: dict[str, Any] = {
    "none": None,
    "true": True,
    "false": False,
    "zero": 0,
    "one": 1,
    "minus one": -1,
    "127": 127,
    "128": 128,
    "-128": -128,
    "255": 255,
    "2^53 + 1": 2**53 + 1,
    "10^100": 10**100,
    "a half": 0.5,
    "0.1": 0.1,
    "1e308": 1e308,
    "5e-324": 5e-324,
    "inf": float("inf"),
    "-inf": float("-inf"),
    "nan": float("nan"),
    "empty text": "",
    "text": "x",
    "accents": "é ☃ \U0001f600",
    "surrogate": "\udc80",
    "relative path": Path("a/b"),
    "absolute path": Path("/a/b"),
    "enum": Colour.RED,
    "str enum": Word.RED,
    "flag": Access.R,
    "flags": Access.R | Access.W,
    "no flag": Access(0),
    "empty list": [],
    "list": [1, "a", None],
    "nested list": [[1], [2, [3]]],
    "empty set": set(),
    "set": {1, 2, "a"},
    "set of sets": {frozenset({1}), (2, frozenset())},
    "empty dict": {},
    "dict": {"a": 1, "b": {"c": [True]}},
    "dict with scalar keys": {1: "a", None: "b", Colour.RED: "c"},
    "date": dt.date(2026, 11, 23),
    "naive time": dt.time(5, 52, 1, 123456),
    "aware time": dt.time(5, 52, tzinfo=dt.UTC),
    "naive datetime": naive(2026, 11, 23, 5, 52),
    "aware datetime": dt.datetime(2026, 11, 23, 5, 52, tzinfo=dt.UTC),
    "before 1970": dt.datetime(1960, 1, 1, tzinfo=dt.UTC),
    "timedelta": dt.timedelta(days=-1, microseconds=3),
    "registered": Vector(1, 2),
    "config": Adam(lr=0.5),
    "default config": Adam(),
    "list of configs": [Adam(), Adam(lr=0.5)],
}

CONFIGS: dict[str, Config] = {
    "Adam()": Adam(),
    "Adam(lr=0.5)": Adam(lr=0.5),
    "Learner(epochs=1)": Learner(epochs=1),
    "Learner(epochs=1, sizes=[])": Learner(epochs=1, sizes=[]),
    "Pair(Adam(), distinct)": Pair(left=Adam(), right=distinct("right", Adam())),
}


def task_identifiers() -> dict[str, str]:
    """Of tasks: their outputs, the paths in their folders, their light tasks."""
    recorder = Recorder("/ws")
    token = current_submitter.set(recorder)
    try:
        train = Train(seed=1)
        adam = train.submit()
        run = Run(value=1)
        run.submit(before=[Start(value="a"), Start(value=2)])
        return {
            "task": train.__identifier__(),
            "output": adam.__identifier__(),
            "task as a parameter": Value(value=train).__identifier__(),
            "path in a job's folder": of(train.out / "x"),
            "task with light tasks": run.__identifier__(),
            "task with light tasks as a parameter": of(run),
        }
    finally:
        current_submitter.reset(token)


def test_golden_identifiers_never_change() -> None:
    found = {name: of(value) for name, value in CASES.items()}
    found.update({name: config.__identifier__() for name, config in CONFIGS.items()})
    found.update(task_identifiers())
    assert found == json.loads(GOLDEN.read_text())
    assert len(set(found.values())) == len(found)


def test_default_is_left_out() -> None:
    assert Adam().__identifier__() == Adam(lr=1e-3).__identifier__()
    assert Learner(epochs=1).__identifier__() == (
        Learner(epochs=1, optimizer=Adam(), sizes=(1, 2)).__identifier__()
    )
    assert Adam().__identifier__() != Adam(lr=2e-3).__identifier__()


def test_adding_a_parameter_with_a_default_changes_nothing() -> None:
    class More(Config):
        __xpmid__ = "golden.Adam"
        new: Param[dict[str, int]] = {}
        eps: Param[float] = 1e-8
        lr: Param[float] = 1e-3

    assert More(lr=0.5).__identifier__() == Adam(lr=0.5).__identifier__()
    assert More(new={"a": 1}).__identifier__() != Adam().__identifier__()


def test_options_tags_and_names_of_no_consequence() -> None:
    assert Adam(threads=4).tag("a", 1).__identifier__() == Adam().__identifier__()


def test_constant_is_always_in() -> None:
    class Next(Config):
        __xpmid__ = "golden.Learner"
        version: Constant[int] = 2
        epochs: Param[int]

    class Without(Config):
        __xpmid__ = "golden.Learner"
        epochs: Param[int]

    found = {c(epochs=1).__identifier__() for c in (Learner, Next, Without)}  # type: ignore[attr-defined]
    assert len(found) == 3


def test_identifier_default_keeps_the_old_value_out() -> None:
    class Old(Config):
        __xpmid__ = "x.C"
        b: Param[int] = 4

    class New(Config):
        __xpmid__ = "x.C"
        b: Param[int] = field(default=5, identifier_default=4)

    assert New(b=4).__identifier__() == Old().__identifier__()
    assert New().__identifier__() == Old(b=5).__identifier__()


def test_numbers_are_told_by_their_exact_value() -> None:
    assert same(1, 1.0)
    assert same(0, 0.0, -0.0)
    assert same(float("nan"), -float("nan"))
    assert same(2**53, float(2**53))
    assert different(2**53 + 1, float(2**53))
    assert different(1, True, "1", [1], {1})
    assert different(127, 128, 255, 256, -128, -129, -1, 65535)
    assert same(10**5000, 10**5000)
    assert different(10**5000, 10**5000 + 1)
    assert same(1e300, int(1e300))


def test_text_none_path_and_enum_are_different() -> None:
    assert different("", None, [], {}, set(), Path(), False, 0)
    assert different("x", Path("x"))
    assert different("red", Word.RED, Colour.RED)
    assert different("é", "e\u0301")
    assert different("\udc80", "?", "\x80")


def test_sequences_sets_and_dicts() -> None:
    assert same([1, 2], (1, 2))
    assert different([1, 2], [2, 1])
    assert same({3, 1, 2}, frozenset({2, 3, 1}))
    assert same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert different({"a": {"b": 1}}, {"a": {}, "b": 1}, {"a": 1, "b": {}}, {"a": ["b", 1]})
    assert different({1: "a"}, {"1": "a"}, [[1, "a"]])
    assert different({"a": 1}, {"a": "1"})


def test_times() -> None:
    noon = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
    assert same(noon, noon.astimezone(ZoneInfo("Europe/Paris")))
    assert different(noon, noon.replace(tzinfo=None), noon + dt.timedelta(microseconds=1))
    assert same(dt.timedelta(hours=24), dt.timedelta(days=1))
    assert different(dt.date(2026, 7, 1), naive(2026, 7, 1), dt.time(), dt.timedelta())
    assert different(dt.time(1), dt.time(1, tzinfo=dt.UTC))
    fold = dt.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Paris"))
    assert different(fold, fold.replace(fold=1))
    assert same(
        dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=5))),
        dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=5))),
    )


def test_shared_and_equal_parts_are_the_same_unless_distinct() -> None:
    part = Adam(lr=0.5)
    shared = Pair(left=part, right=part)
    copies = Pair(left=Adam(lr=0.5), right=Adam(lr=0.5))
    assert shared.__identifier__() == copies.__identifier__()
    apart = Pair(left=Adam(lr=0.5), right=distinct("right", Adam(lr=0.5)))
    assert apart.__identifier__() != shared.__identifier__()


def test_reannotation_of_int_as_float_keeps_identifiers() -> None:
    class Int(Config):
        __xpmid__ = "x.N"
        n: Param[int]

    class Float(Config):
        __xpmid__ = "x.N"
        n: Param[float]

    for number in (0, 1, -5, 2**53, 10**20):
        assert Int(n=number).__identifier__() == Float(n=number).__identifier__()


def test_class_names_count_with_their_case() -> None:
    class Upper(Config):
        __xpmid__ = "x.Model"

    class Lower(Config):
        __xpmid__ = "x.model"

    assert Upper().__identifier__() != Lower().__identifier__()


def test_xpmid_is_not_inherited() -> None:
    class Child(Adam): ...

    assert Child().__identifier__() != Adam().__identifier__()


def test_a_diamond_of_depth_30_costs_30_steps(submitter: Any) -> None:
    node: Config = Adam()
    for _ in range(30):
        node = Pair(left=node, right=node)
    assert len(node.__identifier__()) == 32
    from xpm_engine.config.graph import postorder

    nodes = postorder(node)
    assert len(nodes) == 31
    seal(node, nodes)


def test_a_cycle_names_its_path() -> None:
    a = Pair(left=Adam(), right=Adam())
    holder = Value(value=[1, {"k": a}])
    a.left = holder
    top = Value(value=a)
    with pytest.raises(
        CycleError, match=r"Pair holds itself: Pair.left \(Value\).value\[1\]\['k'\]"
    ):
        top.__identifier__()


def test_a_thousand_levels_of_configs_work() -> None:
    node: Config = Adam()
    for _ in range(1000):
        node = Value(value=node)
    assert len(node.__identifier__()) == 32
    other: Config = Adam(lr=0.5)
    for _ in range(1000):
        other = Value(value=other)
    assert other.__identifier__() != node.__identifier__()


def test_a_thousand_levels_of_lists_give_one_clear_error() -> None:
    value: Any = 1
    for _ in range(1000):
        value = [value]
    with pytest.raises(ConfigError, match="nested too deeply"):
        of(value)


def test_a_sealed_object_remembers_and_stays_the_same() -> None:
    adam = Adam(lr=0.5)
    before = adam.__identifier__()
    seal(adam, [adam])
    assert adam.__identifier__() == before


def test_paths_are_told_by_their_root() -> None:
    job = "jobs/ir.bm25/" + "ab" * 16

    def under(workspace: str, path: str) -> str:
        with using_roots(PathRoots(WorkspacePaths(workspace), "/plan", "/data")):
            return of(Path(path))

    assert under("/ws", f"/ws/{job}/index") == under("/moved", f"/moved/{job}/index")
    assert under("/ws", "/ws/file") == under("/moved", "/moved/file")
    assert under("/ws", "/ws/file") != under("/ws", "/wsx/file")
    assert under("/ws", f"/ws/{job}/index") != under("/ws", f"/ws/{job}/other")
    assert under("/ws", f"/ws/{job}/../../../file") == under("/ws", "/ws/file")
    assert under("/ws", "/data/a") != under("/ws", "data/a")
    assert under("/ws", "a") == under("/moved", "a")


def test_a_resolved_path_is_in_the_folder_that_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    below = "jobs/ir.bm25/" + "ab" * 16 + "/index"
    roots = PathRoots(WorkspacePaths(f"{tmp_path}/link/ws"), "/plan", f"{tmp_path}/link/data")
    with using_roots(roots):
        for place in (f"ws/{below}", "ws/file", "ws", "data/a"):
            assert of(tmp_path / "link" / place) == of(tmp_path / "real" / place)
        assert locate(tmp_path / "real" / "ws" / below)[0] == "job:ir.bm25/" + "ab" * 16
        assert locate(tmp_path / "real" / "wsx")[0] == "abs"


def test_partial_identifier_leaves_parameters_out() -> None:
    def partial(*without: str, **values: Any) -> bytes:
        return partial_digest(Learner(**values), without)

    assert partial("epochs", epochs=10) == partial("epochs", epochs=20)
    assert partial("epochs", epochs=10) != partial("epochs", epochs=10, sizes=[])
    one, two = Adam(lr=1), Adam(lr=2)
    assert partial("optimizer.lr", epochs=1, optimizer=one) == partial(
        "optimizer.lr", epochs=1, optimizer=two
    )
    assert partial("optimizer.eps", epochs=1, optimizer=one) != partial(
        "optimizer.eps", epochs=1, optimizer=two
    )


SCRIPT = """
import sys
from pathlib import Path
from xpm_engine.config import Config, Param
from typing import Any
class Value(Config):
    __xpmid__ = "golden.Value"
    value: Param[Any]
print(Value(value={"b": {"x", "y", "z"}, "a": [1, Path("p")]}).__identifier__())
"""


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_process_and_hash_seed_have_no_influence(seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == of({"a": [1, Path("p")], "b": {"z", "y", "x"}})
