"""Work in a thread that belongs to a widget; what goes wrong in it is told, whatever it is."""

from __future__ import annotations

from collections.abc import Callable

from textual.dom import DOMNode
from textual.message import Message

from xpm_engine.errors import XpmError
from xpm_tui.own_faults import foreseen


def nothing() -> None:
    """There is nothing to put right."""


class Failed(Message):
    """Work in a thread came to nothing; the app tells it."""

    def __init__(self, error: XpmError, then: Callable[[], object]) -> None:
        """`then` puts right what waits for the work."""
        super().__init__()
        self.error = error
        self.then = then


def run_apart(
    owner: DOMNode,
    work: Callable[[], object],
    *,
    failed: Callable[[], object] = nothing,
    group: str = "default",
    exclusive: bool = False,
) -> None:
    """Do this in a thread; where it raises, `failed` is called here, and the app tells why."""

    def run() -> None:
        try:
            with foreseen():
                work()
        except XpmError as error:
            owner.post_message(Failed(error, failed))

    # Without a description Textual makes one: all of what is worked on, in words.
    owner.run_worker(
        run, description="apart", thread=True, group=group, exclusive=exclusive, exit_on_error=False
    )
