"""Each field's filter and each sorting at 100,000 jobs: ``python -m tests.bench.fields``.

Makes a workspace of ``--jobs`` jobs, or takes the ``--folder`` of one that was written with
``python -m tests.big_workspace``, and loads it as the app does. Then every field is asked by a
filter, compiled and selected as when a key is pressed, and the table of all jobs sorted by every
order that its columns have. Figures are milliseconds of the processor, the best of several
rounds; the first line tells what the columns cost, which are made in a thread, before a key.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.bench.timing import best
from tests.big_workspace import Shape, make
from xpm_engine.filters import FIELDS
from xpm_engine.filters.names import FLAGS
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_tui.filtering.job_filter import JobFilter
from xpm_tui.settling import settle
from xpm_tui.store import AllJobsSubject, Job, Store
from xpm_tui.store.columns import AllColumns
from xpm_tui.store.reader import Look, Reader
from xpm_tui.widgets.jobs.columns import possible_columns
from xpm_tui.widgets.table.model import TableModel

FILTERS: dict[str, Sequence[str]] = {
    "id": ("id:ab12",),
    "task": ("task:learn", "task=ir.models.learn"),
    "state": ("state:failed",),
    "exp": ("exp=grid03",),
    "run": ("run:20261123",),
    "reason": ("reason:memory", "reason~nan|shard"),
    "cause": ("cause:train.py",),
    "host": ("host:node",),
    "launcher": ("launcher:local",),
    "owner": ("owner=you",),
    "attempt": ("attempt>1",),
    "progress": ("progress>50%",),
    "time": ("time>2h",),
    "wait": ("wait>1m",),
    "age": ("age>3d",),
    "size": ("size>1MB",),
    "started": ("started>=2026-11-20",),
    "ended": ("ended>=2026-11-20",),
    "needs": ("needs:index", "needs~learn/ab", "needs:none"),
    "neededby": ("neededby=grid03", "neededby:learn"),
    "is": tuple(f"is:{flag}" for flag in FLAGS if flag != "obsolete"),
    "a tag": ("tag.lr>0.01", "tag.ranker:bm25", "tag.seed:1..3"),
    "a parameter": ("param.epochs:50", "trainer.optimizer.lr<1e-3"),
    "a metric": ("mrr>=0.31",),
    "bare text": ("bm25", "memory"),
    "several": ("state:failed lr>0.01 -ranker:bm25",),
}


def load(workspace: WorkspacePaths) -> Store:
    store = Store(workspace)
    reader = Reader(workspace)
    remembered = reader.memory.remember()
    if remembered is not None:
        store.apply(remembered)
    for delta in reader.read(Look(everything=True)):
        store.apply(delta)
    reader.memory.keep()
    return store


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_filters(store: Store) -> None:
    narrowing = JobFilter(store, clock=time.time)
    asked = set(FIELDS) - set(FILTERS)
    assert not asked, asked
    for field, texts in FILTERS.items():
        for text in texts:

            def key(text: str = text) -> int:
                narrowing.type("")
                narrowing.work()
                narrowing.type(text)
                work = narrowing.work()
                assert work is not None
                answer = work.run()
                narrowing.take(answer)
                return len(answer.keys)

            began = time.process_time()
            count = key()
            first = (time.process_time() - began) * 1000
            print(f"{best(key):8.1f}  {first:8.1f}  {count:8,}  {field}: {text}", flush=True)
    narrowing.type("")
    narrowing.work()


def measure_sorting(store: Store) -> None:
    jobs = store.jobs(AllJobsSubject())
    columns, _ = possible_columns(jobs)
    for column in columns:
        model: TableModel[Job] = TableModel(lambda job: job.key)
        model.replace(jobs)

        forth, back = (partial(model.sort, column, reverse=reverse) for reverse in (False, True))
        began = time.process_time()
        forth()
        first = (time.process_time() - began) * 1000
        assert not model.unsorted
        print(f"{best(forth):8.1f}  {best(back):8.1f}  {first:8.1f}  {column.title}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("XDG_CACHE_HOME", f"{folder}/cache")
        if options.folder is None:
            workspace = make(Path(folder, "ws"), Shape(options.jobs))
        else:
            workspace = WorkspacePaths.at(options.folder)
        store = load(workspace)
        store.keys(AllJobsSubject())
        settle(store)
        before, began = megabytes(), time.process_time()
        columns = AllColumns(store.kept.snapshot(time.time()))
        columns.warm()
        store.kept.take(columns)
        made = (time.process_time() - began) * 1000
        print(
            f"{columns.rows:,} jobs; columns made in {made:.0f} ms, {megabytes() - before:.0f} MB"
        )
        print("  filter     first      jobs")
        measure_filters(store)
        print("    sort   reverse     first")
        measure_sorting(store)


if __name__ == "__main__":
    main()
