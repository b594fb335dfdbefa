"""What a group of alike rows is called, in the room there is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.tui.workspaces import key_of
from xpm_engine.verbs.cleaning.folding import Fold, FoldPart, fold
from xpm_engine.verbs.cleaning.obsolete import Surveyed
from xpm_engine.verbs.cleaning.offers import Offering, OfferRow, Section
from xpm_engine.workspace.cleaning.needs import Need, NeedKind
from xpm_engine.workspace.obsolete import survey
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord
from xpm_tui.cleaning.fold_titles import fold_title
from xpm_tui.cleaning.removal import Heading, Removal, prepared, removal_of, rows_of


def plan(*tags: dict[str, Any], others: tuple[dict[str, Any], ...] = ()) -> tuple[Removal, Fold]:
    """A plan with one group of jobs with these tags, and jobs that are in another."""
    rows: list[OfferRow] = []
    for number, each in enumerate((*tags, *others)):
        job = JobRecord(key_of("ir.learn", str(number)), JobState.FAILED, tags=each)
        alike = "failed" if number < len(tags) else "died"
        rows.append(OfferRow(job.key, Section.FAILED, alike, job, alike=(alike,)))
    removal = removal_of(Offering(Surveyed(survey((), {}), frozenset()), tuple(rows)))
    group = fold(rows)[0]
    assert isinstance(group, Fold)
    return removal, group


def grid(**values: list[Any]) -> list[dict[str, Any]]:
    """Tags of jobs, one of each combination."""
    found: list[dict[str, Any]] = [{}]
    for name, choices in values.items():
        found = [{**tags, name: value} for tags in found for value in choices]
    return found


@pytest.mark.parametrize(
    ("width", "title"),
    [
        (80, "learn lr=1 seed=1..5 (5 jobs)"),
        (29, "learn lr=1 seed=1..5 (5 jobs)"),
        (28, "learn lr=1 (5 jobs)"),
        (18, "learn lr… (5 jobs)"),
        (10, "… (5 jobs)"),
    ],
)
def test_the_count_is_never_cut(width: int, title: str) -> None:
    removal, group = plan(*grid(lr=[1], seed=[1, 2, 3, 4, 5]), others=({"lr": 2, "seed": 1},))
    assert fold_title(group, removal, width) == title


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 2, 3, 4], "x=1..4"),
        ([4, 1, 3, 2], "x=1..4"),
        ([0.1, 0.5, 0.1, 0.5], "x=0.1,0.5"),
        ([1, 2, 4, 8], "x=1…8"),
        (["a", "b", "c", "d"], "x=4 values"),
        ([True, False, True, False], "x=false,true"),
        ([None, "a", 1, 2], "x=4 values"),
    ],
)
def test_what_differs_is_told_shortly(values: list[Any], words: str) -> None:
    removal, group = plan(*({"x": value, "n": n} for n, value in enumerate(values)))
    assert words in fold_title(group, removal, 200)


def test_what_all_jobs_of_the_plan_share_is_not_told() -> None:
    removal, group = plan(*grid(ranker=["drmm"], seed=[1, 2, 3, 4]))
    assert fold_title(group, removal, 200) == "learn seed=1..4 (4 jobs)"


def test_a_tag_that_some_lack_is_not_common() -> None:
    removal, group = plan({"lr": 1}, {"lr": 1, "s": 1}, {"lr": 1, "s": 2}, {"s": 3})
    assert fold_title(group, removal, 200) == "learn lr=1 s=1..3 (4 jobs)"


def test_what_could_steer_a_terminal_is_made_plain() -> None:
    removal, group = plan(*({"x\x1b[31m": "a\nb", "n": n} for n in range(4)), others=({"n": 1},))
    title = fold_title(group, removal, 200)
    assert "\x1b" not in title
    assert "\n" not in title


def test_what_groups_take_is_the_sum_of_their_rows() -> None:
    removal, _ = plan(*grid(lr=[1, 2], seed=[1, 2, 3, 4, 5, 6, 7]), others=({"lr": 2},))
    sizes = {row.offer: place for place, row in enumerate(removal.rows[:-1])}
    known = prepared(replace(removal, sizes=sizes))
    group = known.parts[0]
    assert isinstance(group, Fold)
    pending: list[FoldPart] = list(known.parts)
    while pending:
        part = pending.pop()
        assert known.size_of_part(part) == known.size_of(row.offer for row in rows_of(part))
        assert known.cost_of_part(part) == known.cost(row.offer for row in rows_of(part))
        pending += part.parts if isinstance(part, Fold) else ()
    assert known.sums[1] == {Section.FAILED: (sum(sizes.values()), False)}
    (heading, _), *_ = known.listed(None, folded=lambda _: True)
    assert heading == Heading(Section.FAILED, 15, sum(sizes.values()), measured=False)


def test_a_row_is_found_by_its_name_and_its_reason() -> None:
    removal, _ = plan(*grid(lr=[1], seed=[1, 2, 3, 4]), others=({"lr": 2, "seed": 9},))
    one = removal.rows[1].offer
    assert removal.titles[one] == "learn lr=1 seed=2"
    for text, rows in (("DIED", [4]), ("lr=1 Failed seed=2", [1]), ("learn", [0, 1, 2, 3, 4])):
        wanted = removal.finder(text)
        assert wanted is not None
        found = [row.offer for row in removal.found(None, wanted)]
        assert found == [removal.rows[place].offer for place in rows], text
    assert removal.finder("  ") is None
    nothing = removal.finder("died seed=2")
    assert nothing is not None
    assert removal.found(None, nothing) == []


def test_a_row_is_found_by_who_needs_it_and_by_why_it_stays() -> None:
    removal, _ = plan(*grid(lr=[1], seed=[1, 2, 3, 4]))
    pinned = replace(removal.rows[0], needs=(Need(NeedKind.PIN, "a pin"),))
    stays = replace(removal.rows[1], refused="it goes on")
    offering = replace(removal.offering, rows=(pinned, stays, *removal.rows[2:]))
    removal = removal_of(offering)
    for text, row in (("a pin", pinned), ("seed=1 pin failed", pinned), ("goes seed=2", stays)):
        wanted = removal.finder(text)
        assert wanted is not None
        assert removal.found(None, wanted) == [row], text
