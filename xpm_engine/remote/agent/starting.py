"""How a far job gets its process: forked from a warm helper, or a fresh interpreter.

The helper is the job's Python with the plan's modules imported, one for each way that jobs are
started; it ends with the agent, what it forked goes on.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Tuple

from xpm_engine.errors import LaunchError
from xpm_engine.remote.agent.serving import Request
from xpm_engine.remote.frames import Message
from xpm_engine.workspace.layout import JobPaths
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.resources import GRANTED

PROBE_PATIENCE = 30.0
"""Seconds for an interpreter to say its version: environments on network disks are slow."""

_ENTER = """
import sys
sys.path.insert(0, sys.argv.pop(1))
try:
    from xpm_engine.runtime.{0} import main
except (EOFError, ValueError):
    import os, shutil
    for folder, _, _ in os.walk(sys.path[0] + "/xpm_engine"):
        if folder.endswith("__pycache__"):
            shutil.rmtree(folder, ignore_errors=True)
    from xpm_engine.runtime.{0} import main
main()
"""
"""What Python keeps of modules is cut short by a full disk, and then they are
never imported again (https://github.com/python/cpython/issues/126606)."""


@dataclass(frozen=True)
class Command:
    """How a job's interpreter is started on this host."""

    python: Tuple[str, ...]
    """The interpreter, and what stands before it: what activates its environment."""
    engine: str
    """The folder that `xpm_engine` is imported from."""
    warm: bool = True
    """Whether a helper may fork jobs."""
    env: Tuple[Tuple[str, str], ...] = ()
    """Environment variables beside those of the agent's own environment."""

    @classmethod
    def read(cls, fields: Fields) -> "Command":
        env: Dict[str, str] = fields.mapping("env") if "env" in fields.data else {}
        return cls(
            tuple(fields.texts("python")),
            fields.text("engine"),
            fields.flag("warm"),
            tuple(sorted(env.items())),
        )

    def environment(self) -> "Dict[str, str]":
        """That of its processes."""
        return {**os.environ, **dict(self.env)}

    def entering(self, module: str, *arguments: str) -> "List[str]":
        """The command line that runs the `main` of a module of the runtime."""
        return [*self.python, "-P", "-c", _ENTER.format(module), self.engine, *arguments]


def probe(request: Request) -> "Iterator[Optional[Message]]":
    """What the job's interpreter is here: ``version``, or ``fault`` and what it said."""
    command = Command.read(request.fields)
    code = "import sys, json; print(json.dumps([list(sys.version_info[:3]), sys.executable]))"
    try:
        process = subprocess.Popen(
            [*command.python, "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=command.environment(),
        )
    except OSError as error:
        yield Message({"fault": f"{command.python[0]}: {error.strerror}"})
        return
    deadline = time.monotonic() + PROBE_PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        yield None
    if process.poll() is None:
        process.kill()
    said, _ = process.communicate()
    lines = said.decode("utf-8", "replace").strip().splitlines() or [""]
    try:
        version, executable = json.loads(lines[-1])
        yield Message({"version": version, "executable": executable})
    except (ValueError, TypeError):
        yield Message({"fault": "\n".join(lines[-5:]) or f"it ended with {process.returncode}"})


class Starter:
    """Starts jobs; one an agent."""

    def __init__(self) -> None:
        self._helpers: Dict[Command, _Helper] = {}

    def start(
        self,
        job: JobPaths,
        attempt: int,
        nonce: str,
        command: Command,
        *,
        log: str,
        granted: "Dict[str, Any]",
    ) -> Iterator[None]:
        """Start a supervisor; each step says only that it is not done yet. Raises LaunchError.

        What is `granted` is told by the environment: an order that was written elsewhere does not
        know what there is here.
        """
        environment = {**command.environment(), GRANTED: json.dumps({**granted, "nonce": nonce})}
        if command.warm:
            answer = None
            for answer in self._fork(
                job, attempt, nonce, command, log=log, environment=environment
            ):
                if answer is None:
                    yield
            if answer is not None and "pid" in answer:
                return
            _note(log, f"a fresh interpreter for {job.root}: {answer}")
        arguments = (job.root, str(attempt), nonce)
        _spawn(command.entering("__main__", *arguments), log, environment=environment)

    def _fork(
        self,
        job: JobPaths,
        attempt: int,
        nonce: str,
        command: Command,
        *,
        log: str,
        environment: "Dict[str, str]",
    ) -> "Iterator[Optional[Dict[str, Any]]]":
        """None while there is no answer; then the helper's, or nothing if it is dead."""
        helper = self._helpers.get(command)
        if helper is None or helper.dead:
            helper = self._helpers[command] = _Helper(command, log)
        request = {
            "root": job.root,
            "attempt": attempt,
            "nonce": nonce,
            "log": log,
            "environment": environment,
        }
        number = helper.ask(request)
        while True:
            answer = helper.answer(number)
            yield answer
            if answer is not None or helper.dead:
                return


class _Helper:
    """A warm helper, and the answers that it owes."""

    def __init__(self, command: Command, log: str) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            arguments = command.entering("warm", str(number))
            _spawn(arguments, log, keep=number, environment=command.environment())
        self._asked = 0
        self._buffer = b""
        self._answers: Dict[int, Dict[str, Any]] = {}
        self._heard = 0
        self.dead = False

    def ask(self, request: "Dict[str, Any]") -> int:
        """Ask for a fork; the number of the answer."""
        self._asked += 1
        try:
            self._socket.setblocking(True)
            self._socket.sendall(json.dumps(request).encode("ascii") + b"\n")
            self._socket.setblocking(False)
        except OSError:
            self.dead = True
        return self._asked

    def answer(self, number: int) -> Optional[Dict[str, Any]]:
        """The answer of that number, once it is there."""
        with suppress(BlockingIOError):
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                raise
            except OSError:
                data = b""
            self.dead = self.dead or not data
            self._buffer += data
        while b"\n" in self._buffer:
            line, _, self._buffer = self._buffer.partition(b"\n")
            self._heard += 1
            try:
                self._answers[self._heard] = json.loads(line)
            except ValueError:
                self.dead = True
        return self._answers.pop(number, None)


def _spawn(
    command: "List[str]",
    log: str,
    *,
    keep: Optional[int] = None,
    environment: "Optional[Dict[str, str]]" = None,
) -> None:
    try:
        with open(log, "ab") as output:
            # All three streams are turned away, or the far shell would wait for the job.
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd="/",
                env=environment,
                pass_fds=() if keep is None else (keep,),
            )
    except OSError as error:
        raise LaunchError(
            f"can't start {command[0]!r}: {error.strerror}",
            hint="check `python` and `activate` of this host in xpm.toml",
        ) from error


def _note(log: str, text: str) -> None:
    with suppress(OSError), open(log, "a", encoding="utf-8") as file:
        file.write(text + "\n")
