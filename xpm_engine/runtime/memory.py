"""How much memory a task holds, and whether the kernel ended processes for the lack of it (Linux).

A limit is watched from outside. RLIMIT_AS bounds addresses, not memory: numpy, CUDA and memory
maps reserve far more than they use. A control group would be exact, but only who administers the
machine may hand them out; where a cluster does, its own limit stands beside this one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache

_OWN = (b"RssAnon:", b"RssShmem:", b"VmSwap:")
"""Lines of /proc/PID/status (proc(5)): what the process holds; a page of a file is not counted,
since the kernel can take it back at any time."""

_FAIR = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")
"""Lines of /proc/PID/smaps_rollup: the same, each shared page divided among those that share it."""


def held(processes: Iterable[int], limit: float) -> int:
    """The bytes that these processes hold together; exact where the answer is over `limit`.

    The quick sum counts pages that forked processes share once for each of them. Dividing them
    fairly makes the kernel walk all page tables, so it is asked only when it matters.
    """
    pids = list(processes)
    quick = sum(_alone(pid) for pid in pids)
    return quick if quick <= limit else sum(_fairly(pid) for pid in pids)


def kernel_kills() -> int:
    """How many processes the kernel has ended for the lack of memory so far.

    In this process's control group where it can be asked (cgroups(7)), else on the machine.
    """
    for path in _counters():
        for line in _read(path).splitlines():
            name, _, count = line.partition(b" ")
            if name == b"oom_kill" and count.isdigit():
                return int(count)
    return 0


@lru_cache(maxsize=1)
def _counters() -> tuple[str, ...]:
    paths: list[str] = []
    for line in _read("/proc/self/cgroup").decode("utf-8", "replace").splitlines():
        number, controllers, group = line.split(":", 2)
        if number == "0":
            paths.append(f"/sys/fs/cgroup{group}/memory.events")
        elif "memory" in controllers.split(","):
            paths.append(f"/sys/fs/cgroup/memory{group}/memory.oom_control")
    readable = [path for path in paths if os.access(path, os.R_OK)]
    return (*readable, "/proc/vmstat")


def _alone(pid: int) -> int:
    return _sum_lines(f"/proc/{pid}/status", _OWN) or 0


def _fairly(pid: int) -> int:
    found = _sum_lines(f"/proc/{pid}/smaps_rollup", _FAIR)
    return _alone(pid) if found is None else found


def _sum_lines(path: str, names: tuple[bytes, ...]) -> int | None:
    """The sum, in bytes, of the lines ``NAME: COUNT kB``; None if none of them is there."""
    found = [int(line.split()[1]) for line in _read(path).splitlines() if line.startswith(names)]
    return sum(found) * 1024 if found else None


def _read(path: str) -> bytes:
    """A file of the kernel's, whole; nothing where it can't be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
