"""What a plan needs of a job's order, whether a task of this process or a record made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from xpm_engine.config.order import SharedFolder
from xpm_engine.config.submitting import SubmitOptions
from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.orders import StoredOrder
from xpm_engine.workspace.records.params import ParamsRecord, flatten
from xpm_engine.workspace.records.reasons import ReasonKind
from xpm_engine.workspace.records.resources import Resources
from xpm_engine.workspace.records.tickets import Retrying


class JobOrder(Protocol):
    """The order of one job; see `xpm_engine.config.order.Order`."""

    @property
    def key(self) -> JobKey: ...
    @property
    def resolved(self) -> str: ...
    @property
    def tags(self) -> Mapping[str, Any]: ...
    @property
    def dependencies(self) -> tuple[JobKey, ...]: ...
    @property
    def early(self) -> tuple[str, ...]: ...
    @property
    def shared(self) -> tuple[SharedFolder, ...]: ...
    @property
    def resumable(self) -> bool: ...
    @property
    def params(self) -> ParamsRecord: ...
    @property
    def flat(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class RebuiltOrder:
    """An order from what is stored of it: nothing of the user's is imported."""

    stored: StoredOrder

    @property
    def key(self) -> JobKey:
        return self.stored.key

    @property
    def resolved(self) -> str:
        return self.stored.resolved

    @property
    def tags(self) -> Mapping[str, Any]:
        return self.stored.tags

    @property
    def dependencies(self) -> tuple[JobKey, ...]:
        return self.stored.dependencies

    @property
    def early(self) -> tuple[str, ...]:
        return self.stored.early

    @property
    def shared(self) -> tuple[SharedFolder, ...]:
        return tuple(_shared_folder(text) for text in self.stored.shared)

    @property
    def resumable(self) -> bool:
        return self.stored.resumable

    @property
    def params(self) -> ParamsRecord:
        """Raises UnreadableError."""
        return ParamsRecord.from_json(self.stored.params, str(self.key))

    @property
    def flat(self) -> Mapping[str, Any]:
        """Raises UnreadableError."""
        return flatten(self.params)


def store_order(
    order: JobOrder, options: SubmitOptions, *, tags: Mapping[str, Any], launcher: str
) -> StoredOrder:
    """All that is to be kept of an order, so that it can be carried out without its plan."""
    return StoredOrder(
        key=order.key,
        params=order.params.to_json(),
        resolved=order.resolved,
        dependencies=order.dependencies,
        early=order.early,
        tags=dict(tags),
        resources={} if options.resources is None else options.resources.to_json(),
        launcher=launcher,
        resumable=order.resumable,
        shared=shared_names(order),
        retrying=retrying_of(options),
    )


def stored_options(stored: StoredOrder) -> SubmitOptions:
    """What its submit said; raises UnreadableError, UsageError."""
    retrying = stored.retrying
    resources = Resources.read(stored.resources, str(stored.key)) if stored.resources else None
    return SubmitOptions(
        resources=resources,
        retries=retrying.most,
        retry_on=retrying.kinds,
        priority=retrying.priority,
    )


def retrying_of(options: SubmitOptions) -> Retrying:
    """What a submit said about retries and priority, as records keep it."""
    kinds = options.retry_on
    return Retrying(
        options.retries, None if kinds is None else _kind_names(kinds), options.priority
    )


def shared_names(order: JobOrder) -> tuple[str, ...]:
    """``task/name/identifier`` of each folder that the job shares."""
    return tuple(f"{each.task}/{each.name}/{each.identifier}" for each in order.shared)


def _kind_names(kinds: Iterable[ReasonKind | str]) -> tuple[str, ...]:
    return (kinds,) if isinstance(kinds, str) else tuple(ReasonKind(kind).value for kind in kinds)


def _shared_folder(text: str) -> SharedFolder:
    parts = text.rsplit("/", 2)
    if len(parts) != 3:
        raise UnreadableError(f"{text!r} is no shared folder")
    return SharedFolder(*parts)
