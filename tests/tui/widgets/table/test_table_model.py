"""Rows are narrowed and sorted without losing any, and found again by their key."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple, overload

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord
from xpm_tui.store import Job, JobList
from xpm_tui.store.ranking import ranking
from xpm_tui.widgets.table.model import Column, TableModel


class Fruit(NamedTuple):
    name: str
    weight: float | str | None


NAME: Column[Fruit] = Column("name", lambda row: Text(row.name), lambda row: row.name)
WEIGHT: Column[Fruit] = Column("weight", lambda row: Text(str(row.weight)), lambda row: row.weight)

ROWS = (Fruit("pear", 3), Fruit("fig", None), Fruit("Apple", 10), Fruit("plum", "light"))


def model_of(rows: tuple[Fruit, ...] = ROWS) -> TableModel[Fruit]:
    model: TableModel[Fruit] = TableModel(lambda row: row.name)
    model.replace(rows)
    return model


def names(model: TableModel[Fruit]) -> list[str]:
    return [row.name for row in model.shown]


def test_rows_come_in_their_own_order_until_sorted() -> None:
    assert names(model_of()) == ["pear", "fig", "Apple", "plum"]


def test_texts_are_sorted_without_regard_to_case() -> None:
    model = model_of()
    model.sort(NAME)
    assert names(model) == ["Apple", "fig", "pear", "plum"]


def test_numbers_come_before_texts_and_what_is_missing_is_last() -> None:
    model = model_of()
    model.sort(WEIGHT)
    assert names(model) == ["pear", "Apple", "plum", "fig"]


def test_what_is_missing_stays_last_in_reverse() -> None:
    model = model_of()
    model.sort(WEIGHT, reverse=True)
    assert names(model) == ["plum", "Apple", "pear", "fig"]


def test_narrowed_rows_stay_sorted_and_come_back() -> None:
    model = model_of()
    model.sort(NAME)
    model.narrow(lambda row: row.name.startswith("p"))
    assert names(model) == ["pear", "plum"]
    model.narrow(None)
    assert names(model) == ["Apple", "fig", "pear", "plum"]


def test_rows_are_narrowed_by_their_keys_without_being_made() -> None:
    keys = [JobKey("ir.learn", f"{number:032x}") for number in range(5_000)]
    made: list[JobKey] = []

    def job_of(key: JobKey) -> Job:
        made.append(key)
        return Job(key=key, state=JobState.FAILED, record=JobRecord(key, JobState.FAILED))

    def codes_of(keys: Sequence[JobKey]) -> bytes:
        return bytes(len(keys))

    def ranks_of(
        keys: Sequence[JobKey], by: str, order: object, *, reverse: bool
    ) -> Sequence[float]:
        return [-place for place in range(len(keys))]

    model: TableModel[Job] = TableModel(lambda job: job.key)
    model.replace(JobList(keys, job_of, codes_of, ranks_of))
    model.narrow_to(frozenset(keys[::2]))
    assert model.keys(model.shown) == keys[::2]
    model.sort(Column("id", lambda job: Text(job.key.short), lambda job: job.key, by="id"))
    assert model.keys(model.shown) == keys[4998::-2]
    model.narrow_to(None)
    assert len(model.shown) == 5_000
    assert not made


def test_a_row_is_found_by_its_key_only_while_it_is_shown() -> None:
    model = model_of()
    assert model.index("Apple") == 2
    model.narrow(lambda row: row.name != "Apple")
    assert model.index("Apple") is None
    assert model.index("plum") == 2


def test_rows_that_were_shown_keep_their_places_and_new_ones_follow() -> None:
    model = model_of()
    model.sort(NAME)
    model.replace((Fruit("aaa", 1), *ROWS[2:], ROWS[0]), keep_order=True)
    assert names(model) == ["Apple", "pear", "plum", "aaa"]
    model.sort(NAME)
    assert names(model) == ["aaa", "Apple", "pear", "plum"]


def test_rows_kept_in_place_show_their_new_values() -> None:
    model = model_of()
    model.replace((Fruit("pear", 99), *ROWS[1:]), keep_order=True)
    assert model.shown[0] == Fruit("pear", 99)


def test_nan_and_unhashable_values_can_be_ranked() -> None:
    assert ranking([[2], math.nan, [1]]) == [1, 2, 0]


VALUES = st.none() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.text())


@given(st.lists(VALUES), st.booleans())
def test_ranking_does_not_depend_on_the_order_of_the_values(values: list[object], up: bool) -> None:
    shuffled = list(range(len(values)))
    random.Random(len(values)).shuffle(shuffled)
    ranks = ranking(values, reverse=up)
    again = ranking([values[place] for place in shuffled], reverse=up)
    assert again == [ranks[place] for place in shuffled]


@given(st.lists(st.integers()))
def test_ranking_of_numbers_is_their_order(values: list[int]) -> None:
    ranks = ranking(values)
    assert sorted(range(len(values)), key=lambda place: (ranks[place], place)) == sorted(
        range(len(values)), key=lambda place: (values[place], place)
    )


class Slow(Sequence[int]):
    """Rows that know what to sort them by only when they were told."""

    def __init__(self, keys: Sequence[int], known: list[bool]) -> None:
        self.keys = keys
        self._known = known

    def take(self, keys: Sequence[int]) -> Slow:
        return Slow(keys, self._known)

    def ranks(
        self, by: str, order: Callable[[int], int], *, reverse: bool
    ) -> Sequence[float] | None:
        assert by == "size"
        return (
            [-order(key) if reverse else order(key) for key in self.keys] if self._known else None
        )

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int]: ...
    def __getitem__(self, place: int | slice) -> int | Sequence[int]:
        return self.keys[place]


def test_rows_stay_where_they_are_until_it_is_known_how_to_sort_them() -> None:
    known: list[bool] = []
    model: TableModel[int] = TableModel(lambda row: row)
    column = Column[int]("size", lambda row: Text(str(row)), lambda row: row, by="size")
    model.replace(Slow([2, 3, 1], known))
    before = model.shown
    model.sort(column)
    assert model.unsorted
    assert model.shown is before, "of very many, to put them in their places takes long"
    known.append(True)
    model.sort(column)
    assert not model.unsorted
    assert list(model.shown) == [1, 2, 3]
    known.clear()
    model.replace(Slow([4, 3, 2, 1], known))
    assert model.unsorted
    assert list(model.shown) == [1, 2, 3, 4], "no row changes its place for a moment"
