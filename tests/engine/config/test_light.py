"""Light tasks: part of their task's identity, record and dependencies, on the same objects."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from xpm_engine.config import (
    Config,
    LightTask,
    Param,
    Task,
    deprecated,
    distinct,
    former_identifiers,
    load_order,
    pathgenerator,
    tag,
)
from xpm_engine.config.order import order_of
from xpm_engine.errors import (
    CycleError,
    DefinitionError,
    ParameterError,
    SealedError,
    UsageError,
)
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.params import ParamsRecord, flatten


class Sizes(Config):
    width: Param[int] = 8


class Model(Config):
    __xpmid__ = "light.Model"
    name: Param[str]
    sizes: Param[Sizes] = Sizes()


class Train(Task[Path]):
    epochs: Param[int] = 1
    weights: Param[Path] = pathgenerator("weights")

    def output(self) -> Path:
        return self.weights


class LoadWeights(LightTask):
    __xpmid__ = "light.LoadWeights"
    model: Param[Config]
    path: Param[Path | None] = None
    sizes: Param[Sizes] = Sizes()
    layers: Param[int] = 0

    def execute(self) -> None:
        self.model.loaded = self.path  # type: ignore[attr-defined]


class Seed(LightTask):
    __xpmid__ = "light.Seed"
    seed: Param[int] = 0


class Evaluate(Task):
    __xpmid__ = "light.Evaluate"
    model: Param[Any]
    zoom: Param[int] = 0
    cache: Param[Path] = pathgenerator("cache", without=("zoom",))


def submitted(submitter: Any, *before: LightTask, **values: Any) -> Any:
    """The order of an Evaluate with these light tasks."""
    Evaluate(**{"model": 1, **values}).submit(before=before)
    return submitter.last


def digest(data: bytes) -> bytes:
    return hashlib.md5(data).digest()


def text(value: str) -> bytes:
    return len(value).to_bytes(4, "big") + value.encode()


def test_the_identifier_is_made_as_it_is_written(submitter: Any) -> None:
    def seed(number: int) -> bytes:
        value = text("seed") + digest(b"i" + bytes([number]))
        return digest(b"xpm\x01" + text("light.Seed") + text("") + value)

    def evaluate(end: bytes) -> str:
        fields = text("model") + digest(b"i\x01")
        return digest(b"xpm\x01" + text("light.Evaluate") + text("") + fields + end).hex()

    lights = digest(b"l" + digest(b"c" + seed(1)) + digest(b"c" + seed(2)))
    assert submitted(submitter).identifier == evaluate(b"")
    found = submitted(submitter, Seed(seed=1), Seed(seed=2)).identifier
    assert found == evaluate(text("before") + lights)


def test_which_and_in_what_order_counts(submitter: Any) -> None:
    one, two = Seed(seed=1), Seed(seed=2)
    orders = [
        submitted(submitter, *before)
        for before in ((), (one,), (two,), (one, two), (two, one), (one, one))
    ]
    assert len({order.identifier for order in orders}) == 6
    assert len({order.resolved for order in orders}) == 6
    assert submitted(submitter, Seed(seed=1)).identifier == orders[1].identifier


def test_the_default_of_a_light_task_drifts(submitter: Any) -> None:
    class Old(LightTask):
        __xpmid__ = "light.Drift"
        rate: Param[int] = 1

    class New(LightTask):
        __xpmid__ = "light.Drift"
        rate: Param[int] = 2

    old, new = submitted(submitter, Old()), submitted(submitter, New())
    assert old.identifier == new.identifier
    assert old.resolved != new.resolved


def test_shared_folders_are_told_apart_by_light_tasks(submitter: Any) -> None:
    one = submitted(submitter, Seed(seed=1), zoom=1).shared
    assert submitted(submitter, Seed(seed=1), zoom=2).shared == one
    assert submitted(submitter, Seed(seed=2), zoom=1).shared != one
    assert submitted(submitter, zoom=1).shared != one


def test_dependencies_and_tags_count(submitter: Any) -> None:
    weights = Train(epochs=tag(3)).submit()
    train = submitter.last.key
    model = Model(name="m")
    light = LoadWeights(model=model, path=weights, layers=tag(2)).tag("from", "scratch")
    order = submitted(submitter, light, model=model)
    assert order.dependencies == (train,)
    assert order.tags == {"layers": 2, "from": "scratch", "epochs": 3}
    assert order.flat == {
        "model": "Model",
        "model.name": "m",
        "before.0": "LoadWeights",
        "before.0.model": "Model",
        "before.0.model.name": "m",
        "before.0.path": f"job:{train}/weights"[:59] + "…",
        "before.0.layers": 2,
    }
    assert order.flat == flatten(order.params)


def test_a_task_with_light_tasks_is_a_part_like_any_other(submitter: Any) -> None:
    task = Evaluate(model=1)
    task.submit(before=[Seed(seed=1)])
    plain = Evaluate(model=1)
    plain.submit()
    found = [submitted(submitter, model=each).identifier for each in (task, plain)]
    assert found[0] != found[1]
    rebuilt = reload(submitter.orders[2].params)
    assert rebuilt.before == ()
    assert [type(each) for each in rebuilt.model.before] == [Seed]


def reload(record: ParamsRecord) -> Any:
    from tests.engine.config.test_load import ROOTS

    data = json.loads(json.dumps(record.to_json()))
    return load_order(
        ParamsRecord.from_json(data, "here"),
        roots=ROOTS,
        import_class=lambda _, name: globals()[name],
    )


def test_they_come_back_in_order_on_the_same_objects(submitter: Any) -> None:
    model = Model(name="m")
    first = LoadWeights(model=model, path=Path("/w"))
    order = submitted(submitter, first, Seed(seed=2), first, model=model)
    task = reload(order.params)
    load, seed, again = task.before
    assert load.model is task.model
    assert load is again
    assert seed.seed == 2
    load.execute()
    assert task.model.loaded == Path("/w")
    assert task.__identifier__() == order.identifier
    field = order.params.top.get("before")
    assert field is not None
    assert (field.type, field.in_identifier) == ("list[LightTask]", True)
    assert field.digest


def test_a_record_without_real_light_tasks_is_refused(submitter: Any) -> None:
    order = submitted(submitter, Seed(seed=2))
    data = order.params.to_json()
    data["objects"][-1]["fields"][-1]["value"] = [3]
    with pytest.raises(Exception, match="saved light tasks of Evaluate"):
        reload(ParamsRecord.from_json(data, "here"))


def test_they_are_sealed_with_the_task_and_fixed(submitter: Any) -> None:
    task, seed = Evaluate(model=1), Seed(seed=1)
    task.submit(before=[seed])
    assert task.before == (seed,)
    with pytest.raises(SealedError):
        seed.seed = 3
    first = submitter.last
    task.submit()
    task.submit(before=[Seed(seed=1)])
    assert [order.key for order in submitter.orders] == [first.key] * 3
    with pytest.raises(SealedError, match="submitted already, with other light tasks"):
        task.submit(before=[Seed(seed=2)])
    assert task.copy().before == ()


def test_after_a_refusal_they_are_given_anew(submitter: Any) -> None:
    task = Evaluate()
    with pytest.raises(ParameterError, match="missing"):
        task.submit(before=[Seed(seed=1)])
    task.model = 1
    task.submit()
    assert submitter.last.identifier == submitted(submitter).identifier


def test_what_is_missing_in_a_light_task_is_told(submitter: Any) -> None:
    with pytest.raises(ParameterError, match=r"LoadWeights.model: missing \(made at"):
        submitted(submitter, LoadWeights())
    assert submitter.orders == []


@pytest.mark.parametrize(
    ("before", "match"),
    [
        (Seed(), "expected a list of light tasks, got Seed"),
        ([Sizes()], r"before\[0\]: expected a LightTask, got Sizes"),
        ([Seed(), Train()], r"before\[1\]: expected a LightTask, got Train"),
        (None, "expected a list of light tasks, got None"),
    ],
)
def test_only_light_tasks_run_before(before: Any, match: str, submitter: Any) -> None:
    with pytest.raises(ParameterError, match=match):
        Evaluate(model=1).submit(before=before)


def test_a_light_task_is_not_submitted_by_itself(submitter: Any) -> None:
    with pytest.raises(UsageError, match=r"Seed is a light task and can't be submitted by itself"):
        Seed().submit()  # type: ignore[attr-defined]


def test_an_equal_copy_of_what_the_task_holds_is_refused(submitter: Any) -> None:
    with pytest.raises(ParameterError, match=r"LoadWeights.model: this Model equals one that Eval"):
        submitted(submitter, LoadWeights(model=Model(name="m")), model=[Model(name="m")])
    assert submitter.orders == []
    held = Model(name="m", sizes=Sizes())
    submitted(submitter, LoadWeights(model=held, sizes=Sizes()), model=[held])
    submitted(submitter, LoadWeights(model=Model(name="n")), model=held)
    submitted(submitter, LoadWeights(model=distinct("b", Model(name="m"))), model=held)


def test_a_light_task_that_holds_its_task_is_a_cycle(submitter: Any) -> None:
    task = Evaluate(model=1)
    match = r"Evaluate.before\[0\] \(LoadWeights\).model"
    with pytest.raises(CycleError, match=match):
        task.submit(before=[LoadWeights(model=task)])


def test_the_name_is_reserved() -> None:
    class Mixin(Config):
        before: Param[int] = 1

    with pytest.raises(DefinitionError, match="'before' belongs to Task"):

        class Bad(Task):
            before: Param[int] = 1

    with pytest.raises(DefinitionError, match="Mixin has the parameter 'before', and the name"):

        class Mixed(Mixin, Task): ...

    with pytest.raises(DefinitionError, match="submit belongs to Config"):

        class Submits(LightTask):
            def submit(self) -> None: ...

    with pytest.raises(ParameterError, match=r"light tasks are given to submit\(before"):
        Evaluate(model=1, before=[Seed()])  # type: ignore[call-arg]
    assert Mixin(before=2).before == 2


@deprecated("light.Seed")
class Renamed(LightTask):
    __xpmid__ = "light.Renamed"
    seed: Param[int] = 0


def test_results_under_former_names_of_light_tasks_are_found(submitter: Any) -> None:
    old = submitted(submitter, Seed(seed=1), Seed(seed=2))
    task = Evaluate(model=1)
    task.submit(before=[Renamed(seed=1), Renamed(seed=2)])
    assert submitter.last.key != old.key
    assert old.key in former_identifiers(task)
    swapped = submitted(submitter, Seed(seed=2), Seed(seed=1))
    assert swapped.key not in former_identifiers(task)


def test_an_output_can_be_the_light_task_that_loads_it(submitter: Any) -> None:
    class Hands(Task[LoadWeights]):
        __xpmid__ = "light.Hands"
        model: Param[Model]
        weights: Param[Path] = pathgenerator("w")

        def output(self) -> LoadWeights:
            return LoadWeights(model=self.model, path=self.weights)

    model = Model(name="m")
    loads = Hands(model=model).submit()
    hands: JobKey = submitter.last.key
    order = submitted(submitter, loads, model=model)
    assert order.dependencies == (hands,)
    task = reload(order.params)
    assert task.before[0].model is task.model


class Pass(Task[Any]):
    task: Param[Any]

    def output(self) -> Any:
        return self.task


def test_a_task_that_is_handed_on_keeps_them(submitter: Any) -> None:
    task = Evaluate(model=1)
    task.submit(before=[Seed(seed=1)])
    handed = Pass(task=task).submit()
    passes = submitter.last.key
    assert handed is not task
    order = submitted(submitter, model=handed)
    assert passes in order.dependencies
    assert reload(order.params).model.before[0].seed == 1


def test_orders_need_no_experiment() -> None:
    from tests.engine.config.test_load import ROOTS

    task = Evaluate(model=1)
    assert order_of(task, ROOTS).identifier == task.__identifier__()
