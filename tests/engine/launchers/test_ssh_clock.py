"""A host whose clock is another one: nothing is decided by it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.engine.projects import Project
from tests.far.plans import Far
from tests.far.sshd import write_wrapper
from tests.far.stub import StubHost
from xpm_engine.verbs.retry import plan_retry
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.records.fields import now, parse_time
from xpm_engine.workspace.records.states import JobState

MOVED = """
import time
_real = time.time
time.time = lambda: _real() + {step}
"""


@pytest.mark.parametrize("step", [-400 * 86400, 86400])
def test_a_clock_that_is_off(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    host = StubHost(tmp_path / "host")
    clock = tmp_path / "clock"
    clock.mkdir()
    (clock / "sitecustomize.py").write_text(MOVED.format(step=step))
    # All that runs there, agent and jobs, has the other clock; -I would not let it.
    line = f'[ "$1" = -I ] && shift\nPYTHONPATH={clock} exec {sys.executable} "$@"'
    write_wrapper(host.bin / "python3", line)
    monkeypatch.setenv("PATH", str(host.bin), prepend=":")
    far = Far(project, host)
    far.configure(python=str(host.bin / "python3"))
    far.plan(
        'written = Write(text="made").submit(retries=1)\nRead(source=written).submit()\n'
        "Work(name=1, fails=True).submit()"
    )
    code, said = far.project.run()
    assert code == 1, said
    assert f"its clock is off by {step:+d}"[:-2] in far.log()
    assert far.project.ledger().count("begin made") == 1
    assert far.project.ledger().count("begin read") == 1
    job = far.here.job(far.key("read"))
    end = tickets.read_end(job, 1)
    at, here = parse_time(end.at), parse_time(now())
    assert at is not None
    assert here is not None
    assert abs(at - here - step) < 3600, "the clock was not moved"
    # What is mirrored is as old as it is by the clock of here, and a retry is one more attempt.
    assert scan.read_job(far.here, far.key("work")).state is JobState.FAILED
    assert plan_retry(far.here, [far.key("work")]).refused == ()
    far.project.run()
    assert far.project.ledger().count("begin made") == 1
    assert far.project.ledger().count("begin 1") == 2
