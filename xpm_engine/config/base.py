"""Config: the base of everything that is described by parameters."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast, dataclass_transform

from xpm_engine.config import filling, living
from xpm_engine.config.fields import field, pathgenerator
from xpm_engine.config.node import STATE, Node, State
from xpm_engine.config.problems import Mismatch
from xpm_engine.config.schema import build_schema
from xpm_engine.config.tags import add_tag


@dataclass_transform(
    kw_only_default=True, eq_default=False, field_specifiers=(field, pathgenerator)
)
class Config(Node):
    """Something described by parameters, which its class declares.

    ::

        class Adam(Config):
            lr: Param[float] = 1e-3
            \"""Learning rate\"""

    Values are given by keyword and checked at once; ParameterError names every bad one. After the
    object was submitted, itself or as a part, it can't change. Equality is by object. The names
    defined here, few and not to be added to, can't be parameters.
    """

    __xpmid__: ClassVar[str]
    """The lasting type name; set it to move or rename a class and keep its identifiers."""

    if not TYPE_CHECKING:

        def __init__(self, /, *args: Any, **values: Any) -> None:
            own = self.__dict__
            frame = sys._getframe(1)
            own[STATE] = State(frame.f_code.co_filename, frame.f_lineno)
            schema = self._xpm_schema
            settable = schema.settable
            try:
                for name, value in values.items():
                    own[name] = settable[name].check(value)
            except (KeyError, Mismatch, RecursionError):
                filling.fill(self, values)
            if args:
                filling.refuse_positional(self, args)
            for parameter in schema.fresh:
                if parameter.name not in own:
                    own[parameter.name] = parameter.make_default()
            if schema.validates and not filling.missing(self):
                filling.validate(self)
            if living.in_job():
                living.start_here(self)

        def __setattr__(self, name: str, value: Any) -> None:
            if filling.assign(self, name, value):
                super().__setattr__(name, value)

        def __delattr__(self, name: str) -> None:
            if filling.unassign(self, name):
                super().__delattr__(name)

        def __getattr__(self, name: str) -> Any:
            inherited = getattr(super(), "__getattr__", None)
            if inherited is None or name in type(self)._xpm_schema.parameters:
                raise AttributeError(filling.why_no_attribute(self, name))
            return inherited(name)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._xpm_schema = build_schema(cls, sys._getframe(1))  # pyright: ignore[reportPrivateUsage]

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self) >> 4

    def __repr__(self) -> str:
        return filling.text_of(self)

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return cast("Self", filling.deep_copy(self, memo))

    def __identifier__(self) -> str:
        """The identifier: 32 hexadecimal digits that name exactly these parameters.

        Raises ParameterError if a required parameter is missing, at any depth, CycleError for an
        object that holds itself.
        """
        from xpm_engine.config.seal import digest_or_explain

        return digest_or_explain(self).hex()

    def __validate__(self) -> None:
        """Raise ValueError if the values don't fit together; redefine it.

        Called when an object was made with all that it needs, and before it is submitted.
        """

    def __post_init__(self) -> None:
        """Called in the job, after the parameters were set; redefine it."""

    def copy(self, **changes: Any) -> Self:
        """A new object of the same class with some values changed; it is not sealed, has the same
        tags, and shares the configurations that it holds."""
        return cast("Self", filling.changed_copy(self, changes))

    def tag(self, key: str, value: str | float | bool | None) -> Self:
        """Tag this object; every job that is made from it carries the tag. Returns the object."""
        add_tag(self, key, value)
        return self


Config._xpm_schema = build_schema(Config, None)  # pyright: ignore[reportPrivateUsage]
