"""``xpm fetch`` shows how far it is, to people alone."""

from __future__ import annotations

import io

import pytest

from xpm_engine.cli import fetch


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "OFTEN", 0.0)


def test_a_terminal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    with fetch.Shown(stream, "learn/1f0c3a") as shown:
        shown.tell(0, 0)
        shown.tell(1_500_000, 6_000_000)
        assert stream.getvalue().endswith("\rlearn/1f0c3a: 1.5 of 6.0 MB, 25 %\x1b[K")
        monkeypatch.setattr(fetch, "OFTEN", 60.0)
        shown.tell(2_000_000, 6_000_000)
        told = stream.getvalue()
        shown.tell(3_000_000, 6_000_000)
        assert stream.getvalue() == told, "it is told more often than it can be read"
    assert stream.getvalue() == told + "\r\x1b[K"


def test_a_file_is_told_nothing() -> None:
    stream = io.StringIO()
    with fetch.Shown(stream, "learn/1f0c3a") as shown:
        shown.tell(1, 2)
    assert stream.getvalue() == ""
