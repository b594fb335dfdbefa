"""Setting the values of an object: at its making, later one by one, and by copying."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar, cast, get_args, get_origin

from xpm_engine.config.graph import postorder
from xpm_engine.config.node import BEFORE, STATE, Node, Phase, State, schema_of, state_of
from xpm_engine.config.parameter import Parameter
from xpm_engine.config.problems import (
    Mismatch,
    Problem,
    caller,
    describe,
    did_you_mean,
    parameter_error,
)
from xpm_engine.config.tags import Tagged, set_tag, untag
from xpm_engine.errors import CycleError, DefinitionError, ParameterError, SealedError
from xpm_engine.workspace.records.params import FieldKind

TOO_DEEP = "nested too deeply"


def fill(node: Node, values: Mapping[str, object]) -> None:
    """Set the values given to a constructor, slowly: tags are taken off, and all faults told."""
    problems: list[Problem] = []
    schema = schema_of(node)
    for name, value in values.items():
        parameter = schema.settable.get(name)
        if parameter is None:
            problems.append(Problem(f"{type(node).__name__}.{name}", _why_not_settable(node, name)))
            continue
        problem = put(node, parameter, value)
        if problem is not None:
            problems.append(problem)
    if problems:
        raise parameter_error(type(node).__name__, problems, where=state_of(node).where)


def put(node: Node, parameter: Parameter, value: object) -> Problem | None:
    """Check one value and set it; what is wrong with it, or None."""
    tagged = isinstance(value, Tagged)
    plain = untag(value) if isinstance(value, Tagged) else value
    try:
        exact = parameter.check(plain)
    except Mismatch as mismatch:
        if isinstance(mismatch.got, Tagged):
            return Problem(parameter.label + mismatch.path, "tag() goes directly into a parameter")
        return Problem(parameter.label + mismatch.path, str(mismatch))
    except RecursionError:
        return Problem(parameter.label, f"a {type(plain).__name__} that is {TOO_DEEP}")
    node.__dict__[parameter.name] = exact
    if tagged:
        set_tag(node, parameter.name, exact)
    return None


def refuse_positional(node: Node, values: tuple[object, ...]) -> NoReturn:
    """A parameter is given by its name."""
    names = list(schema_of(node).settable)
    example = f"{names[0]}=..." if names else ""
    raise ParameterError(
        f"{type(node).__name__}() takes its parameters by name, got {describe(values[0])}",
        where=state_of(node).where,
        hint=f"write {type(node).__name__}({example})",
    )


def missing(node: Node) -> list[str]:
    """The required parameters that have no value."""
    own = node.__dict__
    return [p.name for p in schema_of(node).required if p.name not in own]


def validate(node: Node) -> None:
    """Call the class's own ``__validate__``; raises ParameterError with what it says."""
    try:
        node.__validate__()
    except (ValueError, TypeError, AssertionError) as error:
        text = str(error) or type(error).__name__
        raise ParameterError(
            f"{type(node).__name__}: {text}", where=state_of(node).where
        ) from error


def assign(node: Node, name: str, value: object) -> bool:
    """Handle ``node.name = value``; True if it is no parameter and may be set as Python does."""
    state: State | None = node.__dict__.get(STATE)
    if state is None:
        raise DefinitionError(
            f"{type(node).__name__} was not made by Config's own __init__",
            hint="take @dataclass off the class: Config makes the constructor itself",
        )
    if name.startswith("__") and name.endswith("__"):
        if name == "__orig_class__":
            _check_specialised(node, value)
        return True
    schema = schema_of(node)
    if state.phase is Phase.LIVE and name not in schema.parameters:
        return True
    if state.phase is Phase.SEALED or state.digest is not None:
        raise SealedError(
            f"{type(node).__name__} was submitted and can't change: {name} = {describe(value)}",
            where=caller(),
            hint=f"set it before submit(), or make another with copy({name}=...)",
        )
    parameter = schema.settable.get(name)
    if parameter is None:
        raise ParameterError(
            f"{type(node).__name__}.{name}: {_why_not_settable(node, name)}", where=caller()
        )
    if state.tags:
        state.tags.pop(name, None)
    problem = put(node, parameter, value)
    if problem is not None:
        raise ParameterError(str(problem), where=caller())
    return state.phase is Phase.LIVE


def unassign(node: Node, name: str) -> bool:
    """Handle ``del node.name``; True if it is no parameter and may be deleted as Python does."""
    state = state_of(node)
    if name not in schema_of(node).parameters and state.phase is Phase.LIVE:
        return True
    raise ParameterError(
        f"{type(node).__name__}.{name} can't be deleted",
        where=caller(),
        hint="set another value, or make another object",
    )


def why_no_attribute(node: Node, name: str) -> str:
    """What an AttributeError says."""
    schema = schema_of(node)
    cls = type(node).__name__
    parameter = schema.parameters.get(name)
    if parameter is None:
        return f"{cls} has no attribute {name!r}{did_you_mean(name, schema.parameters)}"
    if parameter.kind is FieldKind.PATH:
        return f"{cls}.{name} is a path in the job's folder: it is known after submit()"
    return f"{cls}.{name} was not given a value (made at {state_of(node).where})"


def _why_not_settable(node: Node, name: str) -> str:
    schema = schema_of(node)
    parameter = schema.parameters.get(name)
    if name == BEFORE and parameter is None and type(node)._xpm_is_task:  # pyright: ignore[reportPrivateUsage]
        return "no parameter: light tasks are given to submit(before=[...])"
    if parameter is None:
        return f"no such parameter{did_you_mean(name, schema.settable)}"
    if parameter.kind is FieldKind.PATH:
        return "is a generated path, and can't be set"
    return "is a Constant, and can't be set"


def _check_specialised(node: Node, alias: object) -> None:
    """Check the values against ``Learner[Adam]``, whose arguments Python tells only afterwards."""
    origin = get_origin(alias)
    names: tuple[TypeVar, ...] = getattr(origin, "__parameters__", ())
    variables = dict(zip(names, get_args(alias), strict=False))
    file, _, line = caller().rpartition(":")
    state = state_of(node)
    state.file, state.line = file, int(line)
    problems: list[Problem] = []
    for name, parameter in schema_of(node).settable.items():
        if name in node.__dict__:
            special = parameter.specialised(variables, type(node).__name__)
            if special is not parameter:
                try:
                    special.check(node.__dict__[name])
                except Mismatch as mismatch:
                    problems.append(Problem(special.label + mismatch.path, str(mismatch)))
    if problems:
        raise parameter_error(type(node).__name__, problems, where=state.where)


def changed_copy(node: Node, changes: Mapping[str, Any]) -> Node:
    """A new object of the class: the same values but for the changes, and the same tags."""
    values = {
        name: node.__dict__[name] for name in schema_of(node).settable if name in node.__dict__
    }
    make = cast("Any", type(node))
    try:
        result: Node = make(**{**values, **changes})
    except ParameterError as error:
        # It was made in this file, and asked for in the user's.
        error.where = caller()
        raise
    state, old = state_of(result), state_of(node)
    file, _, line = caller().rpartition(":")
    state.file, state.line = file, int(line)
    state.distinct = old.distinct
    for key, value in (old.tags or {}).items():
        if key not in changes:
            set_tag(result, key, value)
    return result


def deep_copy(node: Node, memo: dict[int, Any]) -> Node:
    """A copy down to the leaves, parts first; what is sealed can't change, and is shared."""
    if state_of(node).phase is not Phase.OPEN:
        return node
    try:
        parts = postorder(node)
    except CycleError:
        parts = [node]
    for part in parts:
        if id(part) not in memo:
            memo[id(part)] = _copy_of(part, memo)
    return cast("Node", memo[id(node)])


def _copy_of(node: Node, memo: dict[int, Any]) -> Node:
    old = state_of(node)
    if old.phase is not Phase.OPEN:
        return node
    result = node.__class__.__new__(node.__class__)
    memo[id(node)] = result
    state = State(old.file, old.line)
    state.tags = dict(old.tags) if old.tags else None
    state.distinct = old.distinct
    result.__dict__[STATE] = state
    for name in schema_of(node).settable:
        if name in node.__dict__:
            result.__dict__[name] = copy.deepcopy(node.__dict__[name], memo)
    return result


def text_of(node: Node) -> str:
    """``Adam(lr=0.01)``: what differs from the class, nested objects by their class only."""
    parts: list[str] = []
    for name in schema_of(node).settable:
        if name in node.__dict__:
            value = node.__dict__[name]
            inner = f"{type(value).__name__}(…)" if isinstance(value, Node) else describe(value)
            parts.append(f"{name}={inner.rpartition(' (')[0] or inner}")
    return f"{type(node).__name__}({', '.join(parts)})"
