"""What a terminal would show of a line, and which lines are hits."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_engine.workspace.logs import PLAIN, TROUBLE, Look, Span, text_query
from xpm_engine.workspace.logs.query import hits
from xpm_engine.workspace.logs.text import clean, last_writing


@given(st.binary())
def test_no_control_character_is_ever_left(raw: bytes) -> None:
    text, spans = clean(raw.replace(b"\n", b""))
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    ends = [bound for span in spans for bound in (span.start, span.end)]
    assert ends == sorted(ends)
    assert all(0 <= bound <= len(text) for bound in ends)
    assert all(span.look != PLAIN for span in spans)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9", "caf\\xe9"),
        (b"a\tb", "a       b"),
        (b"bell\x07", "bell␇"),
        (b"\x1b]0;title\x07shown", "shown"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"\x1b[2K\x1b[1A50 %", "50 %"),
        (b"cut \x1b[3", "cut "),
        (b"12\b\b34", "1234"),
        (b"a\xe2\x80\xaeb", "a\N{REPLACEMENT CHARACTER}b"),
    ],
)
def test_text_is_what_a_terminal_would_show(raw: bytes, text: str) -> None:
    assert clean(raw)[0] == text


@pytest.mark.parametrize(
    ("raw", "spans"),
    [
        (b"\x1b[31mred\x1b[0m plain", (Span(0, 3, Look(foreground=1)),)),
        (b"\x1b[1;92mok", (Span(0, 2, Look(foreground=10, bold=True)),)),
        (b"\x1b[38;5;208ma\x1b[48;2;1;2;3mb", (
            Span(0, 1, Look(foreground=208)),
            Span(1, 2, Look(foreground=208, background=(1, 2, 3))),
        )),
        (b"\x1b[38mbroken\x1b[999999999999m", ()),
        (b"\x1b[4mu\x1b[24mn\x1b[mx", (Span(0, 1, Look(underline=True)),)),
    ],
)  # fmt: skip
def test_colours_become_spans(raw: bytes, spans: tuple[Span, ...]) -> None:
    assert clean(raw)[1] == spans


def test_a_character_cut_in_two_is_dropped_only_where_the_text_is_cut() -> None:
    assert clean("é".encode()[:1], cut=True)[0] == ""
    assert clean("é".encode()[:1])[0] == "\\xc3"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain", (b"plain", 0)),
        (b"windows\r", (b"windows", 0)),
        (b"\r1 %\r2 %\r3 %", (b"3 %", 2)),
        (b"1 %\r2 %\r", (b"2 %", 1)),
        (b"\r\r", (b"", 0)),
    ],
)
def test_a_rewritten_line_shows_its_last_text(raw: bytes, shown: tuple[bytes, int]) -> None:
    assert last_writing(raw) == shown


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("Traceback (most recent call last):", True),
        ('  File "x.py", line 3, in f', False),
        ("OSError: [Errno 5] Input/output error", True),
        ("KeyboardInterrupt", True),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory", True),
        ("12:01 ERROR no space left", True),
        ("CRITICAL: bye", True),
        ("the Error: is in the middle", False),
        ("TERRORS and ERRORS", False),
        ("error rate 0.3", False),
        ("MeanSquaredErrorLoss: 0.3", False),
        ("\x1b[31mERROR\x1b[0m red", True),
        ("\x1b[1mValueError\x1b[0m: bold", True),
        ("\rERROR\rfine", False),
    ],
)
def test_trouble_is_an_exception_or_a_loud_word(line: str, trouble: bool) -> None:
    block = f"before\n{line}\nafter".encode()
    assert hits(block, TROUBLE, line_limit=1000) == ([1] if trouble else [])


@pytest.mark.parametrize(
    ("needle", "found"),
    [("shard", [0, 1]), ("Shard", [1]), ("", []), ("é", [2]), ("a\nb", [0, 1])],
)
def test_a_capital_makes_capitals_matter(needle: str, found: list[int]) -> None:
    block = "shard\nShard\né\n".encode()
    assert hits(block, text_query(needle), line_limit=1000) == found


def test_a_hit_may_be_broken_by_colours() -> None:
    assert hits(b"sh\x1b[31mard\x1b[0m", text_query("shard"), line_limit=1000) == [0]


def test_only_what_is_shown_of_a_long_line_is_searched() -> None:
    block = b"x" * 50 + b"shard\nshard" + b"x" * 50
    assert hits(block, text_query("shard"), line_limit=20) == [1]


def test_many_hits_in_a_block_are_found_like_few() -> None:
    block = b"".join(b"%d odd\n" % n if n % 2 else b"%d even\n" % n for n in range(1000))
    assert hits(block, text_query("odd"), line_limit=1000) == list(range(1, 1000, 2))
    long = block + b"x" * 2000 + b"odd\nodd" + b"x" * 2000
    assert hits(long, text_query("odd"), line_limit=1000) == [*range(1, 1000, 2), 1001]
