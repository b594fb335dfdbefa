"""Loops and bars tell how far they are, each inside the one around it."""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from xpm_engine.runtime import context, progress
from xpm_engine.runtime.bars import tqdm, track, trange
from xpm_engine.runtime.context import JobContext, enter_job
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import JobPaths

Levels = list[tuple[float, str]]


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobPaths]:
    """This process is a job's for the time of a test."""
    paths = JobPaths(str(tmp_path / "job"))
    Path(paths.xpm).mkdir(parents=True)
    for module, name in ((context, "_current"), (context, "_pid"), (progress, "_active")):
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(progress, "MIN_INTERVAL", 1e9)
    enter_job(JobContext(paths, 1, "nonce"))
    yield paths
    gc.collect()


def _told(job: JobPaths) -> Levels:
    """What would be written now."""
    reporter = progress.reporter()
    assert reporter is not None
    reporter.dirty = True
    reporter.flush()
    read = scan.read_progress(job, 1)
    assert read is not None
    return [(level.fraction, level.text) for level in read.levels]


def test_a_loop_tells_how_many_it_has_done(job: JobPaths) -> None:
    seen: list[Levels] = []
    for item in track(range(4), desc="rows"):
        if item in (0, 2):
            seen.append(_told(job))
    assert seen == [[(0.0, "rows 0/4")], [(0.5, "rows 2/4")]]
    assert _told(job) == [(1.0, "rows 4/4")]


def test_loops_inside_loops_are_levels(job: JobPaths) -> None:
    for epoch in track(range(2), desc="epoch"):
        for batch in tqdm(range(4), "batch"):
            if (epoch, batch) == (1, 3):
                assert _told(job) == [(0.5, "epoch 1/2"), (0.75, "batch 3/4")]
        assert len(_told(job)) == 1
    assert _told(job) == [(1.0, "epoch 2/2")]


def test_a_loop_that_is_left_early_keeps_where_it_was(job: JobPaths) -> None:
    for item in track(range(10)):
        if item == 4:
            break
    gc.collect()
    assert _told(job) == [(0.4, "4/10")]
    list(track("ab"))
    assert _told(job) == [(1.0, "2/2")]


def test_an_iterator_without_a_length_is_counted(job: JobPaths) -> None:
    loop = track(iter("abc"), desc="letters")
    next(loop)
    next(loop)
    assert _told(job) == [(0.0, "letters 1")]
    assert list(track(iter("abc"), total=3)) == ["a", "b", "c"]


def test_a_bar_is_moved_by_hand(job: JobPaths) -> None:
    with tqdm(total=200, unit="docs", ncols=80, leave=False, initial=50) as bar:
        bar.update(100)
        bar.set_description("index")
        bar.set_postfix(loss=0.12345, lr="1e-3")
        assert _told(job) == [(0.75, "index 150/200 loss=0.123, lr=1e-3")]
        bar.total = 300
        bar.n = 300
        assert (bar.n, len(bar), bar.desc) == (300, 300, "index")
        bar.reset(total=10)
        bar.set_postfix_str("")
        bar.refresh()
        assert _told(job) == [(0.0, "index 0/10")]
        bar.clear()
        bar.update(20)
    assert _told(job) == [(1.0, "index 20/10")]
    bar.close()


def test_a_bar_that_is_forgotten_does_not_stand_in_the_way(job: JobPaths) -> None:
    def leave_open() -> None:
        tqdm(total=2).update()

    leave_open()
    gc.collect()
    for _ in track(range(2)):
        assert len(_told(job)) == 1


def test_a_level_can_be_said(job: JobPaths) -> None:
    progress.progress(0.25, desc="all")
    for _ in track(range(2), level=1):
        assert _told(job)[0] == (0.25, "all")
        assert len(_told(job)) == 2
    deep = tqdm(total=1, position=5)
    assert len(_told(job)) == 2
    deep.close()


def test_levels_have_an_end(job: JobPaths) -> None:
    bars = [tqdm(total=1) for _ in range(12)]
    assert len(_told(job)) == progress.MAX_LEVELS
    for bar in reversed(bars):
        bar.close()
    assert len(_told(job)) == 1


def test_a_disabled_bar_says_nothing(job: JobPaths) -> None:
    assert list(tqdm([1, 2], disable=True)) == [1, 2]
    assert not Path(job.progress).exists()


def test_outside_of_a_job_the_items_are_all_there_is(tmp_path: Path) -> None:
    assert list(track([1, 2, 3])) == [1, 2, 3]
    assert list(trange(3)) == [0, 1, 2]
    bar: tqdm[int] = tqdm(total=3)
    bar.update()
    assert bar.n == 1
    assert bool(bar)
    with pytest.raises(TypeError, match="length"):
        len(tqdm(iter("ab")))
    out = io.StringIO()
    tqdm.write("a line", file=out)
    assert out.getvalue() == "a line\n"


def test_what_the_loop_raises_comes_through(job: JobPaths) -> None:
    with pytest.raises(ZeroDivisionError):
        for number in track([1, 0]):
            1 / number
    gc.collect()
    assert _told(job) == [(0.5, "1/2")]
