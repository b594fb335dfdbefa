"""The arithmetic of the pool: never too much, nobody overtaken, nobody starved."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from tests.engine.making import dead_process
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.pool.member import Turn
from xpm_engine.workspace.pool.sharing import Limits, Share, impossible
from xpm_engine.workspace.records.pool import Place, Reservation, Waiting
from xpm_engine.workspace.records.resources import CPU, GPU, Demand, Kind, Resource, Resources

NOBODY = dead_process()
KEY = JobKey("ir.learn", "0" * 32)


def _taken(demand: Demand, number: int = 0, devices: tuple[str, ...] = ()) -> Reservation:
    return Reservation(f"{number:032x}", KEY, "/w/j", demand, devices, NOBODY, "exp/run", "")


def _need(cpus: int = 0, gpus: int = 0, **tokens: int) -> Demand:
    return Resources(cpus=cpus, gpus=gpus, tokens=dict(tokens)).demand()


def _plan(name: str, since: float, demand: Demand) -> Waiting:
    return Waiting(name, f"exp/{name}", NOBODY, (Place(since, demand),))


def test_what_fits_may_go_until_nothing_is_left() -> None:
    share = Share(Limits(2), [])
    for number in range(2):
        assert share.ask(_need(1), 0.0) is None
        share.take(_taken(_need(1), number))
    shortage = share.ask(_need(1), 0.0)
    assert shortage is not None
    assert (shortage.resource, shortage.used, shortage.total) == (CPU, 2, 2)


def test_a_small_job_does_not_overtake_a_large_one_that_waits_before() -> None:
    share = Share(Limits(4), [_taken(_need(2))])
    assert share.ask(_need(3), 1.0) is not None
    assert share.ask(_need(1), 2.0) is not None


def test_who_waits_for_one_token_holds_up_nobody_who_needs_another() -> None:
    share = Share(Limits(4, tokens=(("a", 1), ("b", 1))), [_taken(_need(1, a=1))])
    shortage = share.ask(_need(1, a=1), 1.0)
    assert shortage is not None
    assert shortage.resource == Resource(Kind.TOKEN, "a")
    assert shortage.holders == (KEY,)
    assert share.ask(_need(1, b=1), 2.0) is None
    assert share.ask(_need(1), 2.0) is None


def test_who_has_the_token_and_waits_for_a_core_keeps_the_token() -> None:
    share = Share(Limits(1, tokens=(("a", 1),)), [_taken(_need(1))])
    assert share.ask(_need(1, a=1), 1.0) is not None
    shortage = share.ask(_need(a=1), 2.0)
    assert shortage is not None
    assert shortage.resource.token == "a"


def test_the_older_place_of_another_plan_goes_first_and_is_told_of() -> None:
    share = Share(Limits(1), [], [_plan("other", 1.0, _need(1))])
    shortage = share.ask(_need(1), 2.0)
    assert shortage is not None
    assert shortage.behind == "exp/other"
    assert share.called == {("other", 1.0)}


def test_a_younger_place_of_another_plan_waits() -> None:
    share = Share(Limits(1), [], [_plan("other", 2.0, _need(1))])
    assert share.ask(_need(1), 1.0) is None


def test_gpus_are_given_out_one_by_one() -> None:
    limits = Limits(8, devices=("0", "1", "2"))
    share = Share(limits, [_taken(_need(1, 1), devices=("1",))])
    assert share.ask(_need(1, 2), 0.0) is None
    assert share.devices_for(_need(1, 2)) == ("0", "2")


def test_gpus_that_this_plan_does_not_see_do_not_count() -> None:
    limits = Limits(8, devices=("2", "3"))
    share = Share(limits, [_taken(_need(1, 2), devices=("0", "1"))])
    assert share.ask(_need(1, 2), 0.0) is None
    assert share.devices_for(_need(1, 2)) == ("2", "3")


def test_what_could_never_go_is_known() -> None:
    amounts = Limits(2).amounts()
    assert impossible(_need(3), amounts) == CPU
    assert impossible(_need(1, 1), amounts) == GPU
    assert impossible(_need(2), amounts) is None
    assert impossible(Resources(memory="9TiB").demand(), amounts) is None


LIMITS = Limits(3, devices=("0", "1"), tokens=(("a", 1), ("b", 2)))


@st.composite
def _demands(draw: st.DrawFn) -> Demand:
    """Anything that could go alone."""
    return _need(
        draw(st.integers(0, 3)),
        draw(st.integers(0, 2)),
        **{name: n for name, most in (("a", 1), ("b", 2)) if (n := draw(st.integers(0, most)))},
    )


@dataclass
class _Model:
    """Plans that each look when it is their turn to; time is a count of looks."""

    queues: list[list[Demand]]
    since: list[dict[Demand, float]]
    running: list[Reservation] = field(default_factory=list)
    clock: float = 0.0
    number: int = 0

    def look(self, plan: int) -> None:
        others = [
            Waiting(str(n), "", NOBODY, tuple(Place(at, each) for each, at in since.items()))
            for n, since in enumerate(self.since)
            if n != plan
        ]
        share = Share(LIMITS, self.running, others, plan=str(plan))
        turn = Turn(share, self.since[plan], self.sign, self.tick)
        for demand in list(self.queues[plan]):
            if demand not in turn.refused and turn.ask(KEY, "", demand) is not None:
                self.queues[plan].remove(demand)
        self.since[plan] = {each: self.since[plan][each] for each in turn.refused}

    def sign(
        self, key: JobKey, job: str, demand: Demand, devices: tuple[str, ...], nonce: str
    ) -> Reservation:
        self.number += 1
        self.running.append(_taken(demand, self.number, devices))
        return self.running[-1]

    def tick(self) -> float:
        self.clock += 1
        return self.clock

    def check(self) -> None:
        taken: dict[Resource, int] = {}
        for each in self.running:
            for resource, count in each.demand:
                taken[resource] = taken.get(resource, 0) + count
        amounts = LIMITS.amounts()
        assert all(count <= amounts[resource] for resource, count in taken.items())
        devices = [device for each in self.running for device in each.devices]
        assert len(devices) == len(set(devices)) == taken.get(GPU, 0)


@given(st.lists(st.lists(_demands(), max_size=8), min_size=1, max_size=3), st.data())
def test_plans_share_without_excess_and_all_get_their_turn(
    queues: list[list[Demand]], data: st.DataObject
) -> None:
    model = _Model(queues, [{} for _ in queues])
    jobs = sum(map(len, queues))
    for _ in range(10 * jobs + 10):
        if not any(model.queues) and not model.running:
            break
        for plan in data.draw(st.permutations(range(len(queues)))):
            model.look(plan)
            model.check()
        # All have looked, so somebody runs: what is free is never kept by all for each other.
        assert model.running or not any(model.queues)
        if model.running:
            model.running.pop(data.draw(st.integers(0, len(model.running) - 1)))
    assert not any(model.queues)
    assert model.number == jobs


@given(_demands().filter(bool), st.lists(_demands().filter(bool), min_size=1, max_size=5))
def test_nobody_is_overtaken_for_ever(mine: Demand, stream: list[Demand]) -> None:
    """Another plan that never has less of anything to run can delay a job, not starve it."""
    model = _Model([[mine], list(stream)], [{}, {}])
    for _ in range(80):
        # The greedy one is always quicker.
        model.look(1)
        model.look(0)
        if not model.queues[0]:
            return
        model.queues[1] += [each for each in stream if each not in model.queues[1]]
        model.running.pop(0)
    raise AssertionError("it still waits")
