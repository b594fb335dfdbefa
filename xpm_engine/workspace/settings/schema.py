"""The frozen schema: what can be set, and what holds where nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from xpm_engine.workspace.records.resources import Resources
from xpm_engine.workspace.settings.hosts import CodeSettings, HostSettings

LOCAL = "local"
"""The launcher of this machine, as ``[launchers.local]`` and the tickets call it."""

DEFAULT_RESOURCES = Resources()
"""What a job needs where nothing is said: one core."""


class OnDrift(StrEnum):
    """What is done about a result that was made with other defaults than today's."""

    ERROR = "error"
    """Say so, and run nothing in its place."""
    RERUN = "rerun"
    """Move it to the trash, and run it again."""
    ACCEPT = "accept"
    """Use it as it is."""


@dataclass(frozen=True)
class DriftSettings:
    """``[drift]``"""

    policy: OnDrift = OnDrift.ERROR


@dataclass(frozen=True)
class LocalSettings:
    """``[launchers.local]``"""

    cores: int | None = None
    """How many single-core jobs run at a time on this machine; None: as many as it has cores."""
    memory: int | None = None
    """Bytes that its jobs may ask for together; None: all that it has."""
    gpus: int | None = None
    """How many GPUs they may use; None: all that it has."""


@dataclass(frozen=True)
class Best:
    """Which results of a task are the best: ``{metric = "mrr", keep = 3, lowest = false}``."""

    metric: str
    keep: int
    lowest: bool = False
    """Whether a low value is a good one."""


@dataclass(frozen=True)
class RetentionSettings:
    """``[retention]``; all but the trash's limits are policies, carried out only when asked for.

    They are so by ``xpm clean --policy``, or after each run where `after_run` says so.
    """

    trash_days: int = 14
    """Days that a clean can be undone; the next clean after that purges it. 0: for ever."""
    trash_size: int | None = None
    """Bytes that the trash may hold: beyond that the oldest cleans are purged; None: any."""
    keep_runs: int | None = None
    """Of each plan and its arguments the last runs that stay; None: all."""
    keep_best: Mapping[str, Best] = field(default_factory=dict[str, Best])
    """``[retention.keep_best]``: task -> which of its results stay."""
    drop_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """``[retention.drop_files]``: task, or ``*``, -> patterns of files that finished jobs lose."""
    pack_logs: int | None = None
    """Bytes from which on the logs of jobs that are over are packed; None: never."""
    after_run: bool = False
    """Whether the policies are carried out at the end of each complete run without a failure."""

    @property
    def has_policies(self) -> bool:
        """Whether any policy is set."""
        return bool(self.keep_runs or self.keep_best or self.drop_files) or (
            self.pack_logs is not None
        )


@dataclass(frozen=True)
class Settings:
    """All of it, merged."""

    drift: DriftSettings = field(default_factory=DriftSettings)
    local: LocalSettings = field(default_factory=LocalSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    resources: Resources = DEFAULT_RESOURCES
    """``[resources]``: what a job needs that does not say so itself."""
    code: CodeSettings = field(default_factory=CodeSettings)
    hosts: Mapping[str, HostSettings] = field(default_factory=dict[str, HostSettings])
    pools: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """``[launchers.NAME]`` with `hosts`: several hosts that jobs are spread over."""
    tokens: Mapping[str, int] = field(default_factory=dict[str, int])
    """``[tokens]``: counted names, and how many there are of each on this machine."""
