"""Whether this process, with what it has imported, can be forked without harm."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
from contextlib import suppress


def refusal() -> str:
    """Why forking would be unsafe; empty where it is safe.

    Threads do not survive a fork, and what they held stays held. OpenBLAS ends its own before a
    fork and starts them again; an OpenMP pool that was used hangs the child; a CUDA context is
    broken in it.
    """
    if sys.platform != "linux":
        return "forking a process that has loaded system frameworks is unsafe on this system"
    running = threading.active_count()
    if running > 1:
        return f"the plan's modules left {running - 1} Python threads running"
    native = _native_threads()
    surplus = 0 if native <= 1 else native - 1 - _openblas_threads()
    if surplus > 0:
        return f"the plan's modules left {surplus} native threads running (OpenMP?)"
    device = _open_gpu()
    if device:
        return f"the plan's modules opened {device}"
    return ""


class ProjectFiles:
    """The source files that were loaded from the user's project, as they were then."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int]] = {}
        self._modules = 0

    def remember(self) -> bool:
        """Look at what was loaded since the last time; whether there was anything."""
        if len(sys.modules) == self._modules:
            return False
        self._modules = len(sys.modules)
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and file not in self._seen and _is_projects(file):
                stamp = _stamp(file)
                if stamp is not None:
                    self._seen[file] = stamp
        return True

    def changed(self) -> str:
        """Which file is no longer as it was loaded; empty for none."""
        for file, stamp in self._seen.items():
            if _stamp(file) != stamp:
                return f"{file} was changed since it was loaded"
        return ""


_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_INSTALLED = tuple(
    os.path.realpath(path) + os.sep
    for path in {
        _PACKAGE,
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    }
)


def _is_projects(file: str) -> bool:
    return not os.path.realpath(file).startswith(_INSTALLED)


def _stamp(file: str) -> tuple[int, int] | None:
    with suppress(OSError):
        status = os.stat(file)
        return status.st_mtime_ns, status.st_size
    return None


def _native_threads() -> int:
    with suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return 1


def _openblas_threads() -> int:
    """How many threads the loaded copies of OpenBLAS may have started."""
    with suppress(OSError), open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        libraries = {line.rpartition("/")[2].strip() for line in file if "openblas" in line}
        return len(libraries) * (len(os.sched_getaffinity(0)) - 1)
    return 0


def _open_gpu() -> str:
    with suppress(OSError):
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                target = os.readlink(f"/proc/self/fd/{name}")
                if target.startswith("/dev/nvidia"):
                    return target
    return ""
