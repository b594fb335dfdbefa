"""Patterns: what is refused, and that what is not refused can't stall."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        (".*x.*y.*z", "1x1y2z"),
        (".*", ""),
        (r"train\(?x", "trainx"),
        ("[(?x]", "("),
        (r"epoch \d+ of \d+: \d+", "epoch 1 of 20: 3"),
        (r"loss.*\d+\.?\d{1,3}", "loss 0.125"),
        ("(?P<n>a)(?P=n)(?i:B)", "aab"),
        ("a??b+?c++", "bc"),
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
        ("x(?i)", "not a regular expression"),
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
        ("(?ix:(a+)  +)", "flag x"),
        ("a*b*c*x", "too many repeats"),
        ("a?" * 40 + "x", "too many repeats"),
        ("a{0,90}" * 6, "too many repeats"),
        ("a.*.*x", "two in a row"),
        ("(a+)(?#)+", "comments"),
        ("(x)?(?(1)a|b)", "conditions"),
        ("a" * 1001, "at most"),
    ],
)
def test_refused(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compile_pattern(pattern)


def test_warnings_of_the_standard_library_stay_inside() -> None:
    assert compile_pattern("[[a]").search("a")


@given(st.text(alphabet="ab.*+?{}(),1|[]^\\\\x#:<=P$", max_size=14), st.text("ab.x1", max_size=20))
def test_any_pattern_is_refused_or_answers(pattern: str, text: str) -> None:
    try:
        found = compile_pattern(pattern)
    except ValueError:
        return
    found.search(text * 25)
