"""What the screens that show a plan or the trash do alike: carry out, budget, purge, in threads."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from xpm_engine.errors import UsageError
from xpm_engine.verbs.cleaning.clean import Transaction, contents, moved_sentence, purged_sentence
from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_engine.workspace.records.resources import parse_size
from xpm_tui import look
from xpm_tui.cleaning.removal import Removal, cost_words
from xpm_tui.deeds import Deeds
from xpm_tui.screens.typed import TypedDialog

WORD = "purge"
"""What is typed before anything is deleted for good."""

MOST_NAMED = 8
"""Cleans that the question names, the others are counted."""


def moved_words(done: Transaction) -> str:
    """What was moved, what was not and why, and how it comes back."""
    words = moved_sentence(done)
    if done.left:
        words += f" ({look.plain(done.left[0].why)})"
    return words if done.empty else f"{words}; z brings it back"


def budget_dialog(removal: Removal) -> TypedDialog:
    """Ask how much is to be freed."""
    unsure = "" if removal.measured else "; sizes are still being measured"
    lines = [
        Text("Ticks what frees so much and takes the least time to compute again,"),
        Text("and nothing that somebody needs. Nothing is moved by that."),
        Text(f"For instance 200GB or 1.5TB{unsure}.", "xpm.faint"),
    ]
    return TypedDialog("Free how much?", lines, refused=_no_size)


def proposed(removal: Removal, text: str) -> tuple[frozenset[Offer], str]:
    """What to tick to free so much, and what that is worth, in words."""
    wanted = parse_size(text.replace(" ", ""))
    found = removal.propose(wanted)
    size, cost = look.size(found.size), cost_words(found.cost)
    rows = look.plural(len(found.offers), "row")
    if not found.enough:
        return found.offers, f"all that nobody needs is {size} in {rows}: {cost} to compute again"
    again = cost if found.cost.nothing else f"{cost} to compute again"
    return found.offers, f"ticked {rows}: {size}, {again}"


def purge_dialog(cleans: Sequence[Transaction]) -> TypedDialog:
    """Ask for the typed word before cleans are deleted for good."""
    sizes = [clean.size for clean in cleans]
    known = sum(size for size in sizes if size is not None)
    unsure = "at least " if None in sizes else ""
    lines = [Text(look.plain(f"{clean.name}  {contents(clean)}")) for clean in cleans[:MOST_NAMED]]
    if len(cleans) > MOST_NAMED:
        lines.append(Text(f"and {len(cleans) - MOST_NAMED} more"))
    lines.append(Text(f"This frees {unsure}{look.size(known)}, and can't be undone.", "xpm.bad"))
    lines.append(Text("Parameters, metrics and the last lines of the logs stay known."))
    title = f"Delete {look.plural(len(cleans), 'clean')} for good? Type {WORD}"
    return TypedDialog(
        title, lines, refused=lambda text: "" if text == WORD else f"that is not {WORD}"
    )


def purge_cleans(deeds: Deeds, cleans: Sequence[Transaction]) -> str:
    """Delete them for good; what was done, in words. Raises XpmError."""
    for clean in cleans:
        deeds.purge(clean.name)
    return purged_sentence(cleans)


def _no_size(text: str) -> str:
    try:
        return "" if parse_size(text.replace(" ", "")) else "more than nothing"
    except UsageError as error:
        return f"{error.what}: {error.hint}"
