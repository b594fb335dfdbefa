"""The journal of a clean: what is written is read, and damage is told or passed over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.folders import key
from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import processes
from xpm_engine.workspace.atomic import dumps
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import (
    Head,
    Left,
    Removal,
    listing_lines,
    moved_line,
    parse_journal,
    undone_line,
)

HEAD = Head("20261123-091200-abcdef", "now", "ada", processes.own_identity(), "0f" * 16)
scalars = st.none() | st.booleans() | st.integers() | st.text()
values = st.dictionaries(st.text(), scalars, max_size=3)
removals = st.builds(
    Removal,
    key=st.builds(key, st.integers(0, 2**128 - 1)),
    attempt=st.integers(1, 999),
    state=st.sampled_from(JobState),
    ended=st.none() | st.text(),
    tags=values,
    params=values,
    size=st.none() | st.integers(0),
)


def _bytes(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(dumps(line) + b"\n" for line in lines)


@given(st.lists(removals, max_size=5), st.text())
def test_what_is_written_is_read(jobs: list[Removal], why: str) -> None:
    left = tuple(Left(job.key, why) for job in jobs)
    lines = [
        *listing_lines(HEAD, jobs),
        moved_line("now", left),
        undone_line("now", "ada", 1, left),
    ]
    journal = parse_journal(_bytes(lines), "journal")
    assert journal.head == HEAD
    assert journal.removals == tuple(jobs)
    assert journal.listed
    assert journal.left == left


@given(st.lists(removals, max_size=3), st.data())
def test_a_list_that_was_cut_short_is_not_complete(jobs: list[Removal], data: Any) -> None:
    whole = _bytes(listing_lines(HEAD, jobs))
    cut = whole[: data.draw(st.integers(0, len(whole) - 2))]
    if len(cut) >= len(dumps(HEAD.to_json())):
        assert not parse_journal(cut, "journal").listed
    else:
        with pytest.raises(UnreadableError, match="head"):
            parse_journal(cut, "journal")


@given(st.binary())
def test_nonsense_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        parse_journal(data, "journal")


@given(st.lists(removals, max_size=3), st.binary(max_size=50))
def test_damage_after_the_list_is_passed_over(jobs: list[Removal], junk: bytes) -> None:
    data = _bytes(listing_lines(HEAD, jobs)) + junk
    journal = parse_journal(data, "journal")
    assert journal.listed
    assert journal.removals == tuple(jobs)


def test_a_newer_version_is_named() -> None:
    data = _bytes([{**HEAD.to_json(), "v": 2}, *listing_lines(HEAD, [])[1:]])
    with pytest.raises(UnreadableError, match="newer version"):
        parse_journal(data, "journal")
