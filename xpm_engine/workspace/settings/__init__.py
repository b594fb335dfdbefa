"""Settings: one frozen schema, read from the workspace's ``xpm.toml`` and the user's own file.

A call beats the command line beats the workspace's file beats the user's file beats the defaults.

- `schema`    what can be set
- `hosts`     the same of other machines
- `checking`  which settings there are, and which values each may have
- `values`    the checks of single values
- `file`      the files, with the lines of what is bad
"""

from __future__ import annotations

from xpm_engine.workspace.settings.file import load_settings
from xpm_engine.workspace.settings.hosts import CodeSettings, HostSettings
from xpm_engine.workspace.settings.schema import (
    DEFAULT_RESOURCES,
    LOCAL,
    Best,
    OnDrift,
    RetentionSettings,
    Settings,
)

__all__ = [
    "DEFAULT_RESOURCES",
    "LOCAL",
    "Best",
    "CodeSettings",
    "HostSettings",
    "OnDrift",
    "RetentionSettings",
    "Settings",
    "load_settings",
]
