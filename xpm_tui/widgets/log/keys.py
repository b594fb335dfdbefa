"""The keys of a log."""

from __future__ import annotations

from textual.binding import Binding

LOG_BINDINGS: tuple[Binding, ...] = (
    Binding("down,j", "move(1)", "down", show=False),
    Binding("up,k", "move(-1)", "up", show=False),
    Binding("pagedown", "page(1)", "page down", show=False),
    Binding("pageup", "page(-1)", "page up", show=False),
    Binding("ctrl+d", "half_page(1)", "half a page down", show=False),
    Binding("ctrl+u", "half_page(-1)", "half a page up", show=False),
    Binding("g,home", "start", "start", show=False),
    Binding("G,end", "end", "end", show=False),
    Binding("right,l", "sideways(1)", "right", show=False),
    Binding("left,h", "sideways(-1)", "left", show=False),
    Binding("slash", "find", "find"),
    Binding("n", "hit(1)", "next hit"),
    Binding("N", "hit(-1)", "previous hit"),
    Binding("e", "error(1)", "next error"),
    Binding("E", "error(-1)", "previous error"),
    Binding("f", "follow", "follow"),
    Binding("w", "wrap", "wrap"),
    Binding("ampersand", "hits_only", "hits only"),
    Binding("full_stop", "stream(1)", "next log"),
    Binding("comma", "stream(-1)", "previous log"),
    Binding("v", "range", "select lines"),
    Binding("y", "copy", "copy"),
    Binding("escape,backspace", "step_back", "back", show=False),
)
