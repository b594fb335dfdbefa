"""The launchers of one plan: each made when it is first needed, and closed at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from xpm_engine.config.problems import caller, describe
from xpm_engine.config.submitting import SubmitOptions
from xpm_engine.config.task import Task
from xpm_engine.errors import RemoteError, UsageError
from xpm_engine.launchers.base import Handle, Launcher, missing_methods
from xpm_engine.launchers.choosing import launcher_names, named_launcher
from xpm_engine.plan.lane import Lane
from xpm_engine.workspace.layout import JobKey, JobPaths
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.resources import Resources
from xpm_engine.workspace.records.tickets import Attempt
from xpm_engine.workspace.settings import Settings


class Lanes:
    """A small table of launchers, by name or as they were given; from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lanes: list[Lane] = []
        self._lock = threading.RLock()
        self._heard: Callable[[JobKey], None] | None = None
        self._watched: list[tuple[JobKey, tuple[str, ...]]] = []

    def __iter__(self) -> Iterator[Lane]:
        return iter(tuple(self._lanes))

    def of(self, wanted: object) -> Lane:
        """The lane of a launcher, or of its name.

        Raises UsageError for what is no launcher, and for a name that xpm.toml does not have.
        """
        with self._lock:
            for lane in self._lanes:
                if wanted is lane.launcher or (isinstance(wanted, str) and wanted == lane.name):
                    return lane
            if isinstance(wanted, str):
                return self._add(named_launcher(wanted, self._settings))
            _check(wanted)
            return self._add(cast("Launcher", wanted))

    def choose(
        self, task: Task[Any], options: SubmitOptions, usual: Lane | None
    ) -> tuple[Lane, Resources]:
        """Where a task is to run, and what it needs: as its submit says, else as `usual`.

        Where neither says anything it is the first launcher that has what the task needs: this
        machine comes first, then the pools of xpm.toml, then its hosts. Raises UsageError for
        what no launcher is, or has; RemoteError where a host must be asked and can't be.
        """
        lane = usual if options.launcher is None else self.of(options.launcher)
        if lane is not None:
            return lane, lane.rules.choose(task, options)
        return self._that_fits(task, options)

    def _that_fits(self, task: Task[Any], options: SubmitOptions) -> tuple[Lane, Resources]:
        name, known = type(task).__name__, launcher_names(self._settings)
        lacks: list[str] = []
        silent: list[RemoteError] = []
        for each in known:
            try:
                lane = self.of(each)
                chosen = lane.rules.wish(task, options)
                lacking = lane.rules.lacking(name, chosen)
            except RemoteError as error:
                silent.append(error)
                continue
            if lacking is None or len(known) == 1:
                return lane, lane.rules.check(name, chosen)
            lacks.append(f"{each} has {lacking.there}, and it needs {lacking.wanted}")
        if silent:
            first = silent[0]
            what = f"{name} is for another host: {'; '.join(lacks)}; {first.what}"
            raise RemoteError(what, hint=first.hint)
        raise UsageError(
            f"{name} could never run anywhere: {'; '.join(lacks)}",
            hint="ask for less, or say in xpm.toml that there is more",
        )

    def knowing(self, name: str) -> Launcher | None:
        """Who can tell of what a launcher of that name was given, by a plan that is dead by now.

        None where xpm.toml does not know the name any more.
        """
        for lane in sorted(self, key=lambda lane: lane.name != name):
            if lane.launcher.knows(name):
                return lane.launcher
        try:
            return self.of(name).launcher
        except UsageError:
            return None

    def follow(self, job: JobPaths, attempt: Attempt) -> Launcher | None:
        """Have an attempt seen to that runs elsewhere and is mirrored here; by whom."""
        mirror = None if attempt.start is None else attempt.start.mirror
        launcher = None if mirror is None else self.knowing(mirror.of)
        return launcher if launcher is not None and launcher.follow(job, attempt) else None

    def cancel(self, handles: Sequence[Handle]) -> None:
        """Ask those to stop that are no processes of this machine."""
        for lane in self:
            lane.launcher.cancel([each for each in handles if each.launcher == lane.name])

    def why_waits(self, key: JobKey) -> Wait | None:
        """Why a job that was given to a launcher has not begun, where one knows."""
        return next((wait for lane in self if (wait := lane.launcher.why_waits(key))), None)

    def bring(self, key: JobKey, patterns: Sequence[str]) -> None:
        """Bring those files of a job as they appear, whoever has it or takes it over."""
        with self._lock:
            self._watched.append((key, tuple(patterns)))
            for lane in self._lanes:
                lane.launcher.bring(key, patterns)

    def listen(self, heard: Callable[[JobKey], None]) -> None:
        """Call `heard`, in any thread, when the tickets of a job were changed by a launcher."""
        with self._lock:
            self._heard = heard
            for lane in self._lanes:
                lane.launcher.listen(heard)

    def close(self) -> None:
        """Let go of everything; what was started goes on."""
        for lane in self:
            lane.close()

    def _add(self, launcher: Launcher) -> Lane:
        lane = Lane(launcher, self._settings.tokens, self._settings.resources)
        if self._heard is not None:
            launcher.listen(self._heard)
        for key, patterns in self._watched:
            launcher.bring(key, patterns)
        self._lanes.append(lane)
        return lane


def _check(wanted: object) -> None:
    """Raise UsageError for what is no launcher."""
    hint = "give one of xpm_engine.launchers, or the name of one in xpm.toml"
    if isinstance(wanted, type):
        hint = f"make one of it: launcher={wanted.__name__}()"
    elif not (lacking := missing_methods(wanted)):
        return
    elif len(lacking) < 5:
        hint = f"it lacks {', '.join(lacking)} of xpm_engine.launchers.base.Launcher"
    raise UsageError(f"{describe(wanted)} is no launcher", where=caller(), hint=hint)
