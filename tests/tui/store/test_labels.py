"""What jobs are called: by what differs, and only by that."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.tui.workspaces import ago, key_of
from xpm_engine.workspace.records.runs import How, Reference
from xpm_tui.store.labels import labelling, task_names


def reference(name: str, tags: dict[str, Any], params: dict[str, Any] | None = None) -> Reference:
    return Reference(key_of("learn", name), How.NEW, ago(0), tags, params or {})


def labels(*siblings: Reference) -> list[str]:
    how = labelling(siblings)
    return [how.label(sibling.key, sibling.tags, sibling.params) for sibling in siblings]


def test_only_the_tags_that_differ() -> None:
    found = labels(
        reference("a", {"ranker": "drmm", "lr": 0.1, "seed": 1}),
        reference("b", {"ranker": "drmm", "lr": 0.01, "seed": 1}),
    )
    assert found == ["lr=0.1", "lr=0.01"]


def test_parameters_where_tags_do_not_tell_them_apart() -> None:
    found = labels(
        reference("a", {"seed": 1}, {"model.layers": 2, "model.name": "x"}),
        reference("b", {"seed": 1}, {"model.layers": 4, "model.name": "x"}),
        reference("c", {"seed": 2}, {"model.layers": 2, "model.name": "x"}),
    )
    assert found == ["seed=1 layers=2", "seed=1 layers=4", "seed=2 layers=2"]


def test_a_parameter_that_a_tag_says_already_is_not_said_twice() -> None:
    found = labels(
        reference("a", {"lr": 0.1}, {"optimizer.lr": 0.1, "depth": 1}),
        reference("b", {"lr": 0.1}, {"optimizer.lr": 0.1, "depth": 2}),
        reference("c", {"lr": 0.2}, {"optimizer.lr": 0.2, "depth": 1}),
    )
    assert found == ["lr=0.1 depth=1", "lr=0.1 depth=2", "lr=0.2 depth=1"]


def test_six_digits_where_nothing_tells_them_apart() -> None:
    one, other = reference("a", {}), reference("b", {})
    assert labels(one, other) == [one.key.short, other.key.short]


def test_a_job_alone_has_its_tags_or_its_digits() -> None:
    tagged, bare = reference("a", {"stem": "porter"}), reference("b", {})
    assert labels(tagged) == ["stem=porter"]
    assert labels(bare) == [bare.key.short]


def test_true_and_one_are_told_apart() -> None:
    assert labels(reference("a", {"x": True}), reference("b", {"x": 1})) == ["x=true", "x=1"]


VALUES = st.one_of(st.integers(0, 2), st.sampled_from(["a", "b"]), st.booleans())
TAGS = st.dictionaries(st.sampled_from(["lr", "seed", "ranker"]), VALUES, max_size=3)


@given(st.lists(st.tuples(TAGS, TAGS), min_size=2, max_size=8))
def test_no_two_jobs_have_the_same_label(
    drawn: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    siblings = [
        reference(str(number), tags, {f"model.{name}": value for name, value in params.items()})
        for number, (tags, params) in enumerate(drawn)
    ]
    how = labelling(siblings)
    looks = {
        (
            tuple((name, repr(one.tags.get(name, "-"))) for name in how.tags),
            tuple((name, repr(one.params.get(name, "-"))) for name in how.params),
            one.key.short if how.digits else "",
        )
        for one in siblings
    }
    assert len(looks) == len(siblings)


def test_tasks_are_called_by_their_last_part_unless_two_share_it() -> None:
    names = task_names(["ir.model.learn", "ir.evaluate", "qa.evaluate", "evaluate"])
    assert names == {
        "ir.model.learn": "learn",
        "ir.evaluate": "ir.evaluate",
        "qa.evaluate": "qa.evaluate",
        "evaluate": "evaluate",
    }
