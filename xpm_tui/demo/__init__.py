"""The demo: a little experiment that is shown, copied and run; no screen is loaded here."""

from __future__ import annotations

from xpm_tui.demo.files import FOLDER, LOG, PLAN, TASKS, WORKSPACE, write_demo
from xpm_tui.demo.process import start_demo

__all__ = ["FOLDER", "LOG", "PLAN", "TASKS", "WORKSPACE", "start_demo", "write_demo"]
