"""What docs/tutorial.md says about the numbers, on the true library of this Python."""

from __future__ import annotations

import json
import re
import sysconfig
from pathlib import Path

import pytest

from xpm_tui.demo import plan

TUTORIAL = Path(__file__).parents[3] / "docs" / "tutorial.md"

BETWEEN_VERSIONS = 0.04
"""The most that a mean reciprocal rank may differ between two versions of the library."""


def told() -> dict[tuple[float, float, str], list[float]]:
    """The rows of the tutorial's table: k1, b, stem -> the ranks."""
    rows: dict[tuple[float, float, str], list[float]] = {}
    for line in TUTORIAL.read_text("utf-8").splitlines():
        if re.match(r"\| \d", line):
            k1, b, stem, *ranks = line.strip("| ").split(" | ")
            rows[float(k1), float(b), stem] = [float(rank) for rank in ranks]
    return rows


@pytest.mark.usefixtures("at_once")
def test_the_best_setting_and_the_usual_one() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    library = plan.ReadLibrary(folder=folder, python="test").submit()
    queries = plan.MakeQueries(library=library).submit()
    index = plan.BuildIndex(library=library, queries=queries).submit()

    def rank(b: float, words: int) -> float:
        evaluation = plan.Evaluate(
            index=index, queries=queries, ranker=plan.BM25(k1=1.2, b=b), lengths=(words,)
        ).submit()
        mrr: float = json.loads(evaluation.scores.read_text())["mrr"]
        return mrr

    best = next(iter(told()))
    few, many = {b: rank(b, 4) for b in (0.25, 0.5, 0.75)}, {b: rank(b, 16) for b in (0.25, 0.5)}

    assert queries.file.read_text().count("\n") == 3000
    assert best == (1.2, 0.25, "False")
    assert few[0.25] == pytest.approx(told()[best][0], abs=BETWEEN_VERSIONS)
    assert many[0.25] == pytest.approx(told()[best][2], abs=BETWEEN_VERSIONS)
    assert few[0.25] - few[0.5] > 0.01
    assert many[0.25] - many[0.5] < 0.003
    assert few[0.5] > few[0.75]
