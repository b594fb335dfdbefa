"""What a class of configurations declares, read when the class is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import FrameType
from typing import Any, TypeVar, cast, get_args, get_origin

from xpm_engine.config.annotations import UNRESOLVED, Scope, own_annotations, read, scope_of
from xpm_engine.config.fields import MISSING, Field, PathGenerator
from xpm_engine.config.former import Deprecated
from xpm_engine.config.naming import type_name
from xpm_engine.config.node import Node
from xpm_engine.config.parameter import Parameter
from xpm_engine.config.scalars import IMMUTABLE
from xpm_engine.errors import DefinitionError
from xpm_engine.workspace.records.params import FieldKind

ROOT_MODULES = tuple(f"xpm_engine.config.{name}" for name in ("base", "task", "light"))
"""Where Config, Task and LightTask themselves are: their names can't be parameters."""

FINAL = (
    "__init__",
    "__setattr__",
    "__delattr__",
    "__eq__",
    "__hash__",
    "__getattr__",
    "__identifier__",
    "copy",
    "tag",
    "submit",
)
"""What a user's class can't define, nor a base that stands before Config."""


class Schema:
    """The parameters of one class, inherited ones included."""

    def __init__(
        self, cls: type[Node], parameters: dict[str, Parameter], own: dict[str, Parameter]
    ) -> None:
        self.cls = cls
        self.own = own
        """Those that this class declares, or gives another type."""
        self.parameters = parameters
        """By name: bases first, then in the order they are written."""
        self.settable = {p.name: p for p in parameters.values() if p.settable}
        self.fresh = tuple(
            p for p in self.settable.values() if p.has_default and not p.shares_default
        )
        """Those whose default is made anew for every object."""
        self.required = tuple(p for p in self.settable.values() if not p.has_default)
        self.paths = tuple(p for p in parameters.values() if p.kind is FieldKind.PATH)
        hashed = (FieldKind.PARAM, FieldKind.CONSTANT)
        self.hashed = tuple(
            sorted((p for p in parameters.values() if p.kind in hashed), key=lambda p: p.key[4:])
        )
        """Those of the identifier, in the order of their names' bytes."""
        self.validates = cls.__validate__ is not getattr(_root(cls), "__validate__", None)
        """Whether the class checks more than types."""
        self.head = b""
        self.rows: tuple[tuple[str, bytes, bytes | None, bytes | None], ...] | None = None
        """What the identifier needs of each parameter; filled in by `identifier` at first use."""

    @property
    def type_name(self) -> str:
        """The name that is hashed."""
        return type_name(self.cls)

    @property
    def formerly(self) -> tuple[str, ...]:
        """Former type names of the class."""
        former: tuple[str, ...] = self.cls.__dict__.get("_xpm_former", ())
        return former

    @property
    def has_former(self) -> bool:
        """Whether the class or one of its parameters was called otherwise."""
        return bool(self.formerly) or any(p.declaration.deprecated is not None for p in self.hashed)


def build_schema(cls: type[Node], frame: FrameType | None) -> Schema:
    """Read a class that was just made; raises DefinitionError, naming all that is wrong."""
    problems: list[str] = []
    scope = scope_of(cls, frame)
    if cls.__module__ not in ROOT_MODULES:
        _check_final(cls, problems)
    inherited = _inherited(cls)
    declared = _declared(cls, scope, inherited, problems)
    _check_unannotated(cls, inherited, problems)
    _check_inherited(cls, inherited, problems)
    own = {**_specialised(cls, inherited), **declared}
    for parameter in declared.values():
        _place_default(cls, parameter)
    if problems:
        where = cls.__module__ if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
        text = problems[0] if len(problems) == 1 else "".join(f"\n  {each}" for each in problems)
        raise DefinitionError(f"class {cls.__qualname__}: {text}", where=where)
    return Schema(cls, {**inherited, **own}, own)


def _root(cls: type) -> type:
    """Config itself, from any class of configurations."""
    return next(base for base in reversed(cls.__mro__) if base.__module__ in ROOT_MODULES)


def _check_final(cls: type, problems: list[str]) -> None:
    for name in FINAL:
        supplier = next((base for base in cls.__mro__ if name in base.__dict__), object)
        if supplier is cls:
            instead = "; use __post_init__" if name == "__init__" else ""
            problems.append(f"{name} belongs to Config and can't be defined again{instead}")
        elif not issubclass(supplier, Node) and supplier is not object and _is_ours(cls, name):
            problems.append(
                f"{supplier.__name__} has its own {name}: "
                f"put the Config before it in the list of bases"
            )
            return


def _is_ours(cls: type, name: str) -> bool:
    """Whether Config or Task define the name for this class."""
    return any(name in base.__dict__ for base in cls.__mro__ if base.__module__ in ROOT_MODULES)


def _inherited(cls: type[Node]) -> dict[str, Parameter]:
    """The parameters of the bases, the nearest base's declaration winning."""
    found: dict[str, Parameter] = {}
    for base in reversed(cls.__mro__[1:]):
        schema: Schema | None = base.__dict__.get("_xpm_schema")
        if schema is not None:
            found.update(schema.own)
    return found


def _specialised(cls: type[Node], inherited: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Inherited parameters whose type variables this class's bases fill in."""
    variables = type_arguments(cls)
    return {
        name: changed
        for name, parameter in inherited.items()
        if (changed := parameter.specialised(variables, cls.__name__)) is not parameter
    }


def type_arguments(cls: type) -> Mapping[TypeVar, Any]:
    """Type variable -> what the class's bases say it is, as in ``class X(Learner[Adam])``."""
    found: dict[TypeVar, Any] = {}
    for base in getattr(cls, "__orig_bases__", ()):
        origin = get_origin(base)
        if isinstance(origin, type):
            variables = cast("tuple[TypeVar, ...]", getattr(origin, "__parameters__", ()))
            found.update(zip(variables, get_args(base), strict=False))
    return found


def _declared(
    cls: type,
    scope: Scope,
    inherited: Mapping[str, Parameter],
    problems: list[str],
) -> dict[str, Parameter]:
    own: dict[str, Parameter] = {}
    for name, annotation in own_annotations(cls).items():
        reading = read(annotation, scope)
        if reading.kind is None:
            if not reading.marked:
                problems.append(
                    f"{name} is annotated, but neither Param, Option nor Constant "
                    f"(write Param[...], or ClassVar[...] if it is none of them)"
                )
            continue
        reserved = _reserved(cls, name)
        if reserved:
            problems.append(f"the name {name!r} belongs to {reserved} and can't be a parameter")
            continue
        value = cls.__dict__.get(name, MISSING)
        path = reading.path
        kind = reading.kind
        if isinstance(value, PathGenerator):
            path, kind, value = value, FieldKind.PATH, MISSING
        declaration = value if isinstance(value, Field) else Field(value)
        if isinstance(declaration.default, Deprecated):
            declaration = replace(declaration, default=MISSING, deprecated=declaration.default)
        parameter = Parameter(
            cls.__name__,
            name,
            kind,
            reading.type,
            declaration,
            path=path,
            annotation=annotation,
            scope=scope,
        )
        problem = _fault(cls, parameter)
        if problem:
            problems.append(problem)
            continue
        if name in inherited and not parameter.has_default and hasattr(cls, name):
            setattr(cls, name, Unset(name))
        own[name] = parameter
    return own


def _fault(cls: type[Node], parameter: Parameter) -> str:
    name = parameter.name
    if parameter.kind is FieldKind.PATH:
        if not cls._xpm_is_task:  # pyright: ignore[reportPrivateUsage]
            return f"{name} is a generated path, and only a Task has a folder for it"
        return ""
    if parameter.kind is FieldKind.CONSTANT and not parameter.has_default:
        return f"{name} is a Constant and needs its value here"
    if parameter.declared is not UNRESOLVED:
        try:
            parameter.check_definition()
        except DefinitionError as error:
            hint = f" ({error.hint})" if error.hint else ""
            return (
                f"{'' if error.what.startswith(parameter.label) else name + ': '}{error.what}{hint}"
            )
    return ""


def _reserved(cls: type, name: str) -> str:
    if name.startswith(("__", "_xpm")):
        return "Python" if name.startswith("__") else "Config"
    for base in cls.__mro__:
        if base.__module__ in ROOT_MODULES and name in base.__dict__:
            return base.__name__
    return ""


def _check_unannotated(cls: type, inherited: Mapping[str, Parameter], problems: list[str]) -> None:
    annotated = own_annotations(cls)
    for name, value in cls.__dict__.items():
        if name in annotated or isinstance(value, Unset):
            continue
        if isinstance(value, (Field, PathGenerator)) or _is_marked(value):
            problems.append(f"{name} has no annotation (write {name}: Param[...] = ...)")
        elif name in inherited:
            problems.append(
                f"{name} is a parameter of {inherited[name].owner}: "
                f"to change its default, write {name}: Param[...] = ..."
            )


def _check_inherited(cls: type, inherited: Mapping[str, Parameter], problems: list[str]) -> None:
    """Refuse a base's parameter whose name another base, a Task say, has for itself."""
    for name, parameter in inherited.items():
        reserved = _reserved(cls, name)
        if reserved:
            problems.append(
                f"{parameter.owner} has the parameter {name!r}, and the name belongs to {reserved}"
            )


def _is_marked(value: object) -> bool:
    return any(isinstance(item, FieldKind) for item in getattr(value, "__metadata__", ()))


def _place_default(cls: type, parameter: Parameter) -> None:
    """Leave an unchangeable default on the class, where reading finds it; take others away."""
    default = parameter.declaration.default
    if type(default) in IMMUTABLE and parameter.kind is not FieldKind.PATH:
        setattr(cls, parameter.name, default)
    elif parameter.name in cls.__dict__ and not isinstance(cls.__dict__[parameter.name], Unset):
        delattr(cls, parameter.name)
        if hasattr(cls, parameter.name):
            setattr(cls, parameter.name, Unset(parameter.name))


class Unset:
    """Stands on a class where a base's default must not be read."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None:
            return self
        raise AttributeError(self.name)
