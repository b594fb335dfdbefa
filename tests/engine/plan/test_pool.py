"""Real plans on one small machine: never too much at a time, fair, and nothing is lost by kills."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from tests.engine.projects import Project
from xpm_engine.words import wait_words
from xpm_engine.workspace import processes, scan
from xpm_engine.workspace.records.reasons import Wait, WaitKind

PLAN = """
import fcntl
from xpm_engine import Resources, Token
from xpm_engine.launchers.local import LocalLauncher

SEATS = LEDGER.parent


class Sit(Task):
    \"\"\"Takes a seat while it runs: there is one for each job that may run at a time.\"\"\"

    name: Param[str]
    seconds: Option[float] = 0.0
    seats: Option[int] = 2

    def execute(self) -> None:
        for number in range(self.seats):
            seat = (SEATS / f"seat{number}").open("w")
            try:
                fcntl.flock(seat, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                seat.close()
        else:
            note(f"excess {self.name}")
            raise SystemExit(3)
        note(f"begin {self.name}")
        time.sleep(self.seconds)
        note(f"end {self.name}")


class Hold(Task):
    \"\"\"Runs until the file with its name appears.\"\"\"

    name: Param[str]

    def execute(self) -> None:
        note(f"begin {self.name}")
        while not (SEATS / f"go-{self.name}").exists():
            time.sleep(0.01)
        note(f"end {self.name}")
"""


def _write(project: Project, body: str) -> None:
    project.write(PLAN + body)


def _let_go(project: Project, name: str) -> None:
    (project.folder / f"go-{name}").touch()


def _waits(project: Project, experiment: str = "exp") -> list[Wait]:
    names = scan.list_runs(project.workspace, experiment)
    queue = scan.read_run(project.workspace, experiment, names[-1]).queue if names else None
    return [] if queue is None else list(queue.waits)


def _check(project: Project) -> None:
    assert not [line for line in project.ledger() if line.startswith("excess")]
    project.check_ledger()


RACE = """
if __name__ == "__main__":
    plan = sys.argv[1]
    with experiment("ws", plan, launcher=LocalLauncher(cores=2)):
        for n in range(int(sys.argv[2])):
            Sit(name=f"{plan}-{n}", seconds=0.01).submit()
"""


@pytest.mark.parametrize(("plans", "jobs"), [(2, 12), (8, 4)])
def test_plans_that_race_stay_within_the_machine(
    project: Project, own_pool: Path, plans: int, jobs: int
) -> None:
    _write(project, RACE)
    started = [project.start(f"plan{n}", str(jobs)) for n in range(plans)]
    for process in started:
        code, said = project.finish(process)
        assert code == 0, said
    _check(project)
    assert len(project.ledger()) == 2 * plans * jobs
    assert os.listdir(own_pool / "pool") == ["mutex"]


def test_whatever_is_killed_gives_everything_back(project: Project, own_pool: Path) -> None:
    _write(project, RACE.replace("seconds=0.01", "seconds=0.1"))
    chance = random.Random(5)
    plans = {f"plan{n}": project.start(f"plan{n}", "6") for n in range(3)}
    for kills in range(12):
        begun = len(project.ledger())
        project.wait_for(
            lambda begun=begun: (  # type: ignore[misc]
                len(project.ledger()) > begun or all(p.poll() is not None for p in plans.values())
            )
        )
        name = chance.choice(sorted(plans))
        if kills % 2:
            plans[name].kill()
            project.finish(plans[name])
            plans[name] = project.start(name, "6")
        else:
            _kill_a_supervisor(project, chance)
    for name, process in plans.items():
        project.finish(process)
        # What was killed is tried again by the next run.
        code, said = project.run(name, "6")
        assert code == 0, said
    # One that was killed between its last line and its recorded end has been executed again.
    assert not [line for line in project.ledger() if line.startswith("excess")]
    assert len({line for line in project.ledger() if line.startswith("end")}) == 18
    assert os.listdir(own_pool / "pool") == ["mutex"]


def _kill_a_supervisor(project: Project, chance: random.Random) -> None:
    keys = list(scan.list_jobs(project.workspace))
    chance.shuffle(keys)
    for key in keys:
        record = scan.read_job(project.workspace, key)
        if record.state.value == "running" and record.supervisor is not None:
            processes.send_signal(record.supervisor, signal.SIGKILL)
            return


def test_a_thousand_ready_jobs_run_two_at_a_time(project: Project, own_pool: Path) -> None:
    _write(project, RACE.replace("seconds=0.01", "seconds=0.0"))
    plan = project.start("bomb", "1000")
    project.wait_for(lambda: len(project.ledger()) > 150)
    assert len([name for name in os.listdir(own_pool / "pool") if name.endswith(".job")]) <= 2
    plan.send_signal(signal.SIGINT)
    code, said = project.finish(plan)
    assert code == 130, said
    _check(project)


def test_jobs_of_a_dead_plan_still_count(project: Project) -> None:
    _write(
        project,
        """
if __name__ == "__main__":
    with experiment("ws", "exp", launcher=LocalLauncher(cores=1)):
        Hold(name=sys.argv[1]).submit()
""",
    )
    first = project.start("a")
    project.wait_for(lambda: project.ledger() == ["begin a"])
    first.kill()
    first.wait()
    second = project.start("b")
    project.wait_for(lambda: [wait.total for wait in _waits(project)] == [1])
    assert project.ledger() == ["begin a"]
    assert wait_words(_waits(project)[0]) == "waits for a free core, 1st: 1 of 1 taken"
    _let_go(project, "a")
    _let_go(project, "b")
    code, said = project.finish(second)
    assert code == 0, said
    assert project.ledger() == ["begin a", "end a", "begin b", "end b"]


def test_a_small_plan_does_not_wait_for_the_end_of_a_large_one(project: Project) -> None:
    _write(
        project,
        """
if __name__ == "__main__":
    plan = sys.argv[1]
    with experiment("ws", plan, launcher=LocalLauncher(cores=1)):
        if plan == "large":
            Hold(name="large").submit()
        for n in range(int(sys.argv[2])):
            Sit(name=f"{plan}-{n}", seconds=0.01).submit()
""",
    )
    large = project.start("large", "40")
    project.wait_for(lambda: project.ledger() == ["begin large"])
    small = project.start("small", "1")
    project.wait_for(lambda: _waits(project, "small"))
    _let_go(project, "large")
    for plan in (small, large):
        code, said = project.finish(plan)
        assert code == 0, said
    assert "end small-0" in project.ledger()[:70]


def test_a_token_of_the_settings_is_shared_by_plans_and_told_of(project: Project) -> None:
    _write(
        project,
        """
class Licensed(Hold):
    resources = Resources(tokens={"licence": 1})

if __name__ == "__main__":
    with experiment("ws", sys.argv[1], launcher=LocalLauncher(cores=8)):
        Licensed(name=sys.argv[1]).submit()
        Sit(name=f"free-{sys.argv[1]}").submit()
""",
    )
    os.mkdir(project.workspace.root)
    Path(project.workspace.settings).write_text("[tokens]\nlicence = 1\n")
    first = project.start("a")
    project.wait_for(lambda: "begin a" in project.ledger())
    second = project.start("b")
    # What needs no licence does not wait behind what does.
    project.wait_for(lambda: "end free-b" in project.ledger())
    project.wait_for(lambda: [wait.total for wait in _waits(project, "b")] == [1])
    (wait,) = _waits(project, "b")
    assert (wait.kind, wait.what, wait.used, wait.total) == (WaitKind.TOKEN, "licence", 1, 1)
    assert [key.task for key in wait.on] == ["plan.licensed"]
    assert "begin b" not in project.ledger()
    words = f"waits for licence, 1st: 1 of 1 taken by plan.licensed {wait.on[0].short}"
    assert wait_words(wait) == words
    for name, process in (("a", first), ("b", second)):
        _let_go(project, name)
        code, said = project.finish(process)
        assert code == 0, said


def test_each_job_sees_the_gpus_that_it_was_granted(project: Project) -> None:
    _write(
        project,
        """
class Learn(Task):
    name: Param[int]
    resources = Resources(gpus=1)

    def execute(self) -> None:
        gpus = os.environ["CUDA_VISIBLE_DEVICES"]
        for gpu in gpus.split(","):
            fcntl.flock((SEATS / f"gpu{gpu}").open("w"), fcntl.LOCK_EX | fcntl.LOCK_NB)
        note(f"gpus {gpus}")
        time.sleep(0.05)

if __name__ == "__main__":
    with experiment("ws", "exp", launcher=LocalLauncher(cores=8, gpus=3)):
        for n in range(6):
            Learn(name=n).submit()
        Learn(name=9).submit(resources=Resources(gpus=2))
""",
    )
    code, said = project.run()
    assert code == 0, said
    seen = [line.removeprefix("gpus ") for line in project.ledger()]
    assert len(seen) == 7
    assert sorted(gpus for gpus in seen if "," in gpus)[0].count(",") == 1
    assert {gpu for gpus in seen for gpu in gpus.split(",")} <= {"0", "1", "2"}


def test_those_of_higher_priority_start_first(project: Project) -> None:
    _write(
        project,
        """
if __name__ == "__main__":
    with experiment("ws", "exp", launcher=LocalLauncher(cores=1)):
        Hold(name="first").submit()
        while not LEDGER.exists():
            time.sleep(0.01)
        Sit(name="a").submit()
        Sit(name="b").submit(priority=1)
""",
    )
    plan = project.start()
    project.wait_for(lambda: len(_waits(project)) == 2)
    _let_go(project, "first")
    code, said = project.finish(plan)
    assert code == 0, said
    begun = [line for line in project.ledger() if line.startswith("begin")]
    assert begun == ["begin first", "begin b", "begin a"]


def test_what_can_never_run_is_one_clear_error(project: Project) -> None:
    _write(
        project,
        """
with experiment("ws", "exp", launcher=LocalLauncher(cores=2)):
    Sit(name="a").submit(resources=Resources(cpus=3))
""",
    )
    code, said = project.run()
    assert code == 1
    assert "Sit could never run: it needs 3 cores, out of 2 cores in all" in said
    assert not project.ledger()


def test_a_pool_that_is_not_ours_stops_the_plan_before_its_run(
    project: Project, own_pool: Path
) -> None:
    _write(
        project,
        """
with experiment("ws", "exp"):
    Sit(name="a").submit()
""",
    )
    (own_pool / "pool").symlink_to(project.folder)
    code, said = project.run()
    assert code == 1
    assert "the machine's pool can't be used: its folder is no folder but a link" in said
    assert scan.list_runs(project.workspace, "exp") == []
