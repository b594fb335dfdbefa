"""The last row but one: marks and messages at the left; grouping, filter, badge at the right."""

from __future__ import annotations

from math import ceil

from rich.text import Text
from textual.timer import Timer

from xpm_tui.look import MARKED, plain
from xpm_tui.store import Grouping
from xpm_tui.watcher import POLL, Hearing
from xpm_tui.widgets.frame.sides import Sides

LASTS = 6.0
"""Seconds that a message stays."""


class StatusBar(Sides):
    """What is going on."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._facts = Text()
        self._badge = Text()
        self._marks = Text()
        self._doing = Text()
        self._acting = Text()
        self._message: Text | None = None
        self._timer: Timer | None = None

    def show_facts(
        self,
        badge: Text,
        *,
        by: Grouping | None = None,
        chosen: str = "",
        marks: int = 0,
        hidden: int = 0,
        doing: str = "",
        problem: str = "",
        acting: str = "",
    ) -> None:
        """Show how many jobs are marked, how they are grouped, the filter, and the badge.

        `hidden` of the marked jobs are hidden by the filter; `doing` is what goes on meanwhile;
        `problem` is why nothing can be read any more; `acting` what a row of several jobs means for
        the keys.
        """
        parts: list[Text] = []
        if by is not None:
            parts.append(Text(f"by {by.value}" if by is not Grouping.NONE else "not grouped"))
            parts.append(Text(plain(chosen) or "no filter"))
        self._badge = badge
        self._facts = Text(" · ").join([*parts, badge])
        self._acting = Text(acting, "xpm.faint")
        self._doing = _reason_first(problem) if problem else Text(plain(doing), "xpm.running")
        words = f"{MARKED} {marks:,} marked" if marks else ""
        words += f", {hidden:,} hidden" if hidden else ""
        if words != self._marks.plain:
            # What dangerous keys would act on matters more than what was said before.
            self._marks, self._message = Text(words, "xpm.marked"), None
        self._draw()

    def say(self, message: str, *, bad: bool = False) -> None:
        """Show a message for a while."""
        self._message = Text(plain(message), "xpm.bad" if bad else "")
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(LASTS, self._forget)
        self._draw()

    def _forget(self) -> None:
        self._message = None
        self._timer = None
        self._draw()

    def _draw(self) -> None:
        left = self._message
        if left is None:
            left = Text(" · ").join(each for each in (self._marks, self._doing) if each)
            left = left or self._acting
        room = self.size.width - 3 - self._facts.cell_len
        plain_facts = self._message is None and not self._doing and not self._acting
        fits = plain_facts or left.cell_len <= room
        self.show(left, self._facts if fits else self._badge)


def _reason_first(problem: str) -> Text:
    """``there is no such folder: /home/ada/…``: where it is may be cut off."""
    where, _, what = problem.rpartition(": ")
    return Text(plain(": ".join(filter(None, (what, where)))), "xpm.bad")


def badge(
    hearing: Hearing,
    checked: float,
    problem: str,
    *,
    readonly: bool,
    as_of: str = "",
    again_in: float | None = None,
) -> Text:
    """``● live``, ``◌ every 5 s``, ``as of 09:12, checking 34 %``, with `` · read-only``.

    `as_of` says when what is not checked yet was so; a lost link is tried again in `again_in`
    seconds, or just now.
    """
    if problem:
        text = Text("can't be read", "xpm.bad")
    elif hearing is Hearing.LOST:
        words = f"◌ link lost, {_again(again_in)}"
        text = Text(f"{words}, as of {as_of}" if as_of else words, "xpm.warning")
    elif checked < 1.0:
        words = f"checking {int(checked * 100)} %"
        text = Text(f"as of {as_of}, {words}" if as_of else words, "xpm.warning")
    elif hearing is Hearing.POLLING:
        text = Text(f"◌ every {POLL:.0f} s", "xpm.warning")
    else:
        text = Text("● live", "xpm.good")
    return text.append(" · read-only") if readonly else text


def _again(seconds: float | None) -> str:
    if seconds is None:
        return "connecting"
    return f"again in {ceil(seconds)} s" if seconds <= 60 else "again in 1 min"
