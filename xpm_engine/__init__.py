"""The engine of xpm-tui: configurations, identifiers, plans, jobs and their folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpm_engine._version import __version__

if TYPE_CHECKING:
    from xpm_engine.config import (
        Config,
        Constant,
        LightTask,
        Option,
        Param,
        Task,
        deprecated,
        describe,
        distinct,
        field,
        live,
        pathgenerator,
        register_type,
        save,
        tag,
    )
    from xpm_engine.config.store import load
    from xpm_engine.errors import XpmError
    from xpm_engine.plan import experiment
    from xpm_engine.plan.arguments import arguments
    from xpm_engine.runtime.progress import progress

_HOMES = {
    "Config": "xpm_engine.config",
    "Constant": "xpm_engine.config",
    "LightTask": "xpm_engine.config",
    "Option": "xpm_engine.config",
    "Param": "xpm_engine.config",
    "Task": "xpm_engine.config",
    "XpmError": "xpm_engine.errors",
    "arguments": "xpm_engine.plan.arguments",
    "deprecated": "xpm_engine.config",
    "describe": "xpm_engine.config",
    "distinct": "xpm_engine.config",
    "experiment": "xpm_engine.plan",
    "field": "xpm_engine.config",
    "live": "xpm_engine.config",
    "load": "xpm_engine.config.store",
    "pathgenerator": "xpm_engine.config",
    "progress": "xpm_engine.runtime.progress",
    "register_type": "xpm_engine.config",
    "save": "xpm_engine.config",
    "tag": "xpm_engine.config",
}
"""Public name -> the module it is loaded from, at its first use."""

__all__ = [
    "Config",
    "Constant",
    "LightTask",
    "Option",
    "Param",
    "Task",
    "XpmError",
    "__version__",
    "arguments",
    "deprecated",
    "describe",
    "distinct",
    "experiment",
    "field",
    "live",
    "load",
    "pathgenerator",
    "progress",
    "register_type",
    "save",
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
