"""Removing jobs to the trash, and taking them back: plan, show, verify, rename, undo.

- `pieces`         what is moved without being a whole job: of jobs that stay, runs, shared folders
- `piece_places`, `piece_check`, `piece_mending`  where these stand, whether they may go, what is
                   left to do when they came or went
- `needs`          which runs still need a job
- `folders`        which folders may be moved at all
- `plan`           the frozen list of what would be moved, and why a row may not
- `mounts`         what is mounted inside of folders, which are left alone then
- `sizes`          what folders take on the disk
- `cleaner`        the tickets that keep everybody else away meanwhile
- `moves`          carrying a plan out
- `undo`, `purging`  taking a clean back, or deleting it for good
- `purged`         the small record that stays of what was deleted
- `recovery`       mending what a crash left
- `transactions`   what lies in the trash, under whose lock
- `shared`         the folders of partial identifiers, and who lists them
- `packing`, `log_links`  packed logs, and the links at the top of a job that lead to them
- `latest`         the link beside an experiment's runs
- `trees`          deleting without following a link

Nothing here follows a symbolic link, imports user code or leaves the workspace.
"""

from __future__ import annotations

from xpm_engine.workspace.cleaning.moves import carry_out
from xpm_engine.workspace.cleaning.needs import Need, NeedKind
from xpm_engine.workspace.cleaning.pieces import list_leftovers
from xpm_engine.workspace.cleaning.plan import RemovalPlan, RemovalRow, plan_removal
from xpm_engine.workspace.cleaning.purged import list_purged
from xpm_engine.workspace.cleaning.purging import purge
from xpm_engine.workspace.cleaning.recovery import recover
from xpm_engine.workspace.cleaning.sizes import measure
from xpm_engine.workspace.cleaning.transactions import Transaction, list_trash
from xpm_engine.workspace.cleaning.undo import UndoReport, undo

__all__ = [
    "Need",
    "NeedKind",
    "RemovalPlan",
    "RemovalRow",
    "Transaction",
    "UndoReport",
    "carry_out",
    "list_leftovers",
    "list_purged",
    "list_trash",
    "measure",
    "plan_removal",
    "purge",
    "recover",
    "undo",
]
