"""Many plans for the same jobs, and many jobs for few cores."""

from __future__ import annotations

import pytest

from tests.engine.faults.campaign import TASKS, check_run_once, check_settled
from tests.engine.projects import Project


@pytest.mark.parametrize("plans", [2, 8])
def test_plans_that_race_for_the_same_fifty_tasks(project: Project, plans: int) -> None:
    project.write(
        TASKS
        + """
if __name__ == "__main__":
    with experiment("ws", sys.argv[1]):
        jobs = []
        for n in range(50):
            jobs.append(Job(number=n, seconds=0.0, after=jobs[-7:-6]).submit())
"""
    )
    racing = [project.start(f"exp{n}") for n in range(plans)]
    for plan in racing:
        code, said = project.finish(plan)
        assert code == 0, said
        assert "50 done" in said
    check_settled(project)
    check_run_once(project)
    assert len(project.ledger()) == 100


def test_a_thousand_ready_jobs_run_two_at_a_time(project: Project) -> None:
    """No more supervisors than there is room for, however many jobs are ready."""
    project.write("""
from xpm_engine.launchers.local import LocalLauncher

class Tiny(Task):
    number: Param[int]
    def execute(self) -> None:
        note(f"begin {self.number}")
        note(f"end {self.number}")

if __name__ == "__main__":
    with experiment("ws", "exp", launcher=LocalLauncher(cores=2)):
        for n in range(1000):
            Tiny(number=n).submit()
""")
    code, said = project.run()
    assert code == 0, said
    assert "1000 done" in said
    running = most = 0
    for line in project.ledger():
        running += 1 if line.startswith("begin") else -1
        most = max(most, running)
    assert most <= 2
    assert sorted(project.ledger()) == sorted(
        f"{what} {n}" for n in range(1000) for what in ("begin", "end")
    )
    check_settled(project)
