"""What a filter selects: the rules of the language, one by one."""

from __future__ import annotations

import math

import pytest

from tests.engine.filters.jobs import DAY, NOW, FakeJob, chosen, job, table
from tests.engine.filters.test_parse import EXAMPLES
from xpm_engine.errors import FilterError
from xpm_engine.filters import compile_filter

JOBS = [
    job("none", task=("ir.Learn", "learn"), state="done", attempt=1, params={"x": None}),
    job("int", state="failed", reason="Out of memory", attempt=2, params={"x": 1}),
    job("float", state="running", progress=0.5, params={"x": 0.1}),
    job("bool", state="died", flags="mine", params={"x": True}),
    job("text", state="queued", params={"x": "1"}),
    job("word", state="never started", params={"x": "Train Again"}),
    job("lack", state="waiting", flags="live mine", reason="free core, 1st"),
]
ALL = " ".join(row.name for row in JOBS)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ALL),
        # numbers equal, text contains; the whole text
        ("x:1", "int text"),
        ("x:1.0", "int"),
        ("x:1e0", "int"),
        ("x=1", "int text"),
        ("x=1.0", "int"),
        ("x:0.1", "float"),
        ("x:100e-3", "float"),
        ("x:train", "word"),
        ("x:rain", "word"),
        ("x=train", ""),
        ('x="train again"', "word"),
        ('x:"N A"', "word"),
        # quoted is text
        ('x="1"', "text"),
        ('x:"1"', "text"),
        ('x:"true"', ""),
        # true is not 1, none is null
        ("x:true", "bool"),
        ("x=TRUE", "bool"),
        ("x:false", ""),
        ("x:none", "none"),
        ("x>0", "int float"),
        # lists and ranges
        ("x:1,true,again", "int bool text word"),
        ("x:0..0.5", "float"),
        ("x:..1", "int float"),
        ("x:1..", "int"),
        # order: never of what is absent, or no number
        ("x>=1", "int"),
        ("x<1", "float"),
        # exact negations keep what lacks the name
        ("x!=1", "none float bool word lack"),
        ("-x=1", "none float bool word lack"),
        ("not x:1,true", "none float word lack"),
        ("x!=0..1", "none bool text word lack"),
        ("-x>0", "none bool text word lack"),
        ("x!~a", "none int float bool text lack"),
        # patterns look at text as it is shown
        ("x~^1$", "int text"),
        ("x~^t", "bool word"),
        ("x~.", "int float bool text word"),
        # fields
        ("state:run,queued", "float text"),
        ("state=run", None),
        ("state:failed", "int"),
        ('state:"never started"', "word"),
        ("TASK:LEARN", "none"),
        ("task=learn", "none"),
        ("task=ir.learn", "none"),
        ("task:learner", ""),
        ("attempt>1", "int"),
        ("attempt=1..2", "none int"),
        ("attempt:none", "float bool text word lack"),
        ("progress>=50%", "float"),
        ("progress=0.5", "float"),
        ("reason:none", "none float bool text word"),
        ("is:mine", "bool lack"),
        ("is:mine is:live", "lack"),
        ("is:LIVE,reused", "lack"),
        ("is!=mine", "none int float text word"),
        # bare text: id, task, experiment, tags, reason
        ("MEMORY", "int"),
        ('"of mem" or core', "int lack"),
        ("learn", "none"),
        ("running", ""),
        # binding: not, and, or
        ("x:1 or x:true -is:mine", "int text"),
        ("(x:1 or x:true) -is:mine", "int text"),
        ("(x:0.1 or x:true) is:mine", "bool"),
        ("x:0.1 or x:true is:mine", "float bool"),
        ("not x:1 or x:1", ALL),
        ("-(x:1 or is:mine)", "none float word"),
    ],
)
def test_rules(text: str, names: str | None) -> None:
    if names is None:
        with pytest.raises(FilterError):
            chosen(text, JOBS)
    else:
        assert chosen(text, JOBS) == names


def test_a_name_is_a_field_else_a_tag_else_a_parameter_else_a_metric() -> None:
    jobs = [
        job("a", tags={"lr": 1, "state": "final"}, params={"lr": 2}, metrics={"lr": 3.0}),
        job("b", state="final", params={"lr": 2}, metrics={"lr": 3.0}),
        job("c", state="done", params={"opt.lr": 2.5}, metrics={"lr": 3.0}),
        job("d", metrics={"lr": 3.0}),
    ]
    assert chosen("lr:1", jobs) == "a"
    assert chosen("lr:2", jobs) == "b"
    assert chosen("lr:3", jobs) == "d"
    assert chosen("lr>2", jobs) == "c d"
    assert chosen("param.lr:2..3", jobs) == "a b c"
    assert chosen("metric.lr=3", jobs) == "a b c d"
    assert chosen("tag.lr:1", jobs) == "a"
    assert chosen("state:done", jobs) == "c"
    assert chosen("tag.state:final", jobs) == "a"


def test_a_parameter_is_named_by_its_path_or_its_end() -> None:
    jobs = [
        job("a", params={"trainer.optimizer.lr": 0.001}),
        job("b", params={"lr": 0.001, "decoder.lr": 0.1}),
        job("c", params={"colr": 0.001, "lr.x": 0.001}),
    ]
    assert chosen("trainer.optimizer.lr=1e-3", jobs) == "a"
    assert chosen("optimizer.lr=1e-3", jobs) == "a"
    assert chosen("LR=1e-3", jobs) == "a b"
    assert chosen("lr:0.1", jobs) == "b"
    assert chosen("-lr:0.1", jobs) == "a c"
    assert chosen("param.optimizer.lr:1e-3", jobs) == "a"


def test_several_values_of_a_name_one_match_is_enough() -> None:
    jobs = [
        job("both", exp=("drmm", "ablation"), needs=("ir.index/ab12", "ir.learn/cd34")),
        job("one", exp=("drmm",), needs=()),
    ]
    assert chosen("exp=ablation", jobs) == "both"
    assert chosen("exp=drmm", jobs) == "both one"
    assert chosen("exp!=ablation", jobs) == "one"
    assert chosen("exp~^abl", jobs) == "both"
    assert chosen("needs:ir.learn", jobs) == "both"
    assert chosen("needs:none", jobs) == "one"


def test_times_sizes_and_dates() -> None:
    jobs = [
        job("new", ended=NOW - 600, age=NOW - 600, time=90.0, size=500),
        job("old", ended=NOW - 31 * DAY, age=NOW - 31 * DAY, time=7200.5, size=2_000_000_000),
        job("live", started=NOW - 60, age=NOW - 60, time=60),
        job("fresh"),
    ]
    assert chosen("age>30d", jobs) == "old"
    assert chosen("age<1h", jobs) == "new live"
    assert chosen("age:5m..30d", jobs) == "new"
    assert chosen("-age>30d", jobs) == "new live fresh"
    assert chosen("time>2h", jobs) == "old"
    assert chosen("time:1m..1.5m", jobs) == "new live"
    assert chosen("size>1GB", jobs) == "old"
    assert chosen("size:500", jobs) == "new"
    assert chosen("ended:today", jobs) == "new"
    assert chosen("ended>=2026-11-20", jobs) == "new"
    assert chosen("ended<today", jobs) == "old"
    assert chosen("ended:2026-10-01..2026-11-22", jobs) == "old"
    assert chosen("started:today", jobs) == "live"
    assert chosen("ended:none", jobs) == "live fresh"
    assert chosen("ended:none,today", jobs) == "new live fresh"


def test_numbers_that_are_none() -> None:
    jobs = [
        job("nan", metrics={"loss": math.nan}),
        job("inf", metrics={"loss": math.inf}),
        job("big", metrics={"loss": 2**53 + 1}),
    ]
    assert chosen("loss:nan", jobs) == "nan"
    assert chosen("loss=inf", jobs) == "inf"
    assert chosen("loss>0", jobs) == "inf big"
    assert chosen("-loss>0", jobs) == "nan"
    assert chosen("loss=9007199254740993", jobs) == "big"
    assert chosen("loss=9007199254740992", jobs) == ""


def test_text_is_looked_for_in_tags_as_they_are_shown() -> None:
    jobs = [
        job("a", tags={"ranker": "BM25", "lr": 0.001}, id="ab" * 16),
        job("b", tags={"ranker": "drmm"}, id="cd" * 16, exp=("ir-ab",)),
    ]
    assert chosen("bm25", jobs) == "a"
    assert chosen('"ranker=d"', jobs) == "b"
    assert chosen('"lr=0.001"', jobs) == "a"
    assert chosen("abab", jobs) == "a"
    assert chosen("ab", jobs) == "a b"


@pytest.mark.parametrize(
    "text", ["foo:1", "-foo:1", "state:done or -foo:1", "tag.x=1", "param.lr>1"]
)
def test_an_unknown_name_selects_nothing_and_is_an_error_where_it_matters(text: str) -> None:
    jobs = [job("a", state="done", tags={"lr": 1}, params={"x": 1})]
    assert chosen(text, jobs, strict=False) == ""
    with pytest.raises(FilterError, match="no job has it"):
        chosen(text, jobs)


def test_an_unknown_name_is_told_with_its_place_and_what_was_meant() -> None:
    jobs = table([job("a", tags={"ranker": "bm25"}, params={"model.lr": 1})])
    (fault,) = compile_filter("state:done rankr:bm25", now=NOW).select(jobs).faults
    assert fault.span == (11, 16)
    assert fault.hint == 'did you mean ranker? To look for the text, quote it: "rankr:bm25"'
    (fault,) = compile_filter("tag.rankr=1", now=NOW).select(jobs).faults
    assert "did you mean tag.ranker?" in str(fault.hint)
    (fault,) = compile_filter("train.py:88", now=NOW).select(jobs).faults
    assert fault.hint == 'quote it to look for the text: "train.py:88"'


def test_what_a_table_does_not_know_is_a_fault_too() -> None:
    selection = compile_filter("-size>1GB -is:marked", now=NOW).select(_NoFields())
    assert selection.count == 0
    words = [fault.what for fault in selection.faults]
    assert words == ["size can't be asked here", "is:marked can't be asked here"]


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("is:pined", "pined", "did you mean is:pinned"),
        ("-is:foo", "foo", "one of live, reused"),
        ("is~live", "live", "is:live"),
        ("state:faild", "faild", "did you mean state:failed"),
        ("-state=runnin", "runnin", "did you mean state:running"),
        ("state:1..2", "1..2", "state is text"),
        ("lr>abc", "abc", "compares numbers and dates"),
        ('lr>"3"', '"3"', "compares numbers and dates"),
        ("time:fast", "fast", "a duration: time>2h"),
        ("time>1GB", "1GB", "a duration: time>2h"),
        ("size>3h", "3h", "a size: size>1GB"),
        ("ended>2h", "2h", "a date: ended"),
        ("ended>1700000000", "1700000000", "a date: ended"),
        ("ended>2026-13-01", "2026-13-01", "no such date"),
        ("age~3", "3", "a duration: age>30d"),
        ("attempt:50%", "50%", "a number: attempt>1"),
        ("progress>50", "50", "from 0 to 1"),
        ("task<m", "m", "task is text"),
        ("host:1..3", "1..3", "host is text"),
        ("reason~(", "(", None),
        ('reason~"("', '"("', "not a regular expression"),
        ('reason~"(a+)+"', '"(a+)+"', "neither repeat nor branch"),
    ],
)
def test_what_can_never_be_is_told_before_it_is_asked(
    text: str, at: str, words: str | None
) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text, now=NOW)
    if words is not None:
        start, end = caught.value.span
        assert text[start:end] == at
        assert words in str(caught.value)


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_select_what_they_say(text: str) -> None:
    jobs = [job("plain", state="done"), EVERYTHING[text], _names_of_all()]
    assert chosen(text, jobs).split()[0] == "hit"


def _names_of_all() -> FakeJob:
    names = ("lr", "ranker", "seed", "state")
    params = {"trainer.optimizer.lr": "x"}
    return job("names", tags=dict.fromkeys(names, "?"), params=params, metrics={"mrr": -1.0})


class _NoFields:
    rows = 3

    def names(self) -> list[str]:
        return []

    def column(self, name: str) -> None:
        return None


EVERYTHING = {
    EXAMPLES[0]: job("hit", state="died", task=("ir.learn", "learn")),
    EXAMPLES[1]: job("hit", tags={"lr": 0.1, "ranker": "drmm"}),
    EXAMPLES[2]: job("hit", tags={"lr": 0.1}, params={"seed": 3}),
    EXAMPLES[3]: job("hit", reason="loss is NaN"),
    EXAMPLES[4]: job("hit", state="queued", time=7201),
    EXAMPLES[5]: job("hit", params={"trainer.optimizer.lr": 0.001}),
    EXAMPLES[6]: job("hit", state="failed", tags={"state": "final"}),
    EXAMPLES[7]: job("hit", flags="obsolete", size=2e9, age=NOW - 40 * DAY),
    EXAMPLES[8]: job("hit", metrics={"mrr": 0.31}, exp=("drmm",)),
    EXAMPLES[9]: job("hit", needs=(), neededby=("ablation", "ir.eval/ab")),
    EXAMPLES[10]: job("hit", ended=NOW - DAY, host="node18"),
    EXAMPLES[11]: job("hit", tags={"lr": 0.01}),
}
