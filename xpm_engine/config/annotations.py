"""Reading annotations: their kind when the class is made, their type when it can be known.

``from __future__ import annotations`` leaves text, whose names may be defined only later. So the
kind is read at once, from the outermost name (``Param[...]``), and the whole is evaluated then if
possible, else at the first use of the class.
"""

from __future__ import annotations

import ast
import inspect
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType, SimpleNamespace
from typing import Annotated, Any, ClassVar, ForwardRef, get_args, get_origin

from xpm_engine.config.fields import PathGenerator
from xpm_engine.workspace.records.params import FieldKind


@dataclass(frozen=True)
class Scope:
    """The names an annotation may use."""

    module: str
    local: Mapping[str, Any]
    """Names of an enclosing function, as they were when the class was made."""

    def names(self) -> dict[str, Any]:
        """Module names, then local ones over them."""
        module = sys.modules.get(self.module)
        return {**(vars(module) if module is not None else {}), **self.local}


@dataclass(frozen=True)
class Reading:
    """What an annotation says."""

    kind: FieldKind | None
    """None for a ClassVar; `UNMARKED` annotations are refused by the caller."""
    marked: bool
    path: PathGenerator | None
    type: Any
    """The type without our markers; UNRESOLVED while a name is not defined yet."""


class Unresolved:
    """The type of `UNRESOLVED`."""


UNRESOLVED = Unresolved()
"""Some name in the annotation is not defined yet."""

_CLASS_VARIABLE = Reading(None, True, None, None)


def own_annotations(cls: type) -> dict[str, Any]:
    """The annotations in the body of this class alone."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(cls, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(cls)


def scope_of(cls: type, frame: FrameType | None) -> Scope:
    """The names for the annotations of a class whose statement runs in one of these frames."""
    while frame is not None and frame.f_globals.get("__name__") != cls.__module__:
        frame = frame.f_back
    inside = frame is not None and frame.f_locals is not frame.f_globals
    local = dict(frame.f_locals) if frame is not None and inside else {}
    return Scope(cls.__module__, {**local, cls.__name__: cls})


def read(annotation: Any, scope: Scope) -> Reading:
    """Read one annotation as far as the names in it are defined."""
    # A quoted annotation is text in text where annotations are not evaluated.
    while isinstance(annotation, (str, ForwardRef)):
        text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
        names = scope.names()
        try:
            annotation = _evaluate(text, names)
        except NameError:
            return _read_text(text, names)
    return _read_object(annotation, scope)


def _evaluate(text: str, names: dict[str, Any]) -> Any:
    """The value of an annotation's text; it is the user's own source, as Python evaluates it."""
    return eval(text, names)


def _read_object(annotation: Any, scope: Scope) -> Reading:
    if annotation is ClassVar or get_origin(annotation) is ClassVar:
        return _CLASS_VARIABLE
    kind: FieldKind | None = None
    path: PathGenerator | None = None
    rest: list[Any] = []
    if get_origin(annotation) is Annotated:
        for item in get_args(annotation)[1:]:
            if isinstance(item, FieldKind):
                kind = item
            elif isinstance(item, PathGenerator):
                path = item
            else:
                rest.append(item)
    if path is not None:
        kind = FieldKind.PATH
    try:
        resolved = _resolve_inner(annotation, scope)
    except NameError:
        return Reading(kind, kind is not None, path, UNRESOLVED)
    if get_origin(resolved) is Annotated:
        inner = get_args(resolved)[0]
        resolved = Annotated[(inner, *rest)] if rest else inner
    return Reading(kind, kind is not None, path, resolved)


def _resolve_inner(annotation: Any, scope: Scope) -> Any:
    """The annotation with the forward references inside it evaluated."""
    holder = SimpleNamespace(__annotations__={"it": annotation})
    return typing.get_type_hints(holder, globalns=scope.names(), include_extras=True)["it"]


def _read_text(text: str, names: dict[str, Any]) -> Reading:
    """The kind alone, from the outermost name: ``Param[Later]``, ``xpm.Option[...]``."""
    node = ast.parse(text, mode="eval").body
    if not isinstance(node, ast.Subscript):
        return Reading(None, False, None, UNRESOLVED)
    outer = _evaluate(ast.unparse(node.value), names)
    if outer is ClassVar:
        return _CLASS_VARIABLE
    markers: list[Any] = []
    if outer is Annotated and isinstance(node.slice, ast.Tuple):
        markers = [_evaluate(ast.unparse(item), names) for item in node.slice.elts[1:]]
    elif get_origin(outer) is Annotated:
        markers = list(get_args(outer)[1:])
    path = next((item for item in markers if isinstance(item, PathGenerator)), None)
    kind = next((item for item in markers if isinstance(item, FieldKind)), None)
    if path is not None:
        kind = FieldKind.PATH
    return Reading(kind, kind is not None, path, UNRESOLVED)
