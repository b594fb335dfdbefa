"""Removing jobs to the trash, and taking them back: plan, show, verify, rename, undo (DESIGN 9).

- `needs`          which runs still need a job
- `plan`           the frozen list of what would be moved, and why a row may not
- `sizes`          what folders take on the disk
- `moves`          carrying a plan out
- `transactions`   what lies in the trash: list, undo, purge, and recovery after a crash

Nothing here follows a symbolic link, imports user code or leaves the workspace.
"""

from __future__ import annotations

from xpm_engine.workspace.cleaning.moves import carry_out
from xpm_engine.workspace.cleaning.needs import Need, NeedKind
from xpm_engine.workspace.cleaning.plan import RemovalPlan, RemovalRow, plan_removal
from xpm_engine.workspace.cleaning.sizes import measure
from xpm_engine.workspace.cleaning.transactions import (
    Transaction,
    UndoReport,
    list_trash,
    purge,
    recover,
    undo,
)

__all__ = [
    "Need",
    "NeedKind",
    "RemovalPlan",
    "RemovalRow",
    "Transaction",
    "UndoReport",
    "carry_out",
    "list_trash",
    "measure",
    "plan_removal",
    "purge",
    "recover",
    "undo",
]
