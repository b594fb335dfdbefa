"""Results of other hosts on their way here."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.engine.making import KEY, launch
from xpm_engine.launchers.ssh import arrivals as module
from xpm_engine.launchers.ssh.arrivals import Arrivals
from xpm_engine.launchers.ssh.site import Place, Site
from xpm_engine.launchers.ssh.work import Work
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.tickets import End
from xpm_engine.workspace.settings import CodeSettings, HostSettings


def test_a_large_result_keeps_no_other_one_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = WorkspacePaths(str(tmp_path))
    settings = HostSettings(str(tmp_path))
    place: Any = Place(None, workspace, "", (), {})  # type: ignore[arg-type]
    small, over = threading.Event(), threading.Event()
    order = [small, over]

    def fetch(*asked: object) -> None:
        # The first one, which is large, ends after the second has begun.
        if order.pop(0) is small:
            assert small.wait(30)
            over.set()
        else:
            small.set()
        raise OSError("that is all")

    monkeypatch.setattr(module, "fetch", fetch)
    arrivals = Arrivals(
        "alpha",
        settings,
        Site("alpha", settings, CodeSettings()),
        reach=lambda work: place,
        watched=lambda key: frozenset(),
        changed=lambda key: None,
        kill=lambda work: None,
        leave=lambda work: None,
        log=lambda text: None,
    )
    arrivals.start()
    me = processes.own_identity()
    for _ in range(2):
        end = End(tickets.new_nonce(), Outcome.DONE, now(), me, resolved="", project="")
        arrivals.bring(Work(KEY, workspace.job(KEY), launch(), end=end))
    assert over.wait(30)
    arrivals.close()
