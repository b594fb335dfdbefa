"""The filter language: one notation that selects jobs in the app and in every command.

- `grammar`    what a filter is made of; `parse` and `printing`: text <-> tree
- `values`     numbers with units and dates; `patterns`: regular expressions that can't stall
- `names`      fields, and what any other name stands for
- `comparing`  what a comparison asks of a value; `matching`: whether a value is that
- `columns`    jobs as columns; `rows`: columns made of any records
- `selecting`  a filter on a table
- `completion` what may come next, while typing

Pure: it reads no disk and knows no clock but the one that it is given.
"""

from __future__ import annotations

from xpm_engine.filters.columns import (
    ABSENT,
    Cell,
    Column,
    Scalar,
    Table,
    coded,
    floats,
    numbers,
    several,
)
from xpm_engine.filters.completion import Completion, Completions, complete
from xpm_engine.filters.names import FIELDS, FLAGS, Field, Kind, flag_column
from xpm_engine.filters.parse import parse
from xpm_engine.filters.printing import quote, unparse
from xpm_engine.filters.rows import Getters, RowTable
from xpm_engine.filters.selecting import Filter, Selection, compile_filter

__all__ = [
    "ABSENT",
    "FIELDS",
    "FLAGS",
    "Cell",
    "Column",
    "Completion",
    "Completions",
    "Field",
    "Filter",
    "Getters",
    "Kind",
    "RowTable",
    "Scalar",
    "Selection",
    "Table",
    "coded",
    "compile_filter",
    "complete",
    "flag_column",
    "floats",
    "numbers",
    "parse",
    "quote",
    "several",
    "unparse",
]
