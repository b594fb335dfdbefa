"""Constraints given by ``Annotated[int, Gt(0)]``: pydantic's, imported at the first value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xpm_engine.config.problems import Mismatch
from xpm_engine.config.typetext import type_text
from xpm_engine.errors import DefinitionError


def constrained(declared: Any, base: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Check the type by `base`, then what is annotated by pydantic in its strict mode."""
    validate: Callable[[Any], Any] | None = None

    def check(value: Any) -> Any:
        nonlocal validate
        exact = base(value)
        if validate is None:
            validate = _validator(declared)
        return base(validate(exact))

    return check


def _validator(declared: Any) -> Callable[[Any], Any]:
    from pydantic import ConfigDict, TypeAdapter, ValidationError
    from pydantic.errors import PydanticUserError
    from pydantic_core import SchemaError

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(
            declared, config=ConfigDict(strict=True, arbitrary_types_allowed=True)
        )
    except (PydanticUserError, SchemaError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise DefinitionError(
            f"the constraints of {type_text(declared)} can't be used: {reason}"
        ) from error

    def validate(value: Any) -> Any:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            path = "".join(f"[{step!r}]" for step in first["loc"])
            raise Mismatch(type_text(declared), value, path=path, note=first["msg"]) from None

    return validate
