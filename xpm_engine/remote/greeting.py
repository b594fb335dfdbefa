"""The agent's hello, found behind what the far shell prints first: who and where it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from xpm_engine.errors import ProtocolError, UnreachableError, XpmError
from xpm_engine.remote.frames import PROTOCOL, SENTINEL, Decoder, Message
from xpm_engine.remote.pipes import Pipes
from xpm_engine.workspace.records.fields import Fields

HELLO_PATIENCE = 30.0
"""Seconds between the start of the command and the agent's hello."""

MOST_GREETING = 1 << 20
"""Bytes that start-up files of the far shell may print before the agent speaks."""


@dataclass(frozen=True)
class Hello:
    """Who and where the agent is."""

    python: str
    platform: str
    machine_id: str
    boot_id: str
    host: str
    user: str
    uid: int
    home: str
    fs: str
    cores: int
    skew: float
    """Seconds that its clock is ahead of ours, as far as that can be told."""


def greet(pipes: Pipes, token: str, *, name: str, explained: Callable[[bytes], XpmError]) -> Hello:
    """Skip what start-up files print, and read the hello of the agent that was given `token`.

    Raises ProtocolError, UnreachableError where nothing comes in time, and what `explained` makes
    of an end: it is told what was printed instead of a hello.
    """
    deadline = time.monotonic() + HELLO_PATIENCE

    def more(printed: bytes) -> bytes:
        left = deadline - time.monotonic()
        data = pipes.read(left) if left > 0 else None
        if data is None:
            raise UnreachableError(
                f"{name} did not answer within {HELLO_PATIENCE:g} s",
                hint="does its shell wait for something when a command is run by ssh?",
            )
        if not data:
            raise explained(printed)
        return data

    wanted = b"\n" + SENTINEL + token.encode("ascii") + b"\n"
    greeting = bytearray()
    while (at := greeting.find(wanted)) < 0:
        if len(greeting) > MOST_GREETING:
            raise ProtocolError(
                f"{name} prints without end where an agent should speak",
                hint="see what its shell prints: ssh HOST true",
            )
        greeting += more(bytes(greeting))
    now = time.time()
    decoder = Decoder()
    rest = bytes(greeting[at + len(wanted) :])
    while True:
        for message in decoder.feed(rest):
            # Nothing was asked yet, so that nothing can follow it.
            return _hello(message, name, now)
        rest = more(b"")


def _hello(message: Message, name: str, now: float) -> Hello:
    fields = Fields(message.body, f"the hello of {name}")
    proto = fields.integer("proto")
    if proto != PROTOCOL:
        raise ProtocolError(f"{name} speaks version {proto}, this is version {PROTOCOL}")
    return Hello(
        python=fields.text("python"),
        platform=fields.text("platform"),
        machine_id=fields.text("machine_id"),
        boot_id=fields.text("boot_id"),
        host=fields.text("host"),
        user=fields.text("user"),
        uid=fields.integer("uid"),
        home=fields.text("home"),
        fs=fields.text("fs"),
        cores=fields.integer("cores"),
        skew=fields.number("now") - now,
    )
