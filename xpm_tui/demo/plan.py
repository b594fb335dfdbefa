"""Which settings of BM25 find the right module of Python's standard library?

Documents are modules: the docstrings of a module, its classes and functions. Queries are the
summary lines of functions that were taken out first; the answer is the module each one was in.

    xpm run plan.py                      all of it, about a minute on two cores
    xpm run plan.py queries=300          fewer queries, a quicker and rougher answer
    xpm run plan.py library=~/project    another folder of Python files
    xpm run plan.py failure=yes          one more task, which fails on purpose

Run it again: nothing is computed twice. Change a number below, and only what it changes runs.
"""

from __future__ import annotations

import ast
import json
import math
import platform
import random
import re
import sysconfig
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

from xpm_engine import (
    Config,
    Option,
    Param,
    Task,
    arguments,
    experiment,
    pathgenerator,
    progress,
    tag,
)

LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "turtledemo"}
"""Folders that are no part of the library, or not everywhere a part of it."""

KINDS: dict[type[ast.AST], str] = {
    ast.Module: "module",
    ast.ClassDef: "class",
    ast.FunctionDef: "function",
    ast.AsyncFunctionDef: "function",
}

PLURALS = (("sses", "ss"), ("ies", "y"), ("ss", "ss"), ("us", "us"), ("s", ""))
"""Endings of plurals and of their singulars; the first one that fits counts."""


class Docstring(NamedTuple):
    """One docstring and where it is, such as `json.decoder` and `json.decoder.JSONDecoder`."""

    module: str
    name: str
    kind: str
    text: str


class Query(NamedTuple):
    """A summary line to search with, and the function and module that it comes from."""

    text: str
    function: str
    module: str


class Index(NamedTuple):
    """The words of all modules, inverted."""

    lengths: dict[str, int]
    """Module -> number of its words."""
    postings: dict[str, dict[str, int]]
    """Word -> module -> how often it is there."""


class ReadLibrary(Task):
    """Collect the docstrings of a folder of Python files; nothing is imported."""

    folder: Param[Path]
    """Where the library is"""

    python: Param[str]
    """The library's version: another version is another collection"""

    file: Param[Path] = pathgenerator("docstrings.jsonl")

    def execute(self) -> None:
        files = [
            file
            for file in sorted(self.folder.rglob("*.py"))
            if LEFT_OUT.isdisjoint(file.relative_to(self.folder).parts)
        ]
        found = 0
        with self.file.open("w") as lines:
            for number, file in enumerate(files):
                progress(number / len(files), desc=f"file {number}/{len(files)}")
                module = module_name(file.relative_to(self.folder))
                try:
                    tree = ast.parse(file.read_bytes())
                except (SyntaxError, ValueError) as error:
                    print(f"left out {file}: {error}")
                    continue
                for docstring in docstrings_of(tree, module, module):
                    lines.write(json.dumps(docstring._asdict()) + "\n")
                    found += 1
        if not found:
            raise ValueError(f"no docstring in any Python file under {self.folder}")
        print(f"{found} docstrings in {len(files)} files")


class MakeQueries(Task):
    """Choose functions to search for, fairly.

    - The docstrings of the chosen functions are held out: no index contains them.
    - A summary that occurs in any other docstring as well is not chosen: it would be given
      away word for word, or have two right answers.
    - It has at least five words, and its module has a docstring of its own, so that the
      answer is in every index.
    """

    library: Param[ReadLibrary]

    count: Param[int] = 3000
    """How many functions are searched for; this sets how long each evaluation takes"""

    seed: Param[int] = 0
    """Which ones are drawn"""

    file: Param[Path] = pathgenerator("queries.jsonl")

    def execute(self) -> None:
        docstrings = read_docstrings(self.library.file)
        documented = {docstring.module for docstring in docstrings if docstring.kind == "module"}
        everything = "\n".join(f" {' '.join(words(docstring.text))} " for docstring in docstrings)

        fair: list[Query] = []
        for number, docstring in enumerate(docstrings):
            if number % 100 == 0:
                progress(number / len(docstrings), desc=f"docstring {number}/{len(docstrings)}")
            if docstring.kind != "function" or docstring.module not in documented:
                continue
            summary = words(docstring.text.split("\n\n")[0])
            text = " ".join(summary)
            if len(summary) >= 5 and everything.count(f" {text} ") == 1:
                fair.append(Query(text, docstring.name, docstring.module))

        if not fair:
            raise ValueError("no function has a summary that can be searched for fairly")
        chosen = random.Random(self.seed).sample(fair, min(self.count, len(fair)))
        with self.file.open("w") as lines:
            for query in chosen:
                lines.write(json.dumps(query._asdict()) + "\n")
        print(f"{len(chosen)} queries drawn from {len(fair)} fair ones")


class BuildIndex(Task):
    """Count the words of every module, without the functions that are searched for."""

    library: Param[ReadLibrary]
    queries: Param[MakeQueries]

    stem: Param[bool] = False
    """Fold plurals into singulars"""

    file: Param[Path] = pathgenerator("index.json")

    def execute(self) -> None:
        held_out = {query.function for query in read_queries(self.queries.file)}
        docstrings = read_docstrings(self.library.file)
        counts: dict[str, Counter[str]] = {}
        for number, docstring in enumerate(docstrings):
            if number % 100 == 0:
                progress(number / len(docstrings), desc=f"docstring {number}/{len(docstrings)}")
            if docstring.name not in held_out:
                counter = counts.setdefault(docstring.module, Counter())
                counter.update(words(docstring.text, stem=self.stem))

        index = Index(lengths={}, postings={})
        for module, counter in counts.items():
            index.lengths[module] = counter.total()
            for word, count in counter.items():
                index.postings.setdefault(word, {})[module] = count
        self.file.write_text(json.dumps(index._asdict()))
        print(f"{len(index.lengths)} modules, {len(index.postings)} different words")


class BM25(Config):
    """The ranking function BM25 (Robertson and Zaragoza, 2009)."""

    k1: Param[float] = 1.2
    """How much a word's repetitions count; at 0 the first one counts alone"""

    b: Param[float] = 0.75
    """How much long modules are held back; at 0 not at all"""

    def __validate__(self) -> None:
        if self.k1 < 0 or not 0 <= self.b <= 1:
            raise ValueError(f"k1 is 0 or more and b from 0 to 1, not {self.k1} and {self.b}")

    def rank(self, index: Index, query: Iterable[str]) -> list[str]:
        """All modules with a word of the query, the best one first."""
        k1, b, lengths = self.k1, self.b, index.lengths
        average = sum(lengths.values()) / len(lengths)
        scores: dict[str, float] = {}
        for word in query:
            modules = index.postings.get(word, {})
            rarity = math.log(1 + (len(lengths) - len(modules) + 0.5) / (len(modules) + 0.5))
            for module, count in modules.items():
                weight = count * (k1 + 1) / (count + k1 * (1 - b + b * lengths[module] / average))
                scores[module] = scores.get(module, 0.0) + rarity * weight
        return sorted(scores, key=lambda module: (-scores[module], module))


class Evaluate(Task):
    """Search for every query, typed in part or in full, and see how high its module comes."""

    index: Param[BuildIndex]
    queries: Param[MakeQueries]
    ranker: Param[BM25]

    lengths: Param[tuple[int, ...]] = (4, 8, 16)
    """How many words of each query are typed, one pass each"""

    report_every: Option[int] = 20
    """Queries between two reports of progress; an option: it changes no result"""

    scores: Param[Path] = pathgenerator("scores.json")

    def execute(self) -> None:
        index = Index(**json.loads(self.index.file.read_text()))
        queries = read_queries(self.queries.file)
        passes: dict[str, float] = {}
        for done, length in enumerate(self.lengths):
            what = f"pass {done + 1}/{len(self.lengths)}: {length} words typed"
            progress(done / len(self.lengths), desc=what)
            total = 0.0
            for number, query in enumerate(queries):
                if number % self.report_every == 0:
                    progress(number / len(queries), level=1, desc=f"query {number}/{len(queries)}")
                typed = words(query.text, stem=self.index.stem)[:length]
                ranking = self.ranker.rank(index, dict.fromkeys(typed))
                if query.module in ranking:
                    total += 1 / (ranking.index(query.module) + 1)
            passes[str(length)] = total / len(queries)
            print(f"{length} words typed: mean reciprocal rank {passes[str(length)]:.4f}")
        mean = sum(passes.values()) / len(passes)
        self.scores.write_text(json.dumps({"mrr": mean, "passes": passes}))


class Report(Task):
    """Put all settings into one table, the best one first."""

    evaluations: Param[list[Evaluate]]

    table: Param[Path] = pathgenerator("report.md")

    def execute(self) -> None:
        rows: list[tuple[float, str]] = []
        for evaluation in self.evaluations:
            scores = json.loads(evaluation.scores.read_text())
            setting = f"{evaluation.ranker.k1} | {evaluation.ranker.b} | {evaluation.index.stem}"
            passes = " | ".join(f"{mrr:.4f}" for mrr in scores["passes"].values())
            rows.append((scores["mrr"], f"| {setting} | {passes} | {scores['mrr']:.4f} |"))
        rows.sort(key=lambda row: -row[0])

        lengths = self.evaluations[0].lengths
        heads = ["k1", "b", "stem", *(f"{length} words" for length in lengths), "mean"]
        lines = [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
        self.table.write_text("\n".join([*lines, *(line for _, line in rows)]) + "\n")
        print(f"the best of {len(rows)} settings: {rows[0][1]}")


class FailOnPurpose(Task):
    """Fail, so that you see what a failure looks like."""

    queries: Param[MakeQueries]

    def execute(self) -> None:
        queries = read_queries(self.queries.file)
        for number, query in enumerate(queries):
            progress(number / len(queries), desc=f"query {number}/{len(queries)}")
            print(f"looking for {query.module}: {query.text}")
            if number == len(queries) // 2:
                raise ValueError(f"query {number} fails on purpose: you asked for failure=yes")


def module_name(file: Path) -> str:
    """`json/__init__.py` -> `json`, `json/decoder.py` -> `json.decoder`."""
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def docstrings_of(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, name: str, module: str
) -> Iterator[Docstring]:
    """The docstring of a module, class or function, then those of what is defined in it."""
    text = ast.get_docstring(node)
    if text:
        yield Docstring(module, name, KINDS[type(node)], text)
    for child in node.body:
        if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from docstrings_of(child, f"{name}.{child.name}", module)


def words(text: str, *, stem: bool = False) -> list[str]:
    """The words of a text in lower case, in their order."""
    found: list[str] = re.findall("[a-z0-9]+", text.lower())
    return [singular(word) for word in found] if stem else found


def singular(word: str) -> str:
    """A plural's singular, mostly (after the first step of Porter's stemmer, 1980)."""
    if len(word) > 3:
        for ending, singular_ending in PLURALS:
            if word.endswith(ending):
                return word.removesuffix(ending) + singular_ending
    return word


def read_docstrings(file: Path) -> list[Docstring]:
    return [Docstring(**json.loads(line)) for line in file.read_text().splitlines()]


def read_queries(file: Path) -> list[Query]:
    return [Query(**json.loads(line)) for line in file.read_text().splitlines()]


if __name__ == "__main__":
    given = arguments()
    library_folder = given.get("library", sysconfig.get_path("stdlib"))

    with experiment("workspace", "bm25"):
        library = ReadLibrary(
            folder=Path(library_folder).expanduser(), python=platform.python_version()
        ).submit()
        queries = MakeQueries(library=library, count=int(given.get("queries", "3000"))).submit()

        evaluations: list[Evaluate] = []
        for stem in (False, True):
            index = BuildIndex(library=library, queries=queries, stem=tag(stem)).submit()
            for k1, b in product((0.6, 1.2, 2.4), (0.25, 0.5, 0.75)):
                ranker = BM25(k1=tag(k1), b=tag(b))
                evaluation = Evaluate(index=index, queries=queries, ranker=ranker)
                evaluations.append(evaluation.submit())

        report = Report(evaluations=evaluations).submit()
        if given.get("failure") == "yes":
            FailOnPurpose(queries=queries).submit()

    print(report.table.read_text())
