"""The classes that the tutorial's plan leaves out, small and real: a retrieval model is trained."""

from __future__ import annotations

import json
import math
import random as standard_random
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

from xpm_engine import Config, Option, Param, Task, pathgenerator, progress

EMBEDDINGS = {
    "edu.stanford.glove.6b.50": {
        "cat": (1.0, 0.1, 0.0),
        "kitten": (0.9, 0.3, 0.0),
        "dog": (0.6, 0.8, 0.0),
        "engine": (0.0, 0.1, 1.0),
        "motor": (0.0, 0.2, 0.9),
        "wheel": (0.1, 0.0, 0.8),
    }
}

ROBUST = {
    "d1": "the cat and the kitten",
    "d2": "a dog follows a cat",
    "d3": "an engine is a motor",
    "d4": "the wheel turns the engine",
}

TOPICS = {
    "trf1": {"cat": ["d1", "d2"], "engine": ["d3", "d4"]},
    "vaf1": {"kitten": ["d1"], "wheel": ["d4"]},
    "f1": {"motor": ["d3", "d4"], "dog": ["d2"]},
}


def ledger(line: str) -> None:
    """Write down that a task began or ended, where the test reads it (the plan's folder)."""
    with (Path(__file__).parent / "ledger.txt").open("a") as lines:
        lines.write(line + "\n")


class Adam(Config):
    """Wrapper for Adam optimizer"""

    lr: Param[float] = 1e-3
    """Learning rate"""

    weight_decay: Param[float] = 0.0
    """Weight decay (L2)"""

    eps: Param[float] = 1e-8

    def __call__(self, parameters: list[float]) -> AdamState:
        return AdamState(self, parameters)


class AdamState:
    """Adam (Kingma and Ba, 2015) over a list of numbers."""

    def __init__(self, settings: Adam, parameters: list[float]) -> None:
        self.settings = settings
        self.parameters = parameters
        self.mean = [0.0] * len(parameters)
        self.square = [0.0] * len(parameters)
        self.steps = 0

    def step(self, gradient: list[float]) -> None:
        self.steps += 1
        for i, change in enumerate(gradient):
            slope = change + self.settings.weight_decay * self.parameters[i]
            self.mean[i] = 0.9 * self.mean[i] + 0.1 * slope
            self.square[i] = 0.999 * self.square[i] + 0.001 * slope * slope
            mean = self.mean[i] / (1 - 0.9**self.steps)
            square = self.square[i] / (1 - 0.999**self.steps)
            self.parameters[i] -= self.settings.lr * mean / (math.sqrt(square) + self.settings.eps)


class Documents(Config):
    """A collection of texts."""

    path: Param[Path]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield from json.loads(self.path.read_text()).items()


class IndexCollection(Task):
    """Index documents"""

    storePositions: Param[bool] = False
    storeDocvectors: Param[bool] = False
    storeRawDocs: Param[bool] = False
    storeTransformedDocs: Param[bool] = False
    documents: Param[Documents]

    # An option doesn't change the outcome, just the processing
    threads: Option[int] = 8

    # A path relative to the task directory
    index_path: Annotated[Path, pathgenerator("index")]

    def execute(self) -> None:
        ledger("begin index")
        postings: dict[str, list[object]] = {}
        for name, text in self.documents:
            for position, word in enumerate(text.split()):
                entry = [name, position] if self.storePositions else name
                postings.setdefault(word, []).append(entry)
        self.index_path.mkdir()
        (self.index_path / "postings.json").write_text(json.dumps(postings))
        ledger("end index")


class Random(Config):
    """A seed."""

    seed: Param[int] = 0


class WordEmbeddings(Config):
    """Word vectors by their name."""

    name: Param[str]

    def vectors(self) -> dict[str, tuple[float, ...]]:
        return dict(EMBEDDINGS[self.name])


def prepare_dataset(name: str) -> WordEmbeddings:
    return WordEmbeddings(name=name)


class WordvecUnkVocab(Config):
    """Vectors of known words, and of every unknown word a random one."""

    data: Param[WordEmbeddings]
    random: Param[Random]

    def vector(self, word: str) -> tuple[float, ...]:
        known = self.data.vectors().get(word)
        if known is not None:
            return known
        source = standard_random.Random(f"{self.random.seed}:{word}")
        return tuple(source.uniform(-0.2, 0.2) for _ in range(3))

    def similarity(self, one: str, other: str) -> float:
        a, b = self.vector(one), self.vector(other)
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


class Example(NamedTuple):
    query: str
    relevant: list[str]


class Robust(Config):
    """The documents, written by the task that prepares them."""

    documents: Param[Documents]

    def subset(self, name: str) -> Subset:
        return Subset(dataset=self, name=name)


class Subset(Config):
    """A fold of the topics."""

    dataset: Param[Robust]
    name: Param[str]

    def examples(self) -> list[Example]:
        return [Example(query, relevant) for query, relevant in TOPICS[self.name].items()]


class RobustDataset(Task[Robust]):
    """Write the collection to a file."""

    path: Param[Path] = pathgenerator("robust.json")

    @classmethod
    def prepare(cls) -> RobustDataset:
        return cls()

    def output(self) -> Robust:
        return Robust(documents=Documents(path=self.path))

    def execute(self) -> None:
        ledger("begin robust")
        self.path.write_text(json.dumps(ROBUST))
        ledger("end robust")


class Drmm(Config):
    """Deep relevance matching (Guo et al., 2016): a histogram of similarities, weighted."""

    vocab: Param[WordvecUnkVocab]
    bins: Param[int] = 5

    def histogram(self, query: str, text: str) -> list[float]:
        counts = [0] * self.bins
        for word in text.split():
            similarity = self.vocab.similarity(query, word)
            counts[min(self.bins - 1, int((similarity + 1) / 2 * self.bins))] += 1
        return [math.log1p(count) for count in counts]


class PointwiseTrainer(Config):
    """Logistic regression, one document at a time."""

    optimizer: Param[Adam] = Adam(lr=0.05)


class Reranker(Config):
    """Orders documents by the model's score."""

    def rank(self, model: Model, query: str, documents: Documents) -> list[str]:
        weights = model.weights()
        scores = {name: model.score(weights, query, text) for name, text in documents}
        return sorted(scores, key=lambda name: (-scores[name], name))

    def average_precision(self, model: Model, data: Subset) -> float:
        values: list[float] = []
        for query, relevant in data.examples():
            ranking = self.rank(model, query, data.dataset.documents)
            ranks = sorted(ranking.index(name) + 1 for name in relevant)
            values.append(sum((i + 1) / rank for i, rank in enumerate(ranks)) / len(ranks))
        return sum(values) / len(values)


class Model(Config):
    """A ranker and its learned weights."""

    ranker: Param[Drmm]
    path: Param[Path]

    def weights(self) -> list[float]:
        weights: list[float] = json.loads(self.path.read_text())
        return weights

    def score(self, weights: list[float], query: str, text: str) -> float:
        features = self.ranker.histogram(query, text)
        return sum(w * x for w, x in zip(weights, features, strict=True))


class Learner(Task[Model]):
    """Train a ranker; keep the weights of the best epoch on the validation fold."""

    trainer: Param[PointwiseTrainer]
    random: Param[Random]
    ranker: Param[Drmm]
    valid_pred: Param[Reranker]
    train_dataset: Param[Subset]
    val_dataset: Param[Subset]
    max_epoch: Param[int]

    weights: Param[Path] = pathgenerator("weights.json")

    def output(self) -> Model:
        return Model(ranker=self.ranker, path=self.weights)

    def execute(self) -> None:
        ledger("begin learner")
        source = standard_random.Random(self.random.seed)
        weights = [source.uniform(-0.1, 0.1) for _ in range(self.ranker.bins)]
        optimizer = self.trainer.optimizer(weights)
        pairs = [
            (self.ranker.histogram(query, text), float(name in relevant))
            for query, relevant in self.train_dataset.examples()
            for name, text in self.train_dataset.dataset.documents
        ]
        best = -1.0
        candidate = Model(ranker=self.ranker, path=self.weights.with_name("candidate.json"))
        for epoch in range(self.max_epoch):
            progress(epoch / self.max_epoch, desc=f"epoch {epoch + 1}/{self.max_epoch}")
            for features, label in pairs:
                guess = sum(w * x for w, x in zip(weights, features, strict=True))
                error = 1 / (1 + math.exp(-guess)) - label
                optimizer.step([error * x for x in features])
            candidate.path.write_text(json.dumps(weights))
            value = self.valid_pred.average_precision(candidate, self.val_dataset)
            if value > best:
                best = value
                self.weights.write_text(json.dumps(weights))
            print(f"epoch {epoch + 1}: {value:.3f}")
        ledger("end learner")


class Evaluate(Task):
    """Mean average precision on a held-out fold."""

    dataset: Param[Subset]
    model: Param[Model]
    predictor: Param[Reranker]

    scores: Param[Path] = pathgenerator("map.json")

    def execute(self) -> None:
        ledger("begin evaluate")
        value = self.predictor.average_precision(self.model, self.dataset)
        self.scores.write_text(json.dumps({"map": value}))
        ledger("end evaluate")
