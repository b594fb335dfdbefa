"""The room on other hosts: all plans of the user there share it, wherever they run."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.far.plans import Far
from tests.far.stub import StubHost
from xpm_engine.verbs.jobs.listing import list_run
from xpm_engine.verbs.kill import Killed, kill_job
from xpm_engine.verbs.retry import plan_retry
from xpm_engine.verbs.starting import start_retry
from xpm_engine.words import wait_words
from xpm_engine.workspace import processes, scan, tickets
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.records.mirror import MirrorState
from xpm_engine.workspace.records.reasons import WaitKind
from xpm_engine.workspace.records.states import JobState

SETTINGS = """
[launchers.local]
cores = 2

[hosts.alpha]
workspace = "~/far"
python = "{python}"
cores = 2
gpus = 1

[hosts.beta]
workspace = "~/far2"
python = "{python}"
cores = 2
gpus = 2

[launchers.both]
hosts = ["alpha", "beta"]

[launchers.again]
hosts = ["alpha"]
"""


@pytest.fixture
def far(far: Far) -> Far:
    Path(far.here.settings).write_text(SETTINGS.format(python=sys.executable))
    return far


def _most_at_once(far: Far) -> int:
    most = running = 0
    for line in far.project.ledger():
        running += 1 if line.startswith("begin") else -1
        most = max(most, running)
    return most


def test_plans_share_the_room_of_a_host(far: Far) -> None:
    far.plan("for n in range(3):\n    Work(name=n, seconds=0.5).submit()")
    far.plan("for n in range(3, 6):\n    Work(name=n, seconds=0.5).submit()", name="other.py")
    plans = [far.project.start(name=name) for name in ("plan.py", "other.py")]
    for plan in plans:
        code, said = far.project.finish(plan)
        assert code == 0, said + far.log()
    assert len(far.project.ledger()) == 12
    assert _most_at_once(far) == 2


def test_a_plan_that_runs_there_by_itself_shares_it_too(far: Far) -> None:
    far.plan("for n in range(2):\n    Work(name=n, seconds=60).submit()", launcher='"local"')
    far.plan("Work(name=5).submit()", name="other.py")
    there = far.project.start()
    far.project.wait_for(lambda: len(far.project.ledger()) == 2)
    plan = far.project.start(name="other.py")
    far.project.wait_for(lambda: any(wait.host == "alpha" for wait in far.waits()))
    (wait,) = [wait for wait in far.waits() if wait.host]
    assert (wait.kind, wait.used, wait.total) == (WaitKind.CORE, 2, 2)
    assert wait_words(wait) == "waits for a free core on alpha: 2 of 2 taken"
    # Nothing was sent that has no room: it may still go anywhere.
    assert not Path(far.here.job(wait.key).mirror(1)).exists()
    for key in list(scan.list_jobs(far.here)):
        if key != wait.key:
            kill_job(far.here, key)
    code, said = far.project.finish(plan)
    assert code == 0, said
    far.project.finish(there)
    assert far.project.ledger()[-2:] == ["begin 5", "end 5"]


def test_what_is_cancelled_while_it_waits_for_room_is_never_sent(far: Far) -> None:
    far.plan("for n in range(2):\n    Work(name=n, seconds=60).submit()", launcher='"local"')
    far.plan("for n in range(5, 7):\n    Work(name=n).submit()", name="other.py")
    there = far.project.start()
    far.project.wait_for(lambda: len(far.project.ledger()) == 2)
    plan = far.project.start(name="other.py")
    far.project.wait_for(lambda: len([wait for wait in far.waits() if wait.host]) == 2)
    first, second = [wait.key for wait in far.waits() if wait.host]
    assert kill_job(far.here, first).killed is Killed.CANCELLED
    for other in list(scan.list_jobs(far.here)):
        if other not in (first, second):
            kill_job(far.here, other)
    code, said = far.project.finish(plan)
    assert code == 1, said
    far.project.finish(there)
    assert os.path.exists(far.there.job(second).root)
    assert not os.path.exists(far.there.job(first).root)


def test_gpus_are_counted_for_each_host(far: Far) -> None:
    far.plan(
        "from xpm_engine import Resources\n"
        "for n in range(3):\n"
        "    Gpu(name=n).submit(resources=Resources(gpus=1))",
        launcher='"both"',
    )
    text = (far.project.folder / "plan.py").read_text()
    task = (
        "class Gpu(Work):\n"
        "    def execute(self) -> None:\n"
        "        gpu = os.environ['CUDA_VISIBLE_DEVICES']\n"
        "        where = f'{os.getcwd().count(\"far2\")} {gpu}'\n"
        "        note(f'begin {where}')\n"
        "        time.sleep(0.5)\n"
        "        note(f'end {where}')\n\n\n"
    )
    (far.project.folder / "plan.py").write_text(text.replace("if __name__", task + "if __name__"))
    far.run()
    hosts: list[str] = []
    taken: set[str] = set()
    for line in far.project.ledger():
        what, host, gpu = line.split()
        if what == "begin":
            hosts.append(host)
            # Both hosts are one machine here, and share its pool.
            assert gpu not in taken
            taken.add(gpu)
        else:
            taken.remove(gpu)
    assert sorted(hosts) == ["0", "1", "1"]


def test_more_gpus_than_one_host_has(far: Far) -> None:
    far.plan(
        "from xpm_engine import Resources\nWork(name=1).submit(resources=Resources(gpus=3))",
        launcher='"both"',
    )
    code, said = far.project.run()
    assert code == 1
    assert "Work could never run on both: it needs 3 GPUs, out of 2 GPUs on one host" in said


@pytest.mark.parametrize(
    ("first", "second"), [("alpha", "both"), ("again", "alpha"), ("alpha", "beta")]
)
def test_another_name_finds_what_was_sent(far: Far, first: str, second: str) -> None:
    far.plan("Work(name=1, seconds=2).submit()", launcher=f'"{first}"')
    plan = far.project.start()
    # Its order is there, and has not begun: nobody mirrors it yet.
    far.project.wait_for(lambda: list(Path(far.here.root).rglob("1.mirror")) != [])
    plan.kill()
    far.project.finish(plan)
    far.plan("Work(name=1, seconds=2).submit()", launcher=f'"{second}"')
    far.run()
    assert far.project.ledger() == ["begin 1", "end 1"]
    assert tickets.ticket_names(far.here.job(far.key())).keys() == {1}


def test_a_job_is_only_taken_for_dead_when_its_host_has_been_asked(far: Far) -> None:
    far.plan("Work(name=1, seconds=60).submit()")
    plan = far.project.start()
    far.project.wait_for(lambda: set(far.project.states().values()) == {"running"})
    plan.kill()
    far.project.finish(plan)
    key = far.key()
    (refusal,) = plan_retry(far.here, [key]).refused
    assert "it runs on alpha, as far as is known here" in refusal.text
    (refusal,) = plan_retry(far.here, [key], assume_dead=True).refused
    assert "alpha was asked, and says: it runs" in refusal.text
    far.host.refuse()
    assert plan_retry(far.here, [key], assume_dead=True).presumed_dead == (key,)
    far.host.refuse(False)
    supervisor = scan.read_job(far.there, key).supervisor
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    far.project.wait_for(
        lambda: plan_retry(far.here, [key], assume_dead=True).presumed_dead == (key,)
    )


def test_a_pool_leaves_out_a_host_that_is_down(far: Far, tmp_path: Path) -> None:
    other = StubHost(tmp_path / "other")
    wrapper = (far.host.bin / "ssh").read_text()
    body = (other.bin / "ssh").read_text().partition("\n")[2]
    head, _, rest = wrapper.partition("\n")
    # The host's name decides where it leads to.
    (far.host.bin / "ssh").write_text(
        f'{head}\ncase "$*" in *" beta "*) (\n{body}\n); exit $?;; esac\n{rest}'
    )
    other.refuse()
    far.plan("for n in range(4):\n    Work(name=n).submit()", launcher='"both"')
    far.run()
    assert {scan.read_job(far.here, key).mirror.of for key in scan.list_jobs(far.here)} == {"alpha"}  # type: ignore[union-attr]
    assert len(far.project.ledger()) == 8


def test_what_was_sent_is_moved_when_somebody_says_that_its_host_is_gone(far: Far) -> None:
    far.plan("Work(name=1).submit()", launcher='"both"')
    plan = far.project.start()
    far.project.wait_for(lambda: list(Path(far.here.root).rglob("1.launch")) != [])
    plan.kill()
    far.project.finish(plan)
    key = far.key()
    job = far.here.job(key)
    # Its order may be on that host's disk, or never have left this machine: nobody can tell.
    state = MirrorState("gamma", machine="gamma (0)")
    write_atomic(job.mirror(1), dumps(state.to_json()))
    for path in (job.start(1), job.end(1)):
        Path(path).unlink(missing_ok=True)
    settings = Path(far.here.settings)
    settings.write_text(
        settings.read_text() + '[hosts.gamma]\nhost = "gamma"\nworkspace = "~/far3"\ncores = 1\n'
    )
    far.host.refuse()
    assert plan_retry(far.here, [key]).presumed_dead == ()
    moved = plan_retry(far.here, [key], assume_dead=True)
    assert moved.presumed_dead == (key,)
    far.host.refuse(False)
    start_retry(moved)
    far.project.wait_for(lambda: far.project.states() == {"1": "done"})
    assert tickets.ticket_names(job)[2] == {"launch", "start", "end"}


def test_what_was_sent_and_is_void_since_is_not_sent_again(far: Far) -> None:
    far.host.refuse()
    far.plan("Work(name=1).submit()")
    plan = far.project.start()
    far.project.wait_for(lambda: list(Path(far.here.root).rglob("1.launch")) != [])
    plan.kill()
    far.project.finish(plan)
    job = far.here.job(far.key())
    machine = f"{processes.host_name()} ({processes.machine_id()})"
    write_atomic(job.mirror(1), dumps(MirrorState("alpha", machine=machine).to_json()))
    plan = far.project.start()
    far.project.wait_for(lambda: any(wait.kind is WaitKind.SENT for wait in far.waits()))
    attempt = tickets.last_attempt(job)
    assert attempt is not None
    assert tickets.assume_dead(job, attempt, user="ada")
    far.host.refuse(False)
    code, said = far.project.finish(plan)
    assert code == 0, said
    there = far.there.job(far.key())
    for number, names in tickets.ticket_names(there).items():
        sent = tickets.read_attempt(there, number, names)
        assert sent.start is not None
        assert sent.start.void == (sent.launch.nonce == attempt.launch.nonce)
    assert far.project.ledger() == ["begin 1", "end 1"]


def test_what_was_sent_to_a_host_that_is_down_says_so(far: Far) -> None:
    far.plan("Work(name=1, seconds=3).submit()")
    plan = far.project.start()
    far.project.wait_for(lambda: list(Path(far.here.root).rglob("1.mirror")) != [])
    plan.kill()
    far.project.finish(plan)
    key = far.key()
    begun = Path(far.here.job(key).start(1))
    begun.unlink(missing_ok=True)
    far.host.refuse()
    plan = far.project.start()
    far.project.wait_for(lambda: any(wait.kind is WaitKind.SENT for wait in far.waits()))
    (wait,) = [wait for wait in far.waits() if wait.kind is WaitKind.SENT]
    assert "was sent to alpha, and may run there" in wait_words(wait)
    assert f"end the plan, then xpm retry {key.short} --assume-dead" in wait_words(wait)
    assert [row.state for row in list_run(far.here, "exp").rows] == [JobState.UNREACHABLE]
    far.host.refuse(False)
    code, said = far.project.finish(plan)
    assert code == 0, said
    assert far.project.ledger() == ["begin 1", "end 1"]
