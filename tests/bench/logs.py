"""A log of one gigabyte: time until its end can be drawn, to count it, to search it; memory.

Run as ``python tests/bench/logs.py [MEGABYTES]``. Figures are for a file in the page cache; the
ratio is against one pass of ``bytes.count`` over the same bytes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from xpm_engine.workspace.logs import TROUBLE, LogFile, Query, Search, read_tail, scan, text_query

_BLOCK = 1 << 22


def _write(path: Path, megabytes: int) -> None:
    lines = [
        f"2026-11-23 05:52:{number % 60:02d} INFO epoch {number % 7} batch {number} "
        f"loss={1 / (number + 1):.5f} shard-{number % 1000:04d} {'x' * (number % 40)}\n"
        for number in range(40_000)
    ]
    block = "".join(lines).encode()
    with path.open("wb") as file:
        while file.tell() < megabytes * 1_000_000:
            file.write(block)
        file.write(b"OSError: [Errno 5] Input/output error: the Needle in it\n")


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _one_pass(path: Path) -> None:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            block.count(b"\n")


def _search(log: LogFile, query: Query) -> Search:
    search = Search(log, query, row=log.end_row - 1)
    search.run()
    return search


def main() -> None:
    """Print the figures."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        _write(path, megabytes)
        _one_pass(path)
        before = process.memory_info().rss
        log = LogFile(path)

        def end_on_screen() -> None:
            log.apply(scan(log.order(budget=0)))
            log.lines(log.end_row - 40, 40)

        bare = _timed(lambda: _one_pass(path))
        figures = {
            "one pass of bytes.count": bare,
            "the end on screen": _timed(end_on_screen),
            "read_tail, 1,000 lines": _timed(lambda: read_tail(path, lines=1000)),
            "all lines counted": _timed(log.refresh),
            "a line in the middle": _timed(lambda: log.lines(log.end_row // 2, 40)),
            "search, both cases": _timed(lambda: _search(log, text_query("needle"))),
            "search, exact case": _timed(lambda: _search(log, text_query("Needle"))),
            "search, many hits": _timed(lambda: _search(log, text_query("shard-0412"))),
            "search, every line": _timed(lambda: _search(log, text_query("epoch"))),
            "trouble counted": _timed(lambda: _search(log, TROUBLE)),
        }
        for name, seconds in figures.items():
            print(f"{name:28}{seconds:9.3f} s  {seconds / bare:6.2f} of one pass")
        grown = (process.memory_info().rss - before) / 1e6
        print(f"{log.end_row - log.first_row:,} lines, {log.size / 1e9:.2f} GB, +{grown:.0f} MB")


if __name__ == "__main__":
    main()
