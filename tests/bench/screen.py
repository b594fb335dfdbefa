"""A command in a pseudo-terminal: what is on its screen, when that came, and what it took."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pyte

from tests.pseudo_terminal import start

WIDE = (120, 40)
PATIENCE = 120.0
BUSY = 0.2
"""The part of a time without output from which on something is still being worked out."""

_NUMBERS = count()
_TICK = os.sysconf("SC_CLK_TCK")

Region = tuple[int, int, int, int]
"""Left, top, right and bottom, as ranges count."""


@dataclass(frozen=True)
class Reply:
    """What came of a key, until nothing more did."""

    frame: float | None
    """Seconds until the region that the key is about looked as it does at the end; None if it
    looks as before."""
    frame_busy: float | None
    """Of these the seconds that the thread which draws was busy."""
    all: float | None
    """Seconds until the whole screen looked as it does at the end."""
    busy: float
    """Seconds that the thread which draws was busy with all of it."""
    bytes: int


@dataclass(frozen=True)
class _Came:
    """Bytes, when they came, and how busy the thread that draws had been until then."""

    at: float
    busy: float
    data: bytes


class Screen:
    """A command in a pseudo-terminal; how much it wrote, and what that looks like."""

    def __init__(
        self, command: Sequence[str], *, cache: Path, size: tuple[int, int] = WIDE
    ) -> None:
        columns, rows = size
        self.screen = pyte.Screen(columns, rows)
        self.bytes = 0
        self._stream = pyte.ByteStream(self.screen)
        self.began = time.monotonic()
        self._process, self._fd = start(
            command,
            size=size,
            environment={
                "COLORTERM": "truecolor",
                "XDG_CACHE_HOME": str(cache),
                # Where the last one was left is not where this one opens.
                "XDG_STATE_HOME": str(cache / f"state-{next(_NUMBERS)}"),
                "PYTHONPATH": os.getcwd(),
            },
            unset=("PYTHONDONTWRITEBYTECODE",),
        )

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def cpu(self) -> float:
        """Seconds of processor time of all its threads."""
        with open(f"/proc/{self._process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    @property
    def drawing(self) -> float:
        """Seconds of processor time of its first thread, which draws; to the nanosecond."""
        with open(f"/proc/{self._process.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9

    @property
    def pid(self) -> int:
        """Of the process, and of its first thread, which draws."""
        return self._process.pid

    def threads(self) -> tuple[dict[int, float], dict[int, int]]:
        """Of each thread the seconds of processor time, and how often it began to wait."""
        spent: dict[int, float] = {}
        waits: dict[int, int] = {}
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            with suppress(OSError):
                nanoseconds = int((task / "schedstat").read_text(encoding="ascii").split()[0])
                lines = (task / "status").read_text(encoding="utf-8").splitlines()
                fields = dict(line.split(":", 1) for line in lines)
                spent[int(task.name)] = nanoseconds / 1e9
                waits[int(task.name)] = int(fields["voluntary_ctxt_switches"])
        return spent, waits

    @property
    def megabytes(self) -> float:
        """The most memory that it had."""
        with open(f"/proc/{self._process.pid}/status", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["VmHWM"].split()[0]) / 1024

    def until(self, true: Callable[[], object], patience: float = PATIENCE) -> bool:
        """Read until something is true; False if it does not become so."""
        deadline = time.monotonic() + patience
        while not true():
            if time.monotonic() > deadline:
                return False
            self.read(0.005)
        return True

    def read(self, wait: float) -> bool:
        """Read what is there; False if nothing came within `wait` seconds."""
        data = self._get(wait)
        self._stream.feed(data)
        return bool(data)

    def quiet(self, seconds: float) -> float:
        """Read until nothing came for so long; when the last of it came, as monotonic time."""
        last = time.monotonic()
        while self.read(seconds):
            last = time.monotonic()
        return last

    def rest(self, patience: float = PATIENCE) -> float:
        """Read until it has stopped working; when the last of it came, as monotonic time."""
        last, deadline = time.monotonic(), time.monotonic() + patience
        while time.monotonic() < deadline:
            cpu, before = self.cpu, time.monotonic()
            while time.monotonic() < before + 0.5:
                if self.read(0.1):
                    last = time.monotonic()
            if self.cpu - cpu < 0.1:
                break
        return last

    def reply(self, key: str, region: Region, *, quiet: float) -> Reply:
        """Press a key and see what comes, until nothing did for `quiet` seconds.

        What came is looked at when all of it is there, for that takes time too.
        """
        whole = (0, 0, self.screen.columns, self.screen.lines)
        before, busy = self.bytes, self.drawing
        came: list[_Came] = []
        began = time.monotonic()
        self.type(key)
        while True:
            seen = self.drawing
            data = self._get(quiet)
            if data:
                came.append(_Came(time.monotonic() - began, self.drawing - busy, data))
            elif self.drawing - seen < BUSY * quiet or time.monotonic() - began > PATIENCE:
                break
        busy = self.drawing - busy
        parts, wholes = [self._look(region)], [self._look(whole)]
        for each in came:
            self._stream.feed(each.data)
            parts.append(self._look(region))
            wholes.append(self._look(whole))
        place, last = _arrived(parts), _arrived(wholes)
        return Reply(
            frame=None if place is None else came[place].at,
            frame_busy=None if place is None else came[place].busy,
            all=None if last is None else came[last].at,
            busy=busy,
            bytes=self.bytes - before,
        )

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._fd)

    def _get(self, wait: float) -> bytes:
        """What is there; empty if nothing came within `wait` seconds."""
        data = b""
        if select.select([self._fd], [], [], wait)[0]:
            with suppress(OSError):
                data = os.read(self._fd, 1 << 16)
        self.bytes += len(data)
        return data

    def _look(self, region: Region) -> list[tuple[object, ...]]:
        """The cells of a region with their colours."""
        left, top, right, bottom = region
        return [
            tuple(self.screen.buffer[y][x] for x in range(left, right)) for y in range(top, bottom)
        ]


def _arrived(looks: Sequence[object]) -> int | None:
    """After which of the changes it looked as it has since; None if it always did."""
    same = len(looks)
    while same and looks[same - 1] == looks[-1]:
        same -= 1
    return same - 1 if same else None
