"""The identifier: MD5 over a canonical encoding, as a hash tree (docs/identifiers.md).

The only module that hashes. MD5 names things here, and protects nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from xpm_engine.config.containers import is_dict, is_sequence, is_set
from xpm_engine.config.encoding import SCALARS, encode_enum, text
from xpm_engine.config.fields import MISSING
from xpm_engine.config.graph import postorder
from xpm_engine.config.node import BEFORE, STATE, Node, State, schema_of
from xpm_engine.config.parameter import Parameter
from xpm_engine.config.paths import JOB, locate
from xpm_engine.config.provenance import known_producer
from xpm_engine.config.registry import registered
from xpm_engine.config.scalars import CONCRETE_PATH
from xpm_engine.config.schema import Schema
from xpm_engine.errors import ConfigError
from xpm_engine.workspace.layout import JobKey

if TYPE_CHECKING:
    from hashlib import md5
else:
    try:
        from _md5 import md5  # half the cost of hashlib's for a few bytes, and there under FIPS
    except ImportError:
        from hashlib import md5

MAGIC = b"xpm\x01"
"""The version of the encoding, at the head of every object's bytes."""

_OPEN = b""
"""Stands in the memo for an object whose digest is being made: meeting it again is a cycle."""


_BEFORE = text(BEFORE)


class IncompleteError(Exception):
    """A required parameter has no value; the caller names all of them."""


class _Cycle(Exception):  # noqa: N818 (never leaves this module)
    """An object was met inside itself; the caller names the path."""


class Hasher:
    """Makes the digests of values and objects; each object costs once in a hasher."""

    __slots__ = ("memo",)

    scalars: dict[type, Callable[[Any], bytes]] = SCALARS

    def __init__(self) -> None:
        self.memo: dict[int, bytes] = {}

    def node(self, node: Node) -> bytes:
        """The digest of an object, 16 bytes."""
        values = node.__dict__
        state: State = values[STATE]
        if state.digest is not None:
            return state.digest
        memo = self.memo
        key = id(node)
        if key in memo:
            return _finished(memo[key])
        schema = type(node)._xpm_schema  # pyright: ignore[reportPrivateUsage]
        rows = schema.rows
        if rows is None:
            rows = _make_rows(schema)
        encoded = head(schema.type_name, state.distinct) if state.distinct else schema.head
        for name, field, left_out, unset in rows:
            if name in values:
                value: object = values[name]
                encode = SCALARS.get(type(value))
                if encode is None:
                    memo[key] = _OPEN
                    data = self.value(value)
                else:
                    data = encode(value)
                if data != left_out:
                    encoded += field + md5(data).digest()
            elif unset is None:
                raise IncompleteError
            else:
                encoded += unset
        if state.before:
            memo[key] = _OPEN
            encoded += before_part([self.node(each) for each in state.before])
        digest = md5(encoded).digest()
        if state.producer is not None:
            digest = reference(state.producer.digest, digest)
        memo[key] = digest
        return digest

    def value(self, value: object) -> bytes:
        """The encoding of a value: a byte that tells the type, then the content."""
        encode = self.scalars.get(type(value))
        if encode is not None:
            return encode(value)
        if isinstance(value, Node):
            return b"c" + self.node(value)
        if is_sequence(value):
            return b"l" + b"".join([self.digest(item) for item in value])
        if is_set(value):
            return b"S" + b"".join(sorted({self.digest(item) for item in value}))
        if is_dict(value):
            return b"m" + b"".join(
                sorted(self.digest(key) + self.digest(item) for key, item in value.items())
            )
        if isinstance(value, Enum):
            return encode_enum(value)
        entry = registered(type(value))
        if entry is None:
            raise ConfigError(f"{type(value).__name__} has no encoding; see register_type()")
        return b"r" + text(entry.name) + self.digest(entry.to_json(value))

    def digest(self, value: object) -> bytes:
        """The digest of a value, 16 bytes."""
        return md5(self.value(value)).digest()


class ResolvedHasher(Hasher):
    """Resolved digests (docs/identifiers.md): no default left out, jobs by their own."""

    __slots__ = ()

    scalars = SCALARS

    def node(self, node: Node) -> bytes:
        state: State = node.__dict__[STATE]
        if state.resolved is not None:
            return state.resolved
        key = id(node)
        if key in self.memo:
            return _finished(self.memo[key])
        self.memo[key] = _OPEN
        schema = schema_of(node)
        encoded = head(schema.type_name, state.distinct)
        for parameter in schema.hashed:
            if parameter.name in node.__dict__:
                encoded += parameter.key + self.digest(node.__dict__[parameter.name])
            else:
                encoded += _unset_part(parameter)
        if state.before:
            encoded += before_part([self.node(each) for each in state.before])
        digest = md5(encoded).digest()
        if state.producer is not None:
            digest = reference(state.producer.resolved, digest)
        self.memo[key] = digest
        return digest


class PartialHasher(Hasher):
    """Partial identifiers: some parameters, by dotted name, left out whatever their value."""

    __slots__ = ("without",)

    def __init__(self, without: Collection[str]) -> None:
        super().__init__()
        self.without = without

    def node(self, node: Node) -> bytes:
        state: State = node.__dict__[STATE]
        schema = schema_of(node)
        encoded = head(schema.type_name, state.distinct)
        for name, field, left_out, unset in schema.rows or _make_rows(schema):
            if name in self.without:
                continue
            below = {each.partition(".")[2] for each in self.without if each.startswith(name + ".")}
            hasher = PartialHasher(below) if below else Hasher()
            if name not in node.__dict__:
                encoded += unset or b""
                continue
            data = hasher.value(node.__dict__[name])
            if data != left_out:
                encoded += field + md5(data).digest()
        if state.before:
            encoded += before_part([Hasher().node(each) for each in state.before])
        return md5(encoded).digest()


def _resolved_path(value: Any) -> bytes:
    """As in the identifier; a job's folder also by the job's resolved digest, where known."""
    root, relative = locate(value)
    encoded = b"p" + text(root) + text(relative)
    if root.startswith(JOB):
        producer = known_producer(JobKey.parse(root[len(JOB) :]))
        if producer is not None:
            encoded += producer.resolved
    return encoded


ResolvedHasher.scalars = {**SCALARS, CONCRETE_PATH: _resolved_path}


def fingerprint(data: bytes) -> bytes:
    """The digest of an encoding, 16 bytes."""
    return md5(data).digest()


def head(type_name: str, distinct: str) -> bytes:
    """How an object's bytes begin: version, type name, the name that `distinct` gave."""
    return MAGIC + text(type_name) + text(distinct)


def before_part(lights: Iterable[bytes]) -> bytes:
    """What the digests of its light tasks add to a task's bytes: a parameter with their list."""
    items = b"".join([md5(b"c" + each).digest() for each in lights])
    return _BEFORE + md5(b"l" + items).digest()


def reference(producer: bytes, own: bytes) -> bytes:
    """The digest of a task's output: the task's digest and its own."""
    return md5(b"o" + producer + own).digest()


@cache
def _unset_part(parameter: Parameter) -> bytes:
    """A parameter that was not set, in the resolved digest; raises IncompleteError."""
    if not parameter.has_default:
        raise IncompleteError
    return parameter.key + ResolvedHasher().digest(parameter.shared_default())


def _finished(digest: bytes) -> bytes:
    if digest is _OPEN:
        raise _Cycle
    return digest


def _make_rows(schema: Schema) -> tuple[tuple[str, bytes, bytes | None, bytes | None], ...]:
    """What `Hasher.node` needs of each parameter: name, its bytes, what is left out, if unset."""
    rows: list[tuple[str, bytes, bytes | None, bytes | None]] = []
    for parameter in schema.hashed:
        left_out = _left_out(parameter)
        unset: bytes | None = None
        if parameter.has_default:
            data = Hasher().value(parameter.shared_default())
            unset = b"" if data == left_out else parameter.key + md5(data).digest()
        rows.append((parameter.name, parameter.key, left_out, unset))
    schema.head = head(schema.type_name, "")
    schema.rows = tuple(rows)
    return schema.rows


def _left_out(parameter: Parameter) -> bytes | None:
    """The encoding of the value that is left out of the identifier; None if always in."""
    if parameter.always:
        return None
    explicit = parameter.declaration.identifier_default
    if explicit is not MISSING:
        return Hasher().value(parameter.check(explicit))
    return Hasher().value(parameter.shared_default()) if parameter.has_default else None


def digest_of(node: Node) -> bytes:
    """The identifier of an object, 16 bytes; raises what `hash_deeply` raises."""
    try:
        return Hasher().node(node)
    except (RecursionError, _Cycle):
        return hash_deeply(Hasher(), node)


def hash_deeply(hasher: Hasher, node: Node) -> bytes:
    """The digest of an object that is nested too deeply to recurse, parts first.

    Raises CycleError for one that holds itself, ConfigError for containers nested too deeply.
    """
    digest = b""
    for part in postorder(node):
        try:
            digest = hasher.node(part)
        except RecursionError:
            raise too_deep(part) from None
    return digest


def too_deep(node: Node) -> ConfigError:
    """The error for lists in lists in lists…"""
    state: State = node.__dict__[STATE]
    return ConfigError(
        f"{type(node).__name__} holds containers that are nested too deeply",
        where=state.where,
        hint="put configurations between the levels",
    )


def partial_digest(node: Node, without: Collection[str]) -> bytes:
    """The digest with these parameters, by dotted name, left out."""
    return PartialHasher(without).node(node)
