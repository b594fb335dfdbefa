"""A selection by masks says the same as a set would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xpm_engine.workspace.layout import JobKey
from xpm_tui.store.model import IMPORTANCE
from xpm_tui.store.rows import by_code
from xpm_tui.store.selected import Roll, Selected

KEYS = [JobKey("ir.learn", f"{number:064x}") for number in range(12)]

some = st.sets(st.sampled_from(KEYS)).map(frozenset)


def selection(known: frozenset[JobKey], wanted: frozenset[JobKey]) -> Selected:
    order = [key for key in KEYS if key in known]
    mask = bytes(key in wanted for key in order)
    return Selected(Roll(order), mask, wanted - known)


@given(some, some)
def test_it_is_the_set(known: frozenset[JobKey], wanted: frozenset[JobKey]) -> None:
    found = selection(known, wanted)
    assert found == wanted
    assert len(found) == len(wanted)
    assert sorted(found) == sorted(wanted)
    assert frozenset(KEYS[:5]) - found == frozenset(KEYS[:5]) - wanted


@given(some, some, st.lists(st.sampled_from(KEYS), max_size=6))
def test_lists_are_masked_in_their_order(
    known: frozenset[JobKey], wanted: frozenset[JobKey], keys: list[JobKey]
) -> None:
    found, learned = selection(known, wanted), selection(known, wanted)
    expected = bytes(key in wanted for key in keys)
    learned.roll.learn(keys)
    assert learned.mask_of(keys) == expected
    assert found.mask_of(keys) == expected
    assert found.mask_of(keys) == expected, "the second time it is known where they stand"
    assert found.mask_of(list(keys)) == expected


@given(some, some, some, some)
def test_what_is_asked_again_replaces_what_was_said(
    known: frozenset[JobKey],
    wanted: frozenset[JobKey],
    asked: frozenset[JobKey],
    now: frozenset[JobKey],
) -> None:
    before = selection(known, wanted)
    after = before.revised(asked, asked & now)
    assert after == (wanted - asked) | (asked & now)
    assert before == wanted
    assert after.same_as(before) is (after == before)


@given(st.lists(st.integers(0, len(IMPORTANCE) - 1), max_size=len(KEYS)))
def test_jobs_are_ordered_by_their_states_and_else_stay(codes: list[int]) -> None:
    keys = KEYS[: len(codes)]
    code_of = dict(zip(keys, codes, strict=True))
    assert list(by_code(keys, bytes(codes))) == sorted(keys, key=code_of.__getitem__)
