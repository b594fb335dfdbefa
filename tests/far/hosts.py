"""Hosts in namespaces of their own: network, mounts, processes, host name and boot id.

Each has its own home and ``/tmp``, so that there is no shared file system, and an OpenSSH
server. The link to one can be cut and healed for real, and its power too. Only `ssh` itself runs
in the network namespace that reaches them; the tests stay where they are.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.far.sshd import SSHD, make_key, need, write_wrapper

PYTHON = "/usr/bin/python3"
"""The jobs' interpreter there: what is below the home and /tmp can't be seen."""

_BOOT = r"""
set -e
folder=$1
hostname "$2"
mount --make-rprivate /
mount --bind "$folder/conf" /mnt
mount --bind "$folder/home" ~root
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd
mount --bind "$folder/tmp" /tmp
cat /proc/sys/kernel/random/uuid > /mnt/boot_id
mount --bind /mnt/boot_id /proc/sys/kernel/random/boot_id
cd /
exec env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /usr/sbin/sshd -D -f /mnt/sshd_config -E /mnt/sshd.log
"""

_SERVER = """
Port 22
ListenAddress {address}
HostKey /mnt/host_key
PidFile none
AuthorizedKeysFile /mnt/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin prohibit-password
StrictModes no
PrintMotd no
UseDNS no
"""

_CLIENT = """
Host {name}
  HostName {address}
  HostKeyAlias {name}
"""

_ALL = """
Host *
  User root
  IdentityFile {folder}/id
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""


def need_namespaces() -> None:
    """Skip the test where hosts can't be made; fail where services are required."""
    need(SSHD, "ssh", "ssh-keygen", "ip", "unshare", "nsenter")
    reason = ""
    if os.geteuid() != 0:
        reason = "only root can make hosts in namespaces"
    elif subprocess.run(["unshare", "--net", "--mount", "true"], check=False).returncode:
        reason = "this machine allows no namespaces"
    elif not _new_enough(PYTHON):
        reason = f"{PYTHON} is not Python 3.11 or later"
    if reason and os.environ.get("XPM_REQUIRE_SERVICES"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@dataclass
class _Host:
    folder: Path
    space: str
    link: str
    address: str
    process: subprocess.Popen[bytes] | None = None


class Hosts:
    """Some hosts, and the way to them."""

    def __init__(self, folder: Path, *names: str) -> None:
        need_namespaces()
        self.folder = folder
        folder.mkdir()
        self._prefix = f"x{os.getpid()}"
        # ssh shares one connection to an address: no two worlds may have the same ones.
        self._net = f"10.{64 + secrets.randbelow(128)}.{secrets.randbelow(256)}"
        self._center = f"{self._prefix}-ctl"
        self._hosts: dict[str, _Host] = {}
        make_key(folder / "id")
        _ip("netns", "add", self._center)
        try:
            self._build(names)
        except BaseException:
            self.down()
            raise

    def home(self, name: str) -> Path:
        """The home of a host, as it is seen from here."""
        return self._hosts[name].folder / "home"

    def cut(self, name: str) -> None:
        """Pull the plug of the network."""
        self._inside("link", "set", self._hosts[name].link, "down")

    def heal(self, name: str) -> None:
        """Put it back."""
        self._inside("link", "set", self._hosts[name].link, "up")

    def lead(self, name: str, to: str) -> None:
        """Let a name lead to another host, as a changed alias does; to itself: as it was."""
        config = "".join(
            _CLIENT.format(name=each, address=self._hosts[to if each == name else each].address)
            for each in self._hosts
        ).replace(f"HostKeyAlias {name}\n", f"HostKeyAlias {to}\n")
        (self.folder / "ssh_config").write_text(config + _ALL.format(folder=self.folder))

    def crash(self, name: str) -> None:
        """Cut the power: all processes are gone at once."""
        process = self._hosts[name].process
        if process is not None:
            process.kill()
            process.wait()
        self._hosts[name].process = None

    def boot(self, name: str) -> None:
        """Start it, with a new boot id; returns when its server listens."""
        host = self._hosts[name]
        with (host.folder / "boot.log").open("ab") as log:
            host.process = subprocess.Popen(
                [
                    *("ip", "netns", "exec", host.space),
                    *("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child"),
                    *("--mount-proc", "bash", "-c", _BOOT, "sh", str(host.folder), name),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while subprocess.run(
            [str(self.folder / "bin/ssh"), name, "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        ).returncode:
            assert time.monotonic() < deadline, (host.folder / "boot.log").read_text()
            time.sleep(0.05)

    def run(self, name: str, *command: str) -> str:
        """Run a command inside of a host; what it printed."""
        process = self._hosts[name].process
        assert process is not None
        inside = _first_of(process.pid)
        enter = ["nsenter", "-t", str(inside), "--mount", "--pid", "--uts", "--net", "--"]
        done = subprocess.run([*enter, *command], capture_output=True, text=True, check=True)
        return done.stdout

    def end_agents(self, name: str) -> int:
        """Kill all agents of a host; how many there were."""
        process = self._hosts[name].process
        assert process is not None
        count = 0
        for pid in _family(process.pid):
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
                if line.startswith(b"python3\0-I\0-c\0"):
                    os.kill(pid, signal.SIGKILL)
                    count += 1
            except OSError:
                continue
        return count

    def down(self) -> None:
        """End all of it."""
        for name, host in self._hosts.items():
            self.crash(name)
            _ip("netns", "del", host.space, check=False)
        _ip("netns", "del", self._center, check=False)

    def _build(self, names: tuple[str, ...]) -> None:
        self._inside("link", "set", "lo", "up")
        self._inside("link", "add", "br0", "type", "bridge")
        self._inside("link", "set", "br0", "up")
        self._inside("addr", "add", f"{self._net}.1/24", "dev", "br0")
        known, config = "", ""
        for number, name in enumerate(names, start=11):
            address = f"{self._net}.{number}"
            self._add(name, address)
            kind, key, *_ = (self.folder / name / "conf/host_key.pub").read_text().split()
            known += f"{name} {kind} {key}\n"
            config += _CLIENT.format(name=name, address=address)
        (self.folder / "known_hosts").write_text(known)
        (self.folder / "ssh_config").write_text(config + _ALL.format(folder=self.folder))
        (self.folder / "bin").mkdir()
        ssh = f'{shutil.which("ssh")} -F {self.folder}/ssh_config "$@"'
        write_wrapper(self.folder / "bin/ssh", f"exec ip netns exec {self._center} {ssh}")
        for name in names:
            self.boot(name)

    def _add(self, name: str, address: str) -> None:
        folder = self.folder / name
        for part in ("conf", "home", "tmp"):
            (folder / part).mkdir(parents=True, mode=0o700)
        make_key(folder / "conf/host_key")
        shutil.copy(self.folder / "id.pub", folder / "conf/authorized_keys")
        (folder / "conf/sshd_config").write_text(_SERVER.format(address=address))
        space, link = f"{self._prefix}-{name}", f"v-{name}"
        _ip("netns", "add", space)
        self._hosts[name] = _Host(folder, space, link, address)
        _ip("-n", space, "link", "set", "lo", "up")
        peer = ("peer", "name", "eth0", "netns", space)
        self._inside("link", "add", link, "type", "veth", *peer)
        self._inside("link", "set", link, "master", "br0", "up")
        _ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")
        _ip("-n", space, "link", "set", "eth0", "up")

    def _inside(self, *words: str) -> None:
        _ip("-n", self._center, *words)


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, stdin=subprocess.DEVNULL, capture_output=True)


def _new_enough(python: str) -> bool:
    code = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([python, "-c", code], check=False).returncode == 0
    except OSError:
        return False


def _first_of(pid: int) -> int:
    """The first process of the host that this one has made."""
    deadline = time.monotonic() + 30
    while True:
        children = _children(pid)
        if children:
            return children[0]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _family(pid: int) -> list[int]:
    return [pid, *(each for child in _children(pid) for each in _family(child))]


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
