"""A changed default is never a silent stale result: told, decided, and followed downstream."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.projects import Project
from xpm_engine.workspace import scan
from xpm_engine.workspace.cleaning import list_trash
from xpm_engine.workspace.records.runs import How, PlanState

PLAN = """
class Learn(Task):
    name: Param[int]
    max_iter: Param[int] = 4
    def execute(self) -> None:
        note(f"begin learn{self.name}")
        note(f"end learn{self.name}")

class Evaluate(Task):
    learned: Param[Learn]
    name: Param[int] = 0
    def execute(self) -> None:
        note(f"begin eval{self.learned.name}")
        note(f"end eval{self.learned.name}")

if __name__ == "__main__":
    with experiment("ws", "exp", on_drift=(sys.argv[1:] or [None])[0]):
        for n in range(2):
            Evaluate(learned=Learn(name=n).submit()).submit()
"""


def _edit(project: Project, old: str, new: str) -> None:
    path = project.folder / "plan.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _references(project: Project) -> list[tuple[str, tuple[str, ...], How]]:
    run = scan.list_runs(project.workspace, "exp")[-1]
    view = scan.read_run(project.workspace, "exp", run)
    return [(each.key.task, each.drift, each.how) for each in view.manifest.references]


def _run_once_and_change_the_default(project: Project) -> None:
    project.write(PLAN)
    assert project.run()[0] == 0
    assert len(project.ledger()) == 8
    _edit(project, "max_iter: Param[int] = 4", "max_iter: Param[int] = 5")


def test_by_default_it_is_one_error_for_all_and_nothing_runs(project: Project) -> None:
    _run_once_and_change_the_default(project)
    code, said = project.run()
    assert code == 3, said
    assert re.search(r"default of Learn\.max_iter 4 → 5: 4 results", said)
    assert "identifier_default=OLD" in said
    assert "Traceback" not in said
    assert len(project.ledger()) == 8
    change = ("default of Learn.max_iter 4 → 5",)
    assert (
        _references(project)
        == [
            ("plan.learn", change, How.REUSED),
            ("plan.evaluate", change, How.REUSED),
        ]
        * 2
    )
    run = scan.list_runs(project.workspace, "exp")[-1]
    assert scan.read_run(project.workspace, "exp", run).plan is PlanState.RAISED


def test_accepting_uses_the_results_and_is_remembered(project: Project) -> None:
    _run_once_and_change_the_default(project)
    code, said = project.run("accept")
    assert code == 0, said
    code, said = project.run()
    assert code == 0, said
    assert len(project.ledger()) == 8
    _edit(project, "max_iter: Param[int] = 5", "max_iter: Param[int] = 6")
    code, said = project.run()
    assert code == 3, said
    assert "default of Learn.max_iter 5 → 6: 4 results" in said


def test_rerunning_moves_the_old_results_to_the_trash(project: Project) -> None:
    _run_once_and_change_the_default(project)
    code, said = project.run("rerun")
    assert code == 0, said
    assert len(project.ledger()) == 16
    assert project.run()[0] == 0
    assert len(project.ledger()) == 16
    assert sum(len(clean.removals) for clean in list_trash(project.workspace)) == 4


def _xpm(project: Project, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "xpm_engine.cli", *arguments, "-w", "ws"],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_listed_and_decided_from_the_command_line(project: Project) -> None:
    _run_once_and_change_the_default(project)
    assert project.run()[0] == 3
    assert "default of Learn.max_iter 4 → 5: 4 results" in _xpm(project, "drift")
    assert "4 → 5" in _xpm(project, "ls")
    assert "accepted" in _xpm(project, "drift", "--accept")
    code, said = project.run()
    assert code == 0, said
    assert len(project.ledger()) == 8
    line = "max_iter: Param[int] = 5\n"
    _edit(project, line, line + "    momentum: Param[float] = 0.9\n")
    code, said = project.run()
    assert code == 0, f"what was accepted is compared with: {said}"
    _edit(project, "max_iter: Param[int] = 5", "max_iter: Param[int] = 6")
    code, said = project.run()
    assert code == 3
    assert "default of Learn.max_iter 5 → 6: 4 results" in said
    assert "moved 2 jobs to the trash" in _xpm(project, "drift", "task:learn", "--rerun")
    assert all(each.size for clean in list_trash(project.workspace) for each in clean.removals)
    code, said = project.run("accept")
    assert code == 0, said
    assert len(project.ledger()) == 12


def test_mending_the_code_keeps_old_results_for_the_old_value(project: Project) -> None:
    _run_once_and_change_the_default(project)
    _edit(
        project,
        "max_iter: Param[int] = 5",
        "max_iter: Param[int] = field(default=5, identifier_default=4)",
    )
    _edit(project, "class Learn", "from xpm_engine import field\nclass Learn")
    code, said = project.run()
    assert code == 0, said
    assert len(project.ledger()) == 16
    _edit(project, "Learn(name=n)", "Learn(name=n, max_iter=4)")
    code, said = project.run()
    assert code == 0, said
    assert len(project.ledger()) == 16


def test_a_new_parameter_is_adopted_and_compared_from_then_on(project: Project) -> None:
    project.write(PLAN)
    assert project.run()[0] == 0
    line = "max_iter: Param[int] = 4\n"
    _edit(project, line, line + "    momentum: Param[float] = 0.9\n")
    code, said = project.run()
    assert code == 0, said
    _edit(project, "momentum: Param[float] = 0.9", "momentum: Param[float] = 0.8")
    code, said = project.run()
    assert code == 3, said
    assert "default of Learn.momentum 0.9 → 0.8: 4 results" in said
    assert len(project.ledger()) == 8


def test_a_default_that_is_again_what_it_was_is_no_drift_whatever_was_accepted(
    project: Project,
) -> None:
    _run_once_and_change_the_default(project)
    line = "max_iter: Param[int] = 5\n"
    _edit(project, line, line + "    momentum: Param[float] = 0.9\n")
    code, said = project.run("accept")
    assert code == 0, said
    _edit(project, "max_iter: Param[int] = 5", "max_iter: Param[int] = 4")
    code, said = project.run()
    assert code == 0, said
    assert len(project.ledger()) == 8
    _edit(project, "momentum: Param[float] = 0.9", "momentum: Param[float] = 0.8")
    code, said = project.run()
    assert code == 3
    assert "default of Learn.momentum 0.9 → 0.8: 4 results" in said


BY_PATH = """
class Learn(Task):
    name: Param[int]
    max_iter: Param[int] = 4
    out: Param[Path] = pathgenerator("out")
    def execute(self) -> None:
        note(f"begin learn{self.name}")
        note(f"end learn{self.name}")

class Evaluate(Task):
    file: Param[Path]
    name: Param[int] = 0
    def execute(self) -> None:
        note(f"begin eval{self.name}")
        note(f"end eval{self.name}")

if __name__ == "__main__":
    with experiment("ws", "exp", on_drift=(sys.argv[1:] or [None])[0]):
        learn = Learn(name=1)
        learn.submit()
        Evaluate(file=learn.out).submit()
"""


def test_a_result_that_knows_another_only_by_a_path_stands_with_it(project: Project) -> None:
    project.write("from pathlib import Path\nfrom xpm_engine import pathgenerator\n" + BY_PATH)
    assert project.run()[0] == 0
    line = "max_iter: Param[int] = 4\n"
    _edit(project, line, line + "    momentum: Param[float] = 0.9\n")
    code, said = project.run()
    assert code == 0, said
    assert len(project.ledger()) == 4
    _edit(project, "max_iter: Param[int] = 4", "max_iter: Param[int] = 5")
    assert project.run()[0] == 3
    assert "moved 1 job to the trash" in _xpm(project, "drift", "task:learn", "--rerun")
    code, said = project.run()
    assert code == 3, "it was made from the result that is in the trash"
    assert "1 result" in said
    assert len(project.ledger()) == 6


def test_a_default_that_is_no_number_does_not_drift(project: Project) -> None:
    project.write(PLAN.replace("max_iter: Param[int] = 4", "limit: Param[float] = float('nan')"))
    assert project.run()[0] == 0
    code, said = project.run()
    assert code == 0, said


def test_an_option_does_not_drift(project: Project) -> None:
    project.write(PLAN.replace("max_iter: Param[int] = 4", "threads: Option[int] = 4"))
    assert project.run()[0] == 0
    _edit(project, "threads: Option[int] = 4", "threads: Option[int] = 8")
    assert project.run()[0] == 0
    assert len(project.ledger()) == 8


def _commit(folder: Path, message: str) -> None:
    identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    for command in (["init", "-q"], ["add", "plan.py"], [*identity, "commit", "-qm", message]):
        subprocess.run(["git", *command], cwd=folder, check=True)


def test_a_class_of_the_same_name_in_another_project_is_drift(
    project: Project, tmp_path: Path
) -> None:
    """Both call their task plan.Learn; their results must not be taken for each other's."""
    shared = PLAN.replace('"ws"', 'Path(__file__).parent.parent / "ws"')
    first, second = (Project(tmp_path / name) for name in ("one", "two"))
    for number, each in enumerate((first, second)):
        each.folder.mkdir()
        each.write(shared)
        _commit(each.folder, f"project {number}")
    code, said = first.run()
    assert code == 0, said
    assert first.run()[0] == 0
    code, said = second.run()
    assert code == 3, said
    assert re.search(r"other project: one \w{7} → two \w{7}: 4 results", said)
    assert second.ledger() == []
    code, said = second.run("accept")
    assert code == 0, said


def test_an_unknown_policy_is_refused(project: Project) -> None:
    project.write(PLAN)
    code, said = project.run("sometimes")
    assert code != 0
    assert "'sometimes' is none of 'error', 'rerun', 'accept'" in said


@pytest.mark.parametrize("rename", ["class", "parameter"])
def test_a_renamed_task_keeps_its_results(project: Project, rename: str) -> None:
    project.write(PLAN)
    assert project.run()[0] == 0
    if rename == "class":
        path = project.folder / "plan.py"
        path.write_text(path.read_text().replace("Learn", "Train"))
        _edit(
            project,
            "class Train",
            'from xpm_engine import deprecated\n@deprecated("plan.Learn")\nclass Train',
        )
    else:
        _edit(
            project,
            "    learned: Param[Learn]\n",
            '    model: Param[Learn] = field(deprecated=deprecated("learned"))\n',
        )
        _edit(project, "self.learned", "self.model")
        _edit(project, "learned=", "model=")
        _edit(project, "class Learn", "from xpm_engine import deprecated, field\nclass Learn")
    for _ in range(2):
        code, said = project.run()
        assert code == 0, said
        assert "4 done (4 reused)" in said
    assert len(project.ledger()) == 8


def test_what_is_adopted_is_where_its_consumers_look(project: Project) -> None:
    """The path of a renamed task leads to the folder of its former name, also in a job."""
    project.write("""
class Make(Task):
    out: Param[Path] = pathgenerator("out.txt")
    def execute(self) -> None:
        note("begin make")
        self.out.write_text("made")
        note("end make")

class Use(Task):
    made: Param[Make]
    name: Param[int] = 0
    def execute(self) -> None:
        note("begin use")
        assert self.made.out.read_text() == "made"
        note("end use")

if __name__ == "__main__":
    with experiment("ws", "exp"):
        made = Make().submit()
        Use(made=made, name=int(sys.argv[1])).submit()
    assert made.out.read_text() == "made"
""")
    assert project.run("1")[0] == 0
    path = project.folder / "plan.py"
    path.write_text(path.read_text().replace("Make", "Produce"))
    _edit(
        project,
        "class Produce",
        'from xpm_engine import deprecated\n@deprecated("plan.Make")\nclass Produce',
    )
    code, said = project.run("2")
    assert code == 0, said
    once = ["begin make", "end make", "begin use", "end use"]
    assert project.ledger() == [*once, *once[2:]]


def test_an_adopted_result_is_read_by_its_new_name_cleaned_and_taken_back(
    project: Project,
) -> None:
    path = project.write("""
class Learn(Task):
    rate: Param[float]
    def execute(self) -> None:
        note("learned")
        print(f"rate {self.rate}")

if __name__ == "__main__":
    with experiment("ws", "exp"):
        Learn(rate=0.5).submit()
""")
    assert project.run()[0] == 0
    text = path.read_text().replace("Learn", "Train").replace("rate=", "lr=")
    text = text.replace("self.rate", "self.lr").replace(
        "    rate: Param[float]", '    lr: Param[float] = field(deprecated=deprecated("rate"))'
    )
    head = 'from xpm_engine import deprecated, field\n@deprecated("plan.Learn")\nclass Train'
    path.write_text(text.replace("class Train", head))
    assert project.run()[0] == 0
    (train,) = (project.folder / "ws" / "jobs" / "plan.train").iterdir()
    (learn,) = (project.folder / "ws" / "jobs" / "plan.learn").iterdir()
    for folder in (train, learn):
        code = f"import plan, xpm_engine; print(xpm_engine.load({str(folder)!r}).lr)"
        read = [sys.executable, "-c", code]
        assert subprocess.check_output(read, cwd=project.folder, text=True) == "0.5\n"
        assert _xpm(project, "log", folder.name) == "rate 0.5\n"
    _xpm(project, "clean", "--yes", train.name)
    assert not train.exists()
    assert learn.exists()
    _xpm(project, "undo")
    code, said = project.run()
    assert code == 0, said
    assert "1 done (1 reused)" in said
    assert project.ledger() == ["learned"]
