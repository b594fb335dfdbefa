"""A workspace in bulk: what its job folders and runs tell, as their files stand.

The asker reads the files as if they were here: no field of theirs is known in this module, but
that an ended attempt's summary says all that a list needs.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from xpm_engine.remote.agent.files import CHUNK, small, stamp_of
from xpm_engine.remote.agent.serving import Request
from xpm_engine.remote.frames import Message
from xpm_engine.workspace.footing import Footing
from xpm_engine.workspace.layout import (
    JobKey,
    JobPaths,
    WorkspacePaths,
    attempts_in,
    is_identifier,
    is_name,
    is_task_folder,
    list_folders,
)

MOST_TOLD = 2_000
"""Jobs of which it is remembered what was told; they are those that live."""

LIMIT = 1 << 17
"""Bytes of one record; a longer one is told by its name alone, and read by range."""


def jobs(request: Request) -> Iterator[Message]:
    """What the jobs of a workspace tell, all or those that are named; unchanged ones left out.

    `known` has the stamps that the asker has seen. Parts: ``jobs`` [[task, identifier, stamp of
    .xpm, names in it, {name: text}], ...]: the summary, the tickets of attempts without an end,
    alias and progress. A job that was named and is absent has a stamp of null; where all of the
    workspace went away meanwhile, nothing is told of it: NotAWorkspaceError. With `again` a text
    that this agent has told before, and that is as it was, is left out.
    """
    workspace = WorkspacePaths(request.fields.text("root"))
    footing = Footing(workspace.root)
    known = request.fields.mapping("known")
    named = request.fields.data.get("keys")
    keys = _all(workspace) if named is None else map(JobKey.parse, request.fields.texts("keys"))
    told = request.agent.told.setdefault(workspace.root, {})
    again = request.fields.flag("again") if "again" in request.fields.data else False
    rows: List[Any] = []
    size = 0
    for key in keys:
        job = workspace.job(key)
        stamp = stamp_of(job.xpm)
        if stamp is not None and known.get(str(key)) == stamp:
            continue
        names, texts = record_texts(job)
        news = _news(told, str(key), texts) if again else texts
        rows.append([key.task, key.identifier, stamp, names, news])
        size += sum(len(text or "") for text in news.values()) + 40 * (3 + len(names))
        if size > CHUNK:
            footing.check()
            yield Message({"jobs": rows})
            rows, size = [], 0
    if rows:
        footing.check()
        yield Message({"jobs": rows})


def runs(request: Request) -> Iterator[Message]:
    """The runs of all experiments; parts: ``experiment``, and its ``runs`` [[experiment, run,
    {name: stamp}], ...]; or ``closed`` [path, why] of a folder that can't be listed.

    Their files can be long, and are read with `read`, what was appended alone. NotAWorkspaceError
    where the workspace went away meanwhile: then these were not all.
    """
    workspace = WorkspacePaths(request.fields.text("root"))
    footing = Footing(workspace.root)
    closed: List[List[str]] = []
    for experiment in sorted(filter(is_name, open_folders(workspace.experiments, closed))):
        rows: List[Any] = []
        for run in sorted(filter(is_name, open_folders(workspace.experiment(experiment), closed))):
            folder = workspace.run(experiment, run).root
            names: List[str] = []
            with suppress(OSError):
                names = os.listdir(folder)
            rows.append([experiment, run, {name: stamp_of(f"{folder}/{name}") for name in names}])
        yield Message({"experiment": experiment, "runs": rows})
    for unlisted in closed:
        yield Message({"closed": unlisted})
    footing.check()


def open_folders(path: str, closed: "List[List[str]]") -> List[str]:
    """The names of the folders in a folder; one that can't be listed goes to `closed`, with why."""
    try:
        return list(list_folders(path))
    except OSError as error:
        closed.append([path, error.strerror or str(error)])
        return []


def _news(
    told: "Dict[str, Dict[str, bytes]]", key: str, texts: "Dict[str, str]"
) -> "Dict[str, Optional[str]]":
    """Those that were not told of this job, or are not as they were; null for one that is too long
    to be told again."""
    if len(told) > MOST_TOLD:
        told.clear()
    before = told.get(key, {})
    now = {name: hashlib.sha256(text.encode()).digest() for name, text in texts.items()}
    told[key] = now
    found: Dict[str, Optional[str]] = {name: None for name in before if name not in now}
    found.update((name, texts[name]) for name in now if before.get(name) != now[name])
    return found


def _all(workspace: WorkspacePaths) -> Iterator[JobKey]:
    for task in filter(is_task_folder, list_folders(workspace.jobs)):
        for identifier in filter(is_identifier, list_folders(f"{workspace.jobs}/{task}")):
            yield JobKey(task, identifier)


def record_texts(job: JobPaths) -> "Tuple[List[str], Dict[str, str]]":
    """The names in a job's ``.xpm/``, and the texts of the files that a list is made from."""
    try:
        names = os.listdir(job.xpm)
    except OSError:
        return [], {}
    return names, _texts(job.xpm, _wanted(job, names))


def _wanted(job: JobPaths, names: "List[str]") -> Iterator[str]:
    there = frozenset(names)
    for path in (job.summary, job.progress, job.alias, job.pin):
        if os.path.basename(path) in there:
            yield os.path.basename(path)
    attempts = attempts_in(names)
    for number, kinds in attempts.items():
        # An attempt that has ended is told by the summary, if that is of the same attempt; the
        # ends alone are short, and say it where the summary is stale.
        for kind in kinds if "end" not in kinds else ("end",):
            yield os.path.basename(job.ticket(number, kind))


def _texts(folder: str, names: "Iterable[str]") -> Dict[str, str]:
    found: Dict[str, str] = {}
    for name in names:
        data, _ = small(f"{folder}/{name}", LIMIT)
        if data is not None:
            found[name] = data.decode("utf-8", "replace")
    return found
