"""Reading and writing far files, by an agent behind a pipe."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace.layout import partial_file


def _put(agent: Connection, path: Path, data: bytes, **changes: Any) -> Any:
    asked = {
        "path": str(path),
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "executable": False,
        "at": 0,
        **changes,
    }
    piece = asked.pop("piece", data)
    return agent.ask("put", data=piece, **asked)


def test_a_place_says_what_a_workspace_there_would_find(agent: Connection, tmp_path: Path) -> None:
    found = agent.ask("place", path=f"{tmp_path}/not/yet")
    assert found["path"] == f"{tmp_path}/not/yet"
    assert not found["exists"]
    assert found["writable"]
    assert found["nearest"] == str(tmp_path)
    assert found["free"] > 0
    assert agent.ask("place", path="~")["path"] == os.path.expanduser("~")


def test_a_listing_tells_links_as_links(agent: Connection, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"1234")
    (tmp_path / "link").symlink_to("/etc")
    names = [entry["name"] for entry in agent.ask("list", path=str(tmp_path))["entries"]]
    assert names == ["folder", "link"]
    below = agent.ask("walk", path=str(tmp_path), skip=[])["entries"]
    assert [(entry["name"], entry["kind"]) for entry in below] == [
        ("folder", "folder"),
        ("folder/file", "file"),
        ("link", "link"),
    ]
    assert below[1]["size"] == 4
    assert below[2]["to"] == "/etc"
    assert len(agent.ask("walk", path=str(tmp_path), skip=["folder"])["entries"]) == 2


@pytest.mark.parametrize(
    ("at", "length", "expected"),
    [(0, None, b"0123456789"), (3, 4, b"3456"), (-3, None, b"789"), (-30, 2, b"01"), (12, 5, b"")],
)
def test_ranges_of_a_file(
    agent: Connection, tmp_path: Path, at: int, length: int | None, expected: bytes
) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    parts = agent.stream("read", path=str(tmp_path / "file"), at=at, length=length)
    assert b"".join(part.data for part in parts) == expected


def test_a_large_file_comes_in_parts(agent: Connection, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(data)
    parts = list(agent.stream("read", path=str(tmp_path / "file")))
    assert b"".join(part.data for part in parts) == data
    assert len(parts) > 5


def test_no_link_is_read_through(agent: Connection, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(StorageError):
        agent.ask("read", path=str(tmp_path / "link"))


def test_many_files_at_once(agent: Connection, tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(1500)]
    for path in paths[1:]:
        path.write_bytes(path.name.encode() * 100)
    paths[7].write_bytes(bytes(300_000))
    rows: dict[int, bytes | None] = {}
    for part in agent.stream("read_all", paths=list(map(str, paths))):
        at = 0
        for index, size, stamp in part.body["files"]:
            rows[index] = part.data[at : at + max(0, size)] if stamp else None
            at += max(0, size)
        assert at == len(part.data)
    assert rows[0] is None
    assert rows[7] == b""
    assert all(rows[n] == str(n).encode() * 100 for n in range(1, 1500) if n != 7)


def test_checksums(agent: Connection, tmp_path: Path) -> None:
    data = os.urandom(2_500_000)
    (tmp_path / "file").write_bytes(data)
    parts = agent.stream("sums", paths=[str(tmp_path / "file"), str(tmp_path / "absent")])
    found = dict(part.body["sum"] for part in parts if "sum" in part.body)
    assert found == {0: hashlib.sha256(data).hexdigest(), 1: None}


def test_a_file_is_there_when_it_is_whole(agent: Connection, tmp_path: Path) -> None:
    data = os.urandom(1000)
    path = tmp_path / "deep" / "file"
    assert _put(agent, path, data, piece=data[:400]) == {"have": 400, "done": False}
    assert not path.exists()
    assert _put(agent, path, data, piece=b"") == {"have": 400, "done": False}
    # A range that was sent twice is taken once.
    assert _put(agent, path, data, piece=data[:400]) == {"have": 400, "done": False}
    done = _put(agent, path, data, at=400, piece=data[400:], executable=True)
    assert done == {"have": 1000, "done": True}
    assert path.read_bytes() == data
    assert os.access(path, os.X_OK)
    assert os.listdir(path.parent) == ["file"]
    assert _put(agent, path, data, piece=b"") == {"have": 1000, "done": True}


def test_a_damaged_file_is_sent_again(agent: Connection, tmp_path: Path) -> None:
    data = os.urandom(1000)
    path = tmp_path / "file"
    _put(agent, path, data, piece=data[:400])
    Path(partial_file(str(path), hashlib.sha256(data).hexdigest())).write_bytes(bytes(400))
    found = _put(agent, path, data, at=400, piece=data[400:])
    assert found == {"have": 0, "done": False, "damaged": True}
    assert _put(agent, path, data)["done"]
    assert path.read_bytes() == data


def test_many_small_files_are_written_at_once(agent: Connection, tmp_path: Path) -> None:
    files = [["a/b", 3, False], ["c", 2, True], ["empty", 0, False]]
    agent.ask("put_all", data=b"abccd", root=str(tmp_path / "new"), files=files)
    assert (tmp_path / "new/a/b").read_bytes() == b"abc"
    assert (tmp_path / "new/c").read_bytes() == b"cd"
    assert (tmp_path / "new/empty").read_bytes() == b""
    assert os.access(tmp_path / "new/c", os.X_OK)
    assert not os.access(tmp_path / "new/a/b", os.X_OK)


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "", "a//b", "."])
def test_nothing_is_written_outside_of_the_folder(
    agent: Connection, tmp_path: Path, path: str
) -> None:
    with pytest.raises(UnreadableError):
        agent.ask("put_all", data=b"x", root=str(tmp_path / "new"), files=[[path, 1, False]])
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "x").exists()


def test_a_folder_takes_its_place_once(agent: Connection, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text(name)
        agent.ask("settle", stage=str(tmp_path / name), place=str(tmp_path / "code" / "ID"))
    assert os.listdir(tmp_path / "code" / "ID") == ["first"]
    assert sorted(os.listdir(tmp_path)) == ["code"]
