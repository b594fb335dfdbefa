"""Waiting for the scheduler: nothing that was submitted is ever taken for nothing to do."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

from tests.engine.plan.test_results import Double
from xpm_engine import experiment


class Inbox(deque[Any]):
    """An inbox in which a job comes in right after it was found empty."""

    unsettled: Any
    late: Any
    seen: list[bool]

    def __bool__(self) -> bool:
        found = len(self) > 0
        if self.late is not None:
            late, self.late = self.late, None
            self.append(late)
        return found

    def popleft(self) -> Any:
        item = super().popleft()
        self.seen.append(self.unsettled())
        return item


def test_a_job_between_inbox_and_board_is_waited_for(tmp_path: Path) -> None:
    with experiment(tmp_path, "exp") as xp:
        scheduler = xp._running()
        inbox = Inbox()
        inbox.unsettled, inbox.late, inbox.seen = lambda: scheduler.unsettled, None, []
        scheduler._inbox = inbox
        task = Double(number=1)
        task.submit()
        assert xp.wait()
        assert task.path.exists()
        later = Double(number=2)
        submit, taken = scheduler.submit, []
        scheduler.submit = taken.append  # type: ignore[method-assign]
        later.submit()
        scheduler.submit = submit  # type: ignore[method-assign]
        inbox.late = taken[0]
        scheduler._watch.wake()
        assert later.result()["twice"] == 4
    assert inbox.seen == [True, True]
