"""The page for users: each of its examples selects the jobs that stand beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engine.filters.jobs import NOW, FakeJob, chosen, job
from xpm_engine.filters import FIELDS, FLAGS
from xpm_engine.filters.comparing import STATES
from xpm_engine.filters.values import read_number

PAGE = (Path(__file__).parents[3] / "docs/filters.md").read_text(encoding="utf-8")
EXAMPLES = [
    (text.strip(), names)
    for block in re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for text, names in re.findall(r"^(.+?) {2,}([A-G](?: [A-G])*)$", block, re.MULTILINE)
]


def number(text: str) -> float | None:
    """The value of a cell: a number of seconds, bytes, or since 1970; None for an empty one."""
    found = read_number(text, now=NOW)
    return None if found is None else found.bounds.low


def read_jobs() -> list[FakeJob]:
    """The jobs of the page's first table."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.split("\n## ")[0].splitlines()
        if line.startswith("|") and not line.startswith("|-")
    ]
    head, *body = rows
    return [_job(dict(zip(head, row, strict=True))) for row in body]


def _job(cells: dict[str, str]) -> FakeJob:
    ended = number(cells["ended"])
    seed, lr, mrr = (number(cells[name]) for name in ("seed", "lr", "mrr"))
    tags = {"seed": seed, "ranker": cells["ranker"] or None}
    return job(
        cells["job"],
        flags=cells["is"],
        task=(cells["task"], cells["task"].rpartition(".")[2]),
        state=cells["state"],
        exp=tuple(cells["exp"].split(", ")),
        reason=cells["reason"] or None,
        time=number(cells["time"]),
        size=number(cells["size"]),
        ended=ended,
        age=ended,
        tags={name: value for name, value in tags.items() if value is not None},
        params={} if lr is None else {"trainer.optimizer.lr": lr},
        metrics={} if mrr is None else {"mrr": mrr},
    )


@pytest.mark.parametrize(("text", "names"), EXAMPLES)
def test_an_example_selects_what_it_says(text: str, names: str) -> None:
    assert chosen(text, read_jobs()) == names


def test_every_line_of_a_block_is_an_example() -> None:
    blocks = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(EXAMPLES) == sum(len(block.splitlines()) for block in blocks) > 30


def test_every_field_flag_and_state_is_on_the_page() -> None:
    fields = PAGE.split("| field | |")[1].split("```")[0]
    words = set(re.findall(r"[a-z]+", " ".join(re.findall(r"`([^`]+)`", fields))))
    assert {*FIELDS, *FLAGS, *STATES} - {"never started"} <= words
