"""What a user gets wrong is one clear error: what, where, what next; and no traceback of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.projects import Project
from xpm_engine import experiment
from xpm_engine.errors import PlanFileError, UsageError
from xpm_engine.plan.script import run_script
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState

BODY = """
if __name__ == "__main__":
    with experiment({workspace!r}, {name!r}):
        Work(name=1).submit()
"""


def _refused(project: Project, *, workspace: str = "ws", name: str = "exp") -> str:
    project.write(BODY.format(workspace=workspace, name=name))
    code, said = project.run()
    assert code not in (0, None)
    assert "Traceback" not in said
    assert "xpm_engine/" not in said
    return said


@pytest.mark.parametrize("name", ["..", "a/b", "x\ny", "[/x]", "", "x" * 101])
def test_a_name_that_is_none_is_refused_before_anything_is_written(
    project: Project, name: str
) -> None:
    said = _refused(project, name=name)
    assert "can't name an experiment" in said
    assert not (project.folder / "ws").exists()


@pytest.mark.parametrize("name", ["None", "3", "b'x'"])
def test_a_name_that_is_no_text(project: Project, name: str) -> None:
    project.write(f'with experiment("ws", {name}):\n    Work(name=1).submit()\n')
    code, said = project.run()
    assert code not in (0, None)
    assert "can't name an experiment" in said
    assert "Traceback" not in said


def test_the_users_own_line_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        experiment(3, "x")  # type: ignore[arg-type]
    assert str(caught.value.where).startswith(__file__)


def test_a_workspace_that_is_a_file(project: Project) -> None:
    (project.folder / "ws").write_text("mine")
    said = _refused(project)
    assert str(project.folder / "ws") in said
    assert (project.folder / "ws").read_text() == "mine"


def test_a_workspace_below_a_file(project: Project) -> None:
    (project.folder / "file").write_text("mine")
    assert "file stands where a folder is needed" in _refused(project, workspace="file/ws")


@pytest.mark.parametrize("path", ["None", "3", "''", "' '", "'a\\0b'", "b'ws'"])
def test_a_workspace_that_is_no_path(project: Project, path: str) -> None:
    project.write(f'with experiment({path}, "exp"):\n    Work(name=1).submit()\n')
    code, said = project.run()
    assert code not in (0, None)
    assert "can't be a workspace" in said
    assert "plan.py:" in said
    assert "Traceback" not in said
    assert not (project.folder / "experiments").exists()


def test_a_workspace_below_home(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(project.folder / "home"))
    project.write(BODY.format(workspace="~/ws", name="exp"))
    code, said = project.run()
    assert code == 0, said
    assert (project.folder / "home" / "ws" / "jobs").is_dir()
    assert not (project.folder / "~").exists()


def test_an_experiment_in_an_experiment_says_where(project: Project) -> None:
    project.write(
        'if __name__ == "__main__":\n    with experiment("ws", "a"), experiment("ws", "b"):\n'
        "        pass\n"
    )
    code, said = project.run()
    assert code not in (0, None)
    assert "inside another one" in said
    assert "plan.py:" in said
    assert "Traceback" not in said


def test_a_class_from_standard_input_is_refused(project: Project) -> None:
    path = project.write('with experiment("ws", "exp"):\n    Work(name=1).submit()\n')
    text = path.read_text().replace("Path(__file__)", "Path('here')")
    ran = subprocess.run(
        [sys.executable, "-"],
        cwd=project.folder,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ran.returncode == 1
    assert "Work is defined in a notebook or on standard input" in ran.stderr
    assert list(scan.list_jobs(project.workspace)) == []


def test_a_plan_that_a_job_can_not_import_says_how_to_mend_it(project: Project) -> None:
    project.write(
        'import sys\nname = sys.argv[1]\nwith experiment("ws", name):\n    Work(name=1).submit()\n'
    )
    code, said = project.run("exp")
    assert code == 1
    assert "the plan's code raised while it was imported: IndexError" in said
    (job,) = [project.workspace.job(key) for key in scan.list_jobs(project.workspace)]
    told = Path(job.stderr(1)).read_text()
    assert "next:  a job imports the plan, too" in told


@pytest.mark.parametrize("isolation", ["fork", "spawn"])
def test_an_unguarded_plan_finds_its_arguments_in_its_jobs(
    project: Project, isolation: str
) -> None:
    project.write(
        "from xpm_engine import arguments\n"
        "from xpm_engine.launchers.local import Isolation, LocalLauncher\n"
        'name = arguments()["name"]\n'
        f'launcher = LocalLauncher(isolation=Isolation("{isolation}"))\n'
        'with experiment("ws", name, launcher=launcher):\n'
        "    Work(name=1).submit()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "xpm_engine.cli", "run", "plan.py", "name=exp"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ran.returncode == 0, ran.stderr
    assert project.ledger() == ["begin 1", "end 1"]
    assert scan.list_experiments(project.workspace) == ["exp"]


BELOW = """
class Late(Work):
    pass

with experiment("ws", "b"):
    Late(name=2).submit()
"""


def test_a_class_below_an_unguarded_experiment(project: Project) -> None:
    """No job would find it: it is refused before it is submitted."""
    path = project.write('with experiment("ws", "a"):\n    Work(name=1).submit()\n' + BELOW)
    line = path.read_text().splitlines().index("class Late(Work):") + 1
    code, said = project.run()
    assert code == 1
    assert "Late is defined below the experiment" in said
    assert f"plan.py:{line}" in said
    assert "Traceback" not in said
    assert project.ledger() == ["begin 1", "end 1"]


def test_a_class_under_the_guard(project: Project) -> None:
    project.write('if __name__ == "__main__":\n' + BELOW.replace("\n", "\n    "))
    code, said = project.run()
    assert code == 1
    assert "Late is defined under `if __name__" in said
    assert "Traceback" not in said


def test_a_class_below_guarded_experiments_is_found_by_its_jobs(project: Project) -> None:
    """Reading goes on past the guard."""
    body = """
def main() -> None:
    with experiment("ws", "a"):
        Work(name=1).submit()


if __name__ == "__main__":
    main()


class Late(Work):
    pass


if __name__ == "__main__":
    with experiment("ws", "b"):
        Late(name=2).submit()
"""
    project.write(body)
    code, said = project.run()
    assert code == 0, said
    assert project.ledger() == ["begin 1", "end 1", "begin 2", "end 2"]


def test_a_task_that_does_nothing_is_refused_at_once(project: Project) -> None:
    project.write(
        "class Idle(Task):\n    x: Param[int] = 1\n\n"
        'with experiment("ws", "exp"):\n    Idle().submit()\n'
    )
    code, said = project.run()
    assert code == 1
    assert "Idle has no execute()" in said
    assert "plan.py:" in said
    assert "Traceback" not in said
    assert list(scan.list_jobs(project.workspace)) == []


def test_what_users_wrote_steers_no_terminal(project: Project) -> None:
    project.write(
        'if __name__ == "__main__":\n    with experiment("ws", "exp"):\n'
        "        Work(name=1, fails=True).tag('why', '\\x1b[31m\\n' + 'q' * 900).submit()\n"
    )
    code, said = project.run()
    assert code == 1
    assert "why=�[31m⏎qqq" in said
    assert "\x1b" not in said
    assert max(map(len, said.splitlines())) < 700


def test_settings_with_a_mistake(project: Project) -> None:
    (project.folder / "ws").mkdir()
    (project.folder / "ws" / "xpm.toml").write_text("[drift]\npolcy = 'accept'\n")
    said = _refused(project)
    assert "xpm.toml:2" in said
    assert "did you mean 'policy'?" in said


def test_a_task_that_is_submitted_outside_of_an_experiment(project: Project) -> None:
    project.write("Work(name=1).submit()\n")
    code, said = project.run()
    assert code == 1
    assert "needs an experiment" in said
    assert "plan.py:" in said
    assert "Traceback" not in said


def test_a_thread_that_knows_of_no_experiment_is_told_how_to(project: Project) -> None:
    project.write("""
import contextvars, threading

if __name__ == "__main__":
    with experiment("ws", "exp"):
        inside = contextvars.copy_context().run
        for target, args in ((inside, (Work(name=1).submit,)), (Work(name=2).submit, ())):
            thread = threading.Thread(target=target, args=args)
            thread.start()
            thread.join()
""")
    code, said = project.run()
    assert code == 0, said
    assert "; start a thread in it with contextvars.copy_context().run" in said
    assert project.states() == {"1": "done"}


def test_every_bad_parameter_is_named_at_once(project: Project) -> None:
    project.write('Work(nam=1, seconds="x", fails=3)\n')
    code, said = project.run()
    assert code == 1
    for part in ("Work.nam", "did you mean 'name'", "Work.seconds", "Work.fails", "plan.py:"):
        assert part in said
    assert "Traceback" not in said


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 160 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can make a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_at_the_start(project: Project, small_disk: Path) -> None:
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    said = _refused(project, workspace=str(small_disk / "ws"))
    assert "No space left on device" in said
    assert "free some space" in said


def test_a_disk_that_fills_up_while_jobs_run(project: Project, small_disk: Path) -> None:
    """Nothing that is finished is lost, and all is said; with space again the rest runs."""
    project.write(f"""
if __name__ == "__main__":
    with experiment({str(small_disk / "ws")!r}, "exp"):
        for n in range(12):
            Work(name=n).submit()
""")
    code, said = project.run()
    assert code != 0
    assert "No space left" in said
    assert "Traceback" not in said
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    # Those that could not record their end keep trying, and do so now.
    workspace = WorkspacePaths(str(small_disk / "ws"))
    project.wait_for(
        lambda: (
            not any(
                scan.read_job(workspace, key).state is JobState.RUNNING
                for key in scan.list_jobs(workspace)
            )
        )
    )
    done = {line for line in project.ledger() if line.startswith("end")}
    code, said = project.run()
    assert code == 0, said
    project.check_ledger()
    assert len({line for line in project.ledger() if line.startswith("end")}) == 12
    assert done <= set(project.ledger())


def test_a_plan_whose_exception_can_not_be_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("argv", "path"):
        monkeypatch.setattr(sys, name, list(getattr(sys, name)))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    plan = project.write("""
class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no")

raise Unspeakable
""")
    with pytest.raises(PlanFileError, match="the plan raised Unspeakable: "):
        run_script(str(plan), {})


def test_a_worker_of_a_job_never_runs_an_unguarded_plan_again(project: Project) -> None:
    project.write("""
import multiprocessing

def work():
    note("worked")

class Pooling(Task):
    name: Param[int]
    def execute(self) -> None:
        worker = multiprocessing.get_context("spawn").Process(target=work)
        worker.start()
        worker.join()
        sys.exit(worker.exitcode)

with experiment("ws", "exp"):
    Pooling(name=1).submit()
""")
    code, said = project.run()
    assert code == 1, said
    (key,) = scan.list_jobs(project.workspace)
    job = project.workspace.job(key)
    stderr = Path(job.stderr(1)).read_text()
    assert "a worker process of a job enters the experiment again" in stderr
    assert not Path(job.root, "ws").exists()
    assert project.ledger() == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("xp.note(3)", "3 (int) is no note"),
        ("xp.on_end(3)", "3 (int) can't be called"),
        ("Work(name=1).submit(priority='high')", "priority='high' is no whole number"),
    ],
)
def test_what_is_given_to_a_run_is_checked_at_once(project: Project, line: str, said: str) -> None:
    project.write(f"""
if __name__ == "__main__":
    with experiment("ws", "exp") as xp:
        Work(name=0).submit()
        try:
            {line}
        except Exception as error:
            print(type(error).__name__, error)
""")
    code, told = project.run()
    assert code == 0, told
    assert f"UsageError {said}" in told
    assert "plan.py:" in told
    (run,) = scan.list_runs(project.workspace, "exp")
    view = scan.read_run(project.workspace, "exp", run)
    assert (view.plan, view.problem) == (PlanState.COMPLETE, "")
