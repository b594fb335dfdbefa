"""Every request there is, and who answers it: one more is one more line here.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import sys
from typing import Dict

from xpm_engine.remote.agent import (
    browsing,
    files,
    following,
    jobs,
    room,
    staging,
    starting,
    storing,
    sweeping,
    tree,
)
from xpm_engine.remote.agent.serving import Agent, Answer, Handler, Request


def _ping(request: Request) -> Answer:
    return {}


def _stop(request: Request) -> Answer:
    return {"was": request.agent.stop(request.fields.integer("of"))}


HANDLERS: Dict[str, Handler] = {
    "ping": _ping,
    "stop": _stop,
    "place": files.place,
    "list": files.listing,
    "walk": files.walk,
    "stat": files.stat_all,
    "read": files.read,
    "read_all": files.read_all,
    "sums": files.sums,
    "put": storing.put,
    "put_all": storing.put_all,
    "stage": staging.stage,
    "settle": staging.settle,
    "use": sweeping.use_all,
    "shipped": sweeping.told,
    "sweep": sweeping.sweep,
    "jobs": tree.jobs,
    "runs": tree.runs,
    "known": browsing.known,
    "changes": browsing.changes,
    "alive": browsing.alive,
    "follow": following.follow,
    "watch": following.watch,
    "reserve": room.reserve,
    "room": room.watch,
    "launch": jobs.launch,
    "has": jobs.has,
    "install": jobs.install,
    "probe": starting.probe,
    "find": jobs.find,
    "void": jobs.void,
    "kill": jobs.kill,
    "reap": jobs.reap,
}


def main(token: str, source: int, sink: int) -> None:
    """Serve one asker until it is gone."""
    # What anything else here may print must not come between the frames.
    sys.stdout = sys.stderr
    Agent(HANDLERS, source=source, sink=sink).serve(token)
