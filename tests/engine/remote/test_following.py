"""What changes on a far host is heard of: files of a job, and folders."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any

import pytest

from xpm_engine.errors import XpmError
from xpm_engine.remote.agent.following import follow
from xpm_engine.remote.agent.serving import Agent, Request, Source
from xpm_engine.remote.connection import Connection
from xpm_engine.remote.frames import Message
from xpm_engine.workspace.records.fields import Fields


class Ear:
    """Hears one subscription."""

    def __init__(self, agent: Connection, what: str, **fields: Any) -> None:
        self.parts: queue.Queue[Message] = queue.Queue()
        self.ends: queue.Queue[XpmError | None] = queue.Queue()
        self.subscription = agent.subscribe(what, self.parts.put, self.ends.put, **fields)

    def next(self) -> Message:
        """The next part that says something."""
        while True:
            part = self.parts.get(timeout=30)
            if part.body:
                return part

    def settled(self) -> list[Message]:
        """All parts until the agent says that there is no more."""
        found: list[Message] = []
        while True:
            part = self.parts.get(timeout=30)
            if not part.body and not part.data:
                return found
            found.append(part)


def _put(path: Path, data: bytes) -> None:
    """All at once, as the files that are told whole are written."""
    aside = path.with_name("aside")
    aside.write_bytes(data)
    aside.replace(path)


def test_tails_and_whole_files(agent: Connection, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"0123456789")
    files = [["log", "tail", 4], ["logs/late", "tail", 0], ["state", "whole", 0]]
    ear = Ear(agent, "follow", folder=str(tmp_path), files=files)
    first = ear.settled()
    assert [(part.body["name"], part.body["at"], part.data) for part in first] == [
        ("log", 4, b"456789")
    ]
    with (tmp_path / "log").open("ab") as log:
        log.write(b"abc")
    assert ear.next().data == b"abc"
    _put(tmp_path / "state", b"{}")
    assert ear.next().data == b"{}"
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/late").write_bytes(b"late")
    assert ear.next().data == b"late"
    _put(tmp_path / "state", b"{1}")
    assert ear.next().data == b"{1}"
    ear.subscription.stop()


def test_a_log_that_began_again_is_told_from_its_start(agent: Connection, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"a long first life")
    ear = Ear(agent, "follow", folder=str(tmp_path), files=[["log", "tail", 0]])
    ear.settled()
    (tmp_path / "log").write_bytes(b"new")
    found = ear.next()
    assert found.body["reset"]
    assert found.body["at"] == 0
    assert found.data == b"new"


def test_the_last_file_is_told_after_everything(agent: Connection, tmp_path: Path) -> None:
    log = bytes(range(256)) * 4000
    (tmp_path / "log").write_bytes(log)
    (tmp_path / "end").write_bytes(b"over")
    ear = Ear(agent, "follow", folder=str(tmp_path), files=[["end", "last", 0], ["log", "tail", 0]])
    parts = ear.settled()
    assert b"".join(part.data for part in parts[:-1]) == log
    assert parts[-1].data == b"over"


def test_a_file_that_went_with_its_folder_is_not_told_to_be_gone(tmp_path: Path) -> None:
    job = tmp_path / "job"
    job.mkdir()
    (job / "state").write_bytes(b"1")
    (job / "pin").write_bytes(b"{}")
    files = [["state", "whole", 0], ["pin", "whole", 0]]
    asked = Fields({"folder": str(job), "files": files}, "a request")
    followed = follow(Request(Agent({}, source=0, sink=1), asked, b""))
    assert isinstance(followed, Source)

    def told() -> list[dict[str, Any]]:
        return [part.body for part in followed.step() if part.body]

    assert [body["name"] for body in told()] == ["state", "pin"]
    job.rename(tmp_path / "away")
    assert told() == []
    (tmp_path / "away").rename(job)
    told()
    (job / "pin").unlink()
    assert told() == [{"name": "pin", "gone": True}]


@pytest.mark.parametrize("interval", [None, 0.05])
def test_folders(agent: Connection, tmp_path: Path, interval: float | None) -> None:
    folders = [tmp_path / "a", tmp_path / "b", tmp_path / "absent"]
    folders[0].mkdir()
    folders[1].mkdir()
    ear = Ear(agent, "watch", folders=list(map(str, folders)), interval=interval)
    assert "by" in ear.next().body
    (folders[1] / "file").write_text("x")
    assert ear.next().body == {"changed": [str(folders[1])]}
    folders[2].mkdir()
    # The same change may be told twice: by its event, and by a look that came between.
    while str(folders[2]) not in ear.next().body["changed"]:
        pass
    ear.subscription.stop()


def test_a_stopped_subscription_is_silent(agent: Connection, tmp_path: Path) -> None:
    ear = Ear(agent, "watch", folders=[str(tmp_path)], interval=None)
    ear.next()
    ear.subscription.stop()
    agent.ask("ping")
    (tmp_path / "file").write_text("x")
    agent.ask("ping")
    assert ear.parts.empty()
    assert ear.ends.empty()
