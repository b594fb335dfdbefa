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
        ResumableTask,
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
    from xpm_engine.config.arguments import arguments
    from xpm_engine.config.store import load
    from xpm_engine.errors import (
        GracefulTimeout,
        JobBlocked,
        JobFailed,
        JobNotRun,
        TaskCancelled,
        XpmError,
    )
    from xpm_engine.plan import experiment
    from xpm_engine.plan.ends import JobEnd
    from xpm_engine.runtime.bars import tqdm, track
    from xpm_engine.runtime.checkpoint import checkpoint
    from xpm_engine.runtime.context import remaining_time
    from xpm_engine.runtime.metrics import metric
    from xpm_engine.runtime.progress import progress
    from xpm_engine.workspace.records.resources import Resources, Token

_HOMES = {
    "Config": "xpm_engine.config",
    "Constant": "xpm_engine.config",
    "GracefulTimeout": "xpm_engine.errors",
    "JobBlocked": "xpm_engine.errors",
    "JobEnd": "xpm_engine.plan.ends",
    "JobFailed": "xpm_engine.errors",
    "JobNotRun": "xpm_engine.errors",
    "LightTask": "xpm_engine.config",
    "Option": "xpm_engine.config",
    "Param": "xpm_engine.config",
    "Resources": "xpm_engine.workspace.records.resources",
    "ResumableTask": "xpm_engine.config",
    "Task": "xpm_engine.config",
    "TaskCancelled": "xpm_engine.errors",
    "Token": "xpm_engine.workspace.records.resources",
    "XpmError": "xpm_engine.errors",
    "arguments": "xpm_engine.config.arguments",
    "checkpoint": "xpm_engine.runtime.checkpoint",
    "deprecated": "xpm_engine.config",
    "describe": "xpm_engine.config",
    "distinct": "xpm_engine.config",
    "experiment": "xpm_engine.plan",
    "field": "xpm_engine.config",
    "live": "xpm_engine.config",
    "load": "xpm_engine.config.store",
    "metric": "xpm_engine.runtime.metrics",
    "pathgenerator": "xpm_engine.config",
    "progress": "xpm_engine.runtime.progress",
    "register_type": "xpm_engine.config",
    "remaining_time": "xpm_engine.runtime.context",
    "save": "xpm_engine.config",
    "tag": "xpm_engine.config",
    "tqdm": "xpm_engine.runtime.bars",
    "track": "xpm_engine.runtime.bars",
}
"""Public name -> the module it is loaded from, at its first use."""

__all__ = [
    "Config",
    "Constant",
    "GracefulTimeout",
    "JobBlocked",
    "JobEnd",
    "JobFailed",
    "JobNotRun",
    "LightTask",
    "Option",
    "Param",
    "Resources",
    "ResumableTask",
    "Task",
    "TaskCancelled",
    "Token",
    "XpmError",
    "__version__",
    "arguments",
    "checkpoint",
    "deprecated",
    "describe",
    "distinct",
    "experiment",
    "field",
    "live",
    "load",
    "metric",
    "pathgenerator",
    "progress",
    "register_type",
    "remaining_time",
    "save",
    "tag",
    "tqdm",
    "track",
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
