"""A process is told from a later one with its pid, and nothing is said about other machines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.engine.making import dead_process
from xpm_engine.workspace import processes
from xpm_engine.workspace.processes import Liveness


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends when its standard input is closed."""
    with subprocess.Popen([sys.executable, "-c", "input()", "mark"], stdin=subprocess.PIPE) as it:
        yield it
        it.kill()


def test_a_living_process_is_alive_and_a_killed_one_is_dead(
    child: subprocess.Popen[bytes],
) -> None:
    identity = processes.identity_of(child.pid)
    assert identity is not None
    assert processes.liveness(identity) is Liveness.ALIVE
    child.kill()
    child.wait()
    assert processes.liveness(identity) is Liveness.DEAD


def test_a_zombie_is_dead(child: subprocess.Popen[bytes]) -> None:
    identity = processes.identity_of(child.pid)
    assert identity is not None
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert processes.liveness(identity) is Liveness.DEAD


def test_a_reused_pid_is_another_process(child: subprocess.Popen[bytes]) -> None:
    now = processes.identity_of(child.pid)
    assert now is not None
    before = replace(now, start_ticks=now.start_ticks - 1)
    assert processes.liveness(before) is Liveness.DEAD
    assert not processes.send_signal(before, signal.SIGKILL)
    assert child.poll() is None


def test_after_a_reboot_everything_of_this_machine_is_dead() -> None:
    me = replace(processes.own_identity(), boot_id="another boot")
    assert processes.liveness(me) is Liveness.DEAD


@pytest.mark.parametrize("part", ["machine_id", "host", "pid_ns"])
def test_elsewhere_nothing_is_known(part: str) -> None:
    me = replace(processes.own_identity(), **{part: "elsewhere"})
    assert processes.liveness(me) is Liveness.UNKNOWN
    assert not processes.send_signal(me, 0)


def test_a_cloned_machine_id_proves_nothing() -> None:
    """Two machines from one image share the machine id, and have different boots."""
    other = replace(processes.own_identity(), boot_id="another boot", host="another")
    assert processes.liveness(other) is Liveness.UNKNOWN


def test_a_process_is_found_by_its_argument_and_its_environment() -> None:
    environment = {**os.environ, "XPM_MARK": "here"}
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()", "one-argument"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as child:
        assert child.stdout is not None
        # Popen returns when exec closes its pipe, an instant before /proc tells the new arguments.
        child.stdout.readline()
        try:
            assert processes.with_argument(["one-argument", "absent"]) == {"one-argument"}
            found = processes.with_environment("XPM_MARK", "here")
            assert [identity.pid for identity in found] == [child.pid]
        finally:
            child.kill()


def test_a_dead_process_cannot_be_signalled() -> None:
    assert not processes.send_signal(dead_process(), signal.SIGTERM)
