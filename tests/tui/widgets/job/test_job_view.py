"""The line above a job's tabs."""

from __future__ import annotations

from tests.tui.hosting import store_of
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_tui.store import ExperimentSubject
from xpm_tui.widgets.job.view import job_line
from xpm_tui.widgets.jobs.causes import job_lines

PLAIN = FakeJob("ir.index", "a", {})
TAGGED = [FakeJob("ir.learn", f"l{seed}", {"seed": seed}) for seed in (1, 2)]


def test_digits_that_are_its_name_are_told_once(workspace: FakeWorkspace) -> None:
    jobs = [PLAIN, *TAGGED]
    for each in jobs:
        workspace.failed(each)
    workspace.run("drmm", jobs)
    store = store_of(workspace)
    found = {job.key: job for job in store.jobs(ExperimentSubject("drmm"))}
    lines = [job_line(store, job).plain for job in found.values()]
    lines += [line.plain for line in job_lines(list(found.values()), store, width=120)]
    for job in found.values():
        told = [line for line in lines if job.key.short in line]
        assert len(told) == 2
        assert all(line.count(job.key.short) == 1 for line in told)
