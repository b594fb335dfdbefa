"""Faults between this machine and others: real hosts, real links, and a ledger that judges."""

from __future__ import annotations

import hashlib
import os
import pwd
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.projects import Project
from tests.far.hosts import PYTHON, Hosts
from xpm_engine.remote.openssh import Destination, drop_shared
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome, ReasonKind

SETTINGS = """
[hosts.alpha]
workspace = "~/far"
python = "{python}"
cores = 3

[hosts.beta]
workspace = "~/far"
python = "{python}"
cores = 2

[launchers.both]
hosts = ["alpha", "beta"]
"""

FAR = f"{pwd.getpwuid(0).pw_dir}/far"
"""The workspace, as a host sees it."""

HEAD = """
# Only jobs of this machine have that of the plan.
LEDGER = Path(os.environ.get("LEDGER_HERE", Path.home() / "ledger"))

# A test can't wait as long as a user would want a slow line to be waited for.
from xpm_engine.remote import connection, greeting, link, openssh
connection.HEARTBEAT, connection.SILENCE, greeting.HELLO_PATIENCE = 0.4, 1.5, 5.0
link.FIRST_PAUSE, link.MAX_PAUSE = 0.1, 1.0
openssh.CONNECT_PATIENCE = 2


class Large(Task):
    size: Param[int]
    where: Param[Path] = pathgenerator("large")
    def execute(self) -> None:
        note("begin large")
        self.where.write_bytes(os.urandom(1 << 20) * self.size)
        note("end large")


class Take(Task):
    large: Param[Large]
    def execute(self) -> None:
        note("begin take")
        import hashlib
        print(hashlib.sha256(self.large.where.read_bytes()).hexdigest())
        note("end take")

"""


class World:
    """Hosts, and a project whose plans use them."""

    def __init__(self, hosts: Hosts, project: Project) -> None:
        self.hosts = hosts
        self.project = project
        os.makedirs(project.workspace.root)
        Path(project.workspace.settings).write_text(SETTINGS.format(python=PYTHON))

    def plan(self, body: str, launcher: str | None = "alpha") -> None:
        """A plan whose experiment submits what `body` says."""
        lines = "\n        ".join(body.strip().splitlines())
        self.project.write(
            f'{HEAD}\nif __name__ == "__main__":\n'
            f'    with experiment("ws", "exp", launcher={launcher!r}):\n        {lines}\n'
        )

    def there(self, name: str = "alpha") -> WorkspacePaths:
        """The workspace of a host."""
        return WorkspacePaths(str(self.hosts.home(name) / "far"))

    def ledger(self) -> Counter[str]:
        """What was noted on all hosts, and how often."""
        found: Counter[str] = Counter()
        for name in ("alpha", "beta"):
            path = self.hosts.home(name) / "ledger"
            if path.exists():
                found.update(path.read_text().splitlines())
        return found

    def finish(self, plan: object) -> str:
        """The plan comes to a good end."""
        code, said = self.project.finish(plan)  # type: ignore[arg-type]
        assert code == 0, said + self.log()
        return said

    def log(self) -> str:
        """What the launchers noted."""
        here = self.project.workspace
        logs = [Path(here.run("exp", run).log) for run in scan.list_runs(here, "exp")]
        return "".join(path.read_text() for path in logs if path.exists())


@pytest.fixture
def world(tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    hosts = Hosts(tmp_path / "hosts", "alpha", "beta")
    monkeypatch.setenv("PATH", str(hosts.folder / "bin"), prepend=":")
    yield World(hosts, project)
    for name in ("alpha", "beta"):
        drop_shared(Destination(name))
    hosts.down()


def _once(names: range) -> Counter[str]:
    return Counter(f"{what} {n}" for what in ("begin", "end") for n in names)


def test_the_link_is_cut_at_twenty_moments(world: World) -> None:
    world.plan("for n in range(60):\n    Work(name=n, seconds=1.0).submit()", launcher="both")
    plan = world.project.start()
    world.project.wait_for(lambda: bool(world.ledger()))
    chance = random.Random(7)
    for _ in range(20):
        name = chance.choice(["alpha", "beta"])
        time.sleep(chance.uniform(0.0, 0.6))
        world.hosts.cut(name)
        # Some cuts are bridged by TCP, some are longer than the line is waited for.
        time.sleep(chance.choice([0.05, 0.4, 2.5]))
        world.hosts.heal(name)
    world.finish(plan)
    assert world.ledger() == _once(range(60))
    assert set(world.project.states().values()) == {"done"}
    assert world.log().count("no connection:") >= 2, world.log()


def test_agents_are_killed(world: World) -> None:
    world.plan("for n in range(12):\n    Work(name=n, seconds=0.5).submit()")
    plan = world.project.start()
    world.project.wait_for(lambda: bool(world.ledger()))
    killed = 0
    while plan.poll() is None and killed < 5:
        killed += world.hosts.end_agents("alpha")
        time.sleep(0.4)
    world.finish(plan)
    assert killed >= 2
    assert world.ledger() == _once(range(12))


def test_plans_are_killed(world: World) -> None:
    world.plan("for n in range(12):\n    Work(name=n, seconds=0.5).submit()", launcher="both")
    chance = random.Random(11)
    for _ in range(4):
        plan = world.project.start()
        time.sleep(chance.uniform(0.8, 2.5))
        plan.kill()
        world.project.finish(plan)
    world.finish(world.project.start())
    assert world.ledger() == _once(range(12))
    assert set(world.project.states().values()) == {"done"}


def test_plans_with_jobs_here_and_on_two_hosts_are_killed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_HERE", str(world.project.folder / "ledger"))
    settings = Path(world.project.workspace.settings)
    on_demand = settings.read_text().replace("cores =", 'fetch = "on demand"\ncores =')
    settings.write_text(on_demand)
    world.plan(
        """
for n in range(3):
    work = Work(name=n, seconds=0.4).submit()
    large = Large(size=n).submit(launcher="alpha")
    Take(large=large).submit()
    Take(large=large).submit(launcher="beta")
    Work(name=10 + n, after=[work, large], seconds=0.4).submit(launcher="beta")
    Work(name=20 + n, after=[large, work], seconds=0.2).submit()
""",
        launcher=None,
    )
    chance = random.Random(13)
    for _ in range(4):
        plan = world.project.start()
        time.sleep(chance.uniform(0.8, 3.0))
        plan.kill()
        world.project.finish(plan)
    world.finish(world.project.start())
    here, there = Counter(world.project.ledger()), world.ledger()
    once = _once(range(3)) + _once(range(20, 23))
    assert here == once + Counter({"begin take": 3, "end take": 3})
    assert there == _once(range(10, 13)) + Counter({"begin large": 3, "end large": 3})
    records = [scan.read_job(world.project.workspace, key) for key in _jobs(world)]
    assert Counter(record.launcher for record in records) == {"local": 9, "alpha": 3, "beta": 3}
    assert {record.state.value for record in records} == {"done"}


def _jobs(world: World) -> list[JobKey]:
    return list(scan.list_jobs(world.project.workspace))


def test_a_host_is_started_again(world: World) -> None:
    world.plan("Work(name=1, seconds=3).submit(retries=1)")
    plan = world.project.start()
    world.project.wait_for(lambda: world.ledger()["begin 1"] == 1)
    world.project.wait_for(lambda: set(world.project.states().values()) == {"running"})
    world.hosts.crash("alpha")
    world.hosts.boot("alpha")
    world.finish(plan)
    assert world.ledger() == Counter({"begin 1": 2, "end 1": 1})
    (key,) = scan.list_jobs(world.project.workspace)
    first = tickets.read_end(world.project.workspace.job(key), 1)
    assert first.outcome is Outcome.DIED
    assert first.reason is not None
    assert first.reason.kind is ReasonKind.HOST_GONE
    assert "started again" in first.reason.text


def test_a_result_is_cut_in_the_middle_of_a_file(world: World) -> None:
    world.plan("Large(size=150).submit()")
    plan = world.project.start()
    here = Path(world.project.workspace.root)

    def half_there() -> bool:
        return any(path.stat().st_size > 8 << 20 for path in here.rglob("large.*.part"))

    world.project.wait_for(half_there)
    world.hosts.cut("alpha")
    time.sleep(2.5)
    (part,) = here.rglob("large.*.part")
    size = part.stat().st_size
    world.hosts.heal("alpha")
    world.finish(plan)
    assert 0 < size < 150 << 20
    (key,) = scan.list_jobs(world.project.workspace)
    ours = Path(world.project.workspace.job(key).root, "large").read_bytes()
    theirs = Path(world.there().job(key).root, "large").read_bytes()
    assert hashlib.sha256(ours).digest() == hashlib.sha256(theirs).digest()
    assert world.ledger() == Counter({"begin large": 1, "end large": 1})


def test_the_far_workspace_is_removed(world: World) -> None:
    world.plan("Work(name=1, seconds=60).submit()")
    plan = world.project.start()
    world.project.wait_for(lambda: set(world.project.states().values()) == {"running"})
    world.hosts.run("alpha", "rm", "-rf", f"{FAR}/jobs")
    code, said = world.project.finish(plan)
    assert code == 1
    assert "its folder on alpha is gone" in said
    assert world.project.states() == {"1": "died"}


def test_the_far_disk_is_full(world: World) -> None:
    (world.hosts.home("alpha") / "far").mkdir()
    world.hosts.run("alpha", "mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", FAR)
    world.plan("Work(name=1).submit()")
    code, said = world.project.finish(world.project.start())
    assert code == 1
    assert "No space left" in said
    world.hosts.run("alpha", "mount", "-o", "remount,size=100m", FAR)
    world.finish(world.project.start())
    assert world.ledger() == _once(range(1, 2))


def test_a_result_of_one_host_is_needed_on_another(world: World) -> None:
    world.plan("Large(size=2).submit()", launcher="alpha")
    world.finish(world.project.start())
    world.plan("Take(large=Large(size=2).submit()).submit()", launcher="beta")
    world.finish(world.project.start())
    assert world.ledger()["begin large"] == 1
    (key,) = [each for each in scan.list_jobs(world.project.workspace) if "take" in each.task]
    (large,) = [each for each in scan.list_jobs(world.project.workspace) if "large" in each.task]
    data = Path(world.project.workspace.job(large).root, "large").read_bytes()
    said = Path(world.project.workspace.job(key).stdout_link).read_text()
    assert said.strip() == hashlib.sha256(data).hexdigest()


def test_a_name_that_leads_to_another_machine(world: World) -> None:
    world.plan("Work(name=1, seconds=6).submit()")
    plan = world.project.start()
    world.project.wait_for(lambda: set(world.project.states().values()) == {"running"})
    world.hosts.lead("alpha", "beta")
    drop_shared(Destination("alpha"))
    world.hosts.end_agents("alpha")
    world.project.wait_for(lambda: "connected (beta)" in world.log())
    assert set(world.project.states().values()) == {"running"}
    world.hosts.lead("alpha", "alpha")
    drop_shared(Destination("alpha"))
    world.hosts.end_agents("beta")
    world.finish(plan)
    assert world.ledger() == _once(range(1, 2))
