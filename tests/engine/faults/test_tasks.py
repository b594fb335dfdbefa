"""Tasks that behave badly, all in one plan: each end is recorded with its right reason."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.engine.faults.campaign import check_settled
from tests.engine.projects import Project
from xpm_engine.workspace import processes, scan
from xpm_engine.workspace.records.reasons import ReasonKind
from xpm_engine.workspace.records.states import JobState

PLAN = """
import ctypes, signal, subprocess
from xpm_engine import Resources
from xpm_engine.launchers.local import LocalLauncher


def closes_its_stdout() -> None:
    sys.stdout.close()
    for descriptor in (0, 1, 2):
        os.close(descriptor)


def daemonises_a_child() -> None:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            note(f"daemon {os.getpid()}")
            while True:
                time.sleep(60)
        os._exit(0)
    os.wait()
    while not any(line.startswith("daemon") for line in LEDGER.read_text().splitlines()):
        time.sleep(0.01)


def leaves_by_os_exit() -> None:
    os._exit(7)


def leaves_by_os_exit_zero() -> None:
    os._exit(0)


def finds_its_disk_full() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, 1)
    os.dup2(full, 2)
    print("more than there is room for")
    os.write(full, b"x")


def raises_without_stderr() -> None:
    sys.stderr.close()
    raise KeyError("lr")


def segfaults() -> None:
    ctypes.string_at(0)


def takes_too_much_memory() -> None:
    kept = []
    while True:
        kept.append(bytearray(8 << 20))
        time.sleep(0.01)


def ignores_sigterm() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(f"ignoring {os.getpid()}")
    while True:
        time.sleep(60)


class Bad(Task):
    name: Param[str]

    def execute(self) -> None:
        globals()[self.name]()


BEHAVIOURS = [
    "closes_its_stdout", "daemonises_a_child", "leaves_by_os_exit", "leaves_by_os_exit_zero",
    "finds_its_disk_full", "raises_without_stderr", "segfaults", "takes_too_much_memory",
    "ignores_sigterm",
]

if __name__ == "__main__":
    LEDGER.touch()
    with experiment("ws", "exp", launcher=LocalLauncher(cores=8, memory="64GiB")):
        for name in BEHAVIOURS:
            needs = Resources(memory="300MiB") if "memory" in name else Resources()
            if "sigterm" in name:
                needs = Resources(time=1.0, grace=0.5)
            Bad(name=name).submit(resources=needs)
"""

ENDS = {
    "closes_its_stdout": (JobState.DONE, None, None),
    "daemonises_a_child": (JobState.DONE, None, None),
    "leaves_by_os_exit": (JobState.FAILED, ReasonKind.EXIT, None),
    # Its exit code is all that it says, and it says that all is well.
    "leaves_by_os_exit_zero": (JobState.DONE, None, None),
    "finds_its_disk_full": (JobState.FAILED, ReasonKind.DISK_FULL, None),
    "raises_without_stderr": (JobState.FAILED, ReasonKind.EXCEPTION, None),
    "segfaults": (JobState.FAILED, ReasonKind.SIGNAL, signal.SIGSEGV),
    "takes_too_much_memory": (JobState.FAILED, ReasonKind.OUT_OF_MEMORY, signal.SIGKILL),
    "ignores_sigterm": (JobState.FAILED, ReasonKind.TIME_LIMIT, signal.SIGKILL),
}


@pytest.mark.skipif(sys.platform != "linux", reason="memory and leftovers are watched in /proc")
def test_every_bad_end_is_recorded_with_its_reason(project: Project) -> None:
    project.write(PLAN)
    code, said = project.run()
    assert code == 1
    assert "Traceback" not in said
    check_settled(project)
    found: dict[str, tuple[object, object, object]] = {}
    for key in scan.list_jobs(project.workspace):
        record = scan.read_job(project.workspace, key)
        kind = None if record.reason is None else record.reason.kind
        found[str(record.params["name"])] = (record.state, kind, record.signal)
    assert found == ENDS
    for line in project.ledger():
        # The daemon, and the one that did not listen: both are gone.
        assert processes.identity_of(int(line.split()[1])) is None
    assert len(project.ledger()) == 2


def test_a_task_that_ignores_sigterm_is_killed_with_all_it_started(project: Project) -> None:
    """By `kill`: the whole process group is asked, given its time, and then killed."""
    project.write("""
import signal

class Deaf(Task):
    name: Param[int]
    def execute(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            note(f"child {os.getpid()}")
            while True:
                time.sleep(60)
        note(f"task {os.getpid()}")
        while True:
            time.sleep(60)

if __name__ == "__main__":
    from xpm_engine import Resources
    with experiment("ws", "exp"):
        Deaf(name=1).submit(resources=Resources(grace=0.3))
""")
    plan = project.start()
    project.wait_for(lambda: len(project.ledger()) == 2)
    (key,) = scan.list_jobs(project.workspace)
    supervisor = scan.read_job(project.workspace, key).supervisor
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGTERM)
    code, said = project.finish(plan)
    assert code == 1, said
    assert project.states() == {"1": "cancelled"}
    for line in project.ledger():
        assert processes.identity_of(int(line.split()[1])) is None
    check_settled(project)
