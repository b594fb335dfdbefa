"""The user's ssh: what it is told, what its errors mean, and a real server."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest

from tests.far.sshd import Sshd, make_key
from xpm_engine.errors import RefusedError, UnreachableError, UsageError
from xpm_engine.remote import openssh
from xpm_engine.remote.openssh import Destination, parse_destination, parse_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ssh://alpha/data/ws", (Destination("alpha"), "/data/ws")),
        ("ssh://ada@alpha:2222/ws", (Destination("alpha", "ada", 2222), "/ws")),
        ("ssh://alpha/~/ws", (Destination("alpha"), "~/ws")),
        ("ssh://alpha/a%20b", (Destination("alpha"), "/a b")),
        ("ssh://alpha", (Destination("alpha"), "")),
        ("ssh://[::1]:22/ws", (Destination("::1", None, 22), "/ws")),
    ],
)
def test_addresses(url: str, expected: tuple[Destination, str]) -> None:
    assert parse_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://alpha/ws",
        "ssh:///ws",
        "ssh://alpha:x/ws",
        "ssh://ada:secret@alpha/ws",
        "ssh://-oProxyCommand=evil/ws",
        "ssh://-x@alpha/ws",
        "ssh://al pha/ws",
        "ssh://alpha/ws?x=1",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError):
        parse_url(url)


def test_nothing_is_turned_off_and_nothing_is_forwarded() -> None:
    words = openssh.command(Destination("alpha", "ada", 2222), "true")
    assert "ForwardAgent=no" in words
    assert "ForwardX11=no" in words
    assert not [word for word in words if "StrictHostKeyChecking" in word or "KnownHosts" in word]
    assert words[-2:] == ["alpha", "true"]
    assert words[words.index("-p") + 1] == "2222"
    assert words[words.index("-l") + 1] == "ada"


@pytest.mark.parametrize(
    ("code", "said", "kind", "part"),
    [
        (255, "ada@alpha: Permission denied (publickey).", RefusedError, "does not let you in"),
        (255, "Host key verification failed.", RefusedError, "key of alpha"),
        (255, "ssh: connect to host alpha port 22: Connection refused", UnreachableError, "refus"),
        (255, "ssh: Could not resolve hostname alpha: x", UnreachableError, "can't be reached"),
        (127, "bash: line 1: python3: command not found", RefusedError, "no python3"),
        (127, "sh: 1: exec: python3: not found", RefusedError, "no python3"),
        (1, "xpm agent: python3 is 3.6 here, and 3.8 is needed", RefusedError, "too old"),
        (-9, "", UnreachableError, "said nothing"),
        (255, "mux_client_request_session: read from master failed", UnreachableError, "cut"),
    ],
)
def test_what_ssh_means(code: int, said: str, kind: type[Exception], part: str) -> None:
    error = openssh.explain("alpha", code, said)
    assert type(error) is kind
    assert part in str(error)


def test_a_real_server(sshd: Sshd) -> None:
    first = openssh.connect(parse_destination("alpha"))
    assert first.ask("ping") == {}
    folder = Path(openssh.control_path()).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (socket,) = folder.iterdir()
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    # The second goes through the connection of the first: one log-in.
    second = openssh.connect(parse_destination("alpha"))
    assert (sshd.folder / "sshd.log").read_text().count("Accepted publickey") <= 1
    second.close()
    first.close()
    openssh.drop_shared(parse_destination("alpha"))
    assert not list(folder.iterdir())


def test_a_stale_socket_is_in_nobodys_way(sshd: Sshd) -> None:
    destination = parse_destination("alpha")
    openssh.connect(destination).close()
    folder = Path(openssh.control_path()).parent
    (socket,) = folder.iterdir()
    _kill_master(socket)
    assert socket.exists()
    made = openssh.connect(destination)
    assert made.ask("ping") == {}
    made.close()
    openssh.drop_shared(destination)


def test_a_host_that_is_not_there(sshd: Sshd) -> None:
    sshd.stop()
    with pytest.raises(UnreachableError, match="can't be reached"):
        openssh.connect(parse_destination("alpha"))


def test_a_host_that_is_another_one(sshd: Sshd) -> None:
    make_key(sshd.folder / "other")
    sshd.trust("other.pub")
    with pytest.raises(RefusedError, match="key of alpha"):
        openssh.connect(parse_destination("alpha"))


def test_a_host_that_does_not_let_us_in(sshd: Sshd) -> None:
    (sshd.folder / "authorized_keys").write_text("")
    with pytest.raises(RefusedError, match="does not let you in"):
        openssh.connect(parse_destination("alpha"))


def test_a_long_runtime_folder_holds_no_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 80)
    long.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    assert openssh.control_path().startswith(f"/tmp/xpm-{os.geteuid()}/ssh/")


def _kill_master(socket: Path) -> None:
    """End the process of a shared connection as a crash does: its socket stays."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            line = Path("/proc", name, "cmdline").read_bytes()
        except OSError:
            continue
        if line.startswith(b"ssh: ") and os.fsencode(socket) in line:
            os.kill(int(name), signal.SIGKILL)
            return
    pytest.fail("no shared connection is there")
