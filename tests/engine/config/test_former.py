"""Renamed classes and parameters: the identifiers they had before."""

from __future__ import annotations

from typing import Any

from xpm_engine.config import Config, Param, Task, deprecated, field, former_identifiers
from xpm_engine.config.former import NoFormer
from xpm_engine.config.order import order_of
from xpm_engine.config.paths import PathRoots
from xpm_engine.workspace.layout import JobKey, WorkspacePaths

ROOTS = PathRoots(WorkspacePaths("/ws"), "/project")


class OldAdam(Config):
    __xpmid__ = "old.Adam"
    rate: Param[float] = 0.1
    eps: Param[float] = 1e-8


class OldLearner(Task):
    __xpmid__ = "old.Learner"
    adam: Param[OldAdam]
    epochs: Param[int] = 2


@deprecated("old.Adam")
class Adam(Config):
    __xpmid__ = "new.Adam"
    eps: Param[float] = 1e-8
    lr: Param[float] = field(default=0.1, deprecated=deprecated("rate"))


def to_epochs(steps: int) -> int:
    if steps % 100:
        raise NoFormer
    return steps // 100


@deprecated("old.Learner")
class Learner(Task):
    __xpmid__ = "new.Learner"
    adam: Param[Any]
    steps: Param[int] = field(default=200, deprecated=deprecated("epochs", to_former=to_epochs))


def old_key(**values: Any) -> JobKey:
    return order_of(OldLearner(**values), ROOTS).key


def former(task: Task) -> tuple[JobKey, ...]:
    order_of(task, ROOTS)
    return former_identifiers(task)


def test_results_under_former_names_are_found() -> None:
    task = Learner(adam=Adam(lr=0.5), steps=1000)
    key = order_of(task, ROOTS).key
    found = former_identifiers(task)
    assert old_key(adam=OldAdam(rate=0.5), epochs=10) in found
    assert key not in found
    assert len(found) == len(set(found))
    assert {each.task for each in found} == {"new.learner", "old.learner"}


def test_the_former_default_is_left_out() -> None:
    assert old_key(adam=OldAdam()) in former(Learner(adam=Adam()))
    assert old_key(adam=OldAdam(), epochs=3) in former(Learner(adam=Adam(), steps=300))
    assert old_key(adam=OldAdam(), epochs=200) in former(Learner(adam=Adam(), steps=20_000))


def test_through_containers_and_before_sealing() -> None:
    class OldHold(Task):
        __xpmid__ = "hold"
        value: Param[Any]

    class Hold(OldHold):
        __xpmid__ = "hold"

    old = OldHold(value={"a": [OldAdam(rate=3)]}).__identifier__()
    assert old in [key.identifier for key in former_identifiers(Hold(value={"a": [Adam(lr=3)]}))]


def test_a_value_without_a_former_spelling() -> None:
    found = former(Learner(adam=Adam(), steps=150))
    assert old_key(adam=OldAdam(), epochs=1) not in found
    assert found


def test_nothing_deprecated_costs_nothing() -> None:
    assert former(OldLearner(adam=OldAdam())) == ()


def test_many_renames_are_bounded() -> None:
    assert len(former(Learner(adam=[Adam(lr=i) for i in range(20)]))) < 70
