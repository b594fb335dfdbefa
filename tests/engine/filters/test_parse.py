"""Text to tree and back: every rule of the grammar, every fault with its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_engine.errors import FilterError
from xpm_engine.filters import parse, unparse
from xpm_engine.filters.grammar import (
    EMPTY,
    MOST_CHARACTERS,
    MOST_LEVELS,
    All,
    Any,
    Comparison,
    Expression,
    Not,
    Op,
    Range,
    Text,
    Value,
)

EXAMPLES = [
    "state:failed,died task:learn",
    "lr>0.01 -ranker:bm25",
    "lr:0.001..0.1 seed:1..3",
    '"out of memory" or reason~"nan|inf"',
    "(state:running or state:queued) time>2h",
    "trainer.optimizer.lr=1e-3",
    "tag.state:final",
    "is:obsolete size>1GB age>30d -is:pinned",
    "mrr>=0.31 exp=drmm",
    "neededby=ablation not is:reused",
    "ended>=2026-11-20 host:node17,node18",
    "lr:0.01.. not ranker:bm25",
]


def compare(name: str, op: str, *values: str | Range | Value) -> Comparison:
    made = (Value(value) if isinstance(value, str) else value for value in values)
    return Comparison(name, Op(op), tuple(made))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", EMPTY),
        (" \t\n", EMPTY),
        ("drmm", Text("drmm")),
        ('"out of memory"', Text("out of memory")),
        (r'"a \"b\" \\ \d"', Text(r'a "b" \ \d')),
        ("a b", All((Text("a"), Text("b")))),
        ("a and b", All((Text("a"), Text("b")))),
        ("a or b", Any((Text("a"), Text("b")))),
        ("a b or c and d", Any((All((Text("a"), Text("b"))), All((Text("c"), Text("d")))))),
        ("a (b or c)", All((Text("a"), Any((Text("b"), Text("c")))))),
        ("a (b c)", All((Text("a"), All((Text("b"), Text("c")))))),
        ("not a b", All((Not(Text("a")), Text("b")))),
        ("-a -b", All((Not(Text("a")), Not(Text("b"))))),
        ("- a", Not(Text("a"))),
        ("not(a)", Not(Text("a"))),
        ("NOT a OR b", Any((Not(Text("a")), Text("b")))),
        ("--a", Not(Not(Text("a")))),
        ("-(a or b)", Not(Any((Text("a"), Text("b"))))),
        ("notes", Text("notes")),
        ('"or" "NOT"', All((Text("or"), Text("NOT")))),
        ('"-a" ">b"', All((Text("-a"), Text(">b")))),
        ("or=1", compare("or", "=", "1")),
        ("lr>0.01", compare("lr", ">", "0.01")),
        ("lr>=-1", compare("lr", ">=", "-1")),
        ("a!=b", compare("a", "!=", "b")),
        ("a!~b", compare("a", "!~", "b")),
        ("seed:1,2", compare("seed", ":", "1", "2")),
        (
            "seed:1..3,7..,..0",
            compare("seed", ":", Range("1", "3"), Range("7", None), Range(None, "0")),
        ),
        ("x:a..b", compare("x", ":", "a..b")),
        ("x:..", compare("x", ":", "..")),
        ("x<1..2", compare("x", "<", "1..2")),
        ("size:1kB..2GiB", compare("size", ":", Range("1kB", "2GiB"))),
        ("ended:2026-11-20..today", compare("ended", ":", Range("2026-11-20", "today"))),
        ("e:2026-11-20T10:30:05", compare("e", ":", "2026-11-20T10:30:05")),
        ('x="a, (b)",c', compare("x", "=", Value("a, (b)", quoted=True), "c")),
        ("ndcg@10>0.3", compare("ndcg@10", ">", "0.3")),
        ("val/loss-1<2", compare("val/loss-1", "<", "2")),
        ("train.py:88", compare("train.py", ":", "88")),
        ("/data/x:3", Text("/data/x:3")),
        ("été=1", compare("été", "=", "1")),
    ],
)
def test_tree(text: str, tree: Expression) -> None:
    assert parse(text) == tree
    assert parse(unparse(tree)) == tree


def test_spans_say_where_each_part_stands() -> None:
    tree = parse("a or seed:1..3,7")
    assert isinstance(tree, Any)
    part = tree.parts[1]
    assert isinstance(part, Comparison)
    assert (part.span, part.values[0].span, part.values[1].span) == ((5, 9), (10, 14), (15, 16))


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_are_printed_as_they_are(text: str) -> None:
    assert unparse(parse(text)) == text.replace("not ", "-")


@pytest.mark.parametrize(
    ("text", "span", "words"),
    [
        ("a)", (1, 2), "closes nothing"),
        ("(a", (0, 1), "never closed"),
        ("a (b or (c)", (2, 3), "never closed"),
        ('x "abc', (2, 6), "quote is never closed"),
        (r'"abc\"', (0, 6), "quote is never closed"),
        ("lr>", (3, 3), "value is missing after >"),
        ("lr> 3", (3, 3), "no blanks around"),
        ("lr >3", (3, 4), "a word begins with >"),
        ("lr==3", (3, 4), "a value begins with ="),
        ("seed:1,", (7, 7), "value is missing after ,"),
        ("seed:1, 2", (7, 7), "value is missing after ,"),
        ("lr>1,2", (4, 5), "no list can follow >"),
        ("a,b", (1, 2), "comma outside of a list"),
        (",", (0, 1), "comma outside of a list"),
        ("a or", (4, 4), "condition is missing at the end"),
        ("not", (3, 3), "condition is missing at the end"),
        ("or a", (0, 2), "none before it"),
        ("a or and b", (5, 8), "none before it"),
        ("()", (1, 2), "missing before this parenthesis"),
        ("train(x)", (5, 6), "middle of a word"),
        ('ab"c"', (2, 3), "middle of a word"),
        ('"c"d', (3, 4), "middle of a word"),
    ],
)
def test_faults(text: str, span: tuple[int, int], words: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.span == span
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_error_underlines_its_place() -> None:
    with pytest.raises(FilterError) as caught:
        parse("state:failed lr >0.01")
    lines = str(caught.value).splitlines()
    assert lines[1] == "  where: state:failed lr >0.01"
    assert lines[2] == "                         ^"


def test_an_error_is_safe_to_print_and_short() -> None:
    with pytest.raises(FilterError) as caught:
        parse("\x1b[31m" * 1000 + "(")
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("opening", ["(", "-", "not ", "-("])
def test_nesting_is_bounded(opening: str) -> None:
    deep = opening * MOST_LEVELS
    closing = ")" * deep.count("(")
    if opening != "-(":
        parse(deep + "a" + closing)
    for levels in (MOST_LEVELS + 1, 20_000):
        with pytest.raises(FilterError, match="levels of parentheses"):
            parse(opening * levels + "a")


def test_length_is_bounded() -> None:
    parse("a " * (MOST_CHARACTERS // 2))
    with pytest.raises(FilterError, match="characters"):
        parse("a" * (MOST_CHARACTERS + 1))


NAMES = st.from_regex(r"\A[a-z_][a-z0-9_@/-]{0,6}(\.[a-z0-9]{1,5}){0,2}\Z")
NUMBERS = st.from_regex(
    r"\A(-?[0-9]{1,4}(\.[0-9]{1,3})?(e-?[0-9])?(ms|s|h|%|kB|GiB)?|2026-1[0-2]-0[1-9]|today)\Z"
)
BARE = st.text(min_size=1, max_size=8).filter(
    lambda text: not any(c.isspace() or c in '",()' for c in text) and text[0] not in ":=!~<>"
)
WORDS = BARE.filter(lambda text: ".." not in text)
VALUES = st.one_of(
    WORDS.map(Value),
    NUMBERS.map(Value),
    st.text(max_size=8).map(lambda text: Value(text, quoted=True)),
)
RANGES = st.one_of(
    st.builds(Range, NUMBERS, NUMBERS),
    st.builds(Range, NUMBERS, st.none()),
    st.builds(Range, st.none(), NUMBERS),
)
COMPARISONS = st.one_of(
    st.builds(
        Comparison,
        NAMES,
        st.sampled_from([op for op in Op if op.takes_lists]),
        st.lists(VALUES | RANGES, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(
        Comparison,
        NAMES,
        st.sampled_from([op for op in Op if not op.takes_lists]),
        st.tuples(VALUES),
    ),
)
TREES: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(COMPARISONS, st.text(max_size=8).map(Text), WORDS.map(Text)),
    lambda parts: st.one_of(
        parts.map(Not),
        st.lists(parts, min_size=2, max_size=3).map(lambda found: All(tuple(found))),
        st.lists(parts, min_size=2, max_size=3).map(lambda found: Any(tuple(found))),
    ),
    max_leaves=8,
)


@given(TREES)
def test_a_printed_tree_is_read_as_the_same(tree: Expression) -> None:
    assert parse(unparse(tree)) == tree


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from([*'ab1.:=!~<>-,"()\\ ', "or", "not", "lr"])).map("".join)
)
def test_any_text_is_a_tree_or_a_filter_error(text: str) -> None:
    fault = None
    try:
        tree = parse(text)
    except FilterError as error:
        fault = error
    if fault is None:
        assert parse(unparse(tree)) == tree
    else:
        assert 0 <= fault.span[0] <= fault.span[1] <= len(text)
