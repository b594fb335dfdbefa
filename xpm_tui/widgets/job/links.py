"""What is linked with a job: its logs, the runs that reference it, the jobs around it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from rich.text import Text

from xpm_engine.workspace.layout import JobKey
from xpm_tui import look
from xpm_tui.store import (
    Job,
    JobSubject,
    LogSubject,
    RunKey,
    RunSubject,
    Store,
    Stream,
    Subject,
    pair,
)
from xpm_tui.widgets.job.overview_lines import job_state_text
from xpm_tui.widgets.table.fitted import FittedTable
from xpm_tui.widgets.table.model import Column


@dataclass(frozen=True)
class Link:
    """Something to go to."""

    kind: str
    """``log``, ``run``, ``result of``, ``needs``, ``needed by``."""
    name: str
    note: Text
    target: Subject


class Links(FittedTable[Link]):
    """A link a row; opening one goes there."""

    def __init__(self) -> None:
        super().__init__(lambda link: (link.kind, link.name), COLUMNS)


def links_of(store: Store, job: Job) -> tuple[Link, ...]:
    """The links of a job: logs, then runs, then jobs up and down."""
    paths = store.workspace.job(job.key)
    links: list[Link] = []
    for path, stream in ((paths.stdout_link, Stream.STDOUT), (paths.stderr_link, Stream.STDERR)):
        target = LogSubject(job.key, job.run, stream)
        links.append(
            Link("log", os.path.basename(path), Text(look.plain(store.told(path))), target)
        )
    for run in store.runs_of(job.key):
        links.append(
            Link("run", look.plain(str(run)), _tags_in(store, job.key, run), RunSubject(run))
        )
    if job.record.alias is not None:
        former = job.record.alias
        note = Text("has the result, under its former name", "xpm.faint")
        links.append(Link("result of", look.plain(str(former)), note, JobSubject(former)))
    for kind, keys in (("needs", job.dependencies), ("needed by", dependants(store, job.key))):
        for key in keys:
            other = store.job(key, store.home_of(key))
            title = store.title(other)
            name = look.plain(title if key.short in title else f"{title}  {key.short}")
            links.append(Link(kind, name, job_state_text(other), JobSubject(key)))
    return tuple(links)


def dependants(store: Store, key: JobKey) -> tuple[JobKey, ...]:
    """The jobs made from this one, in any run that references it; each once."""
    found: dict[JobKey, None] = {}
    for run in store.runs_of(key):
        found.update(dict.fromkeys(store.dependants(key, run)))
    return tuple(found)


def _tags_in(store: Store, key: JobKey, run: RunKey) -> Text:
    tags = store.job(key, run).tags
    words = " ".join(pair(name, value) for name, value in tags.items())
    return Text(look.plain(words), "xpm.tag")


COLUMNS: tuple[Column[Link], ...] = (
    Column("link", lambda link: Text(link.kind, "xpm.faint"), width=10),
    Column("to", lambda link: Text(link.name), lambda link: link.name, width=40),
    Column("what", lambda link: link.note, lambda link: link.note.plain, width=16, grows=True),
)
