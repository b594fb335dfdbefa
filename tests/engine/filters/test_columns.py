"""Columns: what they keep apart, and that they select what row by row does."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.filters.jobs import GETTERS, NOW, FakeJob, job, table
from tests.engine.filters.test_parse import TREES
from xpm_engine.errors import FilterError
from xpm_engine.filters import ABSENT, Column, RowTable, coded, compile_filter, numbers, unparse
from xpm_engine.filters.columns import Cell
from xpm_engine.filters.grammar import Expression


def cells(column: Column) -> list[Cell]:
    """Its cells, row by row."""
    if column.codes is None:
        return list(column.values)
    return [column.values[code] for code in column.codes]


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 1000])
def test_a_column_gives_back_its_cells(count: int) -> None:
    made: list[Cell] = [f"value {i}" for i in range(count)] * 3
    column = coded(made)
    assert cells(column) == made
    assert not column.numeric
    assert len(column.values) == count
    verdicts = bytes(i % 3 == 0 for i in range(count))
    assert list(column.spread(verdicts)) == [int(int(str(c)[6:]) % 3 == 0) for c in made]


def test_many_different_values_are_kept_row_by_row() -> None:
    column = coded([*range(1000), 0])
    assert column.codes is None
    assert cells(column) == [*range(1000), 0]


def test_what_python_holds_equal_is_kept_apart() -> None:
    made: list[Cell] = [1, True, 1.0, "1", (1,), (True,), None, ABSENT]
    column = coded(made)
    assert [(type(c), repr(c)) for c in cells(column)] == [(type(c), repr(c)) for c in made]


def test_numbers_alone_make_a_numeric_column() -> None:
    assert coded([1, 2.5, ABSENT]).numeric
    assert math.isnan(float(str(cells(coded([1, ABSENT]))[1])))
    for other in (True, None, "x", (1, 2), math.nan):
        assert not coded([1, other]).numeric
    assert not coded([ABSENT]).numeric
    assert not coded([]).numeric
    assert numbers([1.0, None]).numeric


def test_counts() -> None:
    assert coded(["a", "b", "a", ("a", "c"), ABSENT]).counts() == {"a": 3, "b": 1, "c": 1}
    assert numbers([1.0, None, 1.0]).counts() == {1.0: 2}


def test_only_columns_that_are_asked_for_are_made() -> None:
    asked: list[str] = []
    fields = {
        name: lambda row, name=name: (asked.append(name), row.fields.get(name))[1]
        for name in ("state", "size", "time")
    }
    getters = type(GETTERS)(fields, GETTERS.tags, GETTERS.params, GETTERS.metrics)
    rows = RowTable([job("a", state="done")], getters)
    compile_filter("state:done time>1", now=NOW).select(rows)
    assert asked == ["state", "time"]
    assert "size" in rows.names()


SCALARS: st.SearchStrategy[Cell] = st.one_of(
    st.sampled_from(["a", "B", "1", "none", "true", "today", ""]),
    st.integers(-3, 3),
    st.sampled_from([0.5, 1.0, math.nan, math.inf, 1e-3]),
    st.booleans(),
    st.none(),
)
VALUES = st.dictionaries(st.sampled_from(["a", "b", "b.c", "x.b", "or"]), SCALARS, max_size=3)
ROWS = st.lists(
    st.builds(
        FakeJob,
        st.just("row"),
        st.fixed_dictionaries({"state": st.sampled_from(["done", "failed"])}),
        st.sampled_from([frozenset(), frozenset(("live",))]),
        VALUES,
        VALUES,
        VALUES,
    ),
    max_size=6,
)
LEAVES = st.sampled_from(
    ["a:1", "b>0", "b.c:true", "x.b!=none", "or~n", "state:done", "is:live", "a", "b:..2,B"]
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map("-({})".format),
        st.tuples(inner, inner).map("({0[0]} {0[1]})".format),
        st.tuples(inner, inner).map("({0[0]} or {0[1]})".format),
    ),
    max_leaves=5,
)
EVERY_NAME = FakeJob("all", tags=dict.fromkeys(["a", "b", "b.c", "x.b", "or"], "?"))


@given(FILTERS, ROWS)
def test_what_is_said_of_a_job_rests_on_that_job_alone(text: str, rows: Sequence[FakeJob]) -> None:
    chosen = compile_filter(text, now=NOW)
    together = chosen.select(table([*rows, EVERY_NAME]), strict=True).mask
    alone = [chosen.select(table([row, EVERY_NAME]), strict=True).mask[0] for row in rows]
    assert list(together[:-1]) == alone


@given(TREES, ROWS)
def test_any_tree_selects_or_is_a_filter_error(tree: Expression, rows: list[FakeJob]) -> None:
    try:
        selection = compile_filter(unparse(tree), now=NOW).select(table(rows))
    except FilterError:
        return
    assert len(selection.mask) == len(rows)
    assert set(selection.mask) <= {0, 1}
