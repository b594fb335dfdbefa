"""The user's own ssh: their configuration, keys and agents; nothing of it is ever turned off.

One connection a host is shared by all that goes there (ControlMaster). Nobody may be asked for a
password by a plan in the background or under a screen: hosts are entered by key, or through a
connection that ``xpm doctor ssh HOST`` has opened at a terminal.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from xpm_engine.errors import RefusedError, RemoteError, UnreachableError, UsageError, XpmError
from xpm_engine.remote.archive import AGENT, COMMAND, Load
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace.pool.folder import FALLBACK, own_folder, runtime_folder

PERSIST = 60
"""Seconds that the shared connection outlives its last user."""

CONNECT_PATIENCE = 15
"""Seconds for one TCP connection."""

CONTROL_PATIENCE = 5.0
"""Seconds for a word with the shared connection's process."""

MOST_SOCKET_PATH = 104 - 40 - 17 - 2
"""Bytes of a folder for sockets: 104 is the least that systems take, and ssh adds 57."""


_SHARED = "the place of shared ssh connections"


@dataclass(frozen=True)
class Destination:
    """What ssh is told; a host may be an alias of the user's configuration."""

    host: str
    user: str | None = None
    port: int | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for what ssh could take for an option."""
        for text in (self.host, self.user or "x"):
            if not re.fullmatch(r"[A-Za-z0-9_:][^\s\x00-\x1f]*", text):
                raise UsageError(
                    f"{text!r} can't be a host's or a user's name",
                    hint="a name of your ssh configuration, or user@host",
                )

    def __str__(self) -> str:
        at = f"{self.user}@{self.host}" if self.user else self.host
        return f"{at}:{self.port}" if self.port else at

    @property
    def arguments(self) -> list[str]:
        """The words of the command line that name it."""
        words = ["-p", str(self.port)] if self.port else []
        words += ["-l", self.user] if self.user else []
        return [*words, "--", self.host]


def parse_destination(text: str) -> Destination:
    """``[user@]host[:port]``; raises UsageError."""
    return parse_url(f"ssh://{text}")[0]


def parse_url(url: str) -> tuple[Destination, str]:
    """``ssh://[user@]host[:port][/path]``: where, and the path; ``/~/x`` is below the home.

    Raises UsageError.
    """
    hint = "ssh://[user@]host[:port]/path, for a path below your home ssh://host/~/path"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is no address: {error}", hint=hint) from None
    user, _, host = parts.netloc.rpartition("@")
    if port is not None:
        host = host.rpartition(":")[0]
    if parts.scheme != "ssh" or not host or parts.query or parts.fragment:
        raise UsageError(f"{url!r} is no address of a host", hint=hint)
    if ":" in user:
        raise UsageError("a password can't stand in an address", hint="use a key; " + hint)
    path = unquote(parts.path)
    if path.startswith("/~"):
        path = path[1:]
    return Destination(host.strip("[]"), unquote(user) or None, port), path


def connect(
    destination: Destination, *, suspicious: bool = False, load: Load = AGENT
) -> Connection:
    """Start an agent there; `suspicious`: do not trust a shared connection that is still there.

    `load` is what is sent there to answer.

    Raises RefusedError, UnreachableError, RemoteError.
    """
    if suspicious:
        drop_shared(destination)
    words = command(destination, COMMAND)
    name = str(destination)
    return Connection(
        words, name=name, explain=lambda code, said: explain(name, code, said), load=load
    )


def command(
    destination: Destination, remote: str | None = None, *, asks: bool = False
) -> list[str]:
    """The command line of ssh; `asks`: whether it may ask the user at a terminal."""
    options = {
        "BatchMode": "no" if asks else "yes",
        "ClearAllForwardings": "yes",
        "ConnectTimeout": CONNECT_PATIENCE,
        "ControlMaster": "auto",
        "ControlPersist": PERSIST,
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "PermitLocalCommand": "no",
        "RemoteCommand": "none",
        "RequestTTY": "no",
        "ServerAliveCountMax": 3,
        "ServerAliveInterval": 4,
        "StdinNull": "no",
    }
    words = ["ssh", "-S", control_path()]
    for option, value in options.items():
        words += ["-o", f"{option}={value}"]
    words += destination.arguments
    return [*words, remote] if remote is not None else words


def shell_command(destination: Destination, folder: str) -> list[str]:
    """The command line of a shell in a folder there, at the user's terminal.

    The words are those that sh, csh and fish understand alike. Raises StorageError.
    """
    words = ["ssh", "-t", "-S", control_path(), "-o", "ForwardAgent=no"]
    words += destination.arguments
    return [*words, f"cd {shlex.quote(folder)} && exec $SHELL -l"]


def control_path() -> str:
    """Where the shared connections' sockets are: in a folder that only the user may enter.

    Raises StorageError.
    """
    folder = runtime_folder() + "/ssh"
    if len(os.fsencode(folder)) > MOST_SOCKET_PATH:
        own_folder(FALLBACK, _SHARED)
        folder = FALLBACK + "/ssh"
    own_folder(folder, _SHARED)
    return folder.replace("%", "%%") + "/%C"


def drop_shared(destination: Destination) -> None:
    """End the shared connection of a host, alive, stuck or dead."""
    words = ["ssh", "-S", control_path(), "-O", "exit", *destination.arguments]
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=CONTROL_PATIENCE,
            check=False,
        )


def explain(name: str, code: int | None, said: str) -> XpmError:
    """What the end of ssh means, and what to do about it."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = _telling(lines)
    for pattern, kind, text, hint in _MEANINGS:
        if re.search(pattern, said):
            return kind(f"{text.format(name=name)}: {last}", hint=hint.format(name=name))
    if code == 127:
        return RefusedError(
            f"{name} has no python3: {last}",
            hint="install Python 3.8 or later there, where a command run by ssh finds it",
        )
    if code == 255 or code is None or code < 0:
        return UnreachableError(f"the connection to {name} was cut: {last}")
    return RemoteError(
        f"the agent on {name} ended with code {code}: {last}",
        hint=f"see what this says: ssh {name} python3 --version",
    )


_NEW_KEY = "host key is known for"
_KEY = "Host key verification failed|HOST IDENTIFICATION HAS CHANGED"
_NOBODY = "timed out|refused|No route|unreachable|reset by|closed by|Could not resolve|Broken pipe"
_MEANINGS: tuple[tuple[str, type[RemoteError], str, str], ...] = (
    (
        _NEW_KEY,
        RefusedError,
        "the key of {name} is not known here yet",
        "connect once by hand, and compare the fingerprint that it shows: ssh {name}",
    ),
    (
        _KEY,
        RefusedError,
        "the key of {name} is not the one that is known",
        "connect once by hand and compare its fingerprint: ssh {name}",
    ),
    (
        "UNPROTECTED PRIVATE KEY FILE|bad permissions",
        RefusedError,
        "ssh does not use your key for {name}, as others may read it",
        "chmod 600 the file that `ssh {name} true` names",
    ),
    (
        "Permission denied|Too many authentication failures|no matching",
        RefusedError,
        "{name} does not let you in",
        "`ssh {name} true` must work without a question; then see xpm doctor ssh {name}",
    ),
    (
        "null bytes|unterminated string|SyntaxError|EOL while scanning|[Uu]nknown option",
        RefusedError,
        "something on {name} reads what is sent to its python3, or that is no Python 3",
        "no start-up file of the shell there may read its input: ssh {name} python3 --version",
    ),
    (
        "xpm agent: python3 is",
        RefusedError,
        "the python3 of {name} is too old",
        "put Python 3.8 or later first in the PATH that a command run by ssh has there",
    ),
    (
        "xpm verbs: python3 is",
        RefusedError,
        "{name} is only looked at",
        "put Python 3.11 or later first in the PATH that a command run by ssh has there",
    ),
    (
        "python3.*not found|not found.*python3",
        RefusedError,
        "{name} has no python3",
        "install Python 3.8 or later there, where a command run by ssh finds it",
    ),
    (
        _NOBODY,
        UnreachableError,
        "{name} can't be reached",
        "check the name, the network and your ssh configuration: ssh {name} true",
    ),
    (
        "Bad configuration|terminating|Bad owner or permissions",
        RefusedError,
        "ssh does not accept its configuration",
        "mend the file that it names",
    ),
)


def _telling(lines: list[str]) -> str:
    """The line that says most: the last one that is not about the shared connection."""
    useful = [line for line in lines if not line.startswith(("mux_", "Control", "debug"))]
    return useful[-1] if useful else "it said nothing"
