# pyright: strict
from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar, assert_type

from xpm_engine.config import (
    Config,
    Constant,
    LightTask,
    Option,
    Param,
    Task,
    deprecated,
    distinct,
    field,
    pathgenerator,
    tag,
)


@deprecated("old.Adam")
class Adam(Config):
    """Wrapper for Adam optimizer"""

    known: ClassVar[int] = 3
    lr: Param[float] = 1e-3
    """Learning rate"""
    weight_decay: Param[float] = 0.0
    version: Constant[int] = field(default=1)
    sizes: Param[list[int]] = field(default_factory=list[int], help="sizes")


class Model(Config):
    path: Param[Path]


class Learner(Task[Model]):
    optimizer: Param[Adam]
    threads: Option[int] = 8
    max_epoch: Param[int] = field(default=5, identifier_default=4, deprecated=deprecated("epochs"))
    index_path: Param[Path] = pathgenerator("index")
    checkpoints: Param[Path] = pathgenerator("ckpt", without=("max_epoch",))

    def execute(self) -> None:
        assert_type(self.optimizer.lr, float)
        assert_type(self.index_path, Path)

    def output(self) -> Model:
        return Model(path=self.index_path)


class Evaluate(Task):
    model: Param[Model]
    values: Param[dict[str, list[int]] | None] = None
    rate: Param[Annotated[float, "any"]] = 0.5

    def execute(self) -> float:
        return 1.0


class LoadWeights(LightTask):
    model: Param[Model]
    strict: Option[bool] = True

    def execute(self) -> None:
        assert_type(self.model, Model)


T = TypeVar("T", bound=Config)


class Holder(Config, Generic[T]):
    held: Param[T]


learner = Learner(optimizer=Adam(lr=tag(1e-2), weight_decay=1), max_epoch=tag(50))
assert_type(learner.tag("a", 1), Learner)
assert_type(learner.copy(max_epoch=3), Learner)
model = learner.submit(retries=2, launcher="gpu")
assert_type(model, Model)
evaluate = Evaluate(model=model, values={"a": [1]})
assert_type(evaluate.submit(), Evaluate)
load = LoadWeights(model=model)
assert_type(evaluate.submit(before=[load, LoadWeights(model=model, strict=False)]), Evaluate)
assert_type(learner.submit(before=(load,), retries=1), Model)
assert_type(evaluate.before, tuple[LightTask, ...])
assert_type(distinct("left", Adam()), Adam)
assert_type(Holder(held=Adam()).held, Adam)
assert_type(learner.__identifier__(), str)
anything: Any = Adam.known
