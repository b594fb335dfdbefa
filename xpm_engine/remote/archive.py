"""What travels to the other host: the agent and the portable set, as one archive.

Nothing of it is written there: its Python reads one line of standard input, the line reads the
archive, and the modules are imported from memory.
"""

from __future__ import annotations

import json
import zlib
from functools import cache
from pathlib import Path

TRAVELS = (
    "errors",
    "remote.frames",
    "remote.agent",
    "workspace.layout",
    "workspace.atomic",
    "workspace.tickets",
    "workspace.claims",
    "workspace.processes",
    "workspace.records",
    "workspace.pool",
)
"""The portable set and the agent, below `xpm_engine`; packages with all that is in them."""

COMMAND = "python3 -I -c 'import sys;exec(sys.stdin.buffer.raw.readline())'"
"""What the far shell, whichever it is, is told; nothing of the user's is ever in it."""

_LOADER = """
import importlib.abc, importlib.machinery, json, os, sys, zlib

class Archive(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    def __init__(self, modules):
        self.modules = modules
    def find_spec(self, name, path=None, target=None):
        if name not in self.modules:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=self.is_package(name))
    def is_package(self, name):
        return self.modules[name][0]
    def get_source(self, name):
        return self.modules[name][1]
    def exec_module(self, module):
        name = module.__name__
        exec(compile(self.get_source(name), "<" + name + ">", "exec"), module.__dict__)

def receive(size):
    data = b""
    while len(data) < size:
        more = os.read(0, size - len(data))
        if not more:
            sys.exit("xpm agent: the connection ended before all of the agent had come")
        data += more
    return data

if sys.version_info < (3, 8):
    sys.exit("xpm agent: python3 is %d.%d here, and 3.8 is needed" % sys.version_info[:2])
sys.meta_path.insert(0, Archive(json.loads(zlib.decompress(receive(SIZE)))))
sink = os.dup(1)
os.dup2(2, 1)
from xpm_engine.remote.agent.table import main
main(TOKEN, 0, sink)
"""


def opening(token: str) -> bytes:
    """All that is sent before the first request: one line of Python, and what it reads."""
    archive = _archive()
    loader = f"SIZE = {len(archive)}\nTOKEN = {token!r}\n{_LOADER}"
    return f"exec({loader!r})\n".encode("ascii") + archive


@cache
def _archive() -> bytes:
    root = Path(__file__).resolve().parent.parent
    modules = {f"xpm_engine{part}": [True, ""] for part in ("", ".remote", ".workspace")}
    for name in TRAVELS:
        path = root.joinpath(*name.split("."))
        files = sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        for file in files:
            parts = ("xpm_engine", *file.relative_to(root).with_suffix("").parts)
            package = parts[-1] == "__init__"
            module = ".".join(parts[:-1] if package else parts)
            modules[module] = [package, file.read_text("utf-8")]
    return zlib.compress(json.dumps(modules).encode("ascii"), 9)
