"""`xpm plan`: what would happen, without anything happening."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.engine.projects import Project

BODY = """
class Learn(Task):
    name: Param[int]
    epochs: Param[int] = 4
    def execute(self) -> None:
        note(f"begin {self.name}")
        note(f"end {self.name}")

if __name__ == "__main__":
    with experiment("ws", "exp"):
        for n in range(2):
            Learn(name=n).tag("n", n).submit()
"""


def _xpm(project: Project, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "xpm_engine.cli", *arguments],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def _rows(project: Project) -> list[dict[str, Any]]:
    code, out, err = _xpm(project, "plan", "plan.py", "--json")
    assert code == 0, err
    return list(json.loads(out)["jobs"])


def test_nothing_is_written_and_nothing_runs(project: Project) -> None:
    project.write(BODY)
    assert [row["forecast"] for row in _rows(project)] == ["run", "run"]
    assert [row["tags"] for row in _rows(project)] == [{"n": 0}, {"n": 1}]
    assert project.ledger() == []
    assert not (project.folder / "ws").exists()


def test_what_is_done_is_reused_and_what_changed_is_named(project: Project) -> None:
    path = project.write(BODY)
    assert project.run()[0] == 0
    assert {row["forecast"] for row in _rows(project)} == {"reused"}
    assert _xpm(project, "plan", "plan.py", "--assert-cached")[0] == 0
    path.write_text(path.read_text().replace("Learn(name=n)", "Learn(name=n, epochs=n + 4)"))
    rows = _rows(project)
    assert [row["forecast"] for row in rows] == ["reused", "run"]
    assert "epochs 4 → 5" in rows[1]["why"]
    code, out, _ = _xpm(project, "plan", "plan.py", "--assert-cached")
    assert code == 3
    assert "exp in" in out
    assert "1 reused, 1 run" in out
    assert len(project.ledger()) == 4


def test_drift_and_adoption_are_seen_before_anything_runs(project: Project) -> None:
    path = project.write(BODY)
    assert project.run()[0] == 0
    text = path.read_text()
    path.write_text(text.replace("epochs: Param[int] = 4", "epochs: Param[int] = 5"))
    rows = _rows(project)
    assert {row["forecast"] for row in rows} == {"drifted"}
    assert rows[0]["why"] == "default of Learn.epochs 4 → 5"
    renamed = text.replace("Learn", "Train").replace(
        "class Train", 'from xpm_engine import deprecated\n@deprecated("plan.Learn")\nclass Train'
    )
    path.write_text(renamed)
    rows = _rows(project)
    assert {row["forecast"] for row in rows} == {"adopted"}
    assert "its former name" in rows[0]["why"]
    assert len(project.ledger()) == 4


def test_drift_is_followed_along_paths_and_no_job_is_its_own_upstream(project: Project) -> None:
    path = project.write("""
class Make(Task):
    size: Param[int] = 4
    out: Param[Path] = pathgenerator("out.txt")
    def execute(self) -> None:
        self.out.write_text("x" * self.size)

class Use(Task):
    source: Param[Path]
    out: Param[Path] = pathgenerator("out.txt")
    def execute(self) -> None:
        self.out.write_text(self.source.read_text())

if __name__ == "__main__":
    with experiment("ws", "exp"):
        Use(source=Make().submit().out).submit()
""")
    assert project.run()[0] == 0
    path.write_text(path.read_text().replace("Param[int] = 4", "Param[int] = 5"))
    made, used = _rows(project)
    assert made["forecast"] == used["forecast"] == "drifted"
    assert made["why"] == used["why"] == "default of Make.size 4 → 5"


def test_damage_that_keeps_no_result_back_is_none_here(project: Project) -> None:
    project.write(BODY)
    assert project.run()[0] == 0
    first, second = sorted((project.folder / "ws" / "jobs" / "plan.learn").iterdir())
    for ticket in ("1.launch", "1.start"):
        (first / ".xpm" / ticket).write_text("{")
    (second / ".xpm" / "1.end").write_text("{")
    forecast = {row["id"]: row["forecast"] for row in _rows(project)}
    assert forecast == {first.name: "reused", second.name: "unreadable"}
    code, said = project.run()
    assert code == 1
    assert "1 done (1 reused), 1 failed" in said
    assert len(project.ledger()) == 4


def test_a_plan_that_reads_results_is_told_as_far_as_it_goes(project: Project) -> None:
    project.write("""
class Make(Task):
    out: Param[Path] = pathgenerator("out.txt")
    def execute(self) -> None:
        self.out.write_text("3")

if __name__ == "__main__":
    with experiment("ws", "exp") as xp:
        made = Make().submit()
        xp.wait()
        Work(name=int(made.out.read_text())).submit()
""")
    code, out, err = _xpm(project, "plan", "plan.py")
    assert code == 0
    assert "1 run" in out
    assert "results that are not there yet" in err
    assert "plan.py:" in err
    assert project.run()[0] == 0
    code, out, _ = _xpm(project, "plan", "plan.py")
    assert "2 reused" in out


def test_a_plan_that_is_wrong_is_one_clear_error(project: Project) -> None:
    project.write("raise ValueError('wrong')\n")
    code, _, err = _xpm(project, "plan", "plan.py")
    assert code == 2
    assert "the plan raised ValueError: wrong" in err
    assert "plan.py:" in err
    assert "xpm_engine" not in err
