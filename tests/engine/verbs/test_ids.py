from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.finished import Disk
from tests.engine.submitting import order, submitting
from xpm_engine import Config, Option, Param, Task, field
from xpm_engine.config import deprecated
from xpm_engine.config.order import Order
from xpm_engine.errors import ConfigError, UnreadableError, UsageError
from xpm_engine.verbs.ids import ChangeKind, IdsReport, check, load_lock, lock_of, save_lock
from xpm_engine.verbs.lockfile import read_lock, write_lock
from xpm_engine.workspace.records.reasons import Outcome


class Adam(Config):
    __xpmid__ = "i.adam"
    lr: Param[float] = 0.1
    eps: Param[float] = 1e-8


class Index(Task["Index"]):
    __xpmid__ = "i.index"
    stem: Param[bool] = False
    threads: Option[int] = 1

    def execute(self) -> None: ...


class IndexInLanguage(Index):
    __xpmid__ = "i.index"
    language: Param[str] = "en"


class Learn(Task["Learn"]):
    __xpmid__ = "i.learn"
    index: Param[Index]
    optimizers: Param[list[Adam]] = field(default_factory=list)
    epochs: Param[int] = 4

    def execute(self) -> None: ...


class Drifted(Task["Drifted"]):
    __xpmid__ = "i.learn"
    index: Param[Index]
    optimizers: Param[list[Adam]] = field(default_factory=list)
    epochs: Param[int] = 5

    def execute(self) -> None: ...


class Longer(Task["Longer"]):
    __xpmid__ = "i.learn"
    index: Param[Index]
    optimizers: Param[list[Adam]] = field(default_factory=list)
    epochs: Param[int] = 4
    dropout: Param[float]

    def execute(self) -> None: ...


@deprecated("i.learn")
class Renamed(Task["Renamed"]):
    __xpmid__ = "i.renamed"
    index: Param[Index]
    optimizers: Param[list[Adam]] = field(default_factory=list)
    epochs: Param[int] = 4

    def execute(self) -> None: ...


class Moved:
    class Learn(Task["Moved.Learn"]):
        __xpmid__ = "elsewhere.learn"
        index: Param[Index]
        optimizers: Param[list[Adam]] = field(default_factory=list)
        epochs: Param[int] = 4

        def execute(self) -> None: ...


Plan = Callable[..., list[Order]]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(str(tmp_path / "ws"))
    with submitting(disk.workspace.root):
        yield disk


def plan(cls: Any = Learn, lrs: tuple[float, ...] = (0.1, 0.2, 0.3), **values: Any) -> list[Order]:
    """An index, and a model for each learning rate."""
    index = Index()
    index.submit()
    tasks = [cls(index=index, optimizers=[Adam(lr=lr)], **values).tag("lr", lr) for lr in lrs]
    return [order(index), *map(order, tasks)]


def checked(
    disk: Disk, tmp_path: Path, before: list[Order], after: list[Order], *spaces: Any
) -> IdsReport:
    """The check of `after` against the lock file of `before`."""
    path = str(tmp_path / "ids.lock")
    save_lock(lock_of(before, {"seed": "1"}), path)
    assert load_lock(path).arguments == (("seed", "1"),)
    return check(load_lock(path), after, spaces)


def test_nothing_changed(disk: Disk, tmp_path: Path) -> None:
    found = checked(disk, tmp_path, plan(), plan())
    assert found.ok
    assert (found.same, found.size, found.reasons) == (4, 0, ())


def test_a_required_parameter_was_added(disk: Disk, tmp_path: Path) -> None:
    found = checked(disk, tmp_path, plan(), plan(Longer, dropout=0.5))
    assert [each.kind for each in found.changes] == [ChangeKind.ALTERED] * 3
    assert [each.tags["lr"] for each in found.changes] == [0.1, 0.2, 0.3]
    assert found.reasons == (("new parameter dropout = 0.5", 3),)
    assert found.same == 1
    assert found.changes[0].text().endswith(": new parameter dropout = 0.5")


def test_an_upstream_changed(disk: Disk, tmp_path: Path) -> None:
    before = plan(lrs=(0.1,))
    other = Index(stem=True)
    other.submit()
    after = [order(other), order(Learn(index=other, optimizers=[Adam(lr=0.1)]).tag("lr", 0.1))]
    found = checked(disk, tmp_path, before, after)
    assert [each.kind for each in found.changes] == [ChangeKind.ALTERED] * 2
    assert found.reasons == (("stem false → true", 1),)
    assert "index: upstream index/" in found.changes[1].text()


def test_a_default_that_drifts_strands_nothing_but_is_told(disk: Disk, tmp_path: Path) -> None:
    before = plan()
    for each in before:
        disk.add(each)
    found = checked(disk, tmp_path, before, plan(Drifted), disk.workspace)
    assert {each.kind for each in found.changes} == {ChangeKind.DRIFTED}
    assert found.reasons == (("default of Drifted.epochs 4 → 5", 3),)
    assert found.stranded == ()


def test_a_parameter_that_is_adopted_is_no_drift_of_what_is_made_from_it(
    disk: Disk, tmp_path: Path
) -> None:
    index = IndexInLanguage()
    index.submit()
    learner = Learn(index=index, optimizers=[Adam(lr=0.1)]).tag("lr", 0.1)
    found = checked(disk, tmp_path, plan(lrs=(0.1,)), [order(index), order(learner)])
    assert (found.changes, found.same) == ((), 2)


def test_jobs_that_came_and_went(disk: Disk, tmp_path: Path) -> None:
    found = checked(disk, tmp_path, plan(lrs=(0.1, 0.2)), plan(lrs=(0.1,)))
    assert [(each.kind, each.tags) for each in found.changes] == [(ChangeKind.GONE, {"lr": 0.2})]
    found = checked(disk, tmp_path, plan(lrs=(0.1,)), plan(lrs=(0.1, 0.2)))
    assert [(each.kind, each.tags) for each in found.changes] == [(ChangeKind.NEW, {"lr": 0.2})]
    assert found.same == 2


def test_jobs_without_tags_are_matched_by_their_nearest_trees(disk: Disk, tmp_path: Path) -> None:
    def untagged(cls: Any, lrs: tuple[float, ...], **values: Any) -> list[Order]:
        index = Index().submit()
        return [order(cls(index=index, optimizers=[Adam(lr=x)], **values)) for x in lrs]

    before = untagged(Learn, (0.1, 0.2, 0.3))
    after = untagged(Longer, (0.5, 0.3, 0.1, 0.2), dropout=0.5)
    found = checked(disk, tmp_path, before, after)
    altered = [each for each in found.changes if each.kind is ChangeKind.ALTERED]
    assert [each.new for each in altered] == [after[at].key for at in (2, 3, 1)]
    assert found.reasons == (("new parameter dropout = 0.5", 3),)
    assert [each.new for each in found.changes if each.kind is ChangeKind.NEW] == [after[0].key]


def test_a_class_that_was_moved(disk: Disk, tmp_path: Path) -> None:
    found = checked(disk, tmp_path, plan(), plan(Moved.Learn))
    assert found.reasons == (("class renamed i.learn → elsewhere.learn", 3),)


def test_a_rename_that_is_declared_is_adopted(disk: Disk, tmp_path: Path) -> None:
    before = plan()
    for each in before:
        disk.add(each)
    found = checked(disk, tmp_path, before, plan(Renamed), disk.workspace)
    assert [each.kind for each in found.changes] == [ChangeKind.ADOPTED] * 3
    assert [each.tags["lr"] for each in found.changes] == [0.1, 0.2, 0.3]
    assert found.stranded == ()
    assert not found.ok


def test_what_is_stranded_is_counted_and_measured_once(disk: Disk, tmp_path: Path) -> None:
    before = plan()
    done = [disk.add(each) for each in before[:3]]
    disk.add(before[3], Outcome.FAILED)
    first, second = (Path(disk.workspace.job(key).root, "model") for key in done[1:])
    first.write_bytes(os.urandom(1 << 20))
    os.link(first, second)
    found = checked(disk, tmp_path, before, plan(Longer, dropout=0.5), disk.workspace)
    assert [each.finished for each in found.changes] == [True, True, False]
    assert 1 << 20 <= found.size < (1 << 20) + 200_000
    assert found.to_json()["stranded"] == {"results": 2, "bytes": found.size}


def test_the_file_is_the_same_for_the_same_identifiers(disk: Disk) -> None:
    one = write_lock(lock_of(plan(), {}))
    assert write_lock(lock_of(plan(), {})) == one
    assert write_lock(read_lock(one, "here")) == one
    assert disk.workspace.root.encode() not in one
    assert b"/project" not in one
    threads = Index(threads=9)
    assert write_lock(lock_of([order(threads)], {})) == write_lock(lock_of(plan()[:1], {}))


def test_one_change_touches_few_lines_of_the_file(disk: Disk) -> None:
    one, two = (write_lock(lock_of(plan(lrs=(0.1, x)), {})).splitlines() for x in (0.2, 0.3))
    assert len(set(one) ^ set(two)) < 30


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"null", b'{"v": 2}', b'{"v": 1}', b"\xff", b"[" * 100_000]
)
def test_a_damaged_lock_file_is_one_clear_error(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "ids.lock"
    path.write_bytes(damage)
    with pytest.raises(UnreadableError) as caught:
        load_lock(str(path))
    assert caught.value.where == str(path)


def test_lists_nested_too_deeply_are_one_clear_error(disk: Disk) -> None:
    nested: Any = 1
    for _ in range(600):
        nested = [nested]
    with pytest.raises(ConfigError, match="nested too deeply"):
        write_lock(lock_of([order(Anything(value=nested))], {}))


class Anything(Task["Anything"]):
    __xpmid__ = "i.anything"
    value: Param[Any]

    def execute(self) -> None: ...


def test_no_lock_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no lock file"):
        load_lock(str(tmp_path / "ids.lock"))


junk = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


@given(st.data())
def test_a_lock_file_that_someone_changed_never_crashes(data: Any) -> None:
    with submitting():
        value = json.loads(write_lock(lock_of(plan(), {})))
    holder: Any = value
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(holder[key], (dict, list)) or not holder[key] or data.draw(st.booleans()):
            break
        holder = holder[key]
    holder[key] = data.draw(junk | st.just({"$config": data.draw(junk)}))
    try:
        lock = read_lock(json.dumps(value).encode(), "here")
    except UnreadableError:
        return
    with submitting():
        check(lock, plan())


def test_an_object_that_is_part_of_itself() -> None:
    with submitting():
        value = json.loads(write_lock(lock_of(plan(), {})))
    index, learn = value["jobs"][0]["id"], value["jobs"][1]["id"]
    value["objects"][index]["fields"]["stem"]["value"] = {"$config": learn}
    with pytest.raises(UnreadableError, match="part of itself"):
        read_lock(json.dumps(value).encode(), "here")
