"""One parameter of a class: its kind, its type, its default, and what the hot paths need of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar, get_origin

from xpm_engine.config.annotations import UNRESOLVED, Scope, read
from xpm_engine.config.checks import Check, compile_check
from xpm_engine.config.fields import MISSING, Field, PathGenerator
from xpm_engine.config.problems import Mismatch
from xpm_engine.config.scalars import IMMUTABLE
from xpm_engine.config.typetext import plain_type, type_text
from xpm_engine.errors import DefinitionError
from xpm_engine.workspace.records.params import FieldKind


class Parameter:
    """A parameter as one class declares it."""

    def __init__(
        self,
        owner: str,
        name: str,
        kind: FieldKind,
        declared: Any,
        declaration: Field,
        *,
        path: PathGenerator | None,
        annotation: Any,
        scope: Scope,
    ) -> None:
        self.owner = owner
        """The name of the class that declares it."""
        self.name = name
        self.kind = kind
        self.declared = declared
        """The type, or UNRESOLVED."""
        self.declaration = declaration
        self.path = path
        self.check: Check = self._first_check
        """Returns the exact value, or raises Mismatch; compiled at the first value."""
        self._annotation = annotation
        self._scope = scope
        self._stored_check: Check | None = None
        self._shared_default: Any = MISSING
        size = len(name.encode("utf-8", "surrogatepass"))
        self.key = size.to_bytes(4, "big") + name.encode("utf-8", "surrogatepass")
        """The name as the identifier's encoding has it."""
        self.always = kind is FieldKind.CONSTANT
        """In the identifier even if equal to its default."""

    @property
    def label(self) -> str:
        """``Class.name``, for messages."""
        return f"{self.owner}.{self.name}"

    @property
    def settable(self) -> bool:
        return self.kind in (FieldKind.PARAM, FieldKind.OPTION)

    @cached_property
    def has_default(self) -> bool:
        declared = self.declaration
        return declared.default is not MISSING or declared.default_factory is not None

    @property
    def shares_default(self) -> bool:
        """Whether all objects may read one default, because it can't change."""
        return type(self.declaration.default) in IMMUTABLE

    def make_default(self) -> Any:
        """A default that no other object holds, in its exact form; MISSING if there is none."""
        if self.declaration.default_factory is not None:
            value = self.declaration.default_factory()
        elif self.declaration.default is MISSING:
            return MISSING
        else:
            value = self.declaration.default
            value = value if type(value) in IMMUTABLE else copy.deepcopy(value)
        try:
            return self.check(value)
        except Mismatch as mismatch:
            raise self._bad_default(mismatch) from None

    def shared_default(self) -> Any:
        """The default, to look at and not to hand out; MISSING if there is none."""
        if self._shared_default is MISSING:
            self._shared_default = self.make_default()
        return self._shared_default

    def check_definition(self) -> None:
        """Refuse a type that can't be a parameter's, and a default of another type.

        Constraints wait for the first value, since they need pydantic.
        """
        if self.declared is UNRESOLVED:
            return
        check = self._compile_stored()
        default = self.declaration.default
        if default is MISSING:
            return
        try:
            exact = check(default)
        except Mismatch as mismatch:
            raise self._bad_default(mismatch) from None
        if type(exact) in IMMUTABLE and type(exact) is not type(default):
            self.declaration = replace(self.declaration, default=exact)

    def check_stored(self, value: Any) -> Any:
        """Check the type alone: for values that passed the constraints before they were saved."""
        return self._compile_stored()(value)

    def _compile_stored(self) -> Check:
        if self._stored_check is None:
            self._stored_check = compile_check(plain_type(self.resolve()))
        return self._stored_check

    def resolve(self) -> Any:
        """The declared type; raises DefinitionError while a name in it is not defined."""
        if self.declared is UNRESOLVED:
            self.declared = read(self._annotation, self._scope).type
            if self.declared is UNRESOLVED:
                raise DefinitionError(
                    f"{self.label}: some name in {self._annotation!r} is not defined",
                    where=self._scope.module,
                    hint="import what the annotation names, at run time too",
                )
        return self.declared

    @cached_property
    def type_text(self) -> str:
        return type_text(self.resolve())

    def specialised(self, variables: Mapping[TypeVar, Any], owner: str) -> Parameter:
        """The same with type variables replaced, or this one if it holds none of them."""
        declared = substitute(self.declared, variables)
        if declared is self.declared:
            return self
        return Parameter(
            owner,
            self.name,
            self.kind,
            declared,
            self.declaration,
            path=self.path,
            annotation=self._annotation,
            scope=self._scope,
        )

    def _first_check(self, value: Any) -> Any:
        declared = self.resolve()
        try:
            check = compile_check(declared)
            exact = check(value)
        except DefinitionError as error:
            raise DefinitionError(
                f"{self.label}: {error.what}",
                where=error.where or self._scope.module,
                hint=error.hint,
            ) from None
        self.check = check
        return exact

    def _bad_default(self, mismatch: Mismatch) -> DefinitionError:
        return DefinitionError(
            f"{self.label}{mismatch.path}: the default is wrong: {mismatch}",
            where=self._scope.module,
        )


def substitute(declared: Any, variables: Mapping[TypeVar, Any]) -> Any:
    """A type with type variables replaced; the very same object where there are none."""
    if isinstance(declared, TypeVar):
        return variables.get(declared, declared)
    parameters: tuple[TypeVar, ...] = getattr(declared, "__parameters__", ())
    if isinstance(declared, type) and get_origin(declared) is None:
        return declared
    if not any(variable in variables for variable in parameters):
        return declared
    generic: Any = declared
    return generic[tuple(variables.get(variable, variable) for variable in parameters)]
