"""What is offered while a filter is typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.filters.jobs import NOW, FakeJob, job, table
from xpm_engine.errors import FilterError
from xpm_engine.filters import Completions, RowTable, compile_filter, complete

JOBS = [
    job(
        "a",
        state="failed",
        task=("ir.Learn", "Learn"),
        flags="live",
        tags={"ranker": "bm25", "state": "x"},
        params={"model.lr": 0.1, "k": 3, "a.size": 1, "model.dim": 8},
        metrics={"mrr": 0.3},
        reason='out of "memory"',
    ),
    job("b", state="failed", tags={"ranker": "drmm"}, params={"other.dim": 8}, exp="a b"),
    job("c", state="done", tags={"ranker": "bm25"}, params={"k": True}),
]
TABLE = table(JOBS)


def at(text: str) -> tuple[Completions, str]:
    """Completions at ``|`` in the text, and the text without it."""
    cursor = text.index("|")
    text = text.replace("|", "")
    return complete(text, cursor, TABLE), text


def texts(marked: str) -> list[str]:
    found, text = at(marked)
    return [found.apply(text, item) for item in found.items]


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        ("sta|", ["state:", "started>", "tag.state:"]),
        ("-sta|", ["-state:", "-started>", "-tag.state:"]),
        ("x (ranke|", ["x (ranker:"]),
        ("lr|", ["lr:"]),
        ("di|", ["model.dim:", "other.dim:"]),
        ("mr|", ["mrr>"]),
        ("param.a.si|", ["param.a.size:"]),
        ("st|ate:done", ["state:done", "started:done", "tag.state:done"]),
        ("state:|", ["state:failed", "state:done"]),
        ("state:d|", ["state:done", "state:failed"]),
        ("-state:d| x", ["-state:done x", "-state:failed x"]),
        ("state:failed,do|", ["state:failed,done"]),
        ("state:fa|,done", ["state:failed,done"]),
        ("STATE=FAI|", ["STATE=failed"]),
        ("ranker:|", ["ranker:bm25", "ranker:drmm"]),
        ("tag.ranker:dr|", ["tag.ranker:drmm"]),
        ("k:|", ["k:3", "k:true"]),
        ("task:le|", ["task:Learn", "task:ir.Learn"]),
        ("exp=|", ['exp="a b"']),
        ('exp="a |', ['exp="a b"']),
        ("reason:out|", ['reason:"out of \\"memory\\""']),
        ('reason:"out of \\"m|', ['reason:"out of \\"memory\\""']),
        ("ended:|", ["ended:today", "ended:yesterday"]),
        ("ended>=y|", ["ended>=yesterday"]),
        ("is:l|", ["is:live"]),
        ("time>|", []),
        ("reason~|", []),
        ("nothing:|", []),
        ('"sta|', []),
    ],
)
def test_offered(marked: str, first: list[str]) -> None:
    assert texts(marked)[: len(first) or None] == first


def test_values_are_counted_and_names_explained() -> None:
    found, _ = at("state:|")
    assert [(item.text, item.count) for item in found.items] == [("failed", 2), ("done", 1)]
    found, _ = at("is:li|")
    assert found.items[0].count == 1
    found, _ = at("lr|")
    assert (found.items[0].help, found.items[0].count) == ("parameter model.lr", None)


def test_fields_that_can_not_be_asked_are_not_offered() -> None:
    few = RowTable(JOBS, type(TABLE.getters)({}, *_mappings()))
    assert [item.text for item in complete("si", 2, few).items] == ["a.size:"]


def test_what_is_offered_can_be_read_and_found() -> None:
    for start in ("", "state:", "ranker:", "k:", "exp=", "reason:", "task:", "is:", "tag.state:"):
        found = complete(start, len(start), TABLE)
        assert found.items
        for item in found.items:
            if item.count is not None:
                selection = compile_filter(found.apply(start, item), now=NOW).select(TABLE)
                assert selection.count >= item.count


@given(st.text(alphabet='ab:=,"\\ -().<rankestoi', max_size=20), st.data())
def test_any_text_has_completions(text: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    found = complete(text, cursor, TABLE)
    assert 0 <= found.start <= max(found.end, cursor) <= len(text)
    for item in found.items:
        try:
            compile_filter(found.apply(text, item), now=NOW)
        except FilterError:
            continue


def _mappings() -> tuple[object, ...]:
    def tags(row: FakeJob) -> object:
        return row.tags

    return tags, lambda row: row.params, lambda row: row.metrics
