"""One launcher in a plan: what may be asked of it, which jobs are ready for it, and their gate."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from xpm_engine.launchers.base import Launcher
from xpm_engine.plan.gate import Gate
from xpm_engine.plan.ready import ReadyQueue
from xpm_engine.plan.resources import ResourceRules
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.resources import Resources
from xpm_engine.workspace.settings import DEFAULT_RESOURCES


class Lane:
    """A launcher, and the jobs of the plan that are for it."""

    def __init__(
        self,
        launcher: Launcher,
        tokens: Mapping[str, int] | None = None,
        default: Resources = DEFAULT_RESOURCES,
    ) -> None:
        """`tokens` and `default` as in `ResourceRules`."""
        self.launcher = launcher
        self.ready = ReadyQueue()
        self._tokens, self._default = tokens, default
        self._gate: Gate | None = None

    @property
    def name(self) -> str:
        """What the tickets call the launcher."""
        return self.launcher.name

    @cached_property
    def rules(self) -> ResourceRules:
        """What its jobs may ask for; a host may have to be asked. Raises RemoteError."""
        capacity = self.launcher.capacity()
        name = "" if capacity.here else self.name
        return ResourceRules(capacity, self._tokens, self._default, launcher=name)

    def open(self, *, run: str, driver: ProcessIdentity) -> None:
        """Jobs are coming; raises StorageError where this machine's pool can't be used."""
        if self._gate is None:
            here = self.launcher.capacity().here
            self.ready.host = "" if here else self.name
            self._gate = Gate(self.ready, self.rules, here=here, run=run, driver=driver)

    @property
    def gate(self) -> Gate:
        """What its jobs pass, once they may come."""
        assert self._gate is not None
        return self._gate

    def close(self) -> None:
        """Let go of everything; what was started goes on."""
        self.launcher.close()
        if self._gate is not None:
            self._gate.close()
