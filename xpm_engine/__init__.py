"""The engine of xpm-tui: configurations, identifiers, plans, jobs and the folders that hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpm_engine._version import __version__

if TYPE_CHECKING:
    from xpm_engine.config import (
        Config,
        Constant,
        Option,
        Param,
        Task,
        field,
        pathgenerator,
        tag,
    )
    from xpm_engine.errors import XpmError
    from xpm_engine.plan import experiment
    from xpm_engine.plan.arguments import arguments
    from xpm_engine.runtime.progress import progress

_HOMES = {
    "Config": "xpm_engine.config",
    "Constant": "xpm_engine.config",
    "Option": "xpm_engine.config",
    "Param": "xpm_engine.config",
    "Task": "xpm_engine.config",
    "XpmError": "xpm_engine.errors",
    "arguments": "xpm_engine.plan.arguments",
    "experiment": "xpm_engine.plan",
    "field": "xpm_engine.config",
    "pathgenerator": "xpm_engine.config",
    "progress": "xpm_engine.runtime.progress",
    "tag": "xpm_engine.config",
}
"""Public name -> the module it is loaded from, at its first use."""

__all__ = [
    "Config",
    "Constant",
    "Option",
    "Param",
    "Task",
    "XpmError",
    "__version__",
    "arguments",
    "experiment",
    "field",
    "pathgenerator",
    "progress",
    "tag",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'xpm_engine' has no attribute {name!r}")
    from importlib import import_module

    from xpm_engine.tracebacks import hide_our_frames

    hide_our_frames()
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
