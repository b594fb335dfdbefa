"""Files that a plan's modules opened when they were imported: each forked job reads its own."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress


def separate() -> None:
    """Open every regular file of this process anew, at the place where it was (Linux).

    A fork shares the place in an open file: what one job has read would be missing in the next.
    What can't be opened anew, such as a file that became unreadable, stays shared.
    """
    with suppress(OSError):
        for name in os.listdir("/proc/self/fd"):
            descriptor = int(name)
            if descriptor > 2:
                with suppress(OSError):
                    _separate(descriptor)


def _separate(descriptor: int) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL) & (os.O_ACCMODE | os.O_APPEND | os.O_NONBLOCK)
    inheritable = os.get_inheritable(descriptor)
    own = os.open(f"/proc/self/fd/{descriptor}", flags | os.O_CLOEXEC)
    try:
        os.lseek(own, os.lseek(descriptor, 0, os.SEEK_CUR), os.SEEK_SET)
        os.dup2(own, descriptor, inheritable)
    finally:
        os.close(own)
