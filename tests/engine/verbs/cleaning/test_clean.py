"""Cleaning as a person orders it."""

from __future__ import annotations

import pytest

from tests.engine.folders import key, make_job
from xpm_engine.errors import UsageError
from xpm_engine.verbs.cleaning import clean
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.states import JobState

A, B = key(1), key(2)


def test_undo_takes_the_newest_clean(
    workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    for second, name in enumerate((A, B)):
        make_job(workspace, name)
        monkeypatch.setattr("time.strftime", lambda *_, s=second: f"20261123-09120{s}")
        clean.carry_out(workspace, clean.plan_removal(workspace, [name]))
    assert clean.undo(workspace).returned == (B,)
    assert clean.undo(workspace).returned == (A,)
    assert scan.read_job(workspace, A).state is JobState.DONE


def test_an_empty_trash_says_so(workspace: WorkspacePaths) -> None:
    with pytest.raises(UsageError, match="the trash is empty"):
        clean.undo(workspace)


def test_what_is_said_about_it(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_job(workspace, B, outcome=None)
    done = clean.carry_out(workspace, clean.plan_removal(workspace, [A, B]))
    sentence = "moved 1 job to the trash, left 1 where they are; frees 0 B until purged"
    assert clean.moved_sentence(done) == sentence
    assert clean.undone_sentence(clean.undo(workspace)) == "moved 1 job back"
    nothing = clean.carry_out(workspace, clean.plan_removal(workspace, [B]))
    assert clean.moved_sentence(nothing) == "moved nothing, left 1 where they are"
