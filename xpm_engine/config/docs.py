"""Documentation of configurations: docstrings of classes and attributes, read when asked."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from xpm_engine.config.naming import per_class
from xpm_engine.config.node import Node
from xpm_engine.config.schema import Schema
from xpm_engine.workspace.records.params import FieldKind


@dataclass(frozen=True)
class Documentation:
    """What is written about a class."""

    summary: str
    """The first paragraph of its docstring."""
    text: str
    """The whole docstring."""
    fields: Mapping[str, str]
    """Parameter -> its help, inherited ones included."""


@per_class
def documentation(cls: type) -> Documentation:
    """The documentation of a class.

    A parameter's help is, in this order: ``field(help=...)``, the docstring under the attribute,
    its entry in an ``Attributes:`` section of the class's docstring; of the nearest class that
    has one.
    """
    text = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
    fields: dict[str, str] = {}
    schema: Schema = cls.__dict__["_xpm_schema"]
    for base in reversed(cls.__mro__):
        if issubclass(base, Node) and "_xpm_schema" in base.__dict__:
            fields.update(_from_docstring(base.__dict__.get("__doc__") or ""))
            fields.update(_from_source(base))
    for name, parameter in schema.parameters.items():
        if parameter.declaration.help:
            fields[name] = parameter.declaration.help
    known = {name: fields[name] for name in schema.parameters if name in fields}
    return Documentation(text.partition("\n\n")[0].replace("\n", " "), text, known)


def _from_docstring(text: str) -> dict[str, str]:
    """The entries of an ``Attributes:`` section, or of ``:ivar name:`` lines and the like."""
    if not any(mark in text for mark in ("Attributes", "Args", "Parameters", ":param", ":ivar")):
        return {}
    import docstring_parser

    try:
        parsed = docstring_parser.parse(text)
    except docstring_parser.ParseError:
        return {}
    return {each.arg_name: each.description for each in parsed.params if each.description}


def _from_source(cls: type) -> dict[str, str]:
    """The string right under each annotated attribute; nothing where there is no source."""
    try:
        source = textwrap.dedent(inspect.getsource(cls))
        body = ast.parse(source).body
    except (OSError, TypeError, SyntaxError):
        return {}
    statements = body[0].body if body and isinstance(body[0], ast.ClassDef) else []
    found: dict[str, str] = {}
    for statement, following in pairwise(statements):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            value = following.value if isinstance(following, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[statement.target.id] = inspect.cleandoc(value.value)
    return found


@dataclass(frozen=True)
class ParameterDescription:
    """One parameter, for people."""

    name: str
    kind: FieldKind
    type: str
    help: str
    required: bool
    default: str
    """The default as text; empty where there is none."""
    former: str
    """What it was called before; empty for nothing else."""
    declared_in: str

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "kind": self.kind.value}


@dataclass(frozen=True)
class ClassDescription:
    """A class of configurations, for people."""

    name: str
    type_name: str
    is_task: bool
    summary: str
    text: str
    parameters: tuple[ParameterDescription, ...]
    former: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            **vars(self),
            "parameters": [each.to_json() for each in self.parameters],
            "former": list(self.former),
        }


def describe(cls: type[Node]) -> ClassDescription:
    """Everything that is known of a class: documentation, parameters, defaults, types."""
    docs = documentation(cls)
    schema = cls._xpm_schema  # pyright: ignore[reportPrivateUsage]
    parameters: list[ParameterDescription] = []
    for name, parameter in schema.parameters.items():
        deprecated = parameter.declaration.deprecated
        parameters.append(
            ParameterDescription(
                name=name,
                kind=parameter.kind,
                type=parameter.type_text,
                help=docs.fields.get(name, ""),
                required=parameter.settable and not parameter.has_default,
                default=repr(parameter.shared_default()) if parameter.has_default else "",
                former=deprecated.name if deprecated is not None else "",
                declared_in=parameter.owner,
            )
        )
    return ClassDescription(
        name=cls.__qualname__,
        type_name=schema.type_name,
        is_task=cls._xpm_is_task,  # pyright: ignore[reportPrivateUsage]
        summary=docs.summary,
        text=docs.text,
        parameters=tuple(parameters),
        former=schema.formerly,
    )
