"""Plans: what an experiment is to run, in which order, and its record of itself.

- `experiment`  the block in which tasks are submitted; `closing`: its end; `results`, `ends`,
                `watching`: what it asks of its jobs meanwhile
- `scheduler`   the thread behind it: `admission` lets jobs in, `board` knows what waits for what,
                `bringing` keeps back what needs a result of another host, `dispatch` has jobs
                launched (`launching`) and follows them to their end
- `lanes`       the launchers of a plan; `lane`: one of them; `ready`: whose turn it is there,
                `gate`: how many pass
- `node`, `orders`, `resources`, `policies`, `retrying`  one job, and what it was told to be run by
- `claims`, `drift`, `adoption`  what its tickets, other defaults and former names mean for it
- `run`, `environment`, `retaining`  the record of the run, and what is done at its end
- `report`, `interrupts`, `streams`  what a person is told, and says
- `script`, `reach`, `preview`  a plan's file: run, read by its jobs, read by `xpm plan`
- `retry`       a run of its own for orders that are stored
- `watch`       noticing that processes end
"""

from __future__ import annotations

from xpm_engine.plan.experiment import Experiment, experiment
from xpm_engine.plan.policies import FailurePolicy, OnFailure

__all__ = ["Experiment", "FailurePolicy", "OnFailure", "experiment"]
