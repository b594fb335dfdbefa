"""A clean that takes long: what it has moved is told, whenever the trash is looked at."""

from __future__ import annotations

import os

import pytest

from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.verbs.cleaning import clean
from xpm_tui.store import Store
from xpm_tui.store.reader import Look, Reader

LATER = 4_000_000_000.0
"""A clock so late that every stamp is old enough to be trusted."""


def test_a_clean_that_takes_long_is_told_when_it_is_over(
    workspace: FakeWorkspace, jobs: dict[str, FakeJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, store = Reader(workspace.paths, clock=lambda: LATER), Store(workspace.paths)
    key = jobs["old o1"].key
    looks = 0
    rename = os.rename

    def look(*, everything: bool = False) -> None:
        nonlocal looks
        looks += 1
        for delta in reader.read(Look(everything=everything)):
            store.apply(delta)

    def renamed(source: str, target: str) -> None:
        look()
        rename(source, target)

    look(everything=True)
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", renamed)
        done = clean.carry_out(workspace.paths, clean.plan_removal(workspace.paths, [key]))
    assert looks > 1
    look()
    (found,) = store.trash
    assert not found.unfinished
    assert [removal.key for removal in found.removals] == [key]
    assert store.job(key).trashed == done.name
