"""Which cleans have been in the trash long enough, by the settings ``[retention]``."""

from __future__ import annotations

import math
import time

from xpm_engine.verbs.cleaning.clean import Transaction, list_trash
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.fields import parse_time
from xpm_engine.workspace.settings import RetentionSettings

_DAY = 86_400


def expired(
    workspace: WorkspacePaths, retention: RetentionSettings, *, now: float | None = None
) -> tuple[Transaction, ...]:
    """The cleans to purge, oldest first: too old, or the oldest of a trash that holds too much.

    What is unfinished, can't be read or is not ours stays; what was not measured counts nothing.
    `now` is in seconds since 1970.
    """
    clock = time.time() if now is None else now
    left = [item for item in list_trash(workspace) if not item.unfinished and not item.problem]
    found: list[Transaction] = []
    total = sum(item.size or 0 for item in left)
    for item in reversed(left):
        at = _begun(item)
        too_old = retention.trash_days > 0 and clock - at > retention.trash_days * _DAY
        too_much = retention.trash_size is not None and total > retention.trash_size
        if too_old or too_much:
            found.append(item)
            total -= item.size or 0
    return tuple(found)


def _begun(item: Transaction) -> float:
    """When a clean was made: not before what lies in it had ended, whatever the clock said."""
    times = (parse_time(text or "") for text in (item.at, *(each.ended for each in item.removals)))
    return max((time for time in times if time is not None), default=math.inf)
