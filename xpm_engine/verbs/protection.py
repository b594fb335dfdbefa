"""Workspaces in which nothing may be changed: what a read-only viewer promises, kept by the verbs.

A viewer that forgot to ask is refused here, before anything is read or written.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from xpm_engine.errors import UsageError
from xpm_engine.workspace.layout import WorkspacePaths

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_protected: list[str] = []
"""The roots, once for every protection that goes on in this process."""


@contextmanager
def protect(workspace: WorkspacePaths) -> Generator[None]:
    """Let no verb of this process change the workspace meanwhile."""
    _protected.append(workspace.root)
    try:
        yield
    finally:
        _protected.remove(workspace.root)


def check_may_change(workspace: WorkspacePaths) -> None:
    """Raises UsageError where the workspace is protected."""
    if workspace.root in _protected:
        raise UsageError("it was opened read-only: nothing is changed", where=workspace.root)


def changing(
    verb: Callable[Concatenate[WorkspacePaths, Arguments], Result],
) -> Callable[Concatenate[WorkspacePaths, Arguments], Result]:
    """A verb that changes its workspace, and refuses to where that is protected."""

    @wraps(verb)
    def checked(
        workspace: WorkspacePaths, /, *arguments: Arguments.args, **options: Arguments.kwargs
    ) -> Result:
        check_may_change(workspace)
        return verb(workspace, *arguments, **options)

    return checked
