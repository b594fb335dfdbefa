"""Which process is meant: an identity that survives reused pids, and what is proved about it.

Portable set: plain standard library, Python 3.8 syntax (psutil only on systems without /proc).
"""

from __future__ import annotations

import getpass
import os
import signal
import socket
from contextlib import suppress
from enum import Enum
from functools import lru_cache
from typing import Optional, Sequence

from xpm_engine.workspace.records.identity import ProcessIdentity

_MACHINE_ID = ("/etc/machine-id", "/var/lib/dbus/machine-id")
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Liveness(str, Enum):
    """What is proved about a process from here."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"
    """Another machine or another process namespace: nothing can be said."""


@lru_cache(maxsize=None)
def machine_id() -> str:
    """This machine's id, stable over reboots (systemd's machine-id; else the host's name)."""
    for path in _MACHINE_ID:
        with suppress(OSError), open(path, encoding="ascii") as file:
            text = file.read().strip()
            if text:
                return text
    return "host:" + host_name()


@lru_cache(maxsize=None)
def boot_id() -> str:
    """This boot's id; changes with every start of the machine."""
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return _boot_time_without_proc()


@lru_cache(maxsize=None)
def host_name() -> str:
    """This machine's name: for people, and to restrict proofs, never to identify."""
    return socket.gethostname()


@lru_cache(maxsize=None)
def user_name() -> str:
    """Who runs this process, for the records."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@lru_cache(maxsize=None)
def process_namespace() -> str:
    """The pid namespace that this process's pids are valid in."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def identity_of(pid: int) -> Optional[ProcessIdentity]:
    """The identity of a living process of this machine; None if there is none (zombies count)."""
    ticks = _start_ticks(pid)
    if ticks is None:
        return None
    return ProcessIdentity(
        machine_id=machine_id(),
        boot_id=boot_id(),
        pid_ns=process_namespace(),
        pid=pid,
        start_ticks=ticks,
        host=host_name(),
    )


def own_identity() -> ProcessIdentity:
    """The identity of this process."""
    identity = identity_of(os.getpid())
    if identity is None:
        raise RuntimeError("this process cannot see itself: is /proc mounted?")
    return identity


def liveness(identity: ProcessIdentity) -> Liveness:
    """What is proved, here and now, about a process.

    A machine id can stand on two machines that were cloned from one image, so another host name
    makes everything unknown: that only ever asks a person once too often.
    """
    if identity.machine_id != machine_id() or identity.host != host_name():
        return Liveness.UNKNOWN
    if identity.boot_id != boot_id():
        return Liveness.DEAD
    if identity.pid_ns != process_namespace():
        return Liveness.UNKNOWN
    if _start_ticks(identity.pid) == identity.start_ticks:
        return Liveness.ALIVE
    return Liveness.DEAD


def send_signal(identity: ProcessIdentity, number: int) -> bool:
    """Signal a process after checking that it is still the one meant; False if it is gone.

    With pidfd_open (Linux) the check and the signal reach the same process for certain.
    """
    if not hasattr(os, "pidfd_open"):
        if liveness(identity) is not Liveness.ALIVE:
            return False
        with suppress(ProcessLookupError):
            os.kill(identity.pid, number)
            return True
        return False
    try:
        descriptor = os.pidfd_open(identity.pid)
    except OSError:
        return False
    try:
        if liveness(identity) is not Liveness.ALIVE:
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def _start_ticks(pid: int) -> Optional[int]:
    """Field 22 of /proc/PID/stat (proc(5)), None for a zombie or no process."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            stat = os.read(descriptor, 4096)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, ProcessLookupError):
        return None if os.path.exists("/proc/self/stat") else _start_without_proc(pid)
    except PermissionError:
        return None
    after_name = stat[stat.rindex(b")") + 2 :].split()
    if after_name[0] in (b"Z", b"X"):
        return None
    return int(after_name[19])


def _start_without_proc(pid: int) -> Optional[int]:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return int(process.create_time() * 100)
    except psutil.Error:
        return None


def _boot_time_without_proc() -> str:
    import psutil

    return "boot:%d" % psutil.boot_time()


def with_argument(texts: "Sequence[str]") -> "set[str]":
    """Those of `texts` that stand among the arguments of a living process of this machine."""
    wanted = {text.encode(): text for text in texts}
    found: "set[str]" = set()
    for pid in _pids():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                arguments = file.read().split(b"\0")
        except OSError:
            continue
        found.update(wanted[argument] for argument in arguments if argument in wanted)
    return found


def with_environment(name: str, value: str) -> "list[ProcessIdentity]":
    """The living processes of this user on this machine whose environment has NAME=VALUE."""
    entry = f"{name}={value}".encode()
    found: "list[ProcessIdentity]" = []
    for pid in _pids():
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if entry not in file.read().split(b"\0"):
                    continue
        except OSError:
            continue
        identity = identity_of(pid)
        if identity is not None:
            found.append(identity)
    return found


def _pids() -> "list[int]":
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
