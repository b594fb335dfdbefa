"""What the jobs of a run are called among those of their task, also while the run grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from xpm_engine.workspace.index import PackedReferences
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import Reference
from xpm_tui.store.labels import Labelling, labelling


class RunLabels:
    """How the jobs of each task are told apart, worked out when it is first asked."""

    def __init__(self, places_of: Callable[[str], Sequence[int]]) -> None:
        """`places_of` tells the places in the plan of a task's jobs."""
        self._places_of = places_of
        self._of_task: dict[str, Labelling] = {}
        self._taken: dict[str, tuple[Reference, set[str]]] = {}
        """Of tasks that grew: their first line, and what their jobs are called."""

    def of(self, task: str, lines: PackedReferences) -> Labelling:
        """How the jobs of a task are told apart; `lines` are those of the run."""
        if task not in self._of_task:
            self._of_task[task] = labelling(
                [_Named(lines.keys[place], *lines.named(place)) for place in self._places_of(task)]
            )
        return self._of_task[task]

    def grow(self, lines: PackedReferences, start: int) -> None:
        """The run has more lines, from this place on."""
        for place in range(start, len(lines)):
            self._take(lines, place)

    def _take(self, lines: PackedReferences, place: int) -> None:
        """See whether one more job is told apart as its siblings are, which takes a while to find
        out anew."""
        line = lines[place]
        task = line.key.task
        labels = self._of_task.get(task)
        if labels is None:
            return
        taken = self._taken.get(task)
        if taken is None:
            earlier = enumerate(lines.keys[:place])
            siblings = [lines[each] for each, key in earlier if key.task == task]
            names = {labels.label(each.key, each.tags, each.params) for each in siblings}
            taken = self._taken[task] = siblings[0], names
        name = labels.label(line.key, line.tags, line.params)
        if labels.fits(taken[0], line) and name not in taken[1]:
            taken[1].add(name)
        else:
            del self._of_task[task], self._taken[task]


class _Named(NamedTuple):
    """What a label is made from, of a line."""

    key: JobKey
    tags: dict[str, Any]
    params: dict[str, Any]
