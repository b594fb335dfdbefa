"""Plans with jobs here and jobs on hosts, made from each other in both directions."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.far.hosts import PYTHON
from tests.far.plans import Far
from xpm_engine.verbs.kill import Killed, kill_job
from xpm_engine.verbs.retry import plan_retry
from xpm_engine.verbs.starting import start_retry
from xpm_engine.words import wait_words
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import WaitKind
from xpm_engine.workspace.records.states import JobState

CHAIN = """
class Link(Task):
    name: Param[str]
    after: Param[list[Task]] = []
    seconds: Option[float] = 0.0
    where: Param[Path] = pathgenerator("link.txt")
    def execute(self) -> None:
        note(f"begin {self.name}")
        time.sleep(self.seconds)
        text = "".join(link.where.read_text() for link in self.after)
        self.where.write_text(f"{text}{self.name} ")
        note(f"end {self.name}")


def link(name, *after, at=None, seconds=0.0):
    return Link(name=name, after=list(after), seconds=seconds).submit(launcher=at)


"""

SETTINGS = """
[hosts.alpha]
workspace = "~/far"
python = "{python}"
cores = 4
fetch = "on demand"

[hosts.beta]
workspace = "~/far-too"
python = "{python}"
cores = 2
gpus = 1
fetch = "on demand"
"""


def _plan(far: Far, body: str, launcher: str = "None") -> None:
    Path(far.here.settings).write_text(SETTINGS.format(python=PYTHON))
    far.plan(body, launcher=launcher)
    plan = far.project.folder / "plan.py"
    plan.write_text(plan.read_text().replace("class Read(Task)", CHAIN + "class Read(Task)"))


def _links(far: Far) -> dict[str, JobKey]:
    """Name of each link -> its job."""
    keys = list(scan.list_jobs(far.here))
    return {str(scan.read_job(far.here, key).params.get("name")): key for key in keys}


def _text(far: Far, name: str) -> str:
    return Path(far.here.job(_links(far)[name]).root, "link.txt").read_text()


BACK_AND_FORTH = """
a = link("a")
b = link("b", a, at="alpha")
c = link("c", b)
d = link("d", c, b, at="beta")
link("e", d, a)
"""


def test_results_go_back_and_forth(far: Far) -> None:
    _plan(far, BACK_AND_FORTH)
    far.run()
    assert _text(far, "e") == "a b c a b d a e "
    once = Counter(f"{what} {name}" for what in ("begin", "end") for name in "abcde")
    assert Counter(far.project.ledger()) == once
    records = {name: scan.read_job(far.here, key) for name, key in _links(far).items()}
    assert [records[name].launcher for name in "abcde"] == [
        "local",
        "alpha",
        "local",
        "beta",
        "local",
    ]
    assert {name for name, record in records.items() if record.mirror is not None} == {"b", "d"}
    far.run()
    assert Counter(far.project.ledger()) == once


def test_a_result_that_an_earlier_plan_left_on_its_host_is_brought_when_it_is_needed(
    far: Far,
) -> None:
    _plan(far, 'link("b", at="alpha")')
    far.run()
    assert not Path(far.here.job(_links(far)["b"]).root, "link.txt").exists()
    _plan(far, 'link("f", link("b"), at="alpha")')
    far.run()
    assert not Path(far.here.job(_links(far)["b"]).root, "link.txt").exists(), "it was not needed"
    _plan(far, 'link("c", link("b"))')
    far.run()
    assert _text(far, "c") == "b c "


def test_a_result_is_waited_for_while_its_host_is_down(far: Far) -> None:
    _plan(far, 'link("b", at="alpha")')
    far.run()
    far.host.refuse()
    _plan(far, 'b = link("b")\nlink("c", b)\nlink("d")')
    plan = far.project.start()

    def told() -> list[str]:
        waits = [wait for wait in far.waits() if wait.kind is WaitKind.RESULT and wait.what]
        return [wait_words(wait) for wait in waits]

    far.project.wait_for(lambda: bool(told()))
    assert "waits for the result of plan.link " in told()[0]
    assert " from alpha (" in told()[0]
    far.project.wait_for(lambda: "end d" in far.project.ledger())
    assert "begin c" not in far.project.ledger()
    far.host.refuse(False)
    code, said = far.project.finish(plan)
    assert code == 0, said
    assert _text(far, "c") == "b c "


def test_a_result_that_is_gone_on_its_host_fails_what_needs_it(far: Far) -> None:
    _plan(far, 'link("b", at="alpha")')
    far.run()
    key = _links(far)["b"]
    Path(far.there.job(key).root).rename(far.host.home / "moved")
    _plan(far, 'link("c", link("b"))')
    code, said = far.project.run()
    assert code == 1
    assert f"alpha has no folder of {key.task}/{key.short} any more" in said
    assert "begin c" not in far.project.ledger()


def test_a_plan_that_is_killed_finds_jobs_here_and_there(far: Far) -> None:
    body = """
for n in range(3):
    here = link(f"h{n}", seconds=0.4)
    there = link(f"t{n}", seconds=0.4, at="alpha")
    link(f"x{n}", here, there)
    link(f"y{n}", here, there, at="alpha")
"""
    _plan(far, body)
    chance = random.Random(5)
    for _ in range(5):
        plan = far.project.start()
        time.sleep(chance.uniform(0.5, 2.5))
        plan.kill()
        far.project.finish(plan)
    far.run()
    names = [f"{kind}{n}" for kind in "htxy" for n in range(3)]
    assert Counter(far.project.ledger()) == Counter(
        f"{what} {name}" for what in ("begin", "end") for name in names
    )
    for n in range(3):
        assert _text(far, f"x{n}") == f"h{n} t{n} x{n} "


def test_a_plan_that_names_no_host_follows_what_runs_there(far: Far) -> None:
    _plan(far, 'link("b", at="alpha", seconds=3.0)')
    plan = far.project.start()
    far.project.wait_for(lambda: "begin b" in far.project.ledger())
    plan.kill()
    far.project.finish(plan)
    _plan(far, 'link("c", link("b", seconds=3.0))')
    far.run()
    assert far.project.ledger() == ["begin b", "end b", "begin c", "end c"]
    record = scan.read_job(far.here, _links(far)["b"])
    assert (record.state, record.launcher) == (JobState.DONE, "alpha")


def test_an_order_that_never_left_can_be_called_off_and_given_here(far: Far) -> None:
    far.host.refuse()
    _plan(far, 'link("b", at="alpha")')
    plan = far.project.start()
    far.project.wait_for(lambda: "b" in _links(far))
    far.project.wait_for(lambda: far.project.states() == {"b": "queued"})
    plan.kill()
    far.project.finish(plan)
    _plan(far, 'link("b")')
    plan = far.project.start()
    far.project.wait_for(lambda: any(wait.kind is WaitKind.HOST for wait in far.waits()))
    assert kill_job(far.here, _links(far)["b"]).killed is Killed.CANCELLED
    code, said = far.project.finish(plan)
    assert code == 0, said
    assert scan.read_job(far.here, _links(far)["b"]).launcher == "local"
    assert far.project.ledger() == ["begin b", "end b"]


def test_jobs_of_both_are_tried_again_together(far: Far) -> None:
    _plan(
        far,
        'Work(name=1, seconds=60).submit(launcher="alpha")\nWork(name=2, seconds=60).submit()',
    )
    plan = far.project.start()
    far.project.wait_for(lambda: {"begin 1", "begin 2"} <= set(far.project.ledger()))
    keys = list(scan.list_jobs(far.here))
    far.project.wait_for(
        lambda: all(scan.read_job(far.here, key).state is JobState.RUNNING for key in keys)
    )
    for key in keys:
        kill_job(far.here, key)
    assert far.project.finish(plan)[0] == 1
    tried = plan_retry(far.here, keys)
    assert len(tried.jobs) == 2
    (report,) = start_retry(tried)
    assert report is not None
    far.project.wait_for(
        lambda: (
            all(scan.read_job(far.here, key).state is JobState.RUNNING for key in keys)
            and all(scan.read_job(far.here, key).attempt == 2 for key in keys)
        )
    )
    assert {scan.read_job(far.here, key).launcher for key in keys} == {"alpha", "local"}
    for key in keys:
        kill_job(far.here, key)
    far.project.wait_for(
        lambda: all(scan.read_job(far.here, key).state is JobState.CANCELLED for key in keys)
    )


def test_what_fits_only_elsewhere_goes_there(far: Far) -> None:
    _plan(
        far,
        "Work(name=1).submit(resources=Resources(gpus=1))\nWork(name=2).submit()",
    )
    settings = Path(far.here.settings)
    settings.write_text(f"{settings.read_text()}\n[launchers.local]\ngpus = 0\n")
    plan = far.project.folder / "plan.py"
    plan.write_text(plan.read_text().replace("import Config,", "import Config, Resources,"))
    far.run()
    records = [scan.read_job(far.here, key) for key in scan.list_jobs(far.here)]
    assert {record.params["name"]: record.launcher for record in records} == {1: "beta", 2: "local"}


@pytest.mark.parametrize("named", ['at="alpha"', "at=None"])
def test_a_host_that_cannot_be_asked_is_no_matter_for_what_is_done(far: Far, named: str) -> None:
    body = f"""
a = link("a", {named})
link("b", a)
"""
    _plan(far, body)
    settings = Path(far.here.settings)
    untold = settings.read_text().replace("cores = 4", "").split("[hosts.beta]")[0]
    settings.write_text(f"{untold}\n[resources]\ncpus = 1\n[launchers.local]\ncores = 1\n")
    far.run()
    if named == "at=None":
        # It has run here; now it needs more than there is, and nobody knows what the host has.
        settings.write_text(settings.read_text().replace("cpus = 1", "cpus = 2"))
    far.host.refuse()
    assert "2 reused" in far.run()
    plan = far.project.folder / "plan.py"
    plan.write_text(plan.read_text().replace('link("a"', 'link("other"'))
    code, said = far.project.run()
    assert code == 1
    assert "alpha can't be reached" in said
    assert "check the name, the network and your ssh configuration: ssh alpha true" in said
    assert "begin other" not in far.project.ledger()


def test_a_second_ctrl_c_stops_jobs_here_and_there_whoever_started_them(far: Far) -> None:
    _plan(
        far,
        'Work(name=1, seconds=60).submit(launcher="alpha")\nWork(name=2, seconds=60).submit()',
    )
    far.project.start()
    far.project.wait_for(lambda: far.project.states() == {"1": "running", "2": "running"})
    second = far.project.start()
    assert second.stderr is not None
    far.project.wait_for(lambda: len(scan.list_runs(far.here, "exp")) == 2)
    while "both go on" not in second.stderr.readline():
        pass
    run = far.here.run("exp", scan.list_runs(far.here, "exp")[-1])
    far.project.wait_for(lambda: len(scan.read_manifest(run).references) == 2)
    second.send_signal(signal.SIGINT)
    while "Ctrl-C again now kills them" not in second.stderr.readline():
        pass
    second.send_signal(signal.SIGINT)
    far.project.wait_for(lambda: far.project.states() == {"1": "cancelled", "2": "cancelled"})
    assert far.project.finish(second)[0] == 130
