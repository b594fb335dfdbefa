"""A job's folder is listed without following a link and without running on for ever."""

from __future__ import annotations

import os
from pathlib import Path

from xpm_tui.facts.folder import EntryKind, list_folder


def test_each_folder_is_followed_by_what_it_holds_and_ours_comes_last(tmp_path: Path) -> None:
    (tmp_path / ".xpm" / "logs").mkdir(parents=True)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(b"x" * 100)
    (tmp_path / "z.txt").write_text("z")
    listing = list_folder(str(tmp_path))
    paths = [entry.path for entry in listing.entries]
    assert paths == ["model", "model/weights", "z.txt", ".xpm", ".xpm/logs"]
    assert listing.complete
    assert listing.size == 101
    assert [entry.depth for entry in listing.entries] == [0, 1, 0, 0, 1]
    assert [entry.ours for entry in listing.entries] == [False, False, False, True, True]


def test_a_link_is_shown_with_its_target_and_not_entered(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"x" * 10_000)
    job = tmp_path / "job"
    job.mkdir()
    (job / "link").symlink_to(outside)
    (job / "loop").symlink_to(job)
    listing = list_folder(str(job))
    assert [(entry.path, entry.kind) for entry in listing.entries] == [
        ("link", EntryKind.LINK),
        ("loop", EntryKind.LINK),
    ]
    assert listing.entries[0].target == str(outside)
    assert listing.size == 0


def test_a_listing_that_is_cut_says_so(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}").touch()
    assert not list_folder(str(tmp_path), limit=4).complete
    assert list_folder(str(tmp_path), limit=5).complete


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert list_folder(str(tmp_path)).entries[0].kind is EntryKind.OTHER


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    listing = list_folder(str(tmp_path / "gone"))
    assert listing.problem == "No such file or directory"
    assert listing.entries == ()


def test_names_that_are_no_text_are_listed(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b[31m")).touch()
    assert len(list_folder(str(tmp_path)).entries) == 1
