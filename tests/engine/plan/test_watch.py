"""Sleeping until a process ends or somebody wakes us: no wake-up is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tests.engine.making import dead_process
from xpm_engine.plan.watch import ProcessWatch
from xpm_engine.workspace import processes


def test_no_wake_up_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes while the last is taken note of must not silence those after it."""
    watch = ProcessWatch()
    read = os.read

    def read_meanwhile_woken(descriptor: int, count: int) -> bytes:
        watch.wake()
        return read(descriptor, count)

    watch.wake()
    with monkeypatch.context() as patch:
        patch.setattr(os, "read", read_meanwhile_woken)
        watch.wait(30.0)
    watch.wake()
    began = time.monotonic()
    watch.wait(30.0)
    assert time.monotonic() - began < 20.0, "slept over a wake-up"
    watch.close()


def test_the_end_of_a_process_is_noticed() -> None:
    watch = ProcessWatch()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        identity = processes.identity_of(child.pid)
        assert identity is not None
        assert watch.add("it", identity)
        assert watch.wait(0.0) == []
        child.kill()
        assert watch.wait(30.0) == ["it"]
    assert watch.wait(0.0) == []
    watch.close()


def test_what_is_gone_is_not_watched() -> None:
    watch = ProcessWatch()
    assert not watch.add("gone", dead_process())
    watch.close()
