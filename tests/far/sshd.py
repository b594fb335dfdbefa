"""A private OpenSSH server on loopback, with its own keys, as the user who runs the tests."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

SSHD = "/usr/sbin/sshd"

_SERVER = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
UsePAM no
PermitRootLogin prohibit-password
PermitUserRC no
PrintMotd no
UseDNS no
MaxStartups 100:30:200
MaxSessions 100
Subsystem sftp internal-sftp
"""

_CLIENT = """
Host *
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/id
  IdentitiesOnly yes
  HostKeyAlias loopback
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""


def need(*programs: str) -> None:
    """Skip the test where a program is missing; fail where services are required."""
    missing = [name for name in programs if shutil.which(name) is None]
    if not missing:
        return
    reason = f"{', '.join(missing)} is not installed"
    if os.environ.get("XPM_REQUIRE_SERVICES"):
        pytest.fail(reason)
    pytest.skip(reason)


class Sshd:
    """A server in a folder of its own; every host's name leads to it."""

    def __init__(self, folder: Path) -> None:
        need(SSHD, "ssh", "ssh-keygen")
        self.folder = folder
        folder.mkdir(mode=0o700)
        self.port = _free_port()
        for name in ("host_key", "id"):
            make_key(folder / name)
        shutil.copy(folder / "id.pub", folder / "authorized_keys")
        facts = {"folder": folder, "port": self.port, "user": getpass.getuser()}
        (folder / "sshd_config").write_text(_SERVER.format(**facts))
        self.config = folder / "ssh_config"
        self.config.write_text(_CLIENT.format(**facts))
        self.trust()
        self.bin = folder / "bin"
        self.bin.mkdir()
        write_wrapper(self.bin / "ssh", f'exec {shutil.which("ssh")} -F {self.config} "$@"')
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def trust(self, key: str = "host_key.pub") -> None:
        """Let the client know this host key."""
        kind, text, *_ = (self.folder / key).read_text().split()
        (self.folder / "known_hosts").write_text(f"loopback {kind} {text}\n")

    def start(self) -> None:
        """Listen, and return once it does."""
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        log = self.folder / "sshd.log"
        self._process = subprocess.Popen(
            [SSHD, "-D", "-f", self.folder / "sshd_config", "-E", log],
            stdin=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while True:
            assert self._process.poll() is None, log.read_text()
            if _answers(self.port):
                return
            assert time.monotonic() < deadline, "sshd does not listen"
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server and every connection to it."""
        if self._process is None:
            return
        # Who is held forks nobody meanwhile: a session that is left for an instant would still
        # listen, and keep the port from the next server.
        self._process.send_signal(signal.SIGSTOP)
        for pid in _descendants(self._process.pid):
            _end(pid)
        self._process.kill()
        self._process.wait()
        self._process = None
        deadline = time.monotonic() + 30
        while not _is_free(self.port):
            assert time.monotonic() < deadline, "somebody still listens"
            time.sleep(0.01)


def make_key(path: Path) -> None:
    """A key pair."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def write_wrapper(path: Path, line: str) -> None:
    """A program that is only this line of shell."""
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    """Whether an ssh server greets there; a port may as well be connected with itself."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as line:
            return line.recv(4) == b"SSH-"
    except OSError:
        return False


def _is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
    return True


def _descendants(pid: int) -> list[int]:
    """The sessions of a server; what a job has put into a session of its own is none of them."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def _end(pid: int) -> None:
    for child in _descendants(pid):
        _end(child)
    try:
        if b"sshd" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, 9)
    except OSError:
        return
