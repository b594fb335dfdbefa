"""Where a user's own settings and caches are, on every system.

Verbs also run on hosts that have nothing installed but a Python: without platformdirs it is where
the XDG directories have it.
"""

from __future__ import annotations

import os

APP_NAME = "xpm"
"""The folder of the user's own settings and caches."""


def users_settings(app: str) -> str:
    """The folder of a user's settings."""
    try:
        from platformdirs import user_config_dir
    except ImportError:
        return _xdg("XDG_CONFIG_HOME", ".config", app)
    return user_config_dir(app)


def users_caches(app: str) -> str:
    """The folder of a user's caches; where XDG_CACHE_HOME is set it holds on every system."""
    if os.path.isabs(os.environ.get("XDG_CACHE_HOME", "")):
        return _xdg("XDG_CACHE_HOME", ".cache", app)
    try:
        from platformdirs import user_cache_dir
    except ImportError:
        return _xdg("XDG_CACHE_HOME", ".cache", app)
    return user_cache_dir(app, appauthor=False)


def _xdg(name: str, usual: str, app: str) -> str:
    folder = os.environ.get(name, "")
    return os.path.join(folder if os.path.isabs(folder) else os.path.expanduser(f"~/{usual}"), app)
