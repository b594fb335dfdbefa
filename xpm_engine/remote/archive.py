"""What travels to the other host: the agent and the portable set, or all of the engine.

Nothing of it is written there: its Python reads one line of standard input, the line reads the
archive, and the modules are imported from memory.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
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
    "workspace.footing",
    "workspace.processes",
    "workspace.records",
    "workspace.pool",
)
"""The portable set and the agent, below `xpm_engine`; packages with all that is in them."""

COMMAND = "python3 -I -c 'import sys;exec(sys.stdin.buffer.raw.readline())'"
"""What the far shell, whichever it is, is told; nothing of the user's is ever in it."""

_LOADER = """
import importlib, importlib.abc, importlib.machinery, json, os, sys, zlib

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

if sys.version_info < LEAST:
    import shutil
    for minor in range(30, LEAST[1] - 1, -1):
        newer = shutil.which("python3.%d" % minor)
        if newer:
            # What follows on standard input was not touched yet.
            os.execv(newer, [newer, "-I", "-c", "SOURCE = %r; exec(SOURCE)" % SOURCE])
    versions = (*sys.version_info[:2], *LEAST)
    sys.exit(WHAT + ": python3 is %d.%d here, and %d.%d is needed" % versions)
sys.meta_path.insert(0, Archive(json.loads(zlib.decompress(receive(SIZE)))))
sink = os.dup(1)
os.dup2(2, 1)
main = importlib.import_module(MAIN).main
main(TOKEN, 0, sink)
"""


@dataclass(frozen=True)
class Load:
    """What is sent, and what of it answers there."""

    what: str
    """What it calls itself where it can't run."""
    main: str
    """The module whose `main` serves."""
    least: tuple[int, int]
    """The Python that it takes; a newer one is looked for where `python3` is older."""
    modules: tuple[str, ...] = ()
    """Below `xpm_engine`; empty for all of it."""

    def opening(self, token: str) -> bytes:
        """All that is sent before the first request: one line of Python, and what it reads."""
        archive = _archive(self.modules)
        names = {
            "SIZE": len(archive),
            "TOKEN": token,
            "LEAST": self.least,
            "WHAT": self.what,
            "MAIN": self.main,
        }
        facts = "".join(f"{name} = {value!r}\n" for name, value in names.items())
        return f"SOURCE = {facts + _LOADER!r}; exec(SOURCE)\n".encode("ascii") + archive


AGENT = Load("xpm agent", "xpm_engine.remote.agent.table", (3, 8), TRAVELS)
"""Looks, copies, starts jobs."""

VERBS = Load("xpm verbs", "xpm_engine.verbs.served", (3, 11))
"""The verbs that change a workspace, which are written for the Python that runs jobs."""


@cache
def _archive(travels: tuple[str, ...]) -> bytes:
    sources = _sources()
    wanted = {f"xpm_engine{part}" for part in ("", ".remote", ".workspace")}
    names = [f"xpm_engine.{name}" for name in travels]
    for module in sources:
        if not names or any(module == name or module.startswith(f"{name}.") for name in names):
            wanted.add(module)
    # The packages around what travels are empty: they name what stays here.
    empty = {"xpm_engine", "xpm_engine.remote", "xpm_engine.workspace"} if names else set[str]()
    modules = {
        module: [sources[module][0], "" if module in empty else sources[module][1]]
        for module in sorted(wanted)
    }
    return zlib.compress(json.dumps(modules).encode("ascii"), 9)


@cache
def _sources() -> dict[str, tuple[bool, str]]:
    """All modules of the engine: whether each is a package, and its source."""
    sent = getattr(globals()["__loader__"], "modules", None)
    if sent is not None:
        # This is another machine, and there are no files: it goes on to a third as it came.
        return {name: (package, source) for name, (package, source) in sent.items()}
    root = Path(__file__).resolve().parent.parent
    found: dict[str, tuple[bool, str]] = {}
    for file in sorted(root.rglob("*.py")):
        parts = ("xpm_engine", *file.relative_to(root).with_suffix("").parts)
        package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if package else parts)
        found[module] = (package, file.read_text("utf-8"))
    return found
