"""What is refused when a class is made, and what is read from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import pytest

from xpm_engine.config import Config, Constant, Option, Param, Task, field, pathgenerator
from xpm_engine.errors import DefinitionError, ParameterError


class Node(Config):
    """Refers to itself and to what is defined below."""

    next: Param[Node | None] = None
    later: Param[Later | None] = None


class Later(Config):
    x: Param[int] = 1


def test_forward_references_are_found_at_the_first_use() -> None:
    node = Node(next=Node(later=Later(x=3)))
    assert node.next.later.x == 3
    with pytest.raises(ParameterError, match=r"Node.later: expected Later \| None, got 3"):
        Node(later=3)


class Quoted(Config):
    """Quotes are not needed here, and do no harm."""

    x: "Param[int]" = 1  # noqa: UP037
    later: "Param[QuotedLater | None]" = None  # noqa: UP037


class QuotedLater(Config):
    x: Param["int"] = 1  # noqa: UP037


def test_quoted_annotations() -> None:
    assert Quoted(later=QuotedLater(x=2)).later.x == 2
    with pytest.raises(ParameterError, match=r"Quoted.x: expected int, got 'x'"):
        Quoted(x="x")


def test_a_name_that_is_never_defined_is_named() -> None:
    class Lost(Config):
        x: Param[Nowhere]  # noqa: F821

    with pytest.raises(DefinitionError, match=r"^Lost.x: some name in 'Param\[Nowhere\]'"):
        Lost(x=1)


def test_an_annotation_without_a_kind_is_refused() -> None:
    with pytest.raises(DefinitionError, match="lr is annotated, but neither Param"):

        class Adam(Config):
            lr: float = 1e-3


def test_class_variables_are_let_alone() -> None:
    class Adam(Config):
        known: ClassVar[int] = 3
        other: ClassVar = 4

    assert Adam().known == 3
    assert "known" not in Adam._xpm_schema.parameters


def test_every_fault_of_a_class_is_told_at_once() -> None:
    with pytest.raises(DefinitionError) as caught:

        class Bad(Config):
            a: int = 1
            copy: Param[int] = 2
            b: Constant[int]
            c: Param[int] = "x"
            d = field(default=1)
            e = Param[int]
            f: Param[Path] = pathgenerator("f")
            g: Param[type] = int

    text = str(caught.value)
    assert "Bad" in text
    assert "test_declaring.py:" in text
    for part in (
        "a is annotated, but neither",
        "the name 'copy' belongs to Config",
        "b is a Constant and needs its value",
        "  Bad.c: the default is wrong: expected int, got 'x' (str)",
        "d has no annotation",
        "e has no annotation",
        "f is a generated path, and only a Task",
        "g: type can't be the type of a parameter (register_type() teaches",
    ):
        assert part in text


@pytest.mark.parametrize("name", ["submit", "execute", "output", "result", "tag", "copy"])
def test_names_of_task_cannot_be_parameters(name: str) -> None:
    with pytest.raises(DefinitionError, match=f"the name '{name}' belongs to"):
        type("Bad", (Task,), {"__annotations__": {name: Param[int]}, "__module__": __name__})


def test_changing_a_default_takes_an_annotation() -> None:
    class Base(Config):
        lr: Param[float] = 1e-3

    with pytest.raises(DefinitionError, match="lr is a parameter of Base"):

        class Silent(Base):
            lr = 1e-2

    class Said(Base):
        lr: Param[float] = 1e-2

    assert Said().lr == 1e-2
    assert Base().lr == 1e-3


def test_redeclared_without_default_is_required() -> None:
    class Base(Config):
        lr: Param[float] = 1e-3

    class Strict(Base):
        lr: Param[float]

    with pytest.raises(AttributeError, match=r"Strict\.lr was not given a value"):
        _ = Strict().lr
    with pytest.raises(ParameterError, match=r"Strict.lr: missing"):
        Strict().__identifier__()
    assert Strict(lr=3).lr == 3.0


def test_own_constructor_is_refused() -> None:
    with pytest.raises(DefinitionError, match="use __post_init__"):

        class Adam(Config):
            def __init__(self) -> None: ...


def test_foreign_base_before_config_is_refused() -> None:
    class Module:
        def __init__(self) -> None: ...

    with pytest.raises(DefinitionError, match="put the Config before it"):

        class Net(Module, Config): ...


def test_pathgenerator_in_an_annotation_works() -> None:
    class Index(Task):
        index_path: Annotated[Path, pathgenerator("index")]
        other: Param[Path] = pathgenerator("other")

    assert [p.name for p in Index._xpm_schema.paths] == ["index_path", "other"]
    with pytest.raises(ParameterError, match="is a generated path"):
        Index(index_path=Path("x"))
    with pytest.raises(AttributeError, match=r"known after submit"):
        _ = Index().index_path


@pytest.mark.parametrize("name", ["", "/abs", "../up", "a/../../b", ".xpm", ".xpm/lock", "a\0b"])
def test_generated_paths_stay_in_the_job_folder(name: str) -> None:
    with pytest.raises(DefinitionError, match="does not name a file inside"):
        pathgenerator(name)


def test_abstract_configs_cannot_be_made_and_can_be_parameters() -> None:
    class Optimizer(Config, ABC):
        @abstractmethod
        def step(self) -> int: ...

    class Sgd(Optimizer):
        lr: Param[float] = 0.1

        def step(self) -> int:
            return 1

    class Learner(Config):
        optimizer: Param[Optimizer]

    with pytest.raises(TypeError, match="abstract"):
        Optimizer()
    assert Learner(optimizer=Sgd()).optimizer.step() == 1


T = TypeVar("T")


class Sampler(Config, Generic[T]):
    items: Param[list[T]]
    first: Param[T]


class IntSampler(Sampler[int]):
    more: Param[int] = 1


def test_type_variables_are_filled_in_by_subclasses() -> None:
    assert IntSampler(items=[1], first=2).items == [1]
    with pytest.raises(ParameterError) as caught:
        IntSampler(items=["a"], first="b")
    assert "IntSampler.items[0]: expected int" in str(caught.value)
    assert "IntSampler.first: expected int" in str(caught.value)


def test_type_arguments_at_the_call_are_checked() -> None:
    assert Sampler[int](items=[1], first=2).first == 2
    with pytest.raises(ParameterError, match=r"Sampler.first: expected int, got 'b'"):
        Sampler[int](items=[1], first="b")
    same = Sampler(items=[1], first=2)
    assert Sampler[int](items=[1], first=2).__identifier__() == same.__identifier__()


def test_dataclass_decorator_is_explained() -> None:
    from dataclasses import dataclass

    @dataclass
    class Adam(Config):
        lr: Param[float] = 1.0

    with pytest.raises(DefinitionError, match="take @dataclass off"):
        Adam(lr=1.0)


def test_defaults_are_never_shared() -> None:
    class Inner(Config):
        x: Param[int] = 1

    class Outer(Config):
        sizes: Param[list[int]] = [1, 2]
        inner: Param[Inner] = Inner(x=3)
        made: Param[dict[str, int]] = field(default_factory=dict)

    one, two = Outer(), Outer()
    one.sizes.append(3)
    one.inner.x = 4
    one.made["a"] = 1
    assert (two.sizes, two.inner.x, two.made) == ([1, 2], 3, {})
    assert Outer().sizes == [1, 2]
    assert not hasattr(Outer, "sizes")


def test_field_takes_one_default() -> None:
    with pytest.raises(DefinitionError, match="not both"):
        field(default=1, default_factory=int)  # type: ignore[call-overload]


def test_multiple_inheritance_takes_the_nearest() -> None:
    class A(Config):
        x: Param[int] = 1

    class B(A):
        x: Param[int] = 2

    class C(A):
        y: Param[int] = 3

    class D(C, B): ...

    assert D().x == 2
    assert D().__identifier__() == D(x=2).__identifier__()


def test_positional_values_are_refused() -> None:
    class Adam(Config):
        lr: Param[float] = 1.0
        options: Option[Any] = None

    with pytest.raises(ParameterError, match=r"by name, got 3 \(int\)"):
        Adam(3)
