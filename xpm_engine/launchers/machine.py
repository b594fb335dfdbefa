"""What this process may use of the machine that it runs on."""

from __future__ import annotations

import os
import re
from contextlib import suppress

_CGROUP_MEMORY = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_GPU = re.compile(r"nvidia([0-9]+)\Z")

VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"
"""The variable that says which GPUs a process may use: indices or UUIDs, with commas between."""


def usable_cores() -> int:
    """The cores that this process may use."""
    with suppress(AttributeError):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def usable_memory() -> int | None:
    """Bytes of memory that the machine has, or that a container may use; None if it can't tell."""
    found: list[int] = []
    with suppress(OSError, ValueError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in _CGROUP_MEMORY:
        with suppress(OSError, ValueError), open(path, encoding="ascii") as file:
            found.append(int(file.read()))
    return min((size for size in found if size > 0), default=None)


def usable_gpus() -> tuple[str, ...]:
    """The GPUs that this process may use, by the names that CUDA_VISIBLE_DEVICES gives them."""
    visible = os.environ.get(VISIBLE_GPUS)
    if visible is not None:
        names = [name.strip() for name in visible.split(",")]
        # CUDA stops at the first one that it can't read, and -1 is the way to say "none".
        return tuple(names[: names.index("-1")] if "-1" in names else filter(None, names))
    with suppress(OSError):
        found = [int(match[1]) for name in os.listdir("/dev") if (match := _GPU.match(name))]
        return tuple(str(number) for number in sorted(found))
    return ()
