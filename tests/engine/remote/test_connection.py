"""The connection to an agent: what comes before it speaks, and how it ends."""

from __future__ import annotations

import os
import queue
import resource
import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engine.remote.agents import connect, explain
from tests.patience import PATIENCE
from xpm_engine.errors import RemoteError, StorageError, UnreachableError, XpmError
from xpm_engine.remote import connection as module
from xpm_engine.remote import greeting
from xpm_engine.remote.archive import Load
from xpm_engine.remote.connection import Connection
from xpm_engine.remote.frames import SENTINEL
from xpm_engine.remote.link import Link
from xpm_engine.workspace import processes


def test_the_hello_says_who_and_where(agent: Connection) -> None:
    hello = agent.hello
    assert hello.machine_id == processes.machine_id()
    assert hello.boot_id == processes.boot_id()
    assert hello.python.startswith("3.")
    assert abs(hello.skew) < 30


def test_what_start_up_files_print_is_skipped() -> None:
    made = connect(before="echo 'Welcome!'; echo 'xpm-agent spoof'; printf 'no end of line';")
    assert made.ask("ping") == {}
    made.close()


def test_a_plan_may_have_more_open_files_than_select_can_count() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    with ExitStack() as opened:
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(min(hard - 200, 1100)):
            opened.enter_context(open(os.devnull))
        made = connect()
        opened.callback(made.close)
        assert made.ask("ping") == {}


def test_an_agent_that_never_comes_says_why() -> None:
    with pytest.raises(RemoteError, match=r"ended with 3: (.|\n)*no such luck"):
        connect(before="echo no such luck >&2; exit 3;")


def test_an_agent_that_falls_silent_in_its_first_word_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(greeting, "HELLO_PATIENCE", 0.5)
    says = f"read token; printf '\\n{SENTINEL.decode()}%s\\n' \"$token\"; exec sleep 600"
    with pytest.raises(UnreachableError, match=r"did not answer within 0\.5 s"):
        Connection(["sh", "-c", says], name="here", explain=explain, load=_Token())


class _Token(Load):
    """Sends nothing but the token."""

    def __init__(self) -> None:
        super().__init__("token", "", (3, 8))

    def opening(self, token: str) -> bytes:
        return token.encode("ascii") + b"\n"


def test_an_old_python_is_named() -> None:
    with pytest.raises(RemoteError, match="ended with 127"):
        connect(python="python-that-is-not-there")


def test_many_threads_may_ask(agent: Connection, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 4096)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(20):
                parts = agent.stream("read", path=str(tmp_path / "file"))
                assert len(b"".join(part.data for part in parts)) == 1 << 20
                agent.ask("ping")
        except BaseException as error:  # noqa: BLE001 (told in the test's thread)
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_errors_come_back_as_they_were_raised(agent: Connection) -> None:
    with pytest.raises(StorageError, match="No such file") as caught:
        agent.ask("read", path="/absent/file")
    assert caught.value.where == "here:/absent/file"
    with pytest.raises(RemoteError, match="can't do 'nonsense'"):
        agent.ask("nonsense")
    assert agent.ask("ping") == {}


def test_a_killed_agent_ends_everything_that_waits() -> None:
    made = connect()
    pid = _agent_of(made)
    ends: queue.Queue[XpmError | None] = queue.Queue()
    made.subscribe("watch", lambda part: None, ends.put, folders=["/"], interval=None)
    os.kill(pid, signal.SIGKILL)
    assert isinstance(ends.get(timeout=30), RemoteError)
    with pytest.raises(RemoteError):
        made.ask("ping")
    assert not made.alive
    made.close()


def test_a_silent_line_is_taken_for_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT", 0.05)
    monkeypatch.setattr(module, "SILENCE", 0.5)
    made = connect()
    pid = _agent_of(made)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert made.wait(30)
        assert isinstance(made.error, UnreachableError)
        assert "silent" in str(made.error)
    finally:
        os.kill(pid, signal.SIGCONT)
        made.close()


def test_the_end_of_its_input_ends_the_agent() -> None:
    made = connect()
    pid = _agent_of(made)
    made.close()
    assert made.error is None
    with pytest.raises(UnreachableError, match="closed"):
        made.ask("ping")
    deadline = time.monotonic() + PATIENCE
    while processes.identity_of(pid) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_link_connects_again() -> None:
    ups: queue.Queue[Connection] = queue.Queue()
    downs: queue.Queue[XpmError] = queue.Queue()
    suspicions: list[bool] = []

    def dial(suspicious: bool) -> Connection:
        suspicions.append(suspicious)
        if len(suspicions) == 2:
            raise UnreachableError("nobody is there")
        return connect()

    link = Link("here", dial, up=ups.put, down=downs.put).start()
    first = ups.get(timeout=30)
    assert link.connection() is first
    os.kill(_agent_of(first), signal.SIGKILL)
    assert isinstance(downs.get(timeout=30), RemoteError)
    assert "nobody" in str(downs.get(timeout=30))
    second = ups.get(timeout=60)
    assert second is not first
    assert link.connection(patience=30).ask("ping") == {}
    assert suspicions == [False, True, True]
    link.close()
    assert not second.alive
    first.close()


def _agent_of(made: Connection) -> int:
    """The process of the agent: the shell became it, or started it."""
    found = [
        identity
        for identity in map(processes.identity_of, _family(made._pipes._process.pid))  # pyright: ignore[reportPrivateUsage]
        if identity is not None
    ]
    return found[-1].pid


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]
