"""The parameters of a job: nested, documented, what stands at its default dimmed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.layout import JobPaths
from xpm_engine.workspace.records.params import (
    FieldKind,
    FieldRecord,
    ObjectRecord,
    ParamsRecord,
    references,
    short_text,
)
from xpm_engine.workspace.scan import read_params
from xpm_tui import look
from xpm_tui.widgets.lines import READING, Line, Lines
from xpm_tui.widgets.reading import ReadingWidget

STEP = 2
"""Cells that a nested object stands further right."""

NAME_WIDTH = 24
VALUE_WIDTH = 22
MAX_DEPTH = 12
MAX_VALUE = 2_000
"""Characters of one value; the file holds the rest."""

_WORDS = {
    FieldKind.PARAM: "",
    FieldKind.OPTION: "option",
    FieldKind.CONSTANT: "constant",
    FieldKind.PATH: "in the job's folder",
}


@dataclass(frozen=True)
class ParametersOf:
    """Whose parameters: a job's, as its attempt N was ordered."""

    job: JobPaths
    attempt: int
    drift: tuple[str, ...] = ()
    """What changed since the result was made, as its run has seen."""


class Parameters(ReadingWidget[ParametersOf, tuple[Line, ...]]):
    """The job's parameters, from its folder; the user's classes are not needed."""

    def compose(self) -> ComposeResult:
        yield Lines()

    def read(self, about: ParametersOf) -> tuple[Line, ...]:
        try:
            record = read_params(about.job, about.attempt)
        except UnreadableError as error:
            return tuple(Line(Text(look.plain(part))) for part in str(error).splitlines())
        if record is None:
            return (
                Line(Text("not written yet: parameters come with the first attempt", "xpm.faint")),
            )
        return parameter_lines(record, about.drift)

    def draw(self, about: ParametersOf, facts: tuple[Line, ...] | None) -> None:
        if facts is None:
            self.query_one(Lines).show(READING, from_top=True)
        else:
            self.query_one(Lines).show(facts)


def parameter_lines(record: ParamsRecord, drift: Sequence[str] = ()) -> tuple[Line, ...]:
    """What drifted; then the parameters of the task and of all that it is made of."""
    head = [
        Line(Text(f"{look.DRIFTED} drifted    {look.plain(change)}", "xpm.warning"), indent=13)
        for change in drift
    ]
    if head:
        head += [
            Line(Text("the values below are those it was made with", "xpm.faint")),
            Line(Text()),
        ]
    return (*head, *_object_lines(record, record.root, depth=0, seen=set(), drift=drift))


def _object_lines(
    record: ParamsRecord, row: int, *, depth: int, seen: set[int], drift: Sequence[str]
) -> Iterator[Line]:
    thing = record.objects[row]
    if depth == 0:
        yield Line(Text(look.plain(f"{thing.module}.{thing.qualname}"), "bold"))
        if thing.doc:
            yield Line(Text(look.plain(thing.doc)))
        yield Line(Text())
    seen.add(row)
    for part in thing.fields:
        yield _field_line(record, thing, part, depth, drift)
        if depth >= MAX_DEPTH:
            continue
        for index in references(part.value):
            if index in seen:
                yield _aside(
                    f"{record.objects[index].class_name} is the one shown above", depth + 1
                )
            else:
                if part.value != {"$config": index}:
                    yield _aside(_headline(record.objects[index]), depth + 1)
                yield from _object_lines(record, index, depth=depth + 1, seen=seen, drift=drift)


def _field_line(
    record: ParamsRecord, thing: ObjectRecord, part: FieldRecord, depth: int, drift: Sequence[str]
) -> Line:
    name = look.cut(Text(" " * STEP * depth + look.plain(part.name)), NAME_WIDTH)
    value = Text(look.plain(_value(record, part)))
    tag = part.name in thing.tags
    if part.is_default or part.kind is FieldKind.PATH:
        name.stylize("xpm.faint")
        value.stylize("xpm.faint")
    else:
        value.stylize("bold")
    if value.cell_len < VALUE_WIDTH:
        value = look.cut(value, VALUE_WIDTH)
    line = name + Text(" ") + value + Text(" ")
    changed = next((each for each in drift if _is_about(each, thing, part)), "")
    if changed:
        now = look.plain(changed.rpartition(" → ")[2])
        line.append(f"{look.DRIFTED} now {now}  ", "xpm.warning")
    line.append_text(_notes(part, tag=tag))
    return Line(line, indent=NAME_WIDTH + 1)


def _is_about(change: str, thing: ObjectRecord, part: FieldRecord) -> bool:
    """Whether a sentence such as ``default of Learner.max_iter 4 → 5`` is about this parameter."""
    return change.startswith(f"default of {thing.class_name}.{part.name} ")


def _value(record: ParamsRecord, part: FieldRecord) -> str:
    """The value in one line; a nested object by its name, because its fields follow below."""
    whole = next(references(part.value), None)
    if whole is not None and part.value == {"$config": whole}:
        return _headline(record.objects[whole])
    text = short_text(part.value, record, limit=MAX_VALUE)
    # A generated path lies in a folder that is named elsewhere on the screen, at full length.
    return text.split("/", 2)[-1] if part.kind is FieldKind.PATH else text


def _headline(thing: ObjectRecord) -> str:
    """The name of a nested object, and the job that made it."""
    made = "" if thing.producer is None else f" by job {thing.producer.short}"
    return look.plain(thing.class_name) + made


def _notes(part: FieldRecord, *, tag: bool) -> Text:
    notes = [word for word in ("tag" if tag else "", _WORDS[part.kind]) if word]
    if part.has_default and not part.is_default:
        notes.append("default " + short_text(part.default))
    text = Text(look.plain(" · ".join(notes)), "bold" if tag else "")
    if part.help:
        text.append(("  " if notes else "") + look.plain(part.help), "xpm.faint")
    return text


def _aside(words: str, depth: int) -> Line:
    return Line(Text(" " * STEP * depth + look.plain(words), "xpm.faint"), indent=STEP * depth)
