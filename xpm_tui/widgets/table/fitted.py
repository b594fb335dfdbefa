"""A table of a fixed set of columns that fit the width there is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from xpm_tui.widgets.table.column_fit import fit
from xpm_tui.widgets.table.keys import KeyTable
from xpm_tui.widgets.table.model import Column, Row


class FittedTable(KeyTable[Row]):
    """Rows that are not marked; its columns give way as `fit` says."""

    markable = False

    def __init__(self, key: Callable[[Row], Hashable], columns: Sequence[Column[Row]]) -> None:
        super().__init__(key, columns=columns)
        self._wanted_columns = tuple(columns)

    def show(self, rows: Sequence[Row], *, columns: Sequence[Column[Row]] | None = None) -> None:
        if columns is not None:
            self._wanted_columns = tuple(columns)
        width = self.size.width
        fitting = fit(self._wanted_columns, width) if width else self._wanted_columns
        super().show(rows, columns=fitting)

    def on_resize(self) -> None:
        self.show(self.model.rows)
