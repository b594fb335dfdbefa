"""Objects at run time: a foreign base's own ``__init__``, then the parameters, then post_init."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from xpm_engine.config.graph import leaves, postorder
from xpm_engine.config.node import Node, Phase, schema_of, state_of
from xpm_engine.config.reading import reading_classes

_in_job = False


def enter_job() -> None:
    """From now on configurations that this process makes are alive at once: it is a job's."""
    global _in_job  # noqa: PLW0603 (a process is a job's or not, for good)
    _in_job = True


def in_job() -> bool:
    """Whether a configuration that is made now is alive at once.

    Those that modules make while they are imported for their classes are a plan's, in a job too:
    a job that was forked from a helper with the same modules finds them so.
    """
    return _in_job and not reading_classes()


def start_here(node: Node) -> None:
    """Bring an object to life that a job's own code has just made."""
    from xpm_engine.config.seal import check_complete

    check_complete(node, [node])
    settable = schema_of(node).settable
    bring_to_life(node, {n: node.__dict__[n] for n in settable if n in node.__dict__})


def start_parts(value: object) -> None:
    """Bring to life what a default of a plan's class holds, parts first."""
    for item in leaves(value):
        if isinstance(item, Node):
            for node in postorder(item):
                if state_of(node).phase is Phase.OPEN:
                    start_here(node)


def bring_to_life(node: Node, values: Mapping[str, Any]) -> None:
    """Run the foreign ``__init__``, set the values, then call ``__post_init__``.

    A foreign base (an ``nn.Module``, say) sees the values through its own ``__setattr__``; they
    stand in the object's ``__dict__`` as well, where this package reads them.
    """
    from xpm_engine.config.base import Config

    state_of(node).phase = Phase.LIVE
    schema = schema_of(node)
    for name in schema.parameters:
        node.__dict__.pop(name, None)
    foreign = cast("Any", super(Config, cast("Config", node)))
    start: Callable[[], None] = foreign.__init__
    assign: Callable[[str, Any], None] = foreign.__setattr__
    start()
    for name, value in values.items():
        assign(name, value)
        node.__dict__[name] = value
    node.__post_init__()
