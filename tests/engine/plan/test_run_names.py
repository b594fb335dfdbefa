"""The names of runs sort by age, whatever the clocks say: a later run retires earlier ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from xpm_engine.plan.run import RunWriter, name_after
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import WorkspacePaths, check_name
from xpm_engine.workspace.records.runs import Scope

MOMENT = datetime(2026, 11, 27, 16, 33, 7, 250_000, tzinfo=UTC)


def test_runs_that_begin_in_one_second_sort_by_age(tmp_path: Path) -> None:
    workspace = WorkspacePaths(str(tmp_path))
    made = [RunWriter(workspace, "exp", Scope("")).record.run for _ in range(20)]
    assert scan.list_runs(workspace, "exp") == made


def test_a_name_tells_the_time() -> None:
    assert name_after([], MOMENT) == "20261127-163307-250000"
    assert name_after(["20261127-163307-249999"], MOMENT) == "20261127-163307-250000"


def test_a_clock_that_was_set_back_gives_the_next_name() -> None:
    assert name_after(["20270101-000000-000000"], MOMENT) == "20270101-000000-000001"
    assert name_after(["20261231-235959-999999"], MOMENT) == "20270101-000000-000000"


def test_names_that_are_none_of_ours_are_passed_over() -> None:
    assert name_after(["20261127-163307-249999", "latest", "zz"], MOMENT) == (
        "20261127-163307-250000"
    )
    assert name_after(["99991231-235959-999999"], MOMENT) == "20261127-163307-250000"


@given(st.lists(st.timedeltas(timedelta(days=-900), timedelta(days=900)), max_size=30))
def test_each_name_sorts_behind_all_before(jumps: list[timedelta]) -> None:
    names: list[str] = []
    moment = MOMENT
    for jump in jumps:
        moment += jump
        names.append(check_name(name_after(names, moment)))
    assert names == sorted(set(names))
