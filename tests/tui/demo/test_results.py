"""The demo's results against a direct computation, on a made-up library and on real modules."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path

import pytest

from tests.tui.demo.library import write_library
from tests.tui.demo.naive import (
    bm25,
    entries,
    fair_queries,
    module_texts,
    mrr,
    reciprocal_rank,
    tokens,
    without_plurals,
)
from xpm_tui.demo import plan

pytestmark = pytest.mark.usefixtures("at_once")

EVERYTHING = 10**6
"""More queries than there are."""


def read(folder: Path) -> plan.ReadLibrary:
    return plan.ReadLibrary(folder=folder, python="test").submit()


def lines(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture(params=["made up", "email"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "made up":
        return write_library(tmp_path / "library", modules=24)
    return Path(sysconfig.get_path("stdlib"), request.param)


def test_every_docstring_is_read_once(folder: Path) -> None:
    library = read(folder)

    found = sorted((line["module"], line["name"], line["text"]) for line in lines(library.file))
    expected = [(entry.module, entry.name, entry.text) for entry in entries(folder)]
    assert len(found) > 50
    assert found == sorted(expected)


def test_docstrings_are_those_that_python_shows() -> None:
    import json.decoder

    library = read(Path(sysconfig.get_path("stdlib"), "json"))

    texts = {line["name"]: line["text"] for line in lines(library.file)}
    assert json.decoder.JSONDecoder.decode.__doc__
    assert texts["decoder.JSONDecoder.decode"].split() == (
        json.decoder.JSONDecoder.decode.__doc__.split()
    )


def test_the_queries_are_all_that_are_fair(folder: Path) -> None:
    queries = plan.MakeQueries(library=read(folder), count=EVERYTHING).submit()

    found = [(line["text"], line["function"], line["module"]) for line in lines(queries.file)]
    assert len(found) > 30
    assert len(set(found)) == len(found)
    assert set(found) == fair_queries(entries(folder))


def test_queries_are_drawn_by_their_seed(folder: Path) -> None:
    library = read(folder)
    every = plan.MakeQueries(library=library, count=EVERYTHING).submit()
    some = plan.MakeQueries(library=library, count=20).submit()
    others = plan.MakeQueries(library=library, count=20, seed=1).submit()

    def texts(queries: plan.MakeQueries) -> set[str]:
        return {line["text"] for line in lines(queries.file)}

    assert len(texts(some)) == len(texts(others)) == 20
    assert texts(some) < texts(every)
    assert texts(some) != texts(others)


@pytest.mark.parametrize("stem", [False, True])
def test_an_index_counts_every_word_but_those_held_out(folder: Path, stem: bool) -> None:
    library = read(folder)
    queries = plan.MakeQueries(library=library, count=20).submit()
    index = plan.BuildIndex(library=library, queries=queries, stem=stem).submit()

    held_out = {line["function"] for line in lines(queries.file)}
    texts = module_texts(entries(folder), held_out)
    if stem:
        texts = {module: [without_plurals(w) for w in text] for module, text in texts.items()}
    found = json.loads(index.file.read_text())
    assert found["lengths"] == {module: len(text) for module, text in texts.items()}
    assert found["postings"] == {
        word: {module: text.count(word) for module, text in texts.items() if word in text}
        for word in {word for text in texts.values() for word in text}
    }


def test_no_query_stands_in_the_index_word_for_word(folder: Path) -> None:
    library = entries(folder)
    made = plan.MakeQueries(library=read(folder), count=EVERYTHING).submit()
    held_out = {line["function"] for line in lines(made.file)}

    remaining = [f" {' '.join(tokens(e.text))} " for e in library if e.name not in held_out]

    assert [
        query["text"]
        for query in lines(made.file)
        if any(f" {query['text']} " in text for text in remaining)
    ] == []


@pytest.mark.parametrize("stem", [False, True])
def test_rankings_and_scores_are_those_of_the_formula(folder: Path, stem: bool) -> None:
    library = read(folder)
    queries = plan.MakeQueries(library=library, count=25).submit()
    index = plan.BuildIndex(library=library, queries=queries, stem=stem).submit()
    texts = module_texts(entries(folder), {line["function"] for line in lines(queries.file)})
    asked = [(line["text"], line["module"]) for line in lines(queries.file)]
    if stem:
        texts = {module: [without_plurals(w) for w in text] for module, text in texts.items()}
        asked = [(" ".join(map(without_plurals, text.split())), m) for text, m in asked]

    for k1, b in ((0.0, 0.5), (0.6, 0.0), (1.2, 0.75), (2.4, 1.0)):
        ranker = plan.BM25(k1=k1, b=b)
        evaluation = plan.Evaluate(index=index, queries=queries, ranker=ranker).submit()
        scores = json.loads(evaluation.scores.read_text())

        expected = {str(n): mrr(texts, asked, n, k1, b) for n in (4, 8, 16)}
        assert scores["passes"] == pytest.approx(expected, abs=1e-9)
        assert scores["mrr"] == pytest.approx(sum(expected.values()) / 3, abs=1e-9)


def test_a_ranking_is_by_score_then_by_name() -> None:
    texts = {"b": ["tree"], "a": ["tree"], "c": ["tree", "tree"], "d": ["list"]}
    postings = {"tree": {"b": 1, "a": 1, "c": 2}, "list": {"d": 1}}
    index = plan.Index({module: len(text) for module, text in texts.items()}, postings)

    ranking = plan.BM25(b=0.0).rank(index, ["tree", "unknown"])

    assert ranking == ["c", "a", "b"]
    scores = bm25(texts, ["tree", "unknown"], 1.2, 0.0)
    assert [reciprocal_rank(scores, m) for m in ("c", "a", "b", "d")] == [1, 1 / 2, 1 / 3, 0]


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("queries", "query"),
        ("files", "file"),
        ("classes", "class"),
        ("trees", "tree"),
        ("status", "status"),
        ("class", "class"),
        ("goes", "goe"),
        ("s", "s"),
        ("its", "its"),
        ("word", "word"),
    ],
)
def test_plurals(plural: str, singular: str) -> None:
    assert plan.singular(plural) == singular
    assert without_plurals(plural) == singular
