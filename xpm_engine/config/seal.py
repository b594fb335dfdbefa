"""Sealing: nothing missing, everything valid, and no change from then on."""

from __future__ import annotations

from collections.abc import Sequence

from xpm_engine.config.filling import missing, put, validate
from xpm_engine.config.frozen import freeze
from xpm_engine.config.graph import postorder
from xpm_engine.config.identifier import (
    Hasher,
    IncompleteError,
    ResolvedHasher,
    digest_of,
    too_deep,
)
from xpm_engine.config.node import Node, Phase, schema_of, state_of
from xpm_engine.config.problems import Problem, parameter_error
from xpm_engine.config.scalars import IMMUTABLE


def seal(root: Node, nodes: Sequence[Node]) -> None:
    """Check and freeze an object and all that it is made of: `nodes`, parts first.

    Raises ParameterError, for what ``__validate__`` says too; then nothing is sealed.
    """
    fresh = [node for node in nodes if state_of(node).phase is Phase.OPEN]
    check_complete(root, fresh)
    containers = [_check_containers(node) for node in fresh]
    for node in fresh:
        validate(node)
    digests = _digests(nodes)
    for node, names in zip(fresh, containers, strict=True):
        for name in names:
            node.__dict__[name] = freeze(node.__dict__[name])
        state = state_of(node)
        state.digest, state.resolved = digests[id(node)]
        state.phase = Phase.SEALED


def check_complete(root: Node, nodes: Sequence[Node]) -> None:
    """Raise ParameterError that names every missing parameter, at any depth."""
    problems: list[Problem] = []
    for node in nodes:
        for name in missing(node):
            made = "" if node is root else f" (made at {state_of(node).where})"
            problems.append(Problem(f"{type(node).__name__}.{name}", f"missing{made}"))
    if problems:
        raise parameter_error(type(root).__name__, problems, where=state_of(root).where)


def digest_or_explain(root: Node) -> bytes:
    """The digest, 16 bytes; raises ParameterError that names every missing parameter."""
    try:
        return digest_of(root)
    except IncompleteError:
        check_complete(root, postorder(root))
        raise


def _check_containers(node: Node) -> list[str]:
    """The names of an object's containers, checked again, since they could be changed."""
    names: list[str] = []
    problems: list[Problem] = []
    for name, parameter in schema_of(node).settable.items():
        value = node.__dict__.get(name)
        if type(value) in IMMUTABLE or isinstance(value, Node):
            continue
        problem = put(node, parameter, value)
        if problem is None:
            names.append(name)
        else:
            problems.append(problem)
    if problems:
        raise parameter_error(type(node).__name__, problems, where=state_of(node).where)
    return names


def _digests(nodes: Sequence[Node]) -> dict[int, tuple[bytes, bytes]]:
    """Identifier and resolved digest of each; parts come before what holds them."""
    hasher, resolved = Hasher(), ResolvedHasher()
    found: dict[int, tuple[bytes, bytes]] = {}
    for node in nodes:
        try:
            found[id(node)] = (hasher.node(node), resolved.node(node))
        except RecursionError:
            raise too_deep(node) from None
    return found
