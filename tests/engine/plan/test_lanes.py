"""Several launchers in one plan: which of them a job is for, and what each is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from xpm_engine import Param, Resources, Task, experiment
from xpm_engine.config.submitting import SubmitOptions
from xpm_engine.errors import UsageError
from xpm_engine.launchers.base import Capacity
from xpm_engine.launchers.fake import FakeLauncher
from xpm_engine.launchers.local import LocalLauncher
from xpm_engine.plan.lanes import Lanes
from xpm_engine.words import wait_words
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.settings import HostSettings, Settings


class Small(Task):
    name: Param[int]
    after: Param[list[Task]] = []

    def execute(self) -> None:
        raise AssertionError("nothing is executed")


def _waits(workspace: Path) -> list[Wait]:
    """Why jobs wait for room, as the latest run has noted it."""
    paths = WorkspacePaths(str(workspace))
    queue = scan.read_run(paths, "exp", scan.list_runs(paths, "exp")[-1]).queue
    return [] if queue is None else [wait for wait in queue.waits if wait.total]


def test_each_job_goes_where_its_submit_says(tmp_path: Path) -> None:
    usual, other = FakeLauncher(name="usual"), FakeLauncher(name="other")
    with experiment(tmp_path, "exp", launcher=usual) as xp:
        first = Small(name=1).submit()
        second = Small(name=2, after=[first]).submit(launcher=other)
        third = Small(name=3, after=[second]).submit(launcher="usual")
        Small(name=4, after=[third]).submit(launcher="other")
    assert not xp.failed
    assert [order.launcher for order in usual.orders] == ["usual", "usual"]
    assert [order.launcher for order in other.orders] == ["other", "other"]
    moments = sorted((order.at, order.launcher) for order in [*usual.orders, *other.orders])
    assert [launcher for _, launcher in moments] == ["usual", "other", "usual", "other"]


def test_one_that_is_full_keeps_none_of_another_waiting(tmp_path: Path) -> None:
    full, free = FakeLauncher(outcome=None, cores=1, name="full"), FakeLauncher(name="free")
    with experiment(tmp_path, "exp", launcher=full) as xp:
        jobs = [Small(name=number).submit() for number in range(3)]
        assert xp.wait(*[Small(name=9 + each).submit(launcher=free) for each in range(3)])
        assert len(full.orders) == 1
        while not (waits := _waits(tmp_path)):
            assert not xp.wait(*jobs, timeout=0.01)
        assert {wait_words(wait) for wait in waits} <= {
            "waits for a free core, 1st on full: 1 of 1 taken",
            "waits for a free core, 2nd on full: 1 of 1 taken",
        }
        for number in range(3):
            while len(full.orders) == number:
                assert not xp.wait(*jobs, timeout=0.01)
            full.end(full.orders[number].key)
    assert not xp.failed


def test_a_job_is_one_wherever_it_is_submitted_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = FakeLauncher(name="one"), FakeLauncher(name="two")
    with experiment(tmp_path, "exp", launcher=one):
        Small(name=1).submit(launcher=two)
        Small(name=1).submit()
        assert "submitted for" not in capsys.readouterr().err
        Small(name=1).submit(launcher=one)
    said = capsys.readouterr().err
    assert "was submitted for two, where it stays, and again for one" in said
    assert f"{Path(__file__).name}:" in said
    assert (len(one.orders), len(two.orders)) == (0, 1)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (3, "3 (int) is no launcher"),
        (FakeLauncher, "make one of it: launcher=FakeLauncher()"),
        ("locl", "did you mean 'local'?"),
        ("gamma", "write [hosts.gamma] in xpm.toml"),
    ],
)
def test_what_is_no_launcher_is_told_with_its_place(
    tmp_path: Path, wanted: object, says: str
) -> None:
    with pytest.raises(UsageError) as caught, experiment(tmp_path, "exp", launcher=FakeLauncher()):
        Small(name=1).submit(launcher=wanted)
    assert says in str(caught.value)
    assert f"{Path(__file__).name}:" in (caught.value.where or "")
    with pytest.raises(UsageError) as caught:
        experiment(tmp_path, "exp", launcher=wanted)  # type: ignore[arg-type]
    assert says in str(caught.value)


def test_one_that_lacks_a_method_is_told_which(tmp_path: Path) -> None:
    class Nearly(FakeLauncher):
        fetch: Any = property(lambda self: (_ for _ in ()).throw(AttributeError))

    with pytest.raises(UsageError, match="is no launcher") as caught:
        experiment(tmp_path, "exp", launcher=Nearly())
    assert "it lacks fetch" in (caught.value.hint or "")


def test_what_a_launcher_can_never_have_is_told_at_submit(tmp_path: Path) -> None:
    small = FakeLauncher(cores=2, name="small")
    with experiment(tmp_path, "exp", launcher=FakeLauncher()) as xp:
        with pytest.raises(UsageError, match="never run on small: it needs 8 cores, out of 2"):
            Small(name=1).submit(launcher=small, resources=Resources(cpus=8))
        Small(name=1).submit(launcher=small)
    assert not xp.failed
    assert len(small.orders) == 1


class _Pool(FakeLauncher):
    def capacity(self) -> Capacity:
        return Capacity(8, members=(Capacity(4), Capacity(4, None, ("b:0",))))


def test_a_job_must_fit_into_one_member_of_a_pool(tmp_path: Path) -> None:
    with experiment(tmp_path, "exp", launcher=_Pool(name="pool")):
        with pytest.raises(UsageError, match="6 cores, out of 4 cores on one host"):
            Small(name=1).submit(resources=Resources(cpus=6))
        with pytest.raises(UsageError, match="needs 2 GPUs, out of 1 GPU on one host"):
            Small(name=1).submit(resources=Resources(gpus=2))
        Small(name=1).submit(resources=Resources(cpus=4))


def _settings(**cores: int) -> Settings:
    hosts = {
        name: HostSettings(workspace="/far", host=name, cores=count, gpus=1)
        for name, count in cores.items()
    }
    return Settings(hosts=hosts, pools={"both": tuple(hosts)} if len(hosts) > 1 else {})


def test_the_first_that_has_what_a_job_needs_is_taken() -> None:
    lanes = Lanes(_settings(alpha=4, beta=10**6))
    plain = SubmitOptions()
    assert lanes.choose(Small(name=1), plain, None)[0].name == "local"
    enough = SubmitOptions(resources=Resources(cpus=10**6))
    assert lanes.choose(Small(name=1), enough, None)[0].name == "both"
    assert [lane.name for lane in lanes] == ["local", "both"], "the others are not needed"
    named = SubmitOptions(launcher="beta", resources=Resources(cpus=10**6))
    assert lanes.choose(Small(name=1), named, lanes.of("alpha"))[0].name == "beta"
    lanes.close()


def test_what_fits_nowhere_is_told_of_every_launcher() -> None:
    lanes = Lanes(_settings(alpha=4))
    with pytest.raises(UsageError) as caught:
        lanes.choose(Small(name=1), SubmitOptions(resources=Resources(cpus=10**6)), None)
    assert "Small could never run anywhere: local has " in caught.value.what
    assert "alpha has 4 cores, and it needs 1,000,000 cores" in caught.value.what
    with pytest.raises(UsageError, match=r"never run on alpha: it needs 5 cores, out of 4 cores"):
        lanes.choose(Small(name=1), SubmitOptions(resources=Resources(cpus=5)), lanes.of("alpha"))
    lanes.close()


def test_what_an_earlier_plan_ordered_elsewhere_is_found_by_its_launchers_name(
    tmp_path: Path,
) -> None:
    workspace = WorkspacePaths(str(tmp_path))
    other = FakeLauncher(outcome=None, name="other")
    with experiment(tmp_path, "exp", launcher=FakeLauncher(), on_failure="return") as xp:
        made = Small(name=1).submit(launcher=other)
        while not other.orders:
            assert not xp.wait(made, timeout=0.01)
        other.end(other.orders[0].key)
    (key,) = scan.list_jobs(workspace)
    record = scan.read_job(workspace, key)
    assert (record.state, record.launcher) == (JobState.DONE, "other")


def test_local_ones_of_different_size_go_side_by_side(tmp_path: Path) -> None:
    lanes = Lanes(Settings())
    one, two = LocalLauncher(cores=1), LocalLauncher(cores=2)
    assert lanes.of(one) is lanes.of(one)
    assert lanes.of(two) is not lanes.of(one)
    assert lanes.of("local") is lanes.of(one)
    lanes.close()
