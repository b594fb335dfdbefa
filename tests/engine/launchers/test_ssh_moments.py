"""The moments at which it matters whether an order has left, or its start been told."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

import pytest

from tests.far.plans import Far
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.records.states import JobState

SETTINGS = """
[hosts.alpha]
workspace = "~/far"
python = "{python}"
cores = 2

[hosts.beta]
workspace = "~/far2"
python = "{python}"
cores = 2

[launchers.both]
hosts = ["alpha", "beta"]
"""


BOTH_SEND = """
from xpm_engine.launchers.ssh.sending import Sending
say = Sending._say_where
def say_where(self, work, connection):
    LEDGER.with_name(sys.argv[1]).touch()
    while not all(LEDGER.with_name(name).exists() for name in ("alpha", "beta")):
        time.sleep(0.01)
    return say(self, work, connection)
Sending._say_where = say_where
"""
"""Each of two plans has an order that was never sent, and neither has said where it goes."""


def _waits(far: Far) -> set[str]:
    views = [scan.read_run(far.here, "exp", run) for run in scan.list_runs(far.here, "exp")]
    return {wait.kind.value for view in views if view.queue for wait in view.queue.waits}


def _plan(far: Far, before: str, body: str, launcher: str = '"alpha"') -> None:
    """A plan that does something else `before` its experiment."""
    far.plan(body, launcher=launcher)
    path = far.project.folder / "plan.py"
    main = 'if __name__ == "__main__":\n'
    path.write_text(path.read_text().replace(main, main + textwrap.indent(before, "    ")))


@pytest.fixture
def far(far: Far) -> Far:
    Path(far.here.settings).write_text(SETTINGS.format(python=sys.executable))
    return far


def test_one_of_two_plans_takes_over_what_was_never_sent(far: Far) -> None:
    far.host.refuse()
    _plan(far, BOTH_SEND, "Work(name=1).submit()", "sys.argv[1]")
    plan = far.project.start("both")
    far.project.wait_for(lambda: list(Path(far.here.root).rglob("1.launch")) != [])
    plan.kill()
    far.project.finish(plan)
    job = far.here.job(far.key())
    assert not Path(job.mirror(1)).exists()
    far.host.refuse(False)
    # Each of them may send it, and would send it elsewhere.
    plans = [far.project.start(name) for name in ("alpha", "beta")]
    for plan in plans:
        code, said = far.project.finish(plan)
        assert code == 0, said + far.log()
    assert far.project.ledger() == ["begin 1", "end 1"]
    assert tickets.ticket_names(job).keys() == {1}
    assert len(list(Path(far.host.home).rglob("1.launch"))) == 1, "it was sent to both"


TORN = """
from xpm_engine.remote.pipes import Pipes
write = Pipes.write
ORDERS = b'"do":' + b'"launch"'
def torn(self, data, **how):
    if ORDERS in data and not LEDGER.with_name("torn").exists():
        LEDGER.with_name("torn").write_text("beta" if "beta" in self._process.args else "alpha")
        write(self, data[:-1], **how)
        self.end()
        raise BrokenPipeError
    return write(self, data, **how)
Pipes.write = torn
"""
"""The connection breaks while the first order is written, of which all but a byte has left."""


def _refusing(far: Far) -> None:
    """From when an order was torn, the host that it was for can't be reached any more."""
    wrapper = far.host.bin / "ssh"
    head, _, rest = wrapper.read_text().partition("\n")
    torn = far.project.folder / "torn"
    refuse = f'case "$*" in *" $(cat {torn} 2>&-) "*) echo refused >&2; exit 255;; esac'
    wrapper.write_text(f"{head}\n{refuse}\n{rest}")


def test_an_order_that_did_not_leave_whole_goes_to_another_host(far: Far) -> None:
    _refusing(far)
    _plan(far, TORN, "Work(name=1).submit()", '"both"')
    far.run()
    assert far.project.ledger() == ["begin 1", "end 1"]
    mirror = scan.read_job(far.here, far.key()).mirror
    assert mirror is not None
    assert {mirror.of, (far.project.folder / "torn").read_text()} == {"alpha", "beta"}
    assert len(list(Path(far.host.home).rglob("1.launch"))) == 1


def test_one_that_an_earlier_plan_gave_stays(far: Far) -> None:
    far.host.refuse()
    far.plan("Work(name=1).submit()", launcher='"both"')
    plan = far.project.start()
    far.project.wait_for(lambda: list(Path(far.here.root).rglob("1.launch")) != [])
    plan.kill()
    far.project.finish(plan)
    far.host.refuse(False)
    # Any plan may have seen where this one was going to send it.
    _refusing(far)
    _plan(far, TORN, "Work(name=1).submit()", '"both"')
    plan = far.project.start()
    job = far.here.job(far.key())
    far.project.wait_for((far.project.folder / "torn").exists)
    of = (far.project.folder / "torn").read_text()
    far.project.wait_for(lambda: "sent" in _waits(far))
    (far.project.folder / "torn").write_text("nobody")
    code, said = far.project.finish(plan)
    assert code == 0, said + far.log()
    assert json.loads(Path(job.mirror(1)).read_text())["of"] == of
    assert far.project.ledger() == ["begin 1", "end 1"]


TOLD = """
from xpm_engine.launchers.ssh import host, mirror
connections = []
up = host.Host._up
def kept(self, connection):
    connections.append(connection)
    up(self, connection)
host.Host._up = kept
def at_the_moment(work):
    if LEDGER.with_name("moment").exists():
        return False
    there = work.job.root.replace({here!r}, {there!r})
    begun = os.path.exists(there + f"/.xpm/{{work.far_attempt or 1}}.start")
    assert begun and not os.path.exists(work.job.start(work.attempt))
    LEDGER.with_name("moment").touch()
    if {fault!r} == "plan":
        os.kill(os.getpid(), 9)
    connections[-1]._end(None)
    connections[-1]._let_go()
    return True
"""
"""What happens when a start there is known of, and none was recorded here."""

WHEN = {
    "told": """
started = mirror.JobMirror._started
def told(self, data):
    if at_the_moment(self._work):
        raise mirror.StorageError("cut")
    return started(self, data)
mirror.JobMirror._started = told
""",
    "answered": """
answered = host.Host._answered
def later(self, work, connection, answer):
    if not LEDGER.with_name("moment").exists():
        there = work.job.root.replace({here!r}, {there!r})
        while not os.path.exists(f"{{there}}/.xpm/{{answer['attempt']}}.start"):
            time.sleep(0.01)
    if at_the_moment(work):
        raise host.UnreachableError("cut")
    answered(self, work, connection, answer)
host.Host._answered = later
""",
}


@pytest.mark.parametrize("fault", ["plan", "link"])
@pytest.mark.parametrize("when", WHEN)
def test_a_start_that_was_not_recorded_here(far: Far, when: str, fault: str) -> None:
    told = (TOLD + WHEN[when]).format(here=far.here.root, there=far.there.root, fault=fault)
    _plan(far, told, "Work(name=1).submit()")
    plan = far.project.start()
    far.project.wait_for((far.project.folder / "moment").exists)
    code, said = far.project.finish(plan)
    if fault == "plan":
        assert code == -9
        assert not Path(far.here.job(far.key()).start(1)).exists()
        code, said = far.project.finish(far.project.start())
    assert code == 0, said + far.log()
    assert far.project.ledger() == ["begin 1", "end 1"]
    for workspace in (far.here, far.there):
        assert tickets.ticket_names(workspace.job(far.key())).keys() == {1}
    assert scan.read_job(far.here, far.key()).state is JobState.DONE
