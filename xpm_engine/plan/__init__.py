"""Plans: what an experiment is to run, in which order, and its record of itself."""

from __future__ import annotations

from xpm_engine.plan.experiment import Experiment, experiment
from xpm_engine.plan.policies import FailurePolicy, OnFailure

__all__ = ["Experiment", "FailurePolicy", "OnFailure", "experiment"]
