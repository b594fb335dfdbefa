"""docs/tutorial.md quotes the plan's file, all of it and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from xpm_tui.demo import PLAN, TASKS, files

TUTORIAL = Path(__file__).parents[3] / "docs" / "tutorial.md"


def plan() -> str:
    return Path(files.__file__).with_name(PLAN).read_text("utf-8")


def quoted() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", TUTORIAL.read_text("utf-8"), re.DOTALL | re.M)


def test_the_blocks_are_the_file_from_top_to_bottom() -> None:
    def solid(text: str) -> str:
        return re.sub(r"\n{2,}", "\n", text).strip()

    assert solid("\n".join(quoted())) == solid(plan())


def test_every_block_is_quoted_as_it_stands() -> None:
    source = plan()

    assert quoted()
    assert [block for block in quoted() if block not in source] == []


def test_the_number_of_tasks_is_told() -> None:
    text = TUTORIAL.read_text("utf-8")

    assert f"It has {TASKS} tasks" in text
    assert f"all {TASKS} results" in text
