"""Patterns: what is refused, and that what is not refused can't stall."""

from __future__ import annotations

import pytest

from xpm_engine.filters.patterns import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("nan|inf", "loss is NaN"),
        (r"train\.py:\d+", "at train.py:88"),
        ("^out of", "Out of memory"),
        ("(cuda|host) out", "CUDA out of memory"),
        ("epoch [0-9]{2,4}$", "epoch 012"),
        ("(abc)+", "abcabc"),
        ("(?:ab){2}", "abab"),
        ("(cuda )?out", "out"),
        ("(?P<x>a+)b", "aab"),
        ("(?=.*x)y?", "ax"),
        ("[*+?(){}]", "("),
        (r"[]|]\]", "|]"),
        (r"\(a+\)*", "(aa)"),
        ("a{", "a{"),
        ("a{}+", "a{}"),
        ("x.*?y.*z", "x1y2z"),
    ],
)
def test_found(pattern: str, text: str) -> None:
    assert compile_pattern(pattern).search(text)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "not a regular expression"),
        ("*", "not a regular expression"),
        ("[a", "not a regular expression"),
        ("a{5,2}", "not a regular expression"),
        ("a{99999999999}", "not a regular expression"),
        ("(?i)x(?i)", "not a regular expression"),
        ("(" * 900, "not a regular expression"),
        ("(a+)+$", "neither repeat nor branch"),
        ("(a|a)*$", "neither repeat nor branch"),
        ("(a?){30}", "neither repeat nor branch"),
        ("((a+)b)*", "neither repeat nor branch"),
        ("(?:a+){2,}", "neither repeat nor branch"),
        ("(?P<n>a*)*", "neither repeat nor branch"),
        ("([)]*)*", "neither repeat nor branch"),
        ("([^]]+)+", "neither repeat nor branch"),
        (r"(\(+)+", "neither repeat nor branch"),
        ("(?x)(a+ )  +", "flag x"),
        ("(?x:(a+)  +)", "flag x"),
        (".*.*.*.*x", "repeats without a bound"),
        ("a" * 1001, "at most"),
    ],
)
def test_refused(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compile_pattern(pattern)


def test_warnings_of_the_standard_library_stay_inside() -> None:
    assert compile_pattern("[[a]").search("a")
