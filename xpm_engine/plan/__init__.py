"""Plans: what an experiment is to run, in which order, and its record of itself."""

from __future__ import annotations

from xpm_engine.plan.experiment import Experiment, OnFailure, experiment

__all__ = ["Experiment", "OnFailure", "experiment"]
