"""What the last row offers: each action where it can do something, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.verbs.cleaning import clean
from xpm_tui.actions.acting import NOTHING_HERE
from xpm_tui.store import RunKey

Drive = Callable[..., Driven]
Jobs = dict[str, FakeJob]

ROWS = "open log mark unmark_all sort columns"
CHANGES = "kill retry remove pin undo"
ASKED = frozenset((*ROWS.split(), *CHANGES.split()))
"""The actions of which it depends on what is under the cursor, or marked."""

TREE = "open mark"
"""What can be done on every row of the tree that has jobs."""

both_sizes = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])

DRMM = RunKey("drmm", "20261123-091200")


async def offered(app: Driven) -> set[str]:
    await app.settle()
    return {action.id for action in app.main.offered()} & ASKED


ON_JOBS = {
    "index i0": "remove pin",
    "learn lr=0.1 seed=1": "retry remove pin",
    "learn lr=0.1 seed=3": "retry remove pin",
    "learn lr=0.01 seed=1": "kill remove pin",
    "learn lr=0.001 seed=1": "",
    "learn lr=0.001 seed=3": "remove pin",
    "evaluate of lr=0.1 seed=1": "retry",
    "evaluate of lr=0.01 seed=1": "",
}
"""What is done, failed, died, runs, waits, is blocked by what failed, and waits for a job."""


@both_sizes
async def test_on_a_job_in_the_tree_and_on_one_that_is_marked(
    drive: Drive, jobs: Jobs, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        for name, actions in ON_JOBS.items():
            app.tree.reveal(jobs[name].key, DRMM)
            assert await offered(app) == {*f"{TREE} log".split(), *actions.split()}, name
        for name, actions in ON_JOBS.items():
            app.tree.reveal(jobs[name].key, DRMM)
            await app.press("u", "space")
            # What the cursor is on by now is another row, and does not matter.
            app.tree.reveal(jobs["learn lr=0.01 seed=2"].key, DRMM)
            expected = {*f"{TREE} log unmark_all".split(), *actions.split()}
            assert await offered(app) == expected, name


ON_ROWS = {
    "Failed": f"{TREE} retry remove pin",
    "drmm": f"{TREE} kill retry remove pin",
    "index": f"{TREE} remove pin",
    "learn": f"{TREE} kill retry remove pin",
    "evaluate": f"{TREE} retry remove pin",
    "ablation": f"{TREE} remove pin",
    "All jobs": f"{TREE} kill retry remove pin",
    "Trash": "open remove",
}
"""Of a plan that goes on there is always something to kill, of a group only what runs."""


@both_sizes
async def test_on_the_rows_of_the_tree(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs, size: tuple[int, int]
) -> None:
    gone = [jobs[f"old{number}"].key for number in (20, 21)]
    clean.carry_out(workspace.paths, clean.plan_removal(workspace.paths, gone))
    async with drive(survey=True).at(size) as app:
        await app.until(lambda: app.app.store.obsolete is not None)
        await app.press("g", "j", "l", "g")
        seen: dict[str, set[str]] = {}
        for _ in app.tree.model.rows:
            seen[app.row()[1:]] = await offered(app)
            await app.press("j")
        for name, actions in ON_ROWS.items():
            (found,) = (each for row, each in seen.items() if name in row)
            assert found == set(actions.split()), name


ON_THE_RIGHT = {
    ("g", "j", "enter"): f"{TREE} log sort columns retry remove pin",
    ("g", "j", "enter", "2"): "open mark log sort retry remove pin",
    ("g", "j", "enter", "3"): "open log sort",
    ("g", "j", "enter", "4"): "open log sort kill retry remove pin",
    # Nothing of `index` failed, and nothing of it waits.
    ("g", "j", "j", "enter", "2"): "",
    ("g", "j", "j", "enter", "3"): "",
}
"""The panes of an experiment, at their first rows, and those of a group that are empty."""


@both_sizes
async def test_in_the_panes_of_a_set(drive: Drive, jobs: Jobs, size: tuple[int, int]) -> None:
    async with drive().at(size) as app:
        for keys, actions in ON_THE_RIGHT.items():
            await app.press(*keys)
            assert await offered(app) == set(actions.split()), keys
            assert not {"sort", "mark"} - set(actions.split()) & set(app.lines()[-1].split())
            await app.press("q")


@both_sizes
async def test_a_cause_says_that_keys_take_all_of_its_jobs(
    drive: Drive, workspace: FakeWorkspace, size: tuple[int, int]
) -> None:
    failed = [FakeJob("ir.learn", f"r{n}", {"seed": n}) for n in range(3)]
    for job in failed:
        workspace.failed(job)
    workspace.run("drmm", failed)
    words = {
        NARROW: "actions take all 3",
        WIDE: "3 jobs under the cursor; actions take all of them unless some are marked",
    }
    async with drive().at(size) as app:
        await app.press("g", "enter", "2")
        assert app.lines()[-2].strip().startswith(words[size])
        await app.press("space")
        assert "3 marked" in app.lines()[-2]
        await app.press("u")
        await app.until(lambda: words[size] in app.lines()[-2])
        await app.press("q")
        assert "actions take" not in app.lines()[-2]


@both_sizes
async def test_hits_of_a_log_are_offered_once_something_was_looked_for(
    drive: Drive, jobs: Jobs, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        app.tree.reveal(jobs["learn lr=0.01 seed=1"].key, DRMM)
        await app.press("L")
        await app.until(lambda: "/ search  e E error" in app.lines()[-1])
        await app.press("slash", *"loss", "enter")
        await app.until(lambda: "/ search  n N hit  e E error" in app.lines()[-1])


@both_sizes
async def test_trouble_is_offered_where_some_is_that_way(
    drive: Drive, jobs: Jobs, size: tuple[int, int]
) -> None:
    def ways() -> set[str]:
        return {action.id for action in app.main.possible() if action.id.endswith("trouble")}

    async with drive().at(size) as app:
        await app.press("g")
        assert ways() == set(), "nothing is unfolded"
        for name, found in {
            "learn lr=0.1 seed=1": {"next_trouble"},
            "learn lr=0.1 seed=2": {"next_trouble", "previous_trouble"},
            "learn lr=0.1 seed=3": {"previous_trouble"},
        }.items():
            app.tree.reveal(jobs[name].key, DRMM)
            await app.settle()
            assert ways() == found, name
        await app.press("g")
        assert ways() == {"next_trouble"}


@both_sizes
async def test_what_finds_nothing_is_not_said_to_work_everywhere(
    drive: Drive, jobs: Jobs, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        app.tree.reveal(jobs["index i0"].key, DRMM)
        await app.settle()
        await app.press("enter", "enter")
        said = {action.id: why for action, why in app.main.explained()}
        assert said["open"] == NOTHING_HERE
        assert not any("everywhere" in why for why in said.values())
        await app.press("enter")
        assert NOTHING_HERE in app.lines()[-2]
