"""Identifiers and checked configurations a second: ``python tests/bench/identifiers.py``.

With ``--peer PYTHON``, an interpreter that has experimaestro 2.7.0, the same is measured there.
Figures are the best of several rounds over new objects, in one process, the garbage collector on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS = 7
COUNT = 5_000

PEER = """
import json, sys, time, logging
logging.disable(logging.CRITICAL)
from experimaestro import Config, Param, field

class Adam(Config):
    lr: Param[float] = field(default=1e-3, ignore_default=True)
    weight_decay: Param[float] = field(default=0.0, ignore_default=True)

class Learner(Config):
    optimizer: Param[Adam]
    epochs: Param[int] = field(default=10, ignore_default=True)

class Pair(Config):
    left: Param[Config]
    right: Param[Config]
"""


def rate(prepare: Callable[[], list[object]], work: Callable[[list[object]], int]) -> float:
    """How many a second, best of several rounds; each round works on new objects."""
    best = 0.0
    for _ in range(ROUNDS):
        items = prepare()
        start = time.perf_counter()
        count = work(items)
        best = max(best, count / (time.perf_counter() - start))
    return best


def ours() -> dict[str, float]:
    """Our figures."""
    from xpm_engine.config import Config, Param

    class Adam(Config):
        lr: Param[float] = 1e-3
        weight_decay: Param[float] = 0.0

    class Learner(Config):
        optimizer: Param[Adam]
        epochs: Param[int] = 10

    class Pair(Config):
        left: Param[Config]
        right: Param[Config]

    return measure(Adam, Learner, Pair, lambda config: config.__identifier__())


def measure(
    adam: type, learner: type, pair: type, identify: Callable[[object], object]
) -> dict[str, float]:
    """Identifiers of new two-level configurations, their making, and a diamond of depth 14."""

    def make() -> list[object]:
        return [learner(optimizer=adam(lr=float(i))) for i in range(COUNT)]

    def identify_all(items: list[object]) -> int:
        for item in items:
            identify(item)
        return len(items)

    def diamond() -> list[object]:
        node = adam(lr=1.0)
        for _ in range(14):
            node = pair(left=node, right=node)
        return [node]

    return {
        "identifiers": rate(make, identify_all),
        "made and checked": rate(list, lambda _: len(make())),
        "diamonds of depth 14": rate(diamond, identify_all),
    }


def peer(python: str) -> dict[str, float]:
    """The figures of experimaestro, in its own interpreter."""
    import inspect

    body = "\n".join(inspect.getsource(function) for function in (rate, measure))
    script = (
        f"from collections.abc import Callable\nROUNDS, COUNT = 3, 1_000\n{PEER}\n{body}\n"
        "identify = lambda config: config.__identifier__()\n"
        "print(json.dumps(measure(Adam.C, Learner.C, Pair.C, identify)))\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "peer.py")
        file.write_text(script)
        done = subprocess.run(
            [python, "-W", "ignore", file], stdout=subprocess.PIPE, text=True, check=True
        )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="an interpreter that has experimaestro 2.7.0")
    arguments = parser.parse_args()
    mine = ours()
    theirs = peer(arguments.peer) if arguments.peer else {}
    for name, figure in mine.items():
        line = f"{name:24}{figure:>12,.0f} /s"
        if name in theirs:
            line += f"   peer {theirs[name]:>10,.1f} /s   ratio {figure / theirs[name]:,.1f}"
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
