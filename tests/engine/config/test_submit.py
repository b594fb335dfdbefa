# ruff: noqa: PLW0108 (a lambda a case)
"""Submitting: sealing, the job's paths, outputs, provenance, tags, drift's digest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
from annotated_types import Len

from xpm_engine.config import Config, Option, Param, SubmitOptions, Task, field, pathgenerator, tag
from xpm_engine.config.order import order_of
from xpm_engine.errors import DefinitionError, ParameterError, SealedError, UsageError
from xpm_engine.workspace.layout import JobKey


class Adam(Config):
    lr: Param[float] = 1e-3


class Model(Config):
    path: Param[Path]
    inner: Param[Adam | None] = None


class Prepare(Task["Dataset"]):
    name: Param[str] = "robust"
    folder: Param[Path] = pathgenerator("data")

    def output(self) -> Dataset:
        return Dataset(folder=self.folder, parts=[Part(k=1), Part(k=2)])


class Part(Config):
    k: Param[int]


class Dataset(Config):
    folder: Param[Path]
    parts: Param[list[Part]] = []

    def subset(self, name: str) -> Subset:
        return Subset(parent=self, name=name)


class Subset(Config):
    parent: Param[Dataset]
    name: Param[str]


class Learner(Task[Model]):
    optimizer: Param[Adam] = Adam()
    data: Param[Any] = None
    sizes: Param[Annotated[list[int], Len(0, 3)]] = [1]
    threads: Option[int] = 1
    epochs: Param[int] = 10
    index: Annotated[Path, pathgenerator("index")]
    checkpoints: Param[Path] = pathgenerator("ckpt", without=("epochs",))

    def output(self) -> Model:
        return Model(path=self.index, inner=self.optimizer)


class Evaluate(Task):
    model: Param[Any]
    extra: Option[Any] = None


class Checked(Task):
    low: Param[int] = 0

    def __validate__(self) -> None:
        if self.low < 0:
            raise ValueError("low is negative")


class FineTune(Task[Adam]):
    optimizer: Param[Adam]

    def output(self) -> Adam:
        return self.optimizer


class Forgetful(Task[Any]):
    def output(self) -> Any:
        return None


def test_submit_outside_an_experiment_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Learner.submit\(\) needs an experiment"):
        Learner().submit()


def test_the_order_names_the_job(submitter: Any) -> None:
    task = Evaluate(model=Adam(lr=2))
    assert task.submit(retries=2, priority=1) is task
    order = submitter.last
    assert order.key == JobKey(order.task, order.identifier)
    assert order.identifier == task.__identifier__()
    assert order.task.endswith("test_submit.evaluate")
    assert submitter.options == [SubmitOptions(retries=2, priority=1)]
    assert order.flat == {"model": "Adam", "model.lr": 2.0}
    assert order.code.qualname == "Evaluate"
    assert order.code.file == __file__
    assert order.code.project == "/project"


def test_sealed_objects_cannot_change(submitter: Any) -> None:
    adam = Adam()
    task = Learner(optimizer=adam, data=[{"a": [1]}, {2}])
    task.submit()
    with pytest.raises(SealedError, match=r"copy\(epochs=...\)"):
        task.epochs = 3
    with pytest.raises(SealedError):
        adam.lr = 3
    with pytest.raises(SealedError):
        adam.tag("a", 1)
    for change in (
        lambda: task.sizes.append(3),
        lambda: task.data[0].update(b=1),
        lambda: task.data[0]["a"].clear(),
        lambda: task.data[1].add(3),
    ):
        with pytest.raises(SealedError, match="can't change"):
            change()
    assert task.sizes == [1]
    copy = task.copy(epochs=3)
    copy.sizes.append(2)
    assert copy.submit() is not None


def test_containers_are_checked_again_at_submit(submitter: Any) -> None:
    task = Learner()
    task.sizes.append("x")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"Learner.sizes\[1\]: expected int"):
        task.submit()
    task.sizes = [1]
    task.sizes.extend([2, 3, 4])
    with pytest.raises(ParameterError, match="at most 3"):
        task.submit()
    task.sizes = []
    task.submit()
    assert submitter.orders[0].flat == {"sizes": "[]"}


def test_what_is_missing_is_told_and_nothing_is_sealed(submitter: Any) -> None:
    task = Evaluate(model=[Subset(name="x")])
    with pytest.raises(ParameterError, match=r"Subset.parent: missing"):
        task.submit()
    task.model[0].parent = Dataset(folder=Path("x"))
    task.submit()


def test_validate_runs_before_submit(submitter: Any) -> None:
    task = Checked()
    task.low = -1
    with pytest.raises(ParameterError, match="Checked: low is negative"):
        task.submit()
    assert submitter.orders == []


def test_generated_paths_are_in_the_job_folder(submitter: Any) -> None:
    task = Learner(epochs=20)
    task.submit()
    key = submitter.last.key
    assert task.index == Path(f"/ws/jobs/{key}/index")
    (shared,) = submitter.last.shared
    assert task.checkpoints == Path(f"/ws/shared/{key.task}/checkpoints/{shared.identifier}/ckpt")
    Learner(epochs=30).submit()
    assert submitter.last.shared == (shared,)
    Learner(epochs=30, sizes=[]).submit()
    assert submitter.last.shared != (shared,)


def test_output_carries_its_producer_at_any_depth(submitter: Any) -> None:
    data = Prepare().submit()
    prepare = submitter.last.key
    for use in (
        data,
        data.subset("trf1"),
        [{"a": data.subset("x")}],
        data.folder / "file",
        {"deep": (data.folder,)},
        data.parts[0],
    ):
        Evaluate(model=use).submit()
        assert submitter.last.dependencies == (prepare,), use
    Evaluate(model=1, extra=data).submit()
    assert submitter.last.dependencies == (prepare,)
    assert submitter.last.identifier == Evaluate(model=1).__identifier__()
    Evaluate(model=str(data.folder)).submit()
    assert submitter.last.dependencies == ()


def test_a_task_as_parameter_is_a_dependency_with_what_it_holds(submitter: Any) -> None:
    data = Prepare().submit()
    first = submitter.last.key
    task = Evaluate(model=data)
    task.submit()
    second = submitter.last.key
    Evaluate(model=task).submit()
    assert set(submitter.last.dependencies) == {first, second}


def test_output_identity_is_the_tasks_and_its_own(submitter: Any) -> None:
    one, two = Prepare(name="a").submit(), Prepare(name="b").submit()
    assert one.parts[0].__identifier__() != two.parts[0].__identifier__()
    assert one.parts[0].__identifier__() != one.parts[1].__identifier__()
    assert one.parts[0].__identifier__() != Part(k=1).__identifier__()
    again = Prepare(name="a").submit()
    assert again.parts[0].__identifier__() == one.parts[0].__identifier__()


def test_an_output_that_is_a_parameter_becomes_a_marked_copy(submitter: Any) -> None:
    adam = Adam()
    tuned = FineTune(optimizer=adam).submit()
    assert tuned is not adam
    assert tuned.lr == adam.lr
    assert tuned.__identifier__() != adam.__identifier__()
    twice = FineTune(optimizer=tuned).submit()
    assert twice.__identifier__() != tuned.__identifier__()
    Evaluate(model=tuned).submit()
    assert len(submitter.last.dependencies) == 1


def test_the_output_is_the_same_at_every_submit(submitter: Any) -> None:
    task = Prepare()
    assert task.submit() is task.submit()
    assert submitter.orders[0] == submitter.orders[1]
    assert submitter.orders[1].dependencies == ()


def test_an_output_of_none_is_refused(submitter: Any) -> None:
    with pytest.raises(DefinitionError, match=r"output\(\) returned None"):
        Forgetful().submit()


def test_a_task_that_was_not_submitted_is_refused(submitter: Any) -> None:
    with pytest.raises(ParameterError, match=r"Evaluate.model\[0\]: the task Learner was not subm"):
        Evaluate(model=[Learner()]).submit()


def test_a_class_inside_a_function_is_refused(submitter: Any) -> None:
    class Local(Task): ...

    with pytest.raises(DefinitionError, match="set __xpmid__"):
        Local().submit()


def test_a_name_that_cannot_be_a_folder_is_refused(submitter: Any) -> None:
    class Bad(Task):
        __xpmid__ = "a/../..b"

    with pytest.raises(Exception, match="empty part"):
        Bad().submit()


def test_tags_of_all_that_a_job_is_made_from(submitter: Any) -> None:
    model = Learner(epochs=tag(20), optimizer=Adam(lr=tag(0.5)).tag("opt", "adam")).submit()
    assert submitter.last.tags == {"epochs": 20, "lr": 0.5, "opt": "adam"}
    other = Learner(epochs=tag(30)).submit()
    Evaluate(model=[model, other]).tag("kind", "both").submit()
    assert submitter.last.tags == {"kind": "both", "lr": 0.5, "opt": "adam", "epochs": [20, 30]}
    Evaluate(model=model.path).submit()
    assert submitter.last.tags["epochs"] == 20


def test_merged_tags_keep_the_order_of_the_plan(submitter: Any) -> None:
    tasks = [Learner(epochs=tag(epochs)).tag("kind", "x") for epochs in (5, 9, 7)]
    models = [task.submit() for task in tasks]
    Evaluate(model=models).submit()
    assert submitter.last.tags == {"epochs": [5, 9, 7], "kind": "x"}
    Evaluate(model=tasks).tag("kind", "own").submit()
    assert submitter.last.tags == {"kind": ["own", "x"], "epochs": [5, 9, 7]}
    assert submitter.last.flat == {"model": "3 × Learner"}
    Evaluate(model=tasks[0]).submit()
    assert submitter.last.flat == {"model": "Learner", "model.epochs": 5}


def test_setting_a_tagged_parameter_takes_the_tag_away(submitter: Any) -> None:
    adam = Adam(lr=tag(0.5))
    assert adam.copy(lr=1).copy(lr=2).lr == 2.0
    adam.lr = 3
    Evaluate(model=adam).submit()
    assert submitter.last.tags == {}
    Evaluate(model=Adam(lr=tag(0.5)).copy()).submit()
    assert submitter.last.tags == {"lr": 0.5}


@pytest.mark.parametrize(
    "use",
    [
        lambda t: t + 1,
        lambda t: 1 + t,
        lambda t: t == 1,
        lambda t: bool(t),
        lambda t: f"{t}",
        lambda t: str(t),
        lambda t: [*t],
        lambda t: t.real,
        lambda t: {t},
        lambda t: t < 2,
        lambda t: range(t),
        lambda t: Learner(sizes=[t]),
        lambda t: Evaluate(model={"a": t}),
        lambda t: Path(t),
    ],
)
def test_a_tagged_value_is_good_for_a_parameter_only(use: Any) -> None:
    with pytest.raises(ParameterError, match=r"tag\(\) goes directly into a parameter"):
        use(tag(1))


@pytest.mark.parametrize("value", [[1], Adam(), object()])
def test_only_scalars_are_tagged(value: Any) -> None:
    with pytest.raises(ParameterError, match=r"tag\(\) takes a text, number"):
        tag(value)


@pytest.mark.parametrize(("key", "value"), [("", 1), ("a\n", 1), (3, 1), ("a", [1])])
def test_bad_tags_are_refused(key: Any, value: Any) -> None:
    with pytest.raises(ParameterError, match="a tag's"):
        Adam().tag(key, value)


def test_a_number_that_json_cannot_hold_is_told_by_its_text(submitter: Any) -> None:
    learner = Learner().tag("clip", float("inf")).tag("seed", 10**5000).tag("none", float("nan"))
    learner.submit()
    assert submitter.last.tags == {"clip": "inf", "seed": hex(10**5000), "none": "nan"}
    json.dumps(submitter.last.tags, allow_nan=False)
    Evaluate(model=Adam(lr=tag(float("inf")))).submit()
    assert submitter.last.tags == {"lr": "inf"}


class OldDefault(Task):
    __xpmid__ = "drift.Learn"
    max_iter: Param[int] = 4


class NewDefault(Task):
    __xpmid__ = "drift.Learn"
    max_iter: Param[int] = 5


class Added(Task):
    __xpmid__ = "drift.Learn"
    max_iter: Param[int] = 4
    nan: Param[float] = float("nan")


class Mended(Task):
    __xpmid__ = "drift.Learn"
    max_iter: Param[int] = field(default=5, identifier_default=4)


def test_resolved_digest_tells_defaults_apart_that_the_identifier_does_not(submitter: Any) -> None:
    def order(task: Task) -> Any:
        task.submit()
        return submitter.last

    old, new = order(OldDefault()), order(NewDefault())
    assert old.key == new.key
    assert old.resolved != new.resolved
    assert order(OldDefault()).resolved == old.resolved
    added = order(Added())
    assert added.key == old.key
    assert added.resolved == order(Added()).resolved != old.resolved
    assert order(Mended(max_iter=4)).key == old.key
    assert order(Mended()).key != old.key


def test_drift_goes_through_upstreams_and_paths(submitter: Any) -> None:
    def downstream(task: Task) -> tuple[Any, Any]:
        task.submit()
        Evaluate(model=task).submit()
        by_task = submitter.last
        Evaluate(model=Path(f"/ws/jobs/{submitter.orders[-2].key}/out")).submit()
        return by_task, submitter.last

    old, new = downstream(OldDefault()), downstream(NewDefault())
    for before, after in zip(old, new, strict=True):
        assert before.key == after.key
        assert before.resolved != after.resolved


def test_options_are_no_drift(submitter: Any) -> None:
    Learner(threads=1).submit()
    Learner(threads=8).submit()
    one, two = submitter.orders
    assert (one.key, one.resolved) == (two.key, two.resolved)


def test_a_moved_workspace_changes_no_identifier() -> None:
    from xpm_engine.config.paths import PathRoots
    from xpm_engine.workspace.layout import WorkspacePaths

    def key(workspace: str) -> JobKey:
        roots = PathRoots(WorkspacePaths(workspace), "/project")
        first = order_of(Learner(), roots)
        path = Path(f"{workspace}/jobs/{first.key}/index")
        return order_of(Evaluate(model=path), roots).key

    assert key("/ws") == key("/somewhere/else")
