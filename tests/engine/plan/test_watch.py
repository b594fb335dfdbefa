"""Sleeping until a process ends or somebody wakes us: no wake-up is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import deque

from tests.engine.making import dead_process
from xpm_engine.plan.watch import ProcessWatch
from xpm_engine.workspace import processes


def test_no_wake_up_is_lost() -> None:
    """Two threads as quick as they can: whoever sleeps over an item would sleep for ever."""
    watch = ProcessWatch()
    items: deque[int] = deque()
    count = 30_000

    def produce() -> None:
        for number in range(count):
            items.append(number)
            watch.wake()

    former = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    producer = threading.Thread(target=produce)
    producer.start()
    try:
        seen = 0
        while seen < count:
            while items:
                items.popleft()
                seen += 1
            if seen < count:
                began = time.monotonic()
                watch.wait(20.0)
                assert items or time.monotonic() - began < 15.0, "slept over a wake-up"
    finally:
        sys.setswitchinterval(former)
        producer.join()
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
