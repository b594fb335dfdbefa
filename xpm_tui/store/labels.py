"""What a job is called among its siblings: by what differs, and only by that."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.params import short_text

MAX_PARTS = 6
"""Parameters in one label; siblings that differ in more are told apart by their digits."""

Values = Mapping[str, Any]


class Named(Protocol):
    """What a label is made from: a line of a manifest, or a job."""

    @property
    def key(self) -> JobKey: ...
    @property
    def tags(self) -> Values: ...
    @property
    def params(self) -> Values: ...


@dataclass(frozen=True)
class Labelling:
    """How the jobs of one task in one run are told apart."""

    tags: tuple[str, ...] = ()
    """The tags in which they differ, in the order in which the plan names them."""
    params: tuple[str, ...] = ()
    """The parameters that are needed besides."""
    digits: bool = True
    """Whether even then two of them look the same."""

    def fits(self, one: Named, other: Named) -> bool:
        """Whether a further sibling differs from another in no tag but those that are told."""
        return one.tags.keys() == other.tags.keys() and all(
            frozen(value) == frozen(other.tags[name])
            for name, value in one.tags.items()
            if name not in self.tags
        )

    def label(self, key: JobKey, tags: Values, params: Values) -> str:
        """``lr=0.01 seed=2``; raw text of the user's, not yet fit for a terminal."""
        parts = [pair(name, tags[name]) for name in self.tags if name in tags]
        parts += [pair(last_part(name), params[name]) for name in self.params if name in params]
        if self.digits or not parts:
            parts.append(key.short)
        return " ".join(parts)


def labelling(siblings: Sequence[Named]) -> Labelling:
    """How to tell these jobs of one task apart.

    By the tags in which they differ; where some still look the same also by the parameters, those
    first that divide the jobs into the fewest groups; else by their digits.
    """
    if len(siblings) == 1:
        only = siblings[0]
        return Labelling(tags=tuple(only.tags), digits=not only.tags)
    tags = differing([reference.tags for reference in siblings])
    if _told_apart(siblings, tags, ()):
        return Labelling(tags, digits=False)
    taken: list[str] = []
    for name in _by_variety([reference.params for reference in siblings])[:MAX_PARTS]:
        if _same_as_tags(siblings, name, tags):
            continue
        taken.append(name)
        if _told_apart(siblings, tags, taken):
            return Labelling(tags, tuple(taken), digits=False)
    return Labelling(tags, tuple(taken), digits=True)


def differing(all_values: Sequence[Values]) -> tuple[str, ...]:
    """The names whose value is not the same in all; one that is absent somewhere differs."""
    if not all_values:
        return ()
    shapes = {tuple(values) for values in all_values}
    names = dict.fromkeys(all_values[0]) | dict.fromkeys(
        name for shape in sorted(shapes) for name in shape
    )
    return tuple(
        name
        for name in names
        if any(name not in shape for shape in shapes) or _varies(name, all_values)
    )


def _varies(name: str, all_values: Sequence[Values]) -> bool:
    """Whether a name that all have has several values; stops at the first other one."""
    first = all_values[0][name]
    flag = isinstance(first, bool)
    return any(
        values[name] is not first
        and (values[name] != first or isinstance(values[name], bool) is not flag)
        for values in all_values
    )


def shared(all_values: Sequence[Values]) -> dict[str, Any]:
    """The names, with their value, that are the same in all."""
    if not all_values:
        return {}
    different = set(differing(all_values))
    return {name: value for name, value in all_values[0].items() if name not in different}


def pair(name: str, value: Any) -> str:
    """``lr=0.01``."""
    return f"{name}={short_text(value)}"


def last_part(name: str) -> str:
    """``trainer.optimizer.lr`` is called ``lr`` where room is short."""
    return name.rpartition(".")[2]


def frozen(value: Any) -> Hashable:
    """A JSON value as something that can be compared and counted; 1 and true stay apart."""
    if isinstance(value, (str, int, float)) or value is None:
        return (type(value) is bool, value)
    return repr(value)


def task_names(tasks: Iterable[str]) -> dict[str, str]:
    """Short names of tasks: their last dotted part, with more parts where two would be the same."""
    names: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for task in tasks:
        groups.setdefault(last_part(task), []).append(task)
    for short, same in groups.items():
        for task in same:
            names[task] = short if len(same) == 1 else _tail(task, same)
    return names


def _tail(task: str, others: Sequence[str]) -> str:
    """The fewest last parts of `task` that no other ends with."""
    parts = task.split(".")
    for count in range(2, len(parts)):
        tail = ".".join(parts[-count:])
        if sum(other == tail or other.endswith("." + tail) for other in others) == 1:
            return tail
    return task


def _by_variety(all_values: Sequence[Values]) -> list[str]:
    names = differing(all_values)
    variety = {name: len({frozen(values.get(name)) for values in all_values}) for name in names}
    return sorted(names, key=lambda name: (variety[name], name))


def _same_as_tags(siblings: Sequence[Named], name: str, tags: Sequence[str]) -> bool:
    """Whether a parameter says what a tag of the same name says already."""
    tag = last_part(name)
    return tag in tags and all(
        frozen(reference.params.get(name)) == frozen(reference.tags.get(tag))
        for reference in siblings
    )


def _told_apart(siblings: Sequence[Named], tags: Sequence[str], params: Sequence[str]) -> bool:
    columns = [_column(name, [each.tags for each in siblings]) for name in tags]
    columns += [_column(name, [each.params for each in siblings]) for name in params]
    return len(set(zip(*columns, strict=True)) if columns else {()}) == len(siblings)


def _column(name: str, all_values: Sequence[Values]) -> Sequence[Hashable]:
    """What each has of this name, to be compared."""
    column = [values.get(name) for values in all_values]
    return column if _PLAIN.issuperset(map(type, column)) else list(map(frozen, column))


_PLAIN = frozenset((str, int, float, type(None)))
"""Types of which equal values are the same: 1 and true are not."""
