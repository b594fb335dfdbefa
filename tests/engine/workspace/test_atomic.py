"""Files that are whole or absent, and claims that one writer wins."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.workspace import atomic


def test_a_replaced_file_leaves_nothing_aside(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for text in (b"one", b"two"):
        atomic.write_atomic(str(path), text, durable=True)
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["f"]


def test_publishing_twice_keeps_the_first(tmp_path: Path) -> None:
    path = str(tmp_path / "1.launch")
    assert atomic.publish(path, b"first")
    assert not atomic.publish(path, b"second")
    assert Path(path).read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["1.launch"]


def test_publishing_the_same_again_counts_as_won(tmp_path: Path) -> None:
    """A network file system may say "exists" for our own success: what is read back decides."""
    path = str(tmp_path / "1.launch")
    assert atomic.publish(path, b"nonce-a")
    assert atomic.publish(path, b"nonce-a")


@pytest.mark.parametrize("links", [True, False])
def test_of_many_writers_one_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:

        def refuse(*_: object) -> None:
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", refuse)
    path = str(tmp_path / "1.start")
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda n: atomic.publish(path, b"%04d" % n), range(64)))
    assert won.count(True) == 1
    assert Path(path).read_bytes() == b"%04d" % won.index(True)


def test_a_refusal_of_the_system_names_the_file_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as caught:
        atomic.write_atomic(str(tmp_path / "file" / "x"), b"")
    assert caught.value.where == str(tmp_path / "file" / "x")
    assert "move it away" in str(caught.value)


def test_a_full_disk_leaves_the_old_file_and_nothing_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    atomic.write_atomic(str(path), b"old")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageError, match="No space left"):
        atomic.write_atomic(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"", "empty"), (b" \n", "empty"), (b'{"v": 1', "truncated"), (b"[1]", "no JSON object")],
)
def test_damage_is_told_with_the_files_name(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "job.json"
    path.write_bytes(data)
    with pytest.raises(UnreadableError, match=says) as caught:
        atomic.read_object(str(path))
    assert caught.value.where == str(path)


def test_absent_is_not_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atomic.read_object(str(tmp_path / "absent"))


def test_appended_lines_stay_lines(tmp_path: Path) -> None:
    path = str(tmp_path / "events.jsonl")
    for number in range(3):
        atomic.append_line(path, {"n": number})
    assert Path(path).read_text() == '{"n":0}\n{"n":1}\n{"n":2}\n'
    with pytest.raises(ValueError, match="4096"):
        atomic.append_line(path, {"x": "y" * 5000})


def test_a_link_is_replaced_but_a_users_file_is_left(tmp_path: Path) -> None:
    link = tmp_path / "stdout.log"
    atomic.replace_link(str(link), "a")
    atomic.replace_link(str(link), "b")
    assert os.readlink(link) == "b"
    own = tmp_path / "own"
    own.write_text("mine")
    atomic.replace_link(str(own), "b")
    assert own.read_text() == "mine"


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "1.launch")
    os.mkfifo(path)
    with pytest.raises(UnreadableError, match="is empty"):
        atomic.read_object(path)
