"""The demo's experiment a second time, slow and plain, sharing no code with the plan."""

from __future__ import annotations

import ast
import inspect
import math
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A docstring of the library."""

    module: str
    name: str
    function: bool
    text: str


def entries(folder: Path) -> list[Entry]:
    """The docstrings of the files right in `folder` and one folder below, found by a stack."""
    found: list[Entry] = []
    for file in [*folder.glob("*.py"), *folder.glob("*/*.py")]:
        dotted = file.relative_to(folder).as_posix()[: -len(".py")].replace("/", ".")
        module = dotted.removesuffix(".__init__")
        if module.startswith("tests."):
            continue
        stack: list[tuple[str, ast.AST]] = [(module, ast.parse(file.read_text("utf-8")))]
        while stack:
            name, node = stack.pop()
            match node:
                case ast.Module(body=[ast.Expr(value=ast.Constant(value=str(text))), *_]):
                    found.append(Entry(module, name, False, inspect.cleandoc(text)))
                case ast.ClassDef(body=[ast.Expr(value=ast.Constant(value=str(text))), *_]):
                    found.append(Entry(module, name, False, inspect.cleandoc(text)))
                case (
                    ast.FunctionDef(body=[ast.Expr(value=ast.Constant(value=str(text))), *_])
                    | ast.AsyncFunctionDef(body=[ast.Expr(value=ast.Constant(value=str(text))), *_])
                ):
                    found.append(Entry(module, name, True, inspect.cleandoc(text)))
                case _:
                    pass
            for child in getattr(node, "body", []):
                if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    stack.append((f"{name}.{child.name}", child))
    return [entry for entry in found if entry.text]


def tokens(text: str) -> list[str]:
    """Words in lower case."""
    return [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word]


def summary(entry: Entry) -> list[str]:
    """The words before the first empty line."""
    return tokens(entry.text.partition("\n\n")[0])


def occurs(words: list[str], text: list[str]) -> int:
    """How often a run of words stands in a text."""
    size = len(words)
    return sum(text[start : start + size] == words for start in range(len(text) - size + 1))


def fair_queries(library: list[Entry]) -> set[tuple[str, str, str]]:
    """(summary, function, module) of every function that may be searched for."""
    documented = {entry.module for entry in library if entry.name == entry.module}
    texts = [tokens(entry.text) for entry in library]
    fair: set[tuple[str, str, str]] = set()
    for entry in library:
        words = summary(entry)
        if not entry.function or entry.module not in documented or len(words) < 5:
            continue
        if sum(occurs(words, text) for text in texts) == 1:
            fair.add((" ".join(words), entry.name, entry.module))
    return fair


def module_texts(library: list[Entry], held_out: set[str]) -> dict[str, list[str]]:
    """Module -> all its words, but those of the functions that are held out."""
    texts: dict[str, list[str]] = {}
    for entry in library:
        if entry.name not in held_out:
            texts[entry.module] = texts.get(entry.module, []) + tokens(entry.text)
    return texts


def bm25(texts: dict[str, list[str]], query: list[str], k1: float, b: float) -> dict[str, float]:
    """Every module's score, term by term as in Robertson and Zaragoza (2009), section 3."""
    number = len(texts)
    average = sum(len(text) for text in texts.values()) / number
    having = {word: sum(word in text for text in texts.values()) for word in query}
    scores: dict[str, float] = {}
    for module, text in texts.items():
        score = 0.0
        for word in dict.fromkeys(query):
            frequency = text.count(word)
            if frequency == 0:
                continue
            idf = math.log((number - having[word] + 0.5) / (having[word] + 0.5) + 1)
            slope = k1 * ((1 - b) + b * len(text) / average)
            score += idf * (frequency * (k1 + 1) / (slope + frequency))
        scores[module] = score
    return scores


def reciprocal_rank(scores: dict[str, float], answer: str) -> float:
    """1 / the place of the answer; of equals the alphabetically first one is before."""
    own = scores[answer]
    if own == 0:
        return 0.0
    before = [
        module
        for module, score in scores.items()
        if score > own * (1 + 1e-12) or (score >= own * (1 - 1e-12) and module < answer)
    ]
    return 1 / (1 + len(before))


def without_plurals(word: str) -> str:
    """Words of four letters and more: classes -> class, queries -> query, trees -> tree."""
    if len(word) <= 3 or re.search("(us|ss)$", word):
        return word
    return re.sub("s$", "", re.sub("ies$", "ys", re.sub("sses$", "ss_", word))).rstrip("_")


def mrr(
    texts: dict[str, list[str]], queries: list[tuple[str, str]], length: int, k1: float, b: float
) -> float:
    """The mean reciprocal rank of (text, module) queries, cut to `length` words."""
    ranks = [
        reciprocal_rank(bm25(texts, text.split()[:length], k1, b), module)
        for text, module in queries
    ]
    return sum(ranks) / len(ranks)
