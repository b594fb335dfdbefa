"""Rows of a plan that are alike stand in one, and none is lost by it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from xpm_engine.verbs.cleaning.folding import LEAST, MOST_PARTS, Fold, FoldPart, fold
from xpm_engine.verbs.cleaning.offers import OfferRow, Section
from xpm_engine.workspace.cleaning.needs import Need, NeedKind
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Piece, PieceKind
from xpm_engine.workspace.scan import JobRecord

PIN = (Need(NeedKind.PIN, "a pin"),)


def row(
    number: int,
    *,
    task: str = "ir.learn",
    alike: str = "failed",
    section: Section = Section.FAILED,
    needed: bool = False,
    refused: str = "",
) -> OfferRow:
    """A job in a plan; why it is there tells of it alone."""
    key = JobKey(task, f"{number:032x}")
    return OfferRow(
        key,
        section,
        f"{alike} at 09:{number:02}",
        JobRecord(key, JobState.FAILED),
        needs=PIN if needed else (),
        refused=refused,
        alike=(alike,),
    )


def sizes(parts: tuple[FoldPart, ...]) -> list[int]:
    """How many rows each stands for."""
    return [len(part.rows) if isinstance(part, Fold) else 1 for part in parts]


def test_rows_that_are_alike_stand_in_one() -> None:
    found = fold([*map(row, range(5)), row(9, alike="died")])
    assert sizes(found) == [5, 1]
    group = found[0]
    assert isinstance(group, Fold)
    assert (group.count, group.why) == ("5 jobs", "failed")
    assert group.offers == {row(number).offer for number in range(5)}


def test_a_few_rows_stand_for_themselves() -> None:
    assert sizes(fold(map(row, range(LEAST - 1)))) == [1] * (LEAST - 1)
    assert sizes(fold(map(row, range(LEAST)))) == [LEAST]


def test_what_is_ticked_otherwise_is_not_alike() -> None:
    free = [row(number) for number in range(4)]
    needed = [row(number, needed=True) for number in range(10, 14)]
    stays = [row(number, refused="it is pinned") for number in range(20, 24)]
    other = [row(number, task="ir.index") for number in range(30, 34)]
    replaced = [row(number, section=Section.REPLACED) for number in range(40, 44)]
    assert sizes(fold([*free, *needed, *stays, *other, *replaced])) == [4] * 5


def test_more_groups_than_can_be_read_at_a_glance_are_parts_of_one() -> None:
    reasons = [f"lr 0.{number} left" for number in range(MOST_PARTS + 1)]
    rows = [
        row(100 * place + number, alike=reason)
        for place, reason in enumerate(reasons)
        for number in range(5)
    ]
    (whole,) = fold(rows)
    assert isinstance(whole, Fold)
    assert (whole.count, whole.why) == ("65 jobs", f"{MOST_PARTS + 1} reasons")
    assert sizes(whole.parts) == [5] * len(reasons)
    assert sizes(fold(rows[:-5])) == [5] * MOST_PARTS


def test_every_value_for_itself_is_still_one_row() -> None:
    (whole,) = fold(row(number, alike=f"lr 0.{number} left") for number in range(4_213))
    assert isinstance(whole, Fold)
    assert (whole.count, len(whole.parts)) == ("4,213 jobs", 4_213)


def test_what_differs_in_detail_is_alike_in_general() -> None:
    rows = [replace(row(n), alike=("run: lr, seed left" if n < 9 else "x",)) for n in range(10)]
    fine = [replace(row(n), alike=(f"seed {n} left", "values of seed left")) for n in range(20, 25)]
    same = [replace(row(n), alike=("lr 1 left", "values of lr left")) for n in range(30, 34)]
    found = fold([*fine, *rows, *same])
    assert sizes(found) == [5, 9, 1, 4]
    assert (found[0].why, found[3].why) == ("values of seed left", "lr 1 left")


def test_a_large_group_is_divided_by_its_tags() -> None:
    rows: list[OfferRow] = []
    for number in range(60):
        each = row(number)
        assert each.job is not None
        tags = {"seed": number % 12, "lr": (0.1, 0.5, 1.0)[number % 3], "id": number}
        rows.append(replace(each, known=replace(each.job, tags=tags)))
    (whole,) = fold(rows)
    assert isinstance(whole, Fold)
    assert sizes(whole.parts) == [20, 20, 20]
    first = whole.parts[0]
    assert isinstance(first, Fold)
    assert sizes(first.parts) == [5, 5, 5, 5]
    keys = [part.key for part in (whole, *whole.parts, *first.parts) if isinstance(part, Fold)]
    assert len(set(keys)) == len(keys) == 8


def test_files_runs_and_folders_are_counted_by_their_own_name() -> None:
    job = row(1).job
    assert job is not None
    names = (job.key.task, job.key.identifier)
    files = [
        OfferRow(Piece(PieceKind.FILE, (*names, f"{n}.pt")), Section.FILES, "matches *.pt", job)
        for n in range(4)
    ]
    runs = [OfferRow(Piece(PieceKind.RUN, ("drmm", f"r{n}")), Section.RUNS, "") for n in range(5)]
    shared = [
        OfferRow(Piece(PieceKind.SHARED, ("ir.learn", "cache", f"{n:032x}")), Section.SHARED, "")
        for n in range(6)
    ]
    found = fold([*files, *runs, *shared])
    assert [part.count for part in found if isinstance(part, Fold)] == [
        "4 files",
        "5 runs",
        "6 folders",
    ]


rows = st.builds(
    row,
    st.integers(0, 10_000),
    task=st.sampled_from(["ir.learn", "ir.index"]),
    alike=st.sampled_from([f"reason {number}" for number in range(20)]),
    section=st.sampled_from([Section.FAILED, Section.REPLACED]),
    needed=st.booleans(),
    refused=st.sampled_from(["", "it is pinned"]),
)


@given(st.lists(rows, max_size=80, unique_by=lambda each: each.offer))
def test_no_row_is_lost_or_told_twice(plan: list[OfferRow]) -> None:
    plan.sort(key=lambda each: list(Section).index(each.section))
    found = fold(plan)
    told = [each for part in found for each in (part.rows if isinstance(part, Fold) else (part,))]
    assert sorted(each.offer for each in told) == sorted(each.offer for each in plan)
    sections = [each.section for each in told]
    assert sections == sorted(sections, key=list(Section).index)
    for part in found:
        if isinstance(part, Fold):
            assert len({bool(each.needs) for each in part.rows}) == 1
            assert {each.refused for each in part.rows} == {part.key.refused}
