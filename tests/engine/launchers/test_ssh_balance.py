"""The arithmetic of a pool of hosts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.engine.making import KEY, launch
from xpm_engine.launchers.ssh.balance import Balance
from xpm_engine.launchers.ssh.work import has_files_on
from xpm_engine.workspace.atomic import dumps, make_folders, write_atomic
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.mirror import MirrorState
from xpm_engine.workspace.records.resources import CPU, GPU, MEMORY, Demand

WHOLE = {"alpha": {CPU: 4, GPU: 1}, "beta": {CPU: 8, GPU: 2, MEMORY: 1000}}


def _balance() -> Balance:
    return Balance(WHOLE, WHOLE.__getitem__)


def _cpus(count: int) -> Demand:
    return ((CPU, count),)


def test_the_host_with_the_largest_part_free_is_chosen() -> None:
    balance = _balance()
    assert balance.choose([_cpus(2)] * 6, WHOLE) == [
        "alpha",
        "beta",
        "beta",
        "alpha",
        "beta",
        "beta",
    ]
    balance.give("n", "beta", _cpus(6))
    assert balance.choose([_cpus(2)] * 3, WHOLE) == ["alpha", "alpha", "beta"]
    balance.take_back("n")
    assert balance.choose([_cpus(8)], WHOLE) == ["beta"]


def test_hosts_that_are_left_out_get_nothing() -> None:
    assert _balance().choose([_cpus(1)], ["beta"]) == ["beta"]
    assert _balance().choose([_cpus(1)], []) == [None]


def test_a_job_goes_where_its_files_are() -> None:
    balance = _balance()
    hosts = list(WHOLE)
    for host in hosts:
        assert balance.choose([_cpus(1)], hosts, [host]) == [host]
    # It can't wait for one that is away.
    assert balance.choose([_cpus(1)], hosts[:1], [hosts[1]]) == hosts[:1]


def test_gpus_are_those_of_one_host() -> None:
    one: Demand = ((GPU, 1), (CPU, 1))
    assert sorted(map(str, _balance().choose([one] * 4, WHOLE))) == [
        "None",
        "alpha",
        "beta",
        "beta",
    ]
    assert _balance().lacking(((GPU, 2),)) is None
    assert _balance().lacking(((GPU, 3),)) == (GPU, 2)


def test_a_large_job_is_not_starved_by_small_ones() -> None:
    balance = _balance()
    balance.give("a", "alpha", _cpus(1))
    balance.give("b", "beta", _cpus(1))
    # It fits nowhere yet; what becomes free on the only host that could have it is kept.
    assert balance.choose([_cpus(8), _cpus(1), _cpus(1)], WHOLE) == [None, "alpha", "alpha"]
    balance.take_back("b")
    assert balance.choose([_cpus(8)], WHOLE) == ["beta"]


def test_what_is_followed_on_a_host_outside_of_the_pool_is_not_counted() -> None:
    balance = _balance()
    balance.give("n", "gamma", _cpus(4))
    assert balance.has("n")
    balance.take_back("n")
    assert not balance.has("n")


def test_the_host_that_has_the_files_is_told_by_the_attempt_before(tmp_path: Path) -> None:
    job = WorkspacePaths(str(tmp_path)).job(KEY)
    make_folders(job.xpm)
    write_atomic(job.mirror(1), dumps(MirrorState("beta").to_json()))
    order = launch(attempt=3)
    assert has_files_on(job, replace(order, resumable=True)) == "beta"
    assert has_files_on(job, replace(order, resumable=False)) == ""
    assert has_files_on(job, replace(order, resumable=True, attempt=1)) == ""
