"""A command whose standard streams lead to another place."""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from xpm_engine.errors import RemoteError
from xpm_engine.remote.frames import widen

_READ = 1 << 18

_TOLD = 4096
"""Bytes of what it printed last that are kept for a reason of its end."""


class Pipes:
    """Its input, its output, and the end of what it says on stderr."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it; raises RemoteError."""
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Ctrl-C at a plan's terminal is the plan's to handle.
                start_new_session=True,
            )
        except OSError as error:
            raise RemoteError(
                f"{command[0]} can't be started: {error.strerror}",
                hint="is the OpenSSH client installed?",
            ) from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin.fileno()
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._input, False)
        for end in (self._input, self._output):
            widen(end)
        self._sending = threading.Lock()
        self._torn = False
        """Whether something was written in part: what followed it would be taken for its rest."""
        self._said = bytearray()
        self._errors = threading.Thread(target=self._hear_errors, daemon=True)
        self._errors.start()

    def read(self, seconds: float) -> bytes | None:
        """What comes next, empty at the end; None if nothing comes in time. Raises OSError."""
        if not _ready(self._output, select.POLLIN, seconds):
            return None
        return os.read(self._output, _READ)

    def write(self, data: bytes, *, patience: float, ended: threading.Event) -> bool:
        """Write all of it, and whether that was done before `ended`.

        What was not written whole has no end, and nothing is written after it. Raises TimeoutError
        where nothing of it is taken for `patience` seconds, OSError and ValueError where nobody
        reads any more.
        """
        view = memoryview(data)
        with self._sending:
            if self._torn:
                return False
            self._torn = True
            deadline = time.monotonic() + patience
            while view:
                if ended.is_set():
                    return False
                if _ready(self._input, select.POLLOUT, 0.5):
                    view = view[os.write(self._input, view) :]
                    deadline = time.monotonic() + patience
                elif time.monotonic() > deadline:
                    raise TimeoutError
            self._torn = False
        return True

    def last_words(self, printed: bytes = b"") -> tuple[int | None, str]:
        """The exit code of a command that ends, and what it said; `printed` if it said nothing."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5.0)
        self._errors.join(1.0)
        said = bytes(self._said) or printed[-_TOLD:]
        return self._process.poll(), said.decode("utf-8", "replace")

    def end(self) -> None:
        """End the command, without waiting for a line that may be dead."""
        process = self._process
        with self._sending, suppress(OSError):
            assert process.stdin is not None
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
        if process.poll() is None:
            process.kill()
            process.wait()
        self._errors.join(1.0)

    def close(self) -> None:
        """Close what is read: only once nobody reads."""
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _hear_errors(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        with suppress(OSError, ValueError):
            while data := os.read(stream.fileno(), _TOLD):
                self._said += data
                del self._said[:-_TOLD]


def _ready(descriptor: int, event: int, seconds: float) -> bool:
    """Wait for an event, or the end; by poll(2), for select(2) counts no more than 1,024 files."""
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(seconds * 1000))
