"""Plans in the pool: what they hold, what is given back for the dead, and how they are woken."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.making import KEY, dead_process, end, launch, start
from xpm_engine.errors import StorageError
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.layout import JobPaths, PoolPaths
from xpm_engine.workspace.pool import folder, reservations
from xpm_engine.workspace.pool import member as member_module
from xpm_engine.workspace.pool.folder import open_folder
from xpm_engine.workspace.pool.member import Member
from xpm_engine.workspace.pool.sharing import Limits
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.pool import Reservation
from xpm_engine.workspace.records.resources import Demand, Resources

ONE = Resources().demand()
TWO = Resources(cpus=2).demand()


class Plans:
    """Members of one pool, left at the end of the test."""

    def __init__(self) -> None:
        self._members: list[Member] = []

    def join(self, cores: int = 2, *, driver: ProcessIdentity | None = None) -> Member:
        made = Member(Limits(cores), run="exp/run", driver=driver or processes.own_identity())
        self._members.append(made)
        return made

    def close(self) -> None:
        for member in self._members:
            member.close()


@pytest.fixture
def plans() -> Iterator[Plans]:
    made = Plans()
    yield made
    made.close()


@pytest.fixture
def job(tmp_path: Path) -> JobPaths:
    return JobPaths(str(tmp_path / "ws/jobs/t/i"))


def _ask(member: Member, job: JobPaths, demand: Demand = ONE) -> Reservation | None:
    with member.turn() as turn:
        assert turn is not None
        return turn.ask(KEY, job.root, demand)


def _must(member: Member, job: JobPaths, demand: Demand = ONE) -> Reservation:
    granted = _ask(member, job, demand)
    assert granted is not None
    return granted


def test_all_plans_share_what_there_is(plans: Plans, job: JobPaths) -> None:
    first, second = plans.join(), plans.join()
    taken = _must(first, job)
    _must(second, job)
    assert _ask(first, job) is None
    assert _ask(second, job) is None
    first.release(taken.nonce)
    _must(first, job)


def test_who_waited_first_goes_first(plans: Plans, job: JobPaths) -> None:
    first, second = plans.join(1), plans.join(1)
    taken = _must(first, job)
    assert _ask(second, job) is None
    first.release(taken.nonce)
    assert _ask(first, job) is None
    taken = _must(second, job)
    assert _ask(second, job) is None
    second.release(taken.nonce)
    assert _ask(second, job) is None
    _must(first, job)


def test_a_plan_that_does_not_take_its_turn_keeps_nobody_waiting(
    plans: Plans, job: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = plans.join(1), plans.join(1)
    taken = _must(first, job)
    assert _ask(second, job) is None
    first.release(taken.nonce)
    assert _ask(first, job) is None
    monkeypatch.setattr(member_module, "LAPSE", 0.0)
    _must(first, job)


def test_who_leaves_the_line_keeps_nobody_waiting(plans: Plans, job: JobPaths) -> None:
    first, second = plans.join(1), plans.join(1)
    taken = _must(first, job)
    assert _ask(second, job) is None
    first.release(taken.nonce)
    second.withdraw()
    _must(first, job)


def test_giving_back_wakes_who_waits(plans: Plans, job: JobPaths) -> None:
    first, second = plans.join(1), plans.join(1)
    taken = _must(first, job)
    assert second.pipe is None
    assert _ask(second, job) is None
    assert second.pipe is not None
    assert select.select([second.pipe], [], [], 0)[0] == []
    first.release(taken.nonce)
    assert select.select([second.pipe], [], [], 0)[0] == [second.pipe]


def test_what_runs_is_kept_when_its_plan_is_dead(plans: Plans, job: JobPaths) -> None:
    dead, living = plans.join(1, driver=dead_process()), plans.join(1)
    taken = _must(dead, job)
    with reservations.held(PoolPaths(dead.folder), taken.nonce) as lock:
        assert lock is not None
        assert _ask(living, job) is None
    assert PoolPaths(dead.folder).listing()[0] == []
    _must(living, job)


def test_what_was_reserved_by_a_dead_plan_and_never_started_is_given_back(
    plans: Plans, job: JobPaths
) -> None:
    dead, living = plans.join(1, driver=dead_process()), plans.join(1)
    taken = _must(dead, job)
    _must(living, job)
    with reservations.held(PoolPaths(dead.folder), taken.nonce) as lock:
        assert lock is None, "a supervisor that comes too late must not start"


def test_a_reused_pid_does_not_keep_anything(plans: Plans, job: JobPaths) -> None:
    me = processes.own_identity()
    dead, living = plans.join(1, driver=replace(me, start_ticks=me.start_ticks - 1)), plans.join(1)
    _must(dead, job)
    _must(living, job)


def test_between_its_grant_and_its_start_a_living_plan_keeps_it(
    plans: Plans, job: JobPaths
) -> None:
    first, second = plans.join(1), plans.join(1)
    taken = _must(first, job)
    assert _ask(second, job) is None
    assert tickets.claim_launch(job, launch(nonce=taken.nonce))
    assert _ask(second, job) is None


@pytest.mark.parametrize("how", ["supervisor killed", "ended", "void"])
def test_a_living_plan_does_not_keep_what_is_over(plans: Plans, job: JobPaths, how: str) -> None:
    first, second = plans.join(1), plans.join(1)
    taken = _must(first, job)
    assert tickets.claim_launch(job, launch(nonce=taken.nonce))
    by = dead_process() if how == "supervisor killed" else None
    assert tickets.claim_start(job, 1, start(by, void=how == "void"))
    if how == "ended":
        assert tickets.record_end(job, 1, end())
    _must(second, job)


def test_a_living_supervisor_without_its_lock_keeps_it(plans: Plans, job: JobPaths) -> None:
    """As after the pool's folder was removed and made again."""
    first, second = plans.join(1, driver=dead_process()), plans.join(1)
    taken = _must(first, job)
    assert tickets.claim_launch(job, launch(nonce=taken.nonce))
    assert tickets.claim_start(job, 1, start())
    assert _ask(second, job) is None


def test_half_a_reservation_is_none(plans: Plans, job: JobPaths) -> None:
    member = plans.join(1)
    Path(PoolPaths(member.folder).reservation("a" * 32)).write_text('{"v":1,')
    _must(member, job)
    assert not os.path.exists(PoolPaths(member.folder).reservation("a" * 32))


def test_the_place_of_a_dead_plan_is_removed(plans: Plans, job: JobPaths) -> None:
    first = plans.join(1)
    taken = _must(first, job)
    dead = Member(Limits(1), run="exp/dead", driver=dead_process())
    assert _ask(dead, job) is None
    first.release(taken.nonce)
    _must(first, job)
    assert PoolPaths(first.folder).listing()[1] == []
    dead.close()


def test_a_folder_that_vanished_is_made_again_with_what_we_hold(
    plans: Plans, job: JobPaths, own_pool: Path
) -> None:
    first, second = plans.join(2), plans.join(2)
    _must(first, job)
    os.rename(own_pool / "pool", own_pool / "gone")
    assert _ask(first, job, TWO) is None
    first.withdraw()
    assert _ask(second, job, TWO) is None
    _must(second, job)


def test_nothing_is_left_behind(plans: Plans, job: JobPaths) -> None:
    first, second = plans.join(1), plans.join(1)
    taken = _must(first, job)
    assert _ask(second, job) is None
    first.release(taken.nonce)
    plans.close()
    assert os.listdir(first.folder) == ["mutex"]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The runtime folder of a machine with systemd, which is not there yet, and the other one."""
    usual, other = tmp_path / "usual", tmp_path / "other"
    monkeypatch.setattr(folder, "STANDARD", str(usual))
    monkeypatch.setattr(folder, "FALLBACK", str(other))
    return usual, other


def test_without_a_runtime_folder_the_temporary_one_serves(
    tmp_path: Path, machine: tuple[Path, Path]
) -> None:
    other = str(machine[1] / "pool")
    assert open_folder({}).root == other
    gone = {"XDG_RUNTIME_DIR": str(tmp_path / "gone")}
    assert open_folder(gone).root == other


def test_an_agent_and_a_login_session_find_the_same_pool(machine: tuple[Path, Path]) -> None:
    usual, other = machine
    login, agent = {"XDG_RUNTIME_DIR": str(usual)}, {"HOME": "/"}
    # Nobody is logged in: there is no runtime folder, and an agent's jobs are counted elsewhere.
    counted = Path(open_folder(agent).reservation("n"))
    assert counted.parent == other / "pool"
    counted.touch()
    usual.mkdir(0o700)
    assert open_folder(login).root == open_folder(agent).root == str(other / "pool")
    # Once nothing is counted there, all go to the usual one, also who is not told of it.
    counted.unlink()
    assert open_folder(login).root == open_folder(agent).root == str(usual / "pool")


def test_a_runtime_folder_of_ones_own_stays(machine: tuple[Path, Path], own_pool: Path) -> None:
    Path(open_folder({}).reservation("n")).touch()
    assert open_folder().root == str(own_pool / "pool")


def test_a_usual_folder_that_others_may_enter_is_not_used(machine: tuple[Path, Path]) -> None:
    usual, other = machine
    usual.mkdir()
    usual.chmod(0o755)
    assert open_folder({}).root == str(other / "pool")


@pytest.mark.parametrize("fault", ["link", "file", "open"])
def test_a_folder_that_is_not_ours_alone_is_refused(own_pool: Path, fault: str) -> None:
    pool = own_pool / "pool"
    if fault == "link":
        (own_pool / "elsewhere").mkdir(0o700)
        pool.symlink_to(own_pool / "elsewhere")
    elif fault == "file":
        pool.touch()
    else:
        pool.mkdir()
        pool.chmod(0o755)
    with pytest.raises(StorageError, match="pool can't be used") as caught:
        open_folder()
    assert caught.value.where == str(pool)
    assert caught.value.hint is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of somebody else")
def test_a_folder_of_somebody_else_is_refused(own_pool: Path) -> None:
    (own_pool / "pool").mkdir(0o700)
    os.chown(own_pool / "pool", 12345, 12345)
    with pytest.raises(StorageError, match="belongs to user 12345"):
        open_folder()
