"""What was read of very many jobs stays until the app ends: the collector need not look at it."""

from __future__ import annotations

import gc

from xpm_tui.store import Store

MANY = 10_000
"""Jobs from which on a look at everything that there is takes longer than a key may."""


def settle(store: Store) -> None:
    """Take what there is now out of later collections; where there are few jobs, do nothing."""
    if store.known_count >= MANY:
        gc.freeze()
