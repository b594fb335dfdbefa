"""The rows of a plan of removal as JSON: how they come from the machine on which it was made.

What both sides know is not sent: the job and the run of a row are named, and looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xpm_engine.errors import UnreadableError
from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_engine.verbs.cleaning.offers import OfferRow, Section
from xpm_engine.workspace.cleaning.needs import Need, NeedKind, RunName
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Piece
from xpm_engine.workspace.scan import JobRecord, RunView


def row_to_json(row: OfferRow) -> dict[str, Any]:
    """One row."""
    offer, job, run = row.offer, row.job, row.run
    return {
        "job": None if job is None else [job.key.task, job.key.identifier],
        "state": None if job is None else job.state.value,
        "attempt": 0 if job is None else job.attempt,
        "piece": None if isinstance(offer, JobKey) else offer.to_json(),
        "run": None if run is None else [run.experiment, run.run],
        "section": row.section.name,
        "why": row.why,
        "alike": list(row.alike),
        "by": row.by,
        "needs": [_need_to_json(need) for need in row.needs],
        "refused": row.refused,
        "ticked": row.ticked,
    }


def row_from_json(
    fields: Fields,
    jobs: Mapping[JobKey, JobRecord],
    runs: Mapping[RunName, RunView],
) -> OfferRow:
    """One row, with the job and the run that it names; raises UnreadableError."""
    job = _job(fields, jobs)
    piece = fields.optional_part("piece")
    if piece is None and job is None:
        raise UnreadableError("a row that is about nothing", where=fields.where)
    offer: Offer | None = None if piece is None else Piece.read(piece)
    if offer is None:
        assert job is not None
        offer = job.key
    try:
        section = Section[fields.text("section")]
    except KeyError:
        raise UnreadableError("a row of an unknown section", where=fields.where) from None
    return OfferRow(
        offer=offer,
        section=section,
        why=fields.text("why"),
        alike=tuple(fields.texts("alike")),
        by=fields.optional_text("by") or "",
        known=job,
        run=None if fields.data.get("run") is None else runs.get(_run_name(fields)),
        needs=tuple(_need(part) for part in fields.parts("needs")),
        refused=fields.text("refused"),
        ticked=fields.flag("ticked"),
    )


def _job(fields: Fields, jobs: Mapping[JobKey, JobRecord]) -> JobRecord | None:
    """The job as it is known here; one that came meanwhile, as the row tells of it."""
    if fields.data.get("job") is None:
        return None
    key = _key(fields, "job")
    try:
        state = JobState(fields.text("state"))
    except ValueError:
        raise UnreadableError("a job in an unknown state", where=fields.where) from None
    known = jobs.get(key)
    if known is not None and known.state is state:
        return known
    return JobRecord(key, state, attempt=fields.integer("attempt"))


def _need_to_json(need: Need) -> dict[str, Any]:
    job = None if need.job is None else [need.job.task, need.job.identifier]
    return {"kind": need.kind.name, "name": need.name, "job": job, "live": need.live}


def _need(fields: Fields) -> Need:
    try:
        kind = NeedKind[fields.text("kind")]
    except KeyError:
        raise UnreadableError("an unknown kind of need", where=fields.where) from None
    job = None if fields.data.get("job") is None else _key(fields, "job")
    return Need(kind, fields.text("name"), job, fields.flag("live"))


def _key(fields: Fields, name: str) -> JobKey:
    try:
        return JobKey.parse("/".join(fields.texts(name)))
    except ValueError as error:
        raise UnreadableError(str(error), where=fields.where) from None


def _run_name(fields: Fields) -> RunName:
    names = fields.texts("run")
    if len(names) != 2:
        raise UnreadableError("a run is named by two words", where=fields.where)
    return names[0], names[1]
