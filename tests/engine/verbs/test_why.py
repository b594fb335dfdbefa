from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.finished import Disk
from tests.engine.submitting import order, submitting
from xpm_engine import Config, Option, Param, Task
from xpm_engine.verbs import earlier
from xpm_engine.verbs.cleaning.clean import carry_out, plan_removal
from xpm_engine.verbs.earlier import EarlierJobs
from xpm_engine.verbs.why import Cause, Why, why, why_record
from xpm_engine.workspace import aliases
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.params import ParamsRecord
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind


class Model(Config):
    __xpmid__ = "w.model"
    size: Param[int]


class Index(Task["Index"]):
    """Makes an index."""

    __xpmid__ = "w.index"
    stem: Param[bool] = False
    threads: Option[int] = 1

    def execute(self) -> None: ...


class Learn(Task["Model"]):
    """Learns."""

    __xpmid__ = "w.learn"
    index: Param[Index]
    lr: Param[float] = 0.1
    layers: Param[int] = 2

    def output(self) -> Model:
        return Model(size=self.layers)

    def execute(self) -> None: ...


class Evaluate(Task["Evaluate"]):
    __xpmid__ = "w.evaluate"
    model: Param[Model]
    k: Param[int] = 10

    def execute(self) -> None: ...


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(str(tmp_path / "ws"))
    with submitting(disk.workspace.root):
        yield disk


def learn(*, stem: bool = False, **values: Any) -> Learn:
    task = Learn(index=Index(stem=stem).submit(), **values)
    task.submit()
    return task


def will_run(disk: Disk, task: Any, **changes: Any) -> Why:
    it = order(task)
    return why_record(disk.workspace, it.key, it.params, **changes)


def test_the_first_job_of_a_task(disk: Disk) -> None:
    key = disk.add(order(Index()))
    assert why(disk.workspace, key).cause is Cause.FIRST
    assert why(disk.workspace, key).text == "no earlier job of w.index"
    assert why(disk.workspace, key).lines == ("no earlier job of w.index",)


def test_a_parameter_that_changed_against_the_nearest_job(disk: Disk) -> None:
    disk.add(order(learn(lr=0.5, layers=3)))
    near = disk.add(order(learn(lr=0.1, layers=4)))
    disk.add(order(learn(lr=0.3, layers=5, stem=True)))
    found = will_run(disk, learn(lr=0.01, layers=4))
    assert found.cause is Cause.PARAMETER
    assert found.text == "lr 0.1 → 0.01"
    assert found.nearest == near
    assert found.lines[-1] == f"compared with learn/{near.short}, the nearest of 3 earlier jobs"


def test_only_what_was_ordered_before_is_compared(disk: Disk) -> None:
    first, second = (disk.add(order(learn(lr=lr))) for lr in (0.5, 0.25))
    assert why(disk.workspace, first).cause is Cause.FIRST
    found = why(disk.workspace, second)
    assert (found.text, found.nearest) == ("lr 0.5 → 0.25", first)


def test_several_changes_are_told_or_counted(disk: Disk) -> None:
    disk.add(order(learn()))
    found = will_run(disk, learn(lr=0.2, layers=9, stem=True))
    assert found.text == (
        "lr 0.1 → 0.2; layers 2 → 9; upstream index changed, because stem false → true"
    )


def test_upstream_is_followed_to_the_root_through_the_workspace(disk: Disk) -> None:
    for stem in (False, True):
        task = learn(stem=stem)
        disk.add(order(task.index))
        disk.add(order(task))
        last = disk.add(order(Evaluate(model=task.submit())))
    found = why(disk.workspace, last)
    assert found.cause is Cause.UPSTREAM
    assert found.text == (
        "upstream learn changed, because upstream index changed, because stem false → true"
    )
    assert [line.partition(" ")[0] for line in found.lines] == ["model:", "", "", "compared"]
    assert found.lines[2] == "    stem false → true"
    assert [step.depth for step in found.upstream] == [1, 2]


def test_upstream_jobs_that_a_plan_only_knows_are_looked_up(disk: Disk) -> None:
    before = learn()
    disk.add(order(before))
    disk.add(order(Evaluate(model=before.submit())))
    after = learn(lr=0.7)
    task = Evaluate(model=after.submit())
    assert "no longer there" in will_run(disk, task).text
    orders = {order(each).key: order(each).params for each in (after, task)}
    found = will_run(disk, task, lookup=orders.get)
    assert found.text == "upstream learn changed, because lr 0.1 → 0.7"


def test_upstream_parameters_that_were_cleaned_away_are_said_to_be(disk: Disk) -> None:
    disk.add(order(Evaluate(model=learn().submit())))
    found = will_run(disk, Evaluate(model=learn(lr=0.7).submit()))
    assert found.cause is Cause.UPSTREAM
    assert "are no longer there, or unreadable" in found.lines[1]


def test_another_project_is_said_and_an_own_job_preferred(disk: Disk) -> None:
    theirs = order(learn(lr=0.5))
    code = replace(theirs.params.code, project="/home/bob/other")
    disk.add_record(theirs.key, replace(theirs.params, code=code))
    found = will_run(disk, learn(lr=0.6))
    assert found.cause is Cause.PROJECT
    assert found.text == "other project: other → project; lr 0.5 → 0.6"
    ours = disk.add(order(learn(lr=0.9, layers=7)))
    assert will_run(disk, learn(lr=0.6)).nearest == ours


class Moved:
    class Index(Task["Moved.Index"]):
        """Makes an index."""

        __xpmid__ = "elsewhere.index"
        stem: Param[bool] = False

        def execute(self) -> None: ...


class Unlike(Task["Unlike"]):
    """Makes something else, from the same."""

    __xpmid__ = "w.unlike"
    stem: Param[bool] = False

    def execute(self) -> None: ...


def test_a_class_that_was_renamed(disk: Disk) -> None:
    old = disk.add(order(Index(stem=True)))
    found = will_run(disk, Moved.Index(stem=True))
    assert found.cause is Cause.RENAMED
    assert found.text == "class renamed w.index → elsewhere.index"
    assert found.nearest == old
    assert will_run(disk, Unlike(stem=True)).cause is Cause.FIRST


class Newer(Task["Model"]):
    """`Learn` after its code was changed."""

    __xpmid__ = "w.learn"
    index: Param[Index]
    lr: Param[float] = 0.1
    layers: Param[int] = 3
    dropout: Param[float] = 0.0

    def execute(self) -> None: ...


def test_a_new_parameter_and_a_new_default(disk: Disk) -> None:
    disk.add(order(learn()))
    index = Index().submit()
    added = will_run(disk, Newer(index=index, dropout=0.5))
    assert (added.cause, added.text) == (Cause.NEW_PARAMETER, "new parameter dropout = 0.5")
    disk.add(order(learn(layers=3)))
    default = will_run(disk, Newer(index=index, lr=0.1, layers=2))
    assert default.cause is Cause.DEFAULT
    assert default.text == "default of Newer.layers 2 → 3"


def test_a_job_that_failed_runs_again_for_that(disk: Disk) -> None:
    reason = Reason(ReasonKind.EXCEPTION, "ValueError: no documents")
    disk.add(order(learn(lr=0.5)))
    key = disk.add(order(learn()), Outcome.FAILED, reason=reason)
    found = will_run(disk, learn())
    assert found.cause is Cause.RETRY
    assert found.text == "attempt 1 ended failed: ValueError: no documents"
    assert why(disk.workspace, key).cause is Cause.PARAMETER
    disk.add(order(learn()))
    again = why(disk.workspace, key)
    assert again.cause is Cause.RETRY
    assert again.lines == (found.text, "lr 0.5 → 0.1", again.lines[-1])


def test_a_result_in_the_trash(disk: Disk) -> None:
    key = disk.add(order(Index()))
    done = carry_out(disk.workspace, plan_removal(disk.workspace, [key]))
    found = will_run(disk, Index())
    assert found.cause is Cause.CLEANED
    assert f"xpm undo {done.name}" in found.text


def test_a_result_that_was_adopted_did_not_run(disk: Disk) -> None:
    old = disk.add(order(Index()))
    new = JobKey("elsewhere.index", "a" * 32)
    aliases.adopt(disk.workspace, new, old, run="drmm/1")
    found = why(disk.workspace, new)
    assert (found.cause, found.nearest) == (Cause.ADOPTED, old)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"v": 99}', b'{"v": 1}', b"\xff\x00"])
def test_damaged_records_are_said_to_be_unreadable(disk: Disk, damage: bytes) -> None:
    old, new = (disk.add(order(learn(lr=lr))) for lr in (0.5, 0.25))
    job = disk.workspace.job(old)
    Path(job.params).write_bytes(damage)
    assert why(disk.workspace, old).cause is Cause.UNREADABLE
    assert "params.json" in why(disk.workspace, old).text
    found = why(disk.workspace, new)
    assert found.cause is Cause.FIRST
    assert found.text == "no earlier job of w.learn that can be read (1 unreadable)"


def test_a_folder_without_an_order(disk: Disk) -> None:
    key = JobKey("w.learn", "a" * 32)
    os.makedirs(disk.workspace.job(key).xpm)
    assert why(disk.workspace, key).cause is Cause.UNREADABLE


def test_no_more_than_the_newest_are_read(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earlier, "MOST_READ", 3)
    for layers in range(3, 8):
        disk.add(order(learn(layers=layers)))
    read: list[JobKey] = []
    real = earlier.read_params

    def counted(workspace: Any, key: JobKey) -> ParamsRecord | None:
        read.append(key)
        return real(workspace, key)

    monkeypatch.setattr(earlier, "read_params", counted)
    memory = EarlierJobs(disk.workspace)
    found = will_run(disk, learn(layers=3, lr=0.5), earlier=memory)
    assert found.lines[-1].endswith("nearest of 5 earlier jobs (the newest 3 were read)")
    assert (found.jobs, found.read, len(read)) == (5, 3, 3)
    will_run(disk, learn(layers=4, lr=0.5), earlier=memory)
    assert len(read) == 3


def test_as_json(disk: Disk) -> None:
    disk.add(order(learn()))
    data = will_run(disk, learn(stem=True)).to_json()
    assert data["cause"] == "upstream changed"
    assert data["upstream"][0]["differences"][0]["text"] == "stem false → true"
    assert data["compared"] == 1
