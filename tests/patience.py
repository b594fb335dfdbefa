"""How long a test waits for what should happen: a busy machine is no fault of a test."""

from __future__ import annotations

PATIENCE = 60.0
"""Seconds before a thing that should happen counts as not happening."""
