"""What the tickets of a job let a plan do next, as launchers see it."""

from __future__ import annotations

import os

from xpm_engine.launchers.base import LaunchOrder, Sight
from xpm_engine.plan.lanes import Lanes
from xpm_engine.workspace import claims, processes
from xpm_engine.workspace.claims import Look, Verdict
from xpm_engine.workspace.cleaning import recover
from xpm_engine.workspace.layout import JobPaths, workspace_of_job
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.tickets import Attempt

__all__ = ["Look", "Verdict", "look"]


def look(job: JobPaths, lanes: Lanes) -> Look:
    """What may be done about a job; see `claims.look` of the workspace. Raises UnreadableError."""

    def lost(attempt: Attempt) -> bool:
        launch = attempt.launch
        order = LaunchOrder(launch.key, job, attempt.number, launch.nonce, os.devnull)
        if processes.liveness(launch.driver) is not Liveness.DEAD:
            return False
        launcher = lanes.knowing(launch.launcher)
        return launcher is not None and launcher.find([order])[launch.nonce] is Sight.GONE

    return claims.look(job, lost=lost, recover=lambda: bool(recover(workspace_of_job(job.root))))
