"""Canonical values for people: one line a parameter, by dotted path, and short texts.

The values are canonical JSON (docs/identifiers.md). Objects are named by their row; whoever has
the rows says what is in them.
"""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Optional,
    Protocol,
    Tuple,
)

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

MAX_DEPTH = 40
"""Dots in a path; deeper than that, a parameter is reached by opening its job."""

MAX_ENTRIES = 500
"""From then on objects are named and not opened: one that is shared has very many paths."""

_SCALARS = frozenset((type(None), bool, int, float, str))

ClassName = Callable[[int], str]
"""The class's name of the object in a row."""


def is_object(value: object) -> "TypeGuard[Dict[str, Any]]":
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> "TypeGuard[List[Any]]":
    """Whether it is a JSON array."""
    return isinstance(value, list)


class Rows(Protocol):
    """The objects of a configuration, by row."""

    def class_name(self, row: int) -> str:
        """The class's name, for people."""
        ...

    def is_output(self, row: int) -> bool:
        """Whether a job made it, or it is a submitted task."""
        ...

    def fields(self, row: int) -> Iterable[Tuple[str, Any]]:
        """Name and canonical value of its parameters and options that are not at their default."""
        ...


def flatten_rows(root: int, rows: Rows) -> Dict[str, Any]:
    """Dotted path -> value of what is not at its default, in and below the object `root`.

    A nested object stands under its own path with its class's name, and its fields below it; so do
    the objects in a list, by their index. Outputs of jobs in a list or another container are only
    counted: ``18 × Evaluate``. The values are JSON scalars; what is none is rendered as text.
    """
    flat: Dict[str, Any] = {}

    def visit(row: int, prefix: str) -> None:
        for name, value in rows.fields(row):
            if type(value) in _SCALARS:
                flat[prefix + name] = value
            else:
                add(value, prefix + name)

    def put(value: object, path: str) -> None:
        if value is None or isinstance(value, (bool, int, float, str)):
            flat[path] = value
        else:
            add(value, path)

    def add(value: object, path: str) -> None:
        opens = len(flat) < MAX_ENTRIES and path.count(".") < MAX_DEPTH
        if is_object(value) and type(value.get("$config")) is int:
            row: int = value["$config"]
            flat[path] = rows.class_name(row)
            if opens:
                visit(row, path + ".")
            return
        held, plain = _held(value)
        if not any(rows.is_output(row) for row in held):
            if held and opens and is_list(value):
                for index, item in enumerate(value):
                    put(item, "{}.{}".format(path, index))
                return
        elif not plain:
            flat[path] = _count(held, rows)
            return
        flat[path] = value_text(value, rows.class_name)

    visit(root, "")
    return flat


def _held(value: object) -> Tuple[List[int], bool]:
    """The rows of the objects in a value, in order, and whether there is anything else in it."""
    rows: List[int] = []
    plain = False
    stack: List[object] = [value]
    while stack:
        item = stack.pop()
        if is_list(item):
            stack.extend(reversed(item))
        elif is_object(item) and type(item.get("$config")) is int:
            rows.append(item["$config"])
        elif is_object(item) and len(item) == 1 and is_list(content := _content(item)):
            stack.extend(reversed(content))
        else:
            plain = True
    return rows, plain


def _content(item: Dict[str, Any]) -> object:
    """The items of a tuple or a set, the values of a dict; None for anything else."""
    pairs: object = item.get("$dict")
    if is_list(pairs):
        return [pair[1] for pair in pairs if is_list(pair) and len(pair) == 2]
    return item.get("$tuple", item.get("$set"))


def _count(held: List[int], rows: Rows) -> str:
    counts: Dict[str, int] = {}
    for row in held:
        name = rows.class_name(row)
        counts[name] = counts.get(name, 0) + 1
    return ", ".join("{} × {}".format(number, name) for name, number in counts.items())


def value_text(value: object, class_name: Optional[ClassName], limit: int = 60) -> str:
    """A canonical value as text of at most `limit` characters.

    An object is told by its class, or by ``#ROW`` where `class_name` is None.
    """
    text = _text(value, class_name, limit)
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def _text(value: object, class_name: Optional[ClassName], limit: int) -> str:
    if value is None:
        return "none"
    if limit <= 0:
        return "…"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "{:g}".format(value) if float("{:g}".format(value)) == value else repr(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() < 2000 else hex(value)
    if isinstance(value, str):
        return value if value.isprintable() else ascii(value)
    if is_list(value):
        return "[" + _join(value, class_name, limit) + "]"
    if is_object(value) and len(value) == 1:
        ((tag, inner),) = value.items()
        return _tagged_text(tag, inner, class_name, limit)
    return ascii(value)


def _tagged_text(tag: str, inner: Any, class_name: Optional[ClassName], limit: int) -> str:
    """The text of one ``$``-tagged object; of a malformed one its Python spelling."""
    try:
        if tag == "$config":
            return "#{}".format(inner) if class_name is None else class_name(inner)
        if tag == "$path":
            root, relative = inner
            return str(relative) if root in ("abs", "project") else "{}/{}".format(root, relative)
        if tag in ("$int", "$float"):
            return str(inner)
        if tag == "$enum":
            return str(inner[-1])
        if tag == "$time":
            return str(inner[1])
        if tag == "$tuple":
            return "(" + _join(inner, class_name, limit) + ")"
        if tag == "$set":
            return "{" + _join(inner, class_name, limit) + "}"
        if tag == "$dict":
            pairs: List[str] = []
            for key, item in inner[:limit]:
                texts = _text(key, class_name, limit - 2), _text(item, class_name, limit - 2)
                pairs.append("{}: {}".format(*texts))
            return "{" + ", ".join(pairs) + "}"
        if tag == "$value":
            return "{}({})".format(str(inner[0]).rpartition(".")[2], ascii(inner[1]))
    except (TypeError, ValueError, IndexError, KeyError):
        pass
    return ascii({tag: inner})


def _join(items: List[Any], class_name: Optional[ClassName], limit: int) -> str:
    """The texts of the items, as many as can be shown; a level of nesting costs two characters."""
    return ", ".join(_text(item, class_name, limit - 2) for item in items[:limit])
