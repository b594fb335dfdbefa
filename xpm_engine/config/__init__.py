"""Configurations: what a task is, in parameters that name it.

Read `base` first (Config), then `task`, then `identifier`. Everything here is light to import;
saving, loading and describing are imported when first used. `load` of a saved configuration is
`xpm_engine.load`, from `store`: here that name is the module that rebuilds a job's task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpm_engine.config.base import Config
from xpm_engine.config.fields import Constant, Option, Param, field, pathgenerator
from xpm_engine.config.former import deprecated
from xpm_engine.config.light import LightTask
from xpm_engine.config.registry import register_type
from xpm_engine.config.submitting import SubmitOptions, Submitter, current_submitter
from xpm_engine.config.tags import distinct, tag
from xpm_engine.config.task import ResumableTask, Task

if TYPE_CHECKING:
    from xpm_engine.config.adoption import former_identifiers
    from xpm_engine.config.docs import describe
    from xpm_engine.config.load import load_order
    from xpm_engine.config.store import live, save

_HOMES = {
    "describe": "xpm_engine.config.docs",
    "former_identifiers": "xpm_engine.config.adoption",
    "live": "xpm_engine.config.store",
    "load_order": "xpm_engine.config.load",
    "save": "xpm_engine.config.store",
}
"""Public name -> the module it is loaded from, at its first use."""

__all__ = [
    "Config",
    "Constant",
    "LightTask",
    "Option",
    "Param",
    "ResumableTask",
    "SubmitOptions",
    "Submitter",
    "Task",
    "current_submitter",
    "deprecated",
    "describe",
    "distinct",
    "field",
    "former_identifiers",
    "live",
    "load_order",
    "pathgenerator",
    "register_type",
    "save",
    "tag",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'xpm_engine.config' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)
