"""How long a filter takes on 100,000 jobs: ``python -m tests.bench.filters``.

Each filter is measured compiled and selected, as when a key is pressed, on columns that are there;
beside it the same filter row by row, written by hand as a plain Python predicate. Figures are the
best of several rounds, of the processor's time in one process.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bench.timing import best
from xpm_engine.filters import Getters, RowTable, compile_filter, complete, flag_column

NOW = 1_795_435_200.0
STATES = ("done",) * 80 + ("failed",) * 10 + ("running",) * 3 + ("waiting",) * 7


@dataclass(frozen=True)
class Row:
    """What the store keeps of a job, without its folder."""

    id: str
    task: tuple[str, str]
    state: str
    reason: str | None
    reused: bool
    time: float | None
    ended: float | None
    tags: dict[str, Any]
    params: dict[str, Any]
    metrics: dict[str, float]


GETTERS: Getters[Row] = Getters(
    {
        "id": lambda row: row.id,
        "task": lambda row: row.task,
        "state": lambda row: row.state,
        "reason": lambda row: row.reason,
        "time": lambda row: row.time,
        "ended": lambda row: row.ended,
        "age": lambda row: row.ended,
        flag_column("reused"): lambda row: row.reused,
    },
    tags=lambda row: row.tags,
    params=lambda row: row.params,
    metrics=lambda row: row.metrics,
)

FILTERS: dict[str, Callable[[Row], bool]] = {
    "state:failed lr>0.01 -ranker:bm25": lambda row: (
        "failed" in row.state
        and row.tags["lr"] > 0.01
        and "bm25" not in row.tags["ranker"].casefold()
    ),
    "state:done time>2h mrr>=0.31": lambda row: (
        "done" in row.state
        and row.time is not None
        and row.time > 7200
        and row.metrics.get("mrr", -1.0) >= 0.31
    ),
    '"no 77" or reason~"1[0-9]{2}$|inf" not is:reused': lambda row: (
        "no 77" in _hay(row)
        or (row.reason is not None and _REASON.search(row.reason) and not row.reused)
    ),
    "age>30d seed:1..3 task:learn": lambda row: (
        row.ended is not None
        and row.ended < NOW - 30 * 86_400
        and 1 <= row.params["model.seed"] <= 3
        and "learn" in row.task[0].casefold()
    ),
    "ab12": lambda row: "ab12" in _hay(row),
}


_REASON = re.compile("1[0-9]{2}$|inf", re.IGNORECASE)


def _hay(row: Row) -> str:
    tags = " ".join(f"{name}={value}" for name, value in row.tags.items())
    return f"{row.id} {row.task[0]} {row.reason or ''} {tags}".casefold()


def rows(count: int) -> list[Row]:
    """Jobs of three tasks, a tenth of them failed for one of 400 reasons."""
    chance = random.Random(7)
    found: list[Row] = []
    for number in range(count):
        state = chance.choice(STATES)
        ended = state in ("done", "failed")
        task = chance.choice(("learn", "index", "evaluate"))
        found.append(
            Row(
                id=f"{chance.getrandbits(128):032x}",
                task=(f"ir.{task}", task),
                state=state,
                reason=f"RuntimeError: no {chance.randrange(400)}" if state == "failed" else None,
                reused=number % 3 == 0,
                time=chance.expovariate(1 / 4000) if state != "waiting" else None,
                ended=NOW - chance.random() * 90 * 86_400 if ended else None,
                tags={
                    "ranker": chance.choice(("bm25", "drmm", "BERT")),
                    "lr": chance.choice((0.1, 0.01, 0.001, 1)),
                },
                params={"model.seed": chance.randrange(10), "model.dim": 64},
                metrics={"mrr": chance.random()} if state == "done" else {},
            )
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    count = parser.parse_args().jobs
    jobs = rows(count)
    table = RowTable(jobs, GETTERS)
    start = time.process_time()
    made = [table.column(name) for name in table.names()]
    print(
        f"{count:,} jobs; {len(made)} columns made in {(time.process_time() - start) * 1000:.0f} ms"
    )
    print(f"{'columns':>9}  {'row by row':>10}  {'ratio':>6}  selected  filter")
    for text, naive in FILTERS.items():
        selection = compile_filter(text, now=NOW).select(table, strict=True)
        assert selection.of(jobs) == list(filter(naive, jobs)), text
        quick = best(lambda text=text: compile_filter(text, now=NOW).select(table))
        slow = best(lambda naive=naive: [naive(row) for row in jobs])
        print(
            f"{quick:6.1f} ms  {slow:7.1f} ms  {slow / quick:5.0f}x  {selection.count:8,}  {text}"
        )
    for text in ("sta", "state:f", "ranker:", "id:ab1"):
        print(
            f"{best(lambda text=text: complete(text, len(text), table)):6.1f} ms  complete {text}"
        )


if __name__ == "__main__":
    main()
