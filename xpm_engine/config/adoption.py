"""What a task was called before: the jobs whose results it may adopt."""

from __future__ import annotations

from itertools import product
from typing import Any

from xpm_engine.config.encoding import text
from xpm_engine.config.fields import MISSING
from xpm_engine.config.former import NoFormer, former_names
from xpm_engine.config.graph import leaves, postorder
from xpm_engine.config.identifier import Hasher, before_part, fingerprint, head, reference
from xpm_engine.config.node import Node, schema_of, state_of
from xpm_engine.config.parameter import Parameter
from xpm_engine.workspace.layout import JobKey, task_folder

MAX_FORMER = 64
"""The most former identifiers of one object: what is renamed often is looked up the latest way."""


def former_identifiers(task: Node) -> tuple[JobKey, ...]:
    """The jobs of the same task under former names of classes and parameters, today's excluded.

    Every combination of today's and former names is told, the fewest changes first, up to 64.
    """
    if not former_names():
        return ()
    nodes = postorder(task)
    if not any(schema_of(node).has_former for node in nodes):
        return ()
    variants: dict[int, tuple[bytes, ...]] = {}
    keys: list[JobKey] = []
    for node in nodes:
        found = _variants(node, variants)
        variants[id(node)] = tuple(dict.fromkeys(digest for _, digest in found))[:MAX_FORMER]
        if node is task:
            keys = [JobKey(task_folder(name), digest.hex()) for name, digest in found]
    return tuple(dict.fromkeys(keys[1:]))


def _variants(node: Node, parts: dict[int, tuple[bytes, ...]]) -> list[tuple[str, bytes]]:
    """Type name and digest of an object in all its spellings, today's first."""
    schema = schema_of(node)
    choices = [_spellings(node, parameter, parts) for parameter in schema.hashed]
    names = (schema.type_name, *schema.formerly)
    state = state_of(node)
    lights = list(product(*(parts[id(each)] for each in state.before)))
    found: list[tuple[str, bytes]] = []
    for name in names:
        for before, *fields in product(lights, *choices):
            encoded = head(name, state.distinct)
            encoded += b"".join(field for _, field in sorted(fields, key=lambda each: each[0]))
            encoded += before_part(before) if before else b""
            digest = fingerprint(encoded)
            if state.producer is not None:
                digest = reference(state.producer.digest, digest)
            found.append((name, digest))
            if len(found) == MAX_FORMER:
                return found
    return found


def _spellings(
    node: Node, parameter: Parameter, parts: dict[int, tuple[bytes, ...]]
) -> list[tuple[bytes, bytes]]:
    """Name and bytes of one parameter in all its spellings; empty bytes where left out."""
    value = node.__dict__.get(parameter.name, MISSING)
    if value is MISSING:
        value = parameter.shared_default()
    left_out = parameter.declaration.identifier_default
    if left_out is MISSING and not parameter.always:
        left_out = parameter.shared_default() if parameter.has_default else MISSING
    found = [_field(parameter.name, data, left_out) for data in _encodings(value, parts)]
    former = parameter.declaration.deprecated
    if former is not None:
        convert = former.to_former or _same
        try:
            old = convert(value)
            old_left_out = left_out if left_out is MISSING else convert(left_out)
        except NoFormer:
            return found
        found += [_field(former.name, data, old_left_out) for data in _encodings(old, parts)]
    return list(dict.fromkeys(found))


def _field(name: str, data: bytes, left_out: Any) -> tuple[bytes, bytes]:
    if left_out is not MISSING and Hasher().value(left_out) == data:
        return name.encode(), b""
    return name.encode("utf-8", "surrogatepass"), text(name) + fingerprint(data)


def _encodings(value: Any, parts: dict[int, tuple[bytes, ...]]) -> list[bytes]:
    """The encodings of a value, in all spellings of the configurations in it."""
    held = list({id(node): node for node in leaves(value) if isinstance(node, Node)}.values())
    spellings = [parts.get(id(node), ()) or (Hasher().node(node),) for node in held]
    found: list[bytes] = []
    for choice in product(*spellings):
        hasher = _Chosen({id(node): digest for node, digest in zip(held, choice, strict=True)})
        found.append(hasher.value(value))
        if len(found) == MAX_FORMER:
            break
    return found


class _Chosen(Hasher):
    """Takes the digests of objects as they are given, also of sealed ones."""

    __slots__ = ()

    def __init__(self, chosen: dict[int, bytes]) -> None:
        super().__init__()
        self.memo.update(chosen)

    def node(self, node: Node) -> bytes:
        known = self.memo.get(id(node))
        return super().node(node) if known is None else known


def _same(value: Any) -> Any:
    return value
