from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.finished import Disk
from tests.engine.submitting import order, submitting
from xpm_engine import Option, Param, Task
from xpm_engine.verbs.diff import JobDiff, Row, diff
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind
from xpm_engine.workspace.records.tickets import Usage


class Index(Task["Index"]):
    __xpmid__ = "d.index"
    stem: Param[bool] = False
    threads: Option[int] = 1

    def execute(self) -> None: ...


class Search(Task["Search"]):
    __xpmid__ = "d.search"
    index: Param[Index]
    k1: Param[float] = 0.9

    def execute(self) -> None: ...


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(str(tmp_path / "ws"))
    with submitting(disk.workspace.root):
        yield disk


def texts(found: JobDiff) -> list[str]:
    return [each.text() for each in found.parameters]


def test_two_jobs_that_differ_in_all(disk: Disk) -> None:
    one = disk.add(
        order(Search(index=Index().submit(), k1=0.5).tag("who", "ada")),
        usage=Usage(10.0, 9.0, 1000),
        metrics={"mrr": 0.5, "only": 1.0},
    )
    two = disk.add(
        order(Search(index=Index(stem=True).submit(), k1=0.7).tag("who", "bob")),
        Outcome.FAILED,
        usage=Usage(20.0, 9.0, 1000),
        metrics={"mrr": 0.75},
        reason=Reason(ReasonKind.EXIT, "exit code 3"),
        exit_code=3,
    )
    found = diff(disk.workspace, one, two)
    upstream = found.parameters[-1]
    assert texts(found) == ["k1 0.5 → 0.7", upstream.text()]
    assert upstream.path == "index"
    assert [each.text() for each in found.upstream[0].differences] == ["stem false → true"]
    assert found.tags == (Row("who", "ada", "bob"),)
    assert found.outcome == (
        Row("state", "done", "failed"),
        Row("reason", None, "exit code 3"),
    )
    assert found.usage == (Row("seconds", 10.0, 20.0),)
    assert found.metrics == (Row("mrr", 0.5, 0.75), Row("only", 1.0, None))
    assert found.problems == ()
    assert not found.same
    assert found.to_json()["metrics"][0] == {"name": "mrr", "old": 0.5, "new": 0.75}


def test_options_are_told(disk: Disk) -> None:
    one = disk.add(order(Index(threads=1)))
    params = order(Index(threads=4)).params
    two = disk.add_record(JobKey("d.index", "f" * 32), params)
    assert texts(diff(disk.workspace, one, two)) == ["option threads 1 → 4"]


def test_a_job_and_itself(disk: Disk) -> None:
    key = disk.add(order(Index()))
    assert diff(disk.workspace, key, key).same


def test_jobs_of_different_tasks(disk: Disk) -> None:
    one = disk.add(order(Index()))
    two = disk.add(order(Search(index=Index().submit())))
    assert texts(diff(disk.workspace, one, two)) == ["class Index → Search"]


@pytest.mark.parametrize("damage", [b"", b"\x00", b'{"v": 99}', b"[1]", b'{"v": 1, "root": "x"}'])
@pytest.mark.parametrize("name", ["params.json", "1.end"])
def test_damage_is_told_and_the_rest_still_compared(disk: Disk, name: str, damage: bytes) -> None:
    one = disk.add(order(Index()), metrics={"mrr": 0.5})
    two = disk.add(order(Index(stem=True)), metrics={"mrr": 0.6})
    Path(disk.workspace.job(two).summary).unlink()
    Path(disk.workspace.job(two).xpm, name).write_bytes(damage)
    found = diff(disk.workspace, one, two)
    assert len(found.problems) == 1
    assert "unreadable" in found.problems[0]
    if name == "params.json":
        assert found.metrics == (Row("mrr", 0.5, 0.6),)
    else:
        assert texts(found) == ["stem false → true"]


def test_a_folder_without_anything(disk: Disk) -> None:
    one = disk.add(order(Index()))
    found = diff(disk.workspace, one, JobKey("d.index", "0" * 32))
    assert found.problems == ("index/000000 has no parameters",)
