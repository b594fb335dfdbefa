"""Walking what a configuration is made of, without recursion: a graph may be deep."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NoReturn

from xpm_engine.config.containers import is_dict, is_sequence, is_set
from xpm_engine.config.node import BEFORE, Node, schema_of, state_of
from xpm_engine.config.scalars import IMMUTABLE
from xpm_engine.errors import CycleError


def children(node: Node) -> list[Node]:
    """The configurations that this one is made of: in its parameters, then its light tasks."""
    found = parameter_nodes(node)
    found.extend(state_of(node).before)
    return found


def parameter_nodes(node: Node) -> list[Node]:
    """The configurations that the parameters of this one hold, through containers, in order."""
    found: list[Node] = []
    values = node.__dict__
    for name in schema_of(node).settable:
        value: object = values.get(name)
        if isinstance(value, Node):
            found.append(value)
        elif type(value) not in IMMUTABLE:
            found.extend(item for item in leaves(value) if isinstance(item, Node))
    return found


def leaves(value: object) -> list[object]:
    """What is in a value and no container, in order."""
    found: list[object] = []
    stack: list[object] = [value]
    while stack:
        item = stack.pop()
        if type(item) in IMMUTABLE:
            found.append(item)
        elif is_sequence(item):
            stack.extend(reversed(item))
        elif is_dict(item):
            stack.extend(reversed(item.values()))
        elif is_set(item):
            stack.extend(item)
        else:
            found.append(item)
    return found


def postorder(root: Node) -> list[Node]:
    """Every configuration reachable from `root`, once, parts before what holds them.

    Raises CycleError, with the path, where one holds itself.
    """
    order: list[Node] = []
    done: set[int] = set()
    open_: set[int] = {id(root)}
    stack: list[tuple[Node, Iterator[Node]]] = [(root, iter(children(root)))]
    while stack:
        node, rest = stack[-1]
        for child in rest:
            if id(child) in open_:
                _raise_cycle([each for each, _ in stack], child)
            if id(child) not in done:
                open_.add(id(child))
                stack.append((child, iter(children(child))))
                break
        else:
            stack.pop()
            open_.discard(id(node))
            done.add(id(node))
            order.append(node)
    return order


def _raise_cycle(chain: list[Node], closing: Node) -> NoReturn:
    """Name the cycle that `closing`, held by the last of the chain, closes."""
    start = next(index for index, each in enumerate(chain) if each is closing)
    members = [*chain[start:], closing]
    path = type(closing).__name__
    for holder, held in pairwise(members):
        path += f".{place_of(holder, held)}"
        if held is not closing:
            path += f" ({type(held).__name__})"
    raise CycleError(
        f"{type(closing).__name__} holds itself: {path}",
        where=state_of(closing).where,
        hint="make a copy() where the circle closes",
    )


def place_of(holder: Node, held: Node) -> str:
    """Where one configuration holds another: ``layers[2]``; empty where it does not."""
    places: list[tuple[str, object]] = [
        (name, holder.__dict__.get(name)) for name in schema_of(holder).settable
    ]
    for start in (*places, (BEFORE, state_of(holder).before)):
        stack = [start]
        while stack:
            place, item = stack.pop()
            if item is held:
                return place
            if is_dict(item):
                stack.extend((f"{place}[{key!r:.40}]", each) for key, each in item.items())
            elif is_sequence(item):
                stack.extend((f"{place}[{index}]", each) for index, each in enumerate(item))
            elif is_set(item):
                stack.extend((f"{place}{{…}}", each) for each in item)
    return ""
