"""The differences of two configurations, found by their hash trees; pure.

The digests of a record tell where two configurations can differ at all, so only those places are
looked at. Three questions are asked in this way:

- `differences`: why are the identifiers different?
- `differences` with `everything`: what else differs, that no identifier shows?
- `drift`: the identifiers are the same; was it made with the same parameters?

Nothing is recursive, since configurations may be nested a thousand levels deep.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from xpm_engine.workspace.canonical import exact_text, jobs_of, members_of, place_of, refers, row_of
from xpm_engine.workspace.differences import Difference, DifferenceKind, job_text
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.params import (
    FieldKind,
    FieldRecord,
    ObjectRecord,
    ParamsRecord,
    references,
    short_text,
)

CHANGED, DEFAULT = DifferenceKind.CHANGED, DifferenceKind.DEFAULT

_HASHED = (FieldKind.PARAM, FieldKind.CONSTANT)
_LONG = 400
"""Characters of two values that are looked at to show where long ones differ."""


def differences(
    old: ParamsRecord, new: ParamsRecord, *, everything: bool = False
) -> tuple[Difference, ...]:
    """What makes the identifiers of two configurations different; shallow differences first.

    With `everything`, what is in no identifier too: options, and defaults that are left out. An
    upstream job is one difference, whatever changed in it; `part_of` gives its own record.
    """
    return _Walk(old, new, _Question.EVERYTHING if everything else _Question.IDENTIFIER).run()


def drift(old: ParamsRecord, new: ParamsRecord) -> tuple[Difference, ...]:
    """What changed between a saved job and one of the same identifier.

    A parameter that the saved job lacks is no drift: it is adopted. An upstream job that was made
    with other defaults is one difference, and its `cause` says what changed at the root of it.
    """
    return tuple(
        replace(each, cause=_root_cause(old, new, each.drifted_job)) if each.drifted_job else each
        for each in _Walk(old, new, _Question.DRIFT).run()
    )


def part_of(record: ParamsRecord, job: JobKey) -> ParamsRecord | None:
    """The record of an upstream task inside this one; None where only its output is in it."""
    for row, each in enumerate(record.objects):
        if each.is_task and each.producer == job:
            return replace(record, root=row)
    return None


def _root_cause(old: ParamsRecord, new: ParamsRecord, job: JobKey | None) -> str:
    """What changed first, upstream of all the rest, as far as these two records tell."""
    seen: set[JobKey] = set()
    while job is not None and job not in seen:
        seen.add(job)
        before, after = part_of(old, job), part_of(new, job)
        if before is None or after is None:
            break
        found = _Walk(before, after, _Question.DRIFT).run()
        own = next((each for each in found if each.drifted_job is None), None)
        if own is not None:
            return own.text()
        job = next((each.drifted_job for each in found), None)
    return ""


class _Question(Enum):
    IDENTIFIER = "identifier"
    EVERYTHING = "everything"
    DRIFT = "drift"


@dataclass(frozen=True)
class _Pair:
    """Two canonical values that are to be compared."""

    path: str
    old: Any
    new: Any
    kind: DifferenceKind = CHANGED
    """What a change in it is."""
    subject: str = ""


class _Walk:
    """One comparison; each pair of objects is looked at once, by the shortest path to it."""

    def __init__(self, old: ParamsRecord, new: ParamsRecord, question: _Question) -> None:
        self.old = old
        self.new = new
        self.question = question
        self.comparable = old.encoding == new.encoding
        """Whether equal digests mean equal values."""
        self.found: dict[tuple[str, DifferenceKind, JobKey | None], Difference] = {}
        self.open: deque[_Pair] = deque()
        self.seen: set[tuple[int, int]] = set()

    def run(self) -> tuple[Difference, ...]:
        self.open.append(_Pair("", {"$config": self.old.root}, {"$config": self.new.root}))
        while self.open:
            self._value(self.open.popleft())
        return tuple(self.found.values())

    def _value(self, pair: _Pair) -> None:
        before, after = row_of(pair.old), row_of(pair.new)
        if before is not None and after is not None:
            if (before, after) not in self.seen:
                self.seen.add((before, after))
                self._objects(pair, self.old.objects[before], self.new.objects[after])
        elif (refers(pair.old) or refers(pair.new)) and self._members(pair):
            pass
        elif not self._same(pair.old, pair.new):
            places = place_of(pair.old), place_of(pair.new)
            if places[0] and places[1] and places[0][1] == places[1][1]:
                self._upstream(pair.path, places[0][0], places[1][0])
            else:
                self._add(pair, pair.kind, *self._texts(pair.old, pair.new))

    def _members(self, pair: _Pair) -> bool:
        """Have the members of two containers compared; false where their shapes differ."""
        old, new = members_of(pair.old), members_of(pair.new)
        if old is None or new is None or old.keys() != new.keys():
            return False
        for name in old:
            self.open.append(replace(_below(pair, name), old=old[name], new=new[name]))
        return True

    def _objects(self, pair: _Pair, old: ObjectRecord, new: ObjectRecord) -> None:
        if self._settled(old, new):
            return
        before = len(self.found), len(self.open)
        if pair.path:
            if old.producer != new.producer:
                self._other_producer(pair, old, new)
                return
            if self.question is _Question.DRIFT and old.producer and _made_otherwise(old, new):
                self._upstream(pair.path, old.producer, old.producer)
            if old.is_task and new.is_task:
                return
        if old.type_name != new.type_name and not self._other_type(pair, old, new):
            return
        if old.distinct != new.distinct:
            names = (f"distinct {each.distinct!r}" if each.distinct else "" for each in (old, new))
            self._add(pair, pair.kind, *(name or "not distinct" for name in names))
        adopted = self._fields(pair, old, new)
        explained = adopted and self.question is _Question.DRIFT
        if before == (len(self.found), len(self.open)) and not explained:
            self._unexplained(pair, old, new)

    def _settled(self, old: ObjectRecord, new: ObjectRecord) -> bool:
        """Whether the digests alone say that nothing asked for differs."""
        if not self.comparable or self.question is _Question.EVERYTHING:
            return False
        same = old.digest == new.digest
        return same and (self.question is _Question.IDENTIFIER or old.resolved == new.resolved)

    def _other_producer(self, pair: _Pair, old: ObjectRecord, new: ObjectRecord) -> None:
        if old.producer is not None and new.producer is not None:
            self._upstream(pair.path, old.producer, new.producer)
        else:
            self._add(pair, pair.kind, _made_text(old), _made_text(new))

    def _other_type(self, pair: _Pair, old: ObjectRecord, new: ObjectRecord) -> bool:
        """Add the change of class; whether the fields are worth comparing too."""
        mine, yours = _hashed_digests(old), _hashed_digests(new)
        renamed = mine == yours and bool(mine or old.class_name == new.class_name)
        names = old.class_name, new.class_name
        if names[0] == names[1]:
            names = old.type_name, new.type_name
        kind = DifferenceKind.RENAMED if renamed else DifferenceKind.TYPE
        self._add(pair, kind if pair.kind is CHANGED else pair.kind, *names)
        return not renamed and mine.keys() == yours.keys()

    def _fields(self, pair: _Pair, old: ObjectRecord, new: ObjectRecord) -> bool:
        """Compare all fields; whether `new` has one that `old` lacks and that is adopted."""
        befores = {each.name: each for each in old.fields}
        afters = {each.name: each for each in new.fields}
        adopted = False
        for name in dict.fromkeys((*befores, *afters)):
            before, after = befores.get(name), afters.get(name)
            place = _below(pair, name)
            if before is not None and after is not None and _comparable(before, after):
                self._field(place, before, after, new)
            else:
                self._gone(place, before, after)
                adopted |= self._come(place, before, after)
        return adopted

    def _field(
        self, place: _Pair, before: FieldRecord, after: FieldRecord, holder: ObjectRecord
    ) -> None:
        place = replace(place, old=before.value, new=after.value)
        option = after.kind is FieldKind.OPTION
        everything = self.question is _Question.EVERYTHING
        if option and not everything:
            return
        left_out = not (option or before.in_identifier or after.in_identifier)
        if self.comparable and before.digest == after.digest:
            if self._may_differ_inside(before.value, after.value):
                self.open.append(place)
            if before.in_identifier != after.in_identifier and self.question is not _Question.DRIFT:
                subject = f"{holder.class_name}.{after.name}"
                texts = _default_text(before, self.old), _default_text(after, self.new)
                self._add(replace(place, subject=subject), DEFAULT, *texts)
        elif option:
            self._look(replace(place, kind=DifferenceKind.OPTION))
        elif self.question is _Question.DRIFT or (left_out and everything):
            subject = place.subject or f"{holder.class_name}.{after.name}"
            self._look(replace(place, kind=DEFAULT, subject=subject))
        elif not left_out:
            self._look(place)

    def _look(self, place: _Pair) -> None:
        """Compare two values: at once, unless they lead to objects, whose turn comes later."""
        if refers(place.old) or refers(place.new):
            self.open.append(place)
        else:
            self._value(place)

    def _gone(self, place: _Pair, before: FieldRecord | None, after: FieldRecord | None) -> None:
        if before is None or before.kind not in _HASHED:
            return
        option = after is not None and after.digest == before.digest
        if option and self.question is _Question.DRIFT:
            return
        if before.in_identifier or self.question is not _Question.IDENTIFIER:
            text = short_text(before.value, self.old)
            self._add(place, DifferenceKind.REMOVED, text, "")

    def _come(self, place: _Pair, before: FieldRecord | None, after: FieldRecord | None) -> bool:
        """Add a new parameter; whether it is one that is adopted instead."""
        if after is None or after.kind not in _HASHED:
            return before is not None and before.kind in _HASHED
        if after.in_identifier or self.question is _Question.EVERYTHING:
            self._add(place, DifferenceKind.ADDED, "", short_text(after.value, self.new))
            return False
        return True

    def _unexplained(self, pair: _Pair, old: ObjectRecord, new: ObjectRecord) -> None:
        """The digests differ and no field does: a job's folder, or what is left out."""
        if not self.comparable or self.question is _Question.EVERYTHING:
            return
        if self.question is _Question.DRIFT:
            hashed = [each.value for each in new.fields if each.kind in _HASHED]
            jobs = {job for value in hashed for job in jobs_of(value)}
            for job in sorted(jobs):
                self._upstream(pair.path, job, job)
            if jobs or (old.producer_resolved != new.producer_resolved and pair.path):
                return
        self._add(replace(pair, subject=new.class_name), DEFAULT, "", "")

    def _may_differ_inside(self, old: Any, new: Any) -> bool:
        """Whether values of the same digest hold configurations in which something may differ."""
        if self.question is _Question.IDENTIFIER:
            return False
        rows = list(references(old)), list(references(new))
        if self.question is _Question.EVERYTHING:
            return bool(rows[0])
        before = {self.old.objects[row].resolved for row in rows[0]}
        return before != {self.new.objects[row].resolved for row in rows[1]}

    def _same(self, old: Any, new: Any) -> bool:
        """Whether two canonical values are equal: numbers by value, configurations by digest."""
        stack = [(old, new)]
        while stack:
            one, other = stack.pop()
            rows = row_of(one), row_of(other)
            if rows[0] is not None and rows[1] is not None:
                if self.old.objects[rows[0]].digest != self.new.objects[rows[1]].digest:
                    return False
                continue
            mine, yours = members_of(one), members_of(other)
            if mine is not None and yours is not None:
                if mine.keys() != yours.keys():
                    return False
                stack.extend((mine[name], yours[name]) for name in mine)
            elif isinstance(one, bool) or isinstance(other, bool):
                if one is not other:
                    return False
            elif one != other:
                return False
        return True

    def _texts(self, old: Any, new: Any) -> tuple[str, str]:
        """Two values as short texts that differ wherever the values do."""
        texts = short_text(old, self.old), short_text(new, self.new)
        if texts[0] != texts[1]:
            return texts
        long = short_text(old, self.old, limit=_LONG), short_text(new, self.new, limit=_LONG)
        if long[0] != long[1]:
            pairs = zip(long[0], long[1], strict=False)
            start = next((at for at, (x, y) in enumerate(pairs) if x != y), min(map(len, long)))
            start = max(0, start - 20)
            head = "…" if start else ""
            return head + long[0][start : start + 58], head + long[1][start : start + 58]
        return exact_text(old), exact_text(new)

    def _upstream(self, path: str, old: JobKey, new: JobKey) -> None:
        made = Difference(
            path,
            DifferenceKind.UPSTREAM,
            job_text(old),
            job_text(new),
            old_job=old,
            new_job=new,
        )
        if old == new:
            path = ""
        self.found.setdefault((path, made.kind, new), made)

    def _add(self, pair: _Pair, kind: DifferenceKind, old: str, new: str) -> None:
        subject = pair.subject if kind is DEFAULT else ""
        made = Difference(pair.path, kind, old, new, subject)
        self.found.setdefault((pair.path, kind, None), made)


def _below(pair: _Pair, name: str) -> _Pair:
    """The place of a member; under a default that changed, everything is that default."""
    path = f"{pair.path}.{name}" if pair.path else name
    subject = f"{pair.subject}.{name}" if pair.subject else ""
    return replace(pair, path=path, subject=subject)


def _comparable(before: FieldRecord, after: FieldRecord) -> bool:
    """Whether two fields of one name are both hashed, or both options."""
    if before.kind is FieldKind.OPTION or after.kind is FieldKind.OPTION:
        return before.kind is after.kind
    return before.kind in _HASHED and after.kind in _HASHED


def _hashed_digests(each: ObjectRecord) -> dict[str, str]:
    return {field.name: field.digest for field in each.fields if field.kind in _HASHED}


def _made_otherwise(old: ObjectRecord, new: ObjectRecord) -> bool:
    """Whether the same upstream job was made with other defaults; false where one is not told."""
    resolved = {old.producer_resolved, new.producer_resolved}
    return len(resolved) == 2 and "" not in resolved


def _made_text(each: ObjectRecord) -> str:
    """A configuration, with the job that it comes from."""
    name = each.class_name
    return name if each.producer is None else f"{name} of {job_text(each.producer)}"


def _default_text(field: FieldRecord, record: ParamsRecord) -> str:
    return short_text(field.default, record) if field.has_default else "none declared"
