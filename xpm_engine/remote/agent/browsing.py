"""A workspace for somebody who looks at it: what differs from what they know, and who lives.

What the asker knows is remembered here, for as long as the agent lives, so that a look at 100,000
jobs sends nothing but the differences.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, Iterator, List, Tuple

from xpm_engine.remote.agent.files import CHUNK, stamp_of
from xpm_engine.remote.agent.serving import Answer, Request
from xpm_engine.remote.agent.tree import open_folders, record_texts
from xpm_engine.remote.frames import Message
from xpm_engine.workspace import processes
from xpm_engine.workspace.footing import Footing
from xpm_engine.workspace.layout import (
    JobKey,
    WorkspacePaths,
    is_identifier,
    is_task_folder,
)
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.identity import ProcessIdentity

SLICE = 500
"""Jobs that are looked at in one slice."""

YOUNG_NS = 2 * 10**9
"""A stamp is trusted when it is older than this: the clock of a file system may be that coarse."""

FRESH_NS = 60 * 10**9
"""How long something may still be about to come into a folder that was made."""

Stamps = Dict[str, Dict[str, List[int]]]
"""Task -> identifier -> inode and time of the job's ``.xpm/``."""


def known(request: Request) -> Answer:
    """What the asker has seen already of a workspace: ``stamps`` {task: {identifier: stamp}}."""
    seen = _seen(request)
    for task, stamps in request.fields.mapping("stamps").items():
        seen.setdefault(task, {}).update(stamps)
    return {"jobs": sum(map(len, seen.values()))}


def changes(request: Request) -> Iterator[Message]:
    """The jobs that differ from what the asker has seen, which is told to be seen then.

    Those of `tasks` alone if they are given: ``folders`` of jobs that came or went, and no others.
    Parts: ``jobs`` as `tree.jobs` tells them, ``gone`` [[task, identifier], ...], and ``checked``,
    the share of the jobs that was looked at; ``closed`` [path, why] of a folder that can't be
    listed, in which nothing came or went. Of all of them the last part has ``tasks``, whose folders
    are there, empty or not. What was read while the folder of the workspace went away is not told:
    NotAWorkspaceError.
    """
    workspace = WorkspacePaths(request.fields.text("root"))
    footing = Footing(workspace.root)
    seen = _seen(request)
    only_new = "tasks" in request.fields.data
    closed: List[List[str]] = []
    all_tasks = [] if only_new else sorted(open_folders(workspace.jobs, closed))
    tasks = request.fields.texts("tasks") if only_new else all_tasks
    there = {
        task: list(filter(is_identifier, open_folders(f"{workspace.jobs}/{task}", closed)))
        for task in filter(is_task_folder, tasks)
    }
    unlisted = {path for path, _ in closed}
    gone = _gone(
        seen,
        there,
        all_tasks=not only_new,
        keep=lambda task: workspace.jobs in unlisted or f"{workspace.jobs}/{task}" in unlisted,
    )
    for folder in closed:
        yield Message({"closed": folder})
    if gone:
        footing.check()
        for task, identifier in gone:
            del seen[task][identifier]
        yield Message({"gone": gone})
    total = sum(map(len, there.values())) or 1
    rows: List[Any] = []
    fresh: List[Tuple[Dict[str, List[int]], str, List[int]]] = []
    size = looked = 0
    for task, identifiers in there.items():
        stamps = seen.setdefault(task, {})
        for identifier in identifiers:
            looked += 1
            if looked % SLICE == 0:
                # Other requests get their turn.
                yield Message({})
            if only_new and identifier in stamps:
                continue
            job = workspace.job(JobKey(task, identifier))
            stamp = stamp_of(job.xpm)
            if stamp is None:
                made = stamp_of(job.root)
                if made is not None and time.time_ns() - made[1] < FRESH_NS:
                    # Whoever made the folder is about to write what belongs in it.
                    rows.append([task, identifier, None, [], {}])
                continue
            if stamps.get(identifier) == stamp[:2]:
                continue
            names, texts = record_texts(job)
            old = time.time_ns() - stamp[1] > YOUNG_NS
            fresh.append((stamps, identifier, stamp[:2] if old else [0, 0]))
            rows.append([task, identifier, stamp, names, texts])
            size += sum(map(len, texts.values())) + 40 * (3 + len(names))
            if size > CHUNK:
                _note(footing, fresh)
                yield Message({"jobs": rows, "checked": looked / total})
                rows, size = [], 0
    _note(footing, fresh)
    last: Dict[str, Any] = {"jobs": rows, "checked": 1.0}
    if not only_new:
        last["tasks"] = list(there)
    yield Message(last)


def alive(request: Request) -> Answer:
    """Whether processes of this host live; ``processes`` [identity, ...].

    Answers ``alive`` [true, false or null for one that can't be told from here, ...].
    """
    told = {Liveness.ALIVE: True, Liveness.DEAD: False, Liveness.UNKNOWN: None}
    found = [
        processes.liveness(ProcessIdentity.read(Fields(data, "alive")))
        for data in request.fields.items("processes")
    ]
    return {"alive": [told[each] for each in found]}


def _note(footing: Footing, fresh: "List[Tuple[Dict[str, List[int]], str, List[int]]]") -> None:
    """These jobs are seen from now on, if what was read of them may be believed."""
    footing.check()
    for stamps, identifier, stamp in fresh:
        stamps[identifier] = stamp
    fresh.clear()


def _gone(
    seen: Stamps,
    there: "Dict[str, List[str]]",
    *,
    all_tasks: bool,
    keep: "Callable[[str], bool]",
) -> "List[List[str]]":
    """The jobs that were seen and are not there; none of the tasks to `keep`."""
    return [
        [task, identifier]
        for task in (seen if all_tasks else there)
        if not keep(task)
        for identifier in seen.get(task, {}).keys() - set(there.get(task, ()))
    ]


def _seen(request: Request) -> Stamps:
    memory: Dict[str, Stamps] = request.agent.seen
    return memory.setdefault(request.fields.text("root"), {})
