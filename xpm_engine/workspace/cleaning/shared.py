"""The folders of partial identifiers: which there are, and which jobs list them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.atomic import read_bytes
from xpm_engine.workspace.cleaning.needs import is_over
from xpm_engine.workspace.layout import (
    JobKey,
    WorkspacePaths,
    is_identifier,
    is_task_folder,
    list_folders,
)
from xpm_engine.workspace.records.tickets import lists_none
from xpm_engine.workspace.records.trash import Piece, PieceKind

Sharing = tuple[JobKey, Sequence[str] | None]
"""A job with the folders that it shares; None where only its orders say which."""


def list_shared(workspace: WorkspacePaths) -> Iterator[Piece]:
    """The shared folders that stand in the workspace, in no order."""
    if os.path.islink(workspace.shared):
        return
    for task in filter(is_task_folder, list(list_folders(workspace.shared))):
        for name in list(list_folders(f"{workspace.shared}/{task}")):
            for identifier in list(list_folders(f"{workspace.shared}/{task}/{name}")):
                if is_identifier(identifier):
                    yield Piece(PieceKind.SHARED, (task, name, identifier))


def users_of_shared(
    workspace: WorkspacePaths, known: Iterable[Sharing] | None = None
) -> dict[str, tuple[str, ...]]:
    """``task/name/identifier`` of a shared folder -> who lists it, or may.

    A job that has an attempt lists it there; one that waits, in the order that its run keeps until
    it is over. A job whose orders can't be read may list any of them: then it is named for all.
    `known` are the jobs that share any, where somebody has read them all; else every order is read.
    """
    found: dict[str, list[str]] = {}
    doubts: list[str] = []
    if known is None:
        known = ((key, None) for key in scan.list_jobs(workspace))
    for key, folders in known:
        try:
            for name in _listed_by(workspace, key) if folders is None else folders:
                found.setdefault(name, []).append(str(key))
        except UnreadableError as error:
            doubts.append(f"{error.where}: nobody knows whether its job")
    for experiment in scan.list_experiments(workspace):
        for run in scan.list_runs(workspace, experiment):
            paths = workspace.run(experiment, run)
            if is_over(paths):
                continue
            for order in scan.read_orders(paths).sharing():
                for name in order.shared:
                    found.setdefault(name, []).append(f"{order.key} of run {experiment}/{run}")
    unseen = scan.look_for_unseen(workspace)
    doubts += (f"{each}: nobody knows whether a job in it" for each in (*unseen.runs, *unseen.jobs))
    if doubts:
        for piece in list_shared(workspace):
            found.setdefault("/".join(piece.names), []).extend(doubts)
    return {name: tuple(users) for name, users in found.items()}


def _listed_by(workspace: WorkspacePaths, key: JobKey) -> tuple[str, ...]:
    """The shared folders that the last order of a job lists that is none of a cleaner's."""
    job = workspace.job(key)
    names = tickets.ticket_names(job)
    for number in sorted(names, reverse=True):
        try:
            if "launch" in names[number] and lists_none(read_bytes(job.launch(number))):
                continue
            attempt = tickets.read_attempt(job, number, names[number])
        except FileNotFoundError:
            return ()
        if not attempt.void and attempt.launch.shared:
            return attempt.launch.shared
    return ()
