"""The policies of ``[retention]`` at the end of a run, where ``after_run`` says so."""

from __future__ import annotations

from collections.abc import Iterator

from xpm_engine.verbs.cleaning import clean
from xpm_engine.verbs.cleaning.obsolete import measure_offered, plan_clean, survey_workspace
from xpm_engine.verbs.cleaning.policies import offer_policies
from xpm_engine.verbs.cleaning.retention import expired
from xpm_engine.words import plain, plural, size
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.settings import load_settings


def retain(workspace: WorkspacePaths, run: str) -> Iterator[str]:
    """Move what the policies tick to the trash, and say what was done; nothing for nothing.

    As ``xpm clean --policy --yes`` does: the same rows, journal and checks. Raises XpmError.
    """
    retention = load_settings(workspace).retention
    if not (retention.after_run and retention.has_policies):
        return
    seen = survey_workspace(workspace)
    offering = offer_policies(workspace, seen, retention)
    chosen = [row.offer for row in offering.rows if row.ticked]
    sizes = measure_offered(workspace, chosen)
    plan = plan_clean(workspace, seen, chosen, sizes=sizes)
    if plan.ready or plan.pieces:
        cause = f"[retention] after run {run}"
        done = clean.carry_out(workspace, plan, cause=cause)
        if not done.empty:
            bytes_ = "" if done.size is None else f" ({size(done.size)})"
            moved = f"[retention] moved {clean.contents(done)} to the trash{bytes_}"
            yield f"{moved}; take it back: xpm undo {done.name}"
        for left in done.left:
            yield f"[retention] left {plain(clean.left_words(left))}"
    old = expired(workspace, retention)
    for item in old:
        clean.purge(workspace, item.name)
    if old:
        bytes_ = size(sum(item.size or 0 for item in old))
        cleans = plural(len(old), "clean")
        yield f"[retention] purged {cleans} whose time in the trash is over: {bytes_} freed"
