"""The jobs that an action took hold of when its key was pressed, and how a dialog names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from xpm_engine.workspace.layout import JobKey
from xpm_tui import look
from xpm_tui.store import Job, Store

MOST_NAMED = 200
"""Jobs that a dialog names; the others are counted."""


@dataclass(frozen=True)
class Capture:
    """What a key took hold of: whatever moves on the screen afterwards, it is about these."""

    jobs: tuple[Job, ...] = ()
    hidden: int = 0
    """Marked jobs that the filter hides: they are left alone."""
    marked: bool = False
    """Whether they are the marked ones, and not those under the cursor."""

    @property
    def keys(self) -> tuple[JobKey, ...]:
        return tuple(job.key for job in self.jobs)

    @property
    def hidden_line(self) -> list[Text]:
        """That marked jobs are hidden, where some are."""
        return [Text(look.hidden_words(self.hidden), "xpm.warning")] if self.hidden else []


def name_lines(store: Store, jobs: Sequence[Job], *, most: int = MOST_NAMED) -> list[Text]:
    """``● learn lr=0.01 seed=1  d4f2aa``, a line a job."""
    lines: list[Text] = []
    for job in jobs[:most]:
        title = look.plain(store.title(job))
        line = Text.assemble(look.state_glyph(job.state), f" {title}")
        if job.key.short not in title:
            line.append(f"  {job.key.short}", "xpm.faint")
        line.no_wrap = True
        line.overflow = "ellipsis"
        lines.append(line)
    if len(jobs) > most:
        lines.append(Text(f"and {len(jobs) - most:,} more", "xpm.faint"))
    return lines
