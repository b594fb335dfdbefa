"""What waits says for what, since when, and who has it."""

from __future__ import annotations

import pytest

from tests.tui.hosting import store_of
from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace, ago
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Wait, WaitKind
from xpm_tui import clock
from xpm_tui.look import held_words, wait_text
from xpm_tui.store import ExperimentSubject
from xpm_tui.widgets.jobs.waiting import waiting_jobs, waits_since, waits_words

A, B, C, D, E = (FakeJob("ir.learn", name, {"seed": name}) for name in "abcde")


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


def test_each_wait_is_told_with_its_holders(workspace: FakeWorkspace) -> None:
    workspace.start(A)
    workspace.failed(D, ended=120)
    waits = [
        Wait(C.key, WaitKind.TOKEN, 2, (A.key,), "gpu", used=1, total=1),
        Wait(B.key, WaitKind.CORE, 1, (A.key,), used=2, total=2, behind="old/1"),
        Wait(D.key, WaitKind.RETRY, what="time limit", until=ago(-60)),
        Wait(E.key, WaitKind.UPSTREAM_FAILED, on=(D.key, C.key)),
    ]
    workspace.run("drmm", [A, B, C, D, E], waits=waits, started=600)
    store = store_of(workspace)
    jobs = waiting_jobs(store.jobs(ExperimentSubject("drmm")))
    assert [(job.tags["seed"], waits_words(store, job)) for job in jobs] == [
        ("b", f"free core: 2 of 2 busy · learn seed=a {A.key.short} · old/1 was here before"),
        ("c", f"token gpu: learn seed=a {A.key.short}"),
        ("d", "the next attempt: time limit, at today 12:01"),
        ("e", f"learn {C.key.short} failed → learn {D.key.short}"),
    ]
    assert waits_words(store, jobs[1], names=False).endswith(f"gpu: learn {A.key.short}")
    assert [NOON - (waits_since(store, job) or 0) for job in jobs] == [600, 600, 120, 600]


def test_who_has_what_is_waited_for() -> None:
    learn = JobKey("ir.learn", "9b2e41" + "0" * 26)
    gpu = Wait(B.key, WaitKind.TOKEN, 2, (learn,), "gpu", used=1, total=1)
    assert wait_text(gpu) == "token gpu, 2nd"
    assert wait_text(gpu, held=True) == "token gpu (learn 9b2e41 has it), 2nd"
    both = Wait(B.key, WaitKind.RESOURCE, 0, (learn, B.key), "memory", 6_000, 8_000, behind="a/b")
    assert held_words(both) == (
        "6.0 kB of 8.0 kB busy, learn 9b2e41 and 1 more have it, a/b was here before"
    )
    assert held_words(Wait(B.key, WaitKind.CORE, used=4, total=4)) == "4 of 4 busy"
    assert held_words(Wait(B.key, WaitKind.DEPENDENCY, on=(learn,))) == ""
    assert held_words(Wait(B.key, WaitKind.SHARED, on=(learn,))) == "learn 9b2e41 has it"
    result = Wait(B.key, WaitKind.RESULT, on=(learn,), host="al[pha]", what="no route")
    assert wait_text(result, held=True) == "the result of learn 9b2e41 from al[pha] (no route)"
    assert held_words(result) == ""
