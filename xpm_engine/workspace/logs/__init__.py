"""Logs of any size: the end at once, every line by number, hits counted, changes noticed.

`LogFile` is the model of one file and belongs to one thread; `scan` and `search` are the slow
parts, pure functions from a frozen order to a frozen answer, for any thread. Memory is that of
two counts per 256 KiB page; lines are read when they are asked for. `read_tail` and `follow` are
the simple ways in.
"""

from __future__ import annotations

from xpm_engine.workspace.logs.file import LogFile
from xpm_engine.workspace.logs.query import TROUBLE, Query, text_query
from xpm_engine.workspace.logs.scan import Scan, ScanOrder, scan
from xpm_engine.workspace.logs.search import Found, Search, SearchOrder, search
from xpm_engine.workspace.logs.source import Bounds, LogEvent, LogState, standing
from xpm_engine.workspace.logs.tail import follow, read_tail
from xpm_engine.workspace.logs.text import PLAIN, Colour, Line, Look, Span

__all__ = [
    "PLAIN",
    "TROUBLE",
    "Bounds",
    "Colour",
    "Found",
    "Line",
    "LogEvent",
    "LogFile",
    "LogState",
    "Look",
    "Query",
    "Scan",
    "ScanOrder",
    "Search",
    "SearchOrder",
    "Span",
    "follow",
    "read_tail",
    "scan",
    "search",
    "standing",
    "text_query",
]
