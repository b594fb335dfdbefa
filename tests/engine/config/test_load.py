"""Records of configurations, and living objects from them."""

from __future__ import annotations

import datetime as dt
import json
import os
import py_compile
import subprocess
import sys
from collections.abc import Callable
from enum import Enum, Flag
from pathlib import Path
from typing import Annotated, Any

import pytest
from annotated_types import Gt

from xpm_engine.config import (
    Config,
    Constant,
    Option,
    Param,
    Task,
    current_submitter,
    deprecated,
    field,
    live,
    load_order,
    pathgenerator,
    register_type,
    save,
)
from xpm_engine.config.importing import import_class
from xpm_engine.config.paths import PathRoots
from xpm_engine.config.store import load
from xpm_engine.errors import LoadError, SealedError, UnreadableError, UsageError
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.params import CodeRecord, FieldKind, ParamsRecord


class Colour(Enum):
    RED = "red"


class Access(Flag):
    R = 1
    W = 2


class Point:
    def __init__(self, x: int) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and other.x == self.x

    def __hash__(self) -> int:
        return self.x


register_type(Point, encode=lambda p: {"x": p.x}, decode=lambda d: Point(d["x"]), name="t.Point")


class Module:
    """Foreign, as a neural network's module: own constructor, own attribute setting."""

    def __init__(self) -> None:
        self.modules: dict[str, Any] = {}
        self.log: list[str] = []

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module):
            self.__dict__["modules"][name] = value
        else:
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("modules", {}):
            return self.__dict__["modules"][name]
        raise AttributeError(name)


class Layer(Config, Module):
    size: Param[int] = 1

    def __post_init__(self) -> None:
        self.weights = [0.0] * self.size
        self.log.append("layer")


class Net(Config, Module):
    first: Param[Layer]
    rest: Param[list[Layer]] = []

    def __post_init__(self) -> None:
        self.total = self.first.size + sum(layer.size for layer in self.rest)
        self.best: Layer = self.first


class Everything(Task):
    """Holds a value of every kind.

    More words.
    """

    value: Param[Any]
    sizes: Param[Annotated[list[Annotated[int, Gt(0)]], "note"]] = [1]
    frozen: Param[frozenset[int]] = frozenset()
    threads: Option[int] = 2
    """How many at once."""
    version: Constant[int] = 7
    out: Param[Path] = pathgenerator("out")

    def execute(self) -> object:
        return self.threads


class Hold(Task):
    value: Param[Any]


VALUES: list[Any] = [
    None,
    True,
    3,
    -(2**63),
    10**40,
    0.1,
    1.0,
    -0.0,
    float("inf"),
    "x\udc80\n\0",
    {"$config": 1, "$path": [1], "a": {}},
    [1, (2, [3]), {4, 5}],
    {frozenset({1, 2}), (3, frozenset({4}))},
    Access.R,
    [Access.R | Access.W, Access(0)],
    {1: "a", None: 2.5, Colour.RED: [Colour.RED]},
    dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 2),  # noqa: DTZ001
    dt.date(2026, 1, 2),
    dt.time(3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=-3))),
    dt.timedelta(days=-3, microseconds=7),
    Point(3),
    {"p": [Point(1)]},
    Path("/abs/x"),
    Path("/data/y"),
]

ROOTS = PathRoots(WorkspacePaths("/ws"), "/project", "/data")


def reload(record: ParamsRecord, roots: PathRoots = ROOTS) -> Any:
    text = json.dumps(record.to_json(), allow_nan=False)
    assert text.isascii()
    return load_order(
        ParamsRecord.from_json(json.loads(text), "here"),
        roots=roots,
        import_class=lambda module, name: globals()[name],
    )


@pytest.mark.parametrize("value", VALUES, ids=lambda value: ascii(value)[:30])
def test_values_come_back_exactly(value: Any, submitter: Any) -> None:
    Everything(value=value, frozen={1}).submit()
    record = submitter.last.params
    task = reload(record)
    assert task.value == value
    assert type(task.value) is type(value)
    assert task.frozen == frozenset({1})
    assert task.execute() == 2
    assert task.version == 7
    assert task.__identifier__() == submitter.last.identifier


def test_nan_comes_back(submitter: Any) -> None:
    Hold(value=float("nan")).submit()
    assert reload(submitter.last.params).value != reload(submitter.last.params).value


def test_relative_paths_are_the_projects_and_job_paths_move(submitter: Any) -> None:
    task = Everything(value=Path("data/x.txt"))
    task.submit()
    moved = PathRoots(WorkspacePaths("/far"), "/home/me/plan")
    far = reload(submitter.last.params, moved)
    assert far.value == Path("/home/me/plan/data/x.txt")
    assert far.out == Path(f"/far/jobs/{submitter.last.key}/out")
    Hold(value=[task.out / "a"]).submit()
    assert reload(submitter.last.params, moved).value == [far.out / "a"]


def test_data_path_needs_the_folder(submitter: Any) -> None:
    Hold(value=Path("/data/x")).submit()
    with pytest.raises(LoadError, match="data folder"):
        reload(submitter.last.params, PathRoots(WorkspacePaths("/far"), "/p"))


def test_sharing_is_kept(submitter: Any) -> None:
    layer = Layer(size=2)
    Hold(value=[layer, layer, Layer(size=2)]).submit()
    one, two, three = reload(submitter.last.params).value
    assert one is two
    assert one is not three


def test_a_record_tells_all_without_the_classes(submitter: Any) -> None:
    Everything(value=3, sizes=[2]).tag("a", 1).submit()
    top = submitter.last.params.top
    assert top.class_name == "Everything"
    assert top.doc == "Holds a value of every kind."
    assert top.producer == submitter.last.key
    assert top.is_task
    assert top.tags == {"a": 1}
    assert top.digest == submitter.last.identifier
    assert top.resolved == submitter.last.resolved
    threads = top.get("threads")
    assert threads is not None
    assert (threads.kind, threads.value, threads.is_default) == (FieldKind.OPTION, 2, True)
    assert (threads.help, threads.type, threads.default) == ("How many at once.", "int", 2)
    sizes = top.get("sizes")
    assert sizes is not None
    assert (sizes.value, sizes.default, sizes.is_default) == ([2], [1], False)
    assert len(sizes.digest) == 32
    out = top.get("out")
    assert out is not None
    assert out.value == {"$path": [f"job:{submitter.last.key}", "out"]}
    value = top.get("value")
    assert value is not None
    assert not value.has_default


def test_foreign_base_is_initialised_before_the_parameters(submitter: Any) -> None:
    Hold(value=Net(first=Layer(size=2), rest=[Layer(size=3)])).submit()
    net = reload(submitter.last.params).value
    assert net.total == 5
    assert net.modules["first"] is net.first
    assert net.best is net.first
    assert net.first.weights == [0.0, 0.0]
    assert net.first.log == ["layer"]


def test_foreign_constructor_is_not_run_in_the_plan() -> None:
    net = Net(first=Layer(size=2))
    assert "modules" not in net.__dict__
    assert net.first.size == 2
    assert len(net.__identifier__()) == 32


def test_living_objects_take_attributes_but_keep_parameters(submitter: Any) -> None:
    Hold(value=1).submit()
    task = reload(submitter.last.params)
    task.model = [1]
    task.model = [2]
    del task.model
    with pytest.raises(SealedError):
        task.value = 2


def test_a_living_object_can_be_a_parameter(submitter: Any) -> None:
    Hold(value=1).submit()
    first = submitter.last
    Hold(value=[reload(first.params)]).submit()
    assert submitter.last.dependencies == (first.key,)
    again = Hold(value=1)
    again.submit()
    Hold(value=[again]).submit()
    assert submitter.orders[1].key == submitter.last.key
    assert submitter.orders[1].resolved == submitter.last.resolved


def test_live_copy_for_tests(tmp_path: Path) -> None:
    class Local(Task):
        size: Param[int]
        out: Param[Path] = pathgenerator("o")

        def __post_init__(self) -> None:
            self.twice = self.size * 2

        def execute(self) -> object:
            self.seen = self.out
            return self.twice

    task = Local(size=3)
    copy = live(task, folder=tmp_path)
    assert copy.execute() == 6
    assert copy.out == tmp_path / "o"
    task.size = 4
    assert live(Net(first=Layer(size=4))).total == 4


def test_save_and_load(tmp_path: Path, submitter: Any) -> None:
    net = Net(first=Layer(size=2))
    save(net, tmp_path / "net.json")
    net.first.size = 3
    (tmp_path / "more").mkdir()
    loaded = load(tmp_path / "net.json")
    assert type(loaded) is Net
    assert loaded.total == 2


def test_a_thousand_levels_are_saved_and_loaded(tmp_path: Path) -> None:
    deep: Config = Layer(size=2)
    for _ in range(1000):
        deep = Hold(value=[deep])
    save(deep, tmp_path / "deep.json")
    assert load(tmp_path / "deep.json").__identifier__() == deep.__identifier__()


def test_load_from_a_job_folder(tmp_path: Path) -> None:
    roots = PathRoots(WorkspacePaths(str(tmp_path)), "/project")
    from xpm_engine.config.order import order_of

    order = order_of(Everything(value=Path("x")), roots)
    folder = Path(roots.workspace.job(order.key).root)  # type: ignore[union-attr]
    (folder / ".xpm").mkdir(parents=True)
    (folder / ".xpm" / "params.json").write_text(json.dumps(order.params.to_json()))
    task = load(folder)
    assert task.out == folder / "out"
    assert task.value == Path("/project/x")
    assert task.__identifier__() == order.identifier
    with pytest.raises(LoadError, match="is no job's folder"):
        load(tmp_path)
    with pytest.raises(LoadError, match="does not exist"):
        load(tmp_path / "nothing.json")
    (folder / ".xpm" / "params.json").write_text('{"v": 1, "ro')
    with pytest.raises(UnreadableError, match="truncated"):
        load(folder)


def changed(record: ParamsRecord, **changes: Any) -> ParamsRecord:
    """The record with keys of its root object's JSON changed."""
    data = record.to_json()
    data["objects"][-1].update(changes)
    return ParamsRecord.from_json(data, "here")


def test_a_class_that_is_gone_is_named(submitter: Any) -> None:
    Hold(value=1).submit()
    params = submitter.last.params
    with pytest.raises(LoadError, match=r"the module no.such can't be imported"):
        load_order(changed(params, module="no.such"), roots=ROOTS)
    with pytest.raises(LoadError, match="json has no class Gone"):
        load_order(changed(params, module="json", qualname="Gone"), roots=ROOTS)
    with pytest.raises(LoadError, match="no longer a Config"):
        load_order(changed(params, module="json", qualname="JSONDecoder"), roots=ROOTS)


class Before(Task):
    a: Param[int] = 1
    gone: Param[int] = 2


class After(Task):
    a: Param[str] = "x"
    gone: Param[int] = 2


class Renamed(Task):
    b: Param[int] = field(default=1, deprecated=deprecated("a", to_current=lambda a: a * 10))
    c: Param[int] = field(default=1, deprecated=deprecated("gone"))
    new: Param[list[int]] = [4]


class Grown(Task):
    a: Param[int] = 1
    gone: Param[int] = 2
    layers: Param[list[Layer]] = [Layer(size=2)]


class Needs(Task):
    a: Param[int] = 1
    gone: Param[int] = 2
    more: Param[int]


def test_a_changed_class_says_what_does_not_fit(submitter: Any) -> None:
    Before(a=3).submit()
    params = submitter.last.params

    def as_(cls: type) -> Any:
        return load_order(params, roots=ROOTS, import_class=lambda *_: cls)

    with pytest.raises(LoadError, match=r"After.a was saved as int, and is now: expected str"):
        as_(After)
    with pytest.raises(LoadError, match="saved with the parameter 'a', which the class no longer"):
        as_(Hold)
    with pytest.raises(LoadError, match=r"Needs.more has no default"):
        as_(Needs)
    task = as_(Renamed)
    assert (task.b, task.c, task.new) == (30, 2, [4])
    grown = as_(Grown)
    assert grown.layers[0].weights == [0.0, 0.0]
    assert as_(Grown).layers[0] is not grown.layers[0]


@pytest.mark.parametrize(
    "value",
    [
        {"$config": 99},
        {"$config": "x"},
        {"$what": 1},
        {"a": 1, "b": 2},
        {},
        {"$int": "zz"},
        {"$path": ["moon", "x"]},
        {"$path": ["job:nope", "x"]},
        {"$path": 3},
        {"$time": ["datetime", "yesterday"]},
        {"$time": ["era", "x"]},
        {"$enum": ["m", "Colour", "GREEN"]},
        {"$value": ["unknown", 1]},
        {"$dict": [1]},
        {"$set": [[1]]},
    ],
)
def test_damaged_values_are_errors(value: Any, submitter: Any) -> None:
    Hold(value=1).submit()
    data = submitter.last.params.to_json()
    data["objects"][-1]["fields"][0]["value"] = value
    with pytest.raises((LoadError, UnreadableError)):
        reload(ParamsRecord.from_json(data, "here"))


JOB = """
import json, sys
from xpm_engine.config.living import enter_job
from xpm_engine.config import Config, Param
from xpm_engine.config.store import load
from xpm_engine.config.reading import reading
enter_job()
task = load(sys.argv[1])
print(task.execute())
class Fresh(Config):
    x: Param[int] = 1
    def __post_init__(self):
        self.y = self.x + 1
fresh = Fresh(x=2)
fresh.z = 3
assert fresh.y == 3
with reading():
    class Plans(Fresh): ...
    assert "y" not in vars(Plans(x=2))
heavy = {"pydantic", "rich", "textual", "watchdog", "docstring_parser"}
print(sorted(heavy & set(sys.modules)))
"""


def test_a_job_loads_its_script_without_pydantic(tmp_path: Path) -> None:
    (tmp_path / "plan.py").write_text(
        "from __future__ import annotations\n"
        "from pathlib import Path\nfrom typing import Annotated\n"
        "from annotated_types import Gt\n"
        "from xpm_engine.config import Config, Param, Task, save\n"
        "class Adam(Config):\n    lr: Param[Annotated[float, Gt(0)]] = 0.1\n"
        "class Learn(Task):\n    adam: Param[Adam]\n"
        "    def execute(self):\n        return f'lr {self.adam.lr}'\n"
        "if __name__ == '__main__':\n    save(Learn(adam=Adam(lr=0.5)), 'learn.json')\n"
        "else:\n    from xpm_engine.config.reading import ImportStopped\n    raise ImportStopped\n"
    )
    subprocess.run([sys.executable, "plan.py"], cwd=tmp_path, check=True)
    data = json.loads((tmp_path / "learn.json").read_text())
    assert [row["type"] for row in data["objects"]] == ["plan.Adam", "plan.Learn"]
    done = subprocess.run(
        [sys.executable, "-c", JOB, str(tmp_path / "learn.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["lr 0.5", "[]"]
    assert current_submitter.get() is None


@pytest.mark.parametrize("use", [lambda value: save(value, "x.json"), live])
def test_what_is_no_configuration_is_refused(use: Callable[[Any], object]) -> None:
    with pytest.raises(UsageError, match=r"3 \(int\) is no configuration") as caught:
        use(3)
    assert (caught.value.where or "").startswith(__file__)


def test_a_module_whose_cached_code_was_cut_short_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.syspath_prepend(tmp_path)
    sources = {"cut_plan": "from cut_helper import *\n", "cut_helper": "class Learn: ...\n"}
    for name, text in sources.items():
        source = tmp_path / f"{name}.py"
        source.write_text(text)
        kept = Path(py_compile.compile(str(source), doraise=True) or "")
        # As a disk leaves it that was full.
        os.truncate(kept, kept.stat().st_size - 20)
    code = CodeRecord("cut_plan", "Learn", str(tmp_path / "cut_plan.py"), str(tmp_path))
    assert import_class("cut_plan", "Learn", code).__name__ == "Learn"
    for name in sources:
        del sys.modules[name]


def test_an_error_of_the_module_itself_is_raised(tmp_path: Path) -> None:
    (tmp_path / "cut_wrong.py").write_text("raise EOFError('of its own')\n")
    code = CodeRecord("cut_wrong", "Learn", str(tmp_path / "cut_wrong.py"), str(tmp_path))
    with pytest.raises(EOFError, match="of its own"):
        import_class("cut_wrong", "Learn", code)
