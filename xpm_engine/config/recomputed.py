"""With which results of other jobs a stored configuration was made, where only paths tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice, product

from xpm_engine.config.encoding import text
from xpm_engine.config.identifier import fingerprint, head
from xpm_engine.config.paths import JOB
from xpm_engine.workspace.canonical import jobs_of, place_of, refers, row_of
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.params import FieldKind, ObjectRecord, ParamsRecord

MOST_TRIED = 64
"""Combinations of resolved digests that are tried for one object."""


def made_from(
    saved: ParamsRecord, upstream: JobKey, possible: Callable[[JobKey], Iterable[str]]
) -> bool:
    """Whether all objects with a path in the folder of `upstream` were made from a `possible` one.

    `possible` gives resolved digests of a job. An object's own resolved digest is made again with
    them; false where no such object is there, or where it holds more than plain values, objects
    and paths, so that it can't be made again.
    """
    holders = [
        each
        for each in saved.objects
        if any(upstream in jobs_of(field.value) for field in each.fields)
    ]
    return bool(holders) and all(_is_made(saved, each, possible) for each in holders)


def _is_made(
    saved: ParamsRecord, each: ObjectRecord, possible: Callable[[JobKey], Iterable[str]]
) -> bool:
    if each.producer is not None and not each.is_task:
        return False
    places = [place for field in each.fields if (place := place_of(field.value)) is not None]
    jobs = list(dict.fromkeys(job for job, _ in places))
    choices = product(*(tuple(possible(job)) for job in jobs))
    return any(
        _resolved(saved, each, dict(zip(jobs, choice, strict=True))) == each.resolved
        for choice in islice(choices, MOST_TRIED)
    )


def _resolved(saved: ParamsRecord, each: ObjectRecord, jobs: dict[JobKey, str]) -> str:
    """The resolved digest with these of the jobs (docs/identifiers.md); empty if it is unknown."""
    encoded = head(each.type_name, each.distinct)
    hashed = [field for field in each.fields if field.kind in (FieldKind.PARAM, FieldKind.CONSTANT)]
    for field in sorted(hashed, key=lambda field: field.name.encode()):
        place, row = place_of(field.value), row_of(field.value)
        if place is not None:
            root, relative = text(f"{JOB}{place[0]}"), text(place[1])
            digest = fingerprint(b"p" + root + relative + bytes.fromhex(jobs[place[0]]))
        elif row is not None:
            digest = fingerprint(b"c" + bytes.fromhex(saved.objects[row].resolved))
        elif refers(field.value) or any(True for _ in jobs_of(field.value)):
            return ""
        else:
            digest = bytes.fromhex(field.digest)
        encoded += text(field.name) + digest
    return fingerprint(encoded).hex()
