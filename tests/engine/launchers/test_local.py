"""Jobs of this machine: forked or fresh, a job finds the same world, and nobody else's."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.engine.projects import Project
from xpm_engine.workspace import scan

PLAN = """
import random
import json
from xpm_engine.launchers.local import Isolation, LocalLauncher

STATE = []
{setup}

class Look(Task):
    name: Param[int]
    def execute(self) -> None:
        STATE.append(self.name)
        import signal
        seen = {{
            "state": STATE,
            "random": random.random(),
            "argv": sys.argv,
            "cwd": os.getcwd(),
            "stdin": sys.stdin.read(),
            "marked": os.environ.get("MARK"),
            "home": os.environ.get("PATH") is not None,
            "module": __name__,
            "term": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
            "descriptors": sorted(int(n) for n in os.listdir("/proc/self/fd")),
        }}
        LEDGER.with_name(f"seen{{self.name}}.json").write_text(json.dumps(seen))
        os.environ["MARK"] = "left behind"
        random.seed(1)

if __name__ == "__main__":
    os.environ["MARK"] = "set by the plan"
    isolation = Isolation(sys.argv[1])
    with experiment("ws", "exp", launcher=LocalLauncher(cores=1, isolation=isolation)):
        for n in range(3):
            Look(name=n).submit()
"""


@pytest.mark.parametrize("isolation", ["fork", "spawn"])
def test_a_job_sees_its_own_world_and_the_plans_environment(
    project: Project, isolation: str
) -> None:
    project.write(PLAN.format(setup=""))
    code, said = project.run(isolation)
    assert code == 0, said
    assert "fresh interpreter" not in project.scheduler_log()
    seen = [json.loads((project.folder / f"seen{n}.json").read_text()) for n in range(3)]
    roots = {project.workspace.job(key).root for key in scan.list_jobs(project.workspace)}
    for number, world in enumerate(seen):
        assert world["state"] == [number]
        assert len(world["argv"]) == 1
        assert os.path.realpath(world["cwd"]) in {os.path.realpath(root) for root in roots}
        assert world["stdin"] == ""
        assert world["marked"] == "set by the plan"
        assert world["module"] == "plan"
        assert world["term"]
    assert len({world["random"] for world in seen}) == 3
    assert len({len(world["descriptors"]) for world in seen}) == 1


@pytest.mark.parametrize(
    ("setup", "reason"),
    [
        ("import threading\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
         "left 1 Python threads running"),
        ("fd = os.open('/dev/null', os.O_RDONLY)", ""),
    ],
)  # fmt: skip
def test_forking_is_refused_where_it_is_unsafe_and_the_log_says_why(
    project: Project, setup: str, reason: str
) -> None:
    project.write(PLAN.format(setup=setup))
    code, said = project.run("fork")
    assert code == 0, said
    assert (project.folder / "seen2.json").exists()
    log = project.scheduler_log()
    assert log.count("a fresh interpreter for each job") == bool(reason)
    assert reason in log


def test_a_file_that_changed_since_it_was_loaded_is_not_run_stale(project: Project) -> None:
    (project.folder / "part.py").write_text("VALUE = 'old'\n")
    project.write("""
import part

class Say(Task):
    name: Param[int]
    def execute(self) -> None:
        note(f"said {part.VALUE}")

if __name__ == "__main__":
    with experiment("ws", "exp") as xp:
        Say(name=1).submit()
        xp.wait()
        Path(part.__file__).write_text("VALUE = 'newer'\\n")
        Say(name=2).submit()
""")
    code, said = project.run()
    assert code == 0, said
    assert project.ledger() == ["said old", "said newer"]
    assert "part.py was changed since it was loaded" in project.scheduler_log()


def test_a_dead_helper_is_started_again(project: Project) -> None:
    project.write("""
from xpm_engine.launchers.local import LocalLauncher

if __name__ == "__main__":
    launcher = LocalLauncher()
    with experiment("ws", "exp", launcher=launcher) as xp:
        Work(name=1).submit()
        xp.wait()
        os.kill(launcher._helper._process.pid, 9)
        Work(name=2).submit()
""")
    code, said = project.run()
    assert code == 0, said
    project.check_ledger()
    assert project.ledger() == ["begin 1", "end 1", "begin 2", "end 2"]


def test_jobs_survive_the_helper_and_the_plan(project: Project) -> None:
    project.write("""
if __name__ == "__main__":
    with experiment("ws", "exp"):
        Work(name=1, seconds=2).submit()
""")
    plan = project.start()
    project.wait_for(lambda: project.ledger() == ["begin 1"])
    os.kill(plan.pid, signal.SIGKILL)
    plan.wait()
    project.wait_for(lambda: project.states() == {"1": "done"})
    project.check_ledger()


def test_a_module_that_raises_fails_its_job_with_the_users_traceback(project: Project) -> None:
    (project.folder / "part.py").write_text("")
    project.write("""
import part

if __name__ == "__main__":
    Path(part.__file__).write_text("import nothing_of_that_name\\n")
    with experiment("ws", "exp"):
        Work(name=1).submit()
""")
    code, said = project.run()
    assert code == 1
    assert "nothing_of_that_name" in said
    key = next(iter(scan.list_jobs(project.workspace)))
    log = Path(project.workspace.job(key).stderr(1)).read_text()
    assert "part.py" in log
    assert "xpm_engine" not in log


@pytest.mark.parametrize("isolation", ["fork", "spawn"])
def test_a_module_learns_how_what_it_runs_has_ended(project: Project, isolation: str) -> None:
    setup = 'import subprocess; STATE.append(subprocess.run(["false"]).returncode)'
    project.write(PLAN.format(setup=setup))
    code, said = project.run(isolation)
    assert code == 0, said
    assert "fresh interpreter" not in project.scheduler_log()
    assert json.loads((project.folder / "seen2.json").read_text())["state"] == [1, 2]


def test_a_module_may_open_more_files_than_select_can_count(project: Project) -> None:
    project.write("""
import resource

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
OPEN = [open(os.devnull) for _ in range(min(hard - 100, 1100))]

if __name__ == "__main__":
    with experiment("ws", "exp"):
        Work(name=1, seconds=0.1).submit()
""")
    code, said = project.run()
    assert code == 0, said
    assert "fresh interpreter" not in project.scheduler_log()
    assert project.states() == {"1": "done"}


def test_a_supervisor_that_breaks_down_says_why_in_the_runs_log(project: Project) -> None:
    project.write("""
from xpm_engine.runtime.signals import Signals

def broken(self, seconds):
    raise ZeroDivisionError("a mistake of ours")

if __name__ != "__main__":
    Signals.wait = broken

if __name__ == "__main__":
    with experiment("ws", "exp"):
        Work(name=1, seconds=60).submit()
""")
    code, said = project.run()
    assert code == 1, said
    assert "ZeroDivisionError: a mistake of ours" in project.scheduler_log()
