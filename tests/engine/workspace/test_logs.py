"""Logs against a naive splitter, and the ways a file can change between two looks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpm_engine.errors import StorageError
from xpm_engine.workspace.logs import (
    Bounds,
    LogEvent,
    LogFile,
    LogState,
    Search,
    follow,
    read_tail,
    scan,
    text_query,
)

SMALL = Bounds(page=16, line=1000)
LOGGED = st.lists(
    st.one_of(
        st.sampled_from([b"\n", b"\r", b"\r\n", b"x", b"needle", b"Need", b"\xff", b"\xc3\xa9"]),
        st.binary(max_size=20),
    ),
    max_size=40,
).map(b"".join)


def naive_lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def naive_writing(line: bytes) -> tuple[bytes, int]:
    written = line.strip(b"\r")
    return written.split(b"\r")[-1], len(written.split(b"\r")) - 1


def texts(log: LogFile) -> list[str]:
    return [line.text for line in log.lines(log.first_row, 10**6)]


def whole(path: Path, bounds: Bounds | None = None) -> LogFile:
    log = LogFile(path, bounds=bounds)
    log.refresh()
    return log


@given(data=LOGGED, more=LOGGED, cut=st.integers(0, 100), page=st.integers(1, 40))
@settings(deadline=None)
def test_any_bytes_appended_and_truncated_read_like_a_plain_split(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, more: bytes, cut: int, page: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "out"
    log = LogFile(path, bounds=Bounds(page=page, line=1000))
    for content in (data, data + more, data[:cut]):
        path.write_bytes(content)
        log.refresh()
        lines = naive_lines(content)
        assert log.complete
        assert log.end_row - log.first_row == len(lines)
        shown = log.lines(log.first_row, len(lines))
        assert [line.rewrites for line in shown] == [naive_writing(line)[1] for line in lines]
        for row, line in enumerate(lines, log.first_row):
            start, end = log.span(row)
            assert content[start:end] == line
            assert log.number(row) == row - log.first_row + 1


@given(data=LOGGED, more=LOGGED, page=st.integers(16, 40), at=st.floats(0, 1))
@settings(deadline=None)
def test_hits_are_those_of_a_plain_search(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, more: bytes, page: int, at: float
) -> None:
    path = tmp_path_factory.mktemp("log") / "out"
    path.write_bytes(data)
    log = whole(path, Bounds(page=page, line=1000))
    row = log.first_row + int(at * (log.end_row - log.first_row))
    search = Search(log, text_query("need"), row=row)
    for content in (data, data + more):
        path.write_bytes(content)
        log.refresh()
        search.run()
        expected = [
            number
            for number, line in enumerate(naive_lines(content), log.first_row)
            if b"\x1b" not in line and b"need" in naive_writing(line)[0].lower()
        ]
        found = [search.row(index) for index in range(search.count)]
        escaped = {
            number
            for number, line in enumerate(naive_lines(content), log.first_row)
            if b"\x1b" in line
        }
        assert [hit for hit in found if hit not in escaped] == expected
        for here in range(log.first_row, log.end_row):
            hits = [hit for hit in found if hit is not None]
            assert search.after(here) == next((hit for hit in hits if hit > here), None)
            above = [hit for hit in hits if hit < here]
            assert search.before(here) == (above[-1] if above else None)
            position = hits.index(here) + 1 if here in hits else None
            assert search.position(here) == position


def test_the_end_is_there_after_one_slice_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("".join(f"line {number}\n" for number in range(1, 201)))
    log = LogFile(path, bounds=SMALL)
    log.apply(scan(log.order(budget=0)))
    assert not log.complete
    assert log.number(log.end_row - 1) is None
    row, last = log.end_row - 1, log.lines(log.end_row - 1, 1)
    assert last[0].text == "line 200"
    log.refresh()
    assert log.lines(row, 1) == last
    assert log.number(row) == 200
    assert log.lines(log.first_row, 1)[0].text == "line 1"


def test_a_restart_at_the_start_knows_numbers_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("".join(f"line {number}\n" for number in range(1, 201)))
    log = LogFile(path, bounds=SMALL)
    log.apply(scan(log.order(budget=0)))
    stale = scan(log.order(budget=0))
    log.restart(at_end=False)
    assert log.apply(stale) is None
    log.apply(scan(log.order(budget=0)))
    assert not log.complete
    assert log.numbered
    assert log.lines(log.first_row, 1)[0].text == "line 1"
    assert log.refresh() == ()
    assert log.end_row - log.first_row == 200


def test_growth_truncation_rotation_and_removal_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("one\ntwo\n")
    log = whole(path, SMALL)
    first = log.generation
    with path.open("a") as file:
        file.write("three\n")
    assert log.refresh() == (LogEvent.GREW,)
    assert log.generation == first
    path.write_text("new\n")
    assert log.refresh() == (LogEvent.TRUNCATED,)
    assert log.generation != first
    assert texts(log) == ["new"]
    path.write_text("written again, and longer than before\n")
    assert log.refresh() == (LogEvent.TRUNCATED,)
    os.replace(path, tmp_path / "old")
    path.write_text("rotated\n")
    assert log.refresh() == (LogEvent.ROTATED,)
    assert texts(log) == ["rotated"]
    path.unlink()
    assert log.refresh() == (LogEvent.VANISHED,)
    assert log.refresh() == ()
    assert log.state is LogState.ABSENT
    assert texts(log) == ["rotated"]


def test_an_absent_file_is_a_state_and_appears(tmp_path: Path) -> None:
    path = tmp_path / "out"
    log = LogFile(path)
    assert log.refresh() == ()
    assert log.state is LogState.ABSENT
    assert log.words == f"{path} does not exist"
    assert log.lines(0, 10) == ()
    path.write_text("hello")
    assert log.refresh() == (LogEvent.APPEARED,)
    assert texts(log) == ["hello"]


def test_an_empty_file_is_complete_and_has_no_line(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.touch()
    log = whole(path)
    assert (log.complete, log.first_row, log.end_row) == (True, 0, 0)
    assert Search(log, text_query("x"), row=0).after(0) is None


def test_what_is_no_file_is_unreadable_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        log = LogFile(path)
        log.refresh()
        assert log.state is LogState.UNREADABLE
        assert log.words == f"{path} is not a regular file"


def test_a_line_longer_than_the_limit_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"before\n" + b"x" * 5000 + b"\nafter\n")
    log = whole(path, Bounds(page=64, line=100))
    before, long, after = log.lines(log.first_row, 3)
    assert (before.text, after.text) == ("before", "after")
    assert (long.text, long.hidden) == ("x" * 100, 4900)


def test_a_long_progress_bar_shows_its_end_and_counts_all_rewritings(tmp_path: Path) -> None:
    path = tmp_path / "out"
    bar = b"".join(b"\repoch 2 batch %d" % number for number in range(8113))
    path.write_bytes(b"before\n" + bar + b"\nafter\n")
    log = whole(path, Bounds(page=256, line=100))
    line = log.lines(log.first_row + 1, 1)[0]
    assert (line.text, line.rewrites, line.hidden) == ("epoch 2 batch 8112", 8112, 0)
    search = Search(log, text_query("batch 8112"), row=log.first_row)
    search.run()
    assert search.after(log.first_row) == log.first_row + 1
    gone = Search(log, text_query("batch 17"), row=log.first_row)
    gone.run()
    assert gone.count == 0


def test_the_tail_reads_only_the_end(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"x" * 99 + b"\n" + b"y" * 99 + b"\nend")
    assert [line.text for line in read_tail(path, lines=2)] == ["y" * 99, "end"]
    assert len(read_tail(path, lines=50)) == 3
    with pytest.raises(StorageError, match="does not exist"):
        read_tail(tmp_path / "absent")


def test_following_tells_lines_when_finished_and_events(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("one\ntwo\nthr")
    steps = iter(["append", "truncate", "end"])
    ended = False

    def between(_: float) -> None:
        nonlocal ended
        step = next(steps)
        if step == "append":
            with path.open("a") as file:
                file.write("ee\nfo")
        elif step == "truncate":
            path.write_text("a\nb\n")
        else:
            with path.open("a") as file:
                file.write("unfinished")
            ended = True

    told = follow(path, lines=2, ended=lambda: ended, sleep=between)
    shown = [item if isinstance(item, LogEvent) else item.text for item in told]
    assert shown == ["two", "three", LogEvent.TRUNCATED, "a", "b", "unfinished"]
