"""Orders to a host that can neither be followed nor be given up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.engine.making import launch
from xpm_engine.errors import LaunchError, StorageError
from xpm_engine.launchers.ssh.endings import Endings
from xpm_engine.launchers.ssh.work import Phase, Work
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Wait, WaitKind


def test_a_host_that_can_not_even_void_an_order_is_said_to_be_waited_for() -> None:
    """Its disk is full: nobody knows whether the order is there, and somebody has to make room."""
    key = JobKey("ir.learn", "0" * 32)
    order = launch(key, 1)
    work = Work(key, WorkspacePaths("/ws").job(key), order, phase=Phase.SENT)
    told: list[tuple[Work, Wait | None]] = []

    def ask(verb: str, **fields: Any) -> dict[str, Any]:
        raise StorageError("can't write this file: No space left on device", where="box:/far")

    def known(connection: object) -> Any:
        return SimpleNamespace(workspace=WorkspacePaths("/far"))

    link: Any = SimpleNamespace(name="box")
    site: Any = SimpleNamespace(known=known)
    arrivals: Any = None
    connection: Any = SimpleNamespace(ask=ask)
    endings = Endings(
        link,
        site,
        arrivals,
        shared=False,
        leads_to=lambda work, connection: True,
        leave=lambda work: None,
        waits=lambda work, wait: told.append((work, wait)),
        log=lambda text: None,
    )
    endings.give_up(work, connection, LaunchError("it did not start"))
    ((_, wait),) = told
    assert wait is not None
    assert (wait.kind, wait.host) == (WaitKind.SENT, "box")
    assert "No space left" in wait.what
