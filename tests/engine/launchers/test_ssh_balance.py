"""The arithmetic of a pool of hosts."""

from __future__ import annotations

from xpm_engine.launchers.ssh.balance import Balance
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
