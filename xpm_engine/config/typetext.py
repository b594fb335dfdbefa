"""A declared type as people write it, and without its constraints."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin


def type_text(declared: Any) -> str:
    """``list[int]``, ``Adam``, ``int | None``: without module names, constraints kept."""
    if declared is None or declared is type(None):
        return "None"
    if declared is Any:
        return "Any"
    if declared is Ellipsis:
        return "..."
    if isinstance(declared, TypeVar):
        return declared.__name__
    if isinstance(declared, str):
        return declared
    origin = get_origin(declared)
    arguments = get_args(declared)
    if origin is Annotated:
        rest = ", ".join(repr(item) for item in arguments[1:])
        return f"{type_text(arguments[0])}, {rest}" if rest else type_text(arguments[0])
    if origin is Union or origin is types.UnionType:
        return " | ".join(type_text(each) for each in arguments)
    if origin is Literal:
        return f"Literal[{', '.join(repr(each) for each in arguments)}]"
    name: str = getattr(origin or declared, "__name__", None) or repr(declared)
    if arguments:
        return f"{name}[{', '.join(type_text(each) for each in arguments)}]"
    return name


def plain_type(declared: Any) -> Any:
    """The type without anything annotated, at any depth: what a saved value is checked for."""
    origin = get_origin(declared)
    if origin is None or origin is Literal:
        return declared
    arguments = get_args(declared)
    if origin is Annotated:
        return plain_type(arguments[0])
    plain = tuple(plain_type(each) for each in arguments)
    if plain == arguments:
        return declared
    return Union[plain] if origin is types.UnionType else origin[plain]  # noqa: UP007 (made of a tuple)
