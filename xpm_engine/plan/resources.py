"""What a job needs, chosen from what was said where, and checked against what there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast

from xpm_engine.config.submitting import SubmitOptions
from xpm_engine.config.task import Task
from xpm_engine.errors import UsageError
from xpm_engine.launchers.base import Capacity
from xpm_engine.words import plural
from xpm_engine.workspace.pool.sharing import Limits, impossible
from xpm_engine.workspace.records.resources import Kind, Resource, Resources
from xpm_engine.workspace.settings import DEFAULT_RESOURCES


@dataclass(frozen=True)
class Lacking:
    """Something of which a job needs more than there is."""

    resource: Resource
    needed: int
    most: int
    """The most that there is of it in one place."""

    @property
    def wanted(self) -> str:
        """``64 cores``"""
        return _amount(self.resource, self.needed)

    @property
    def there(self) -> str:
        """``2 cores``"""
        return _amount(self.resource, self.most)


class ResourceRules:
    """What holds in one run: what there is, and what a job needs that does not say so."""

    def __init__(
        self,
        capacity: Capacity,
        tokens: Mapping[str, int] | None = None,
        default: Resources = DEFAULT_RESOURCES,
        *,
        launcher: str = "",
    ) -> None:
        """`tokens` are those of the settings: name and count; `launcher` is whose capacity it is,
        empty for this machine's."""
        self._capacity = capacity
        self._places = capacity.members or (capacity,)
        """A job fits into one of them, or nowhere."""
        self._tokens = dict(tokens or {})
        self._declared: dict[str, int] = {}
        self._default = default
        self._launcher = launcher
        self._chosen = DEFAULT_RESOURCES
        """What was checked last: thousands of tasks need the same."""
        self.limits = self._limits(capacity)
        """What there is to share; replaced when a task brings a token along."""

    def choose(self, task: Task[Any], options: SubmitOptions) -> Resources:
        """What a task needs: as its submit says, else its class, else the settings.

        Raises UsageError for what can never be had here.
        """
        return self.check(type(task).__name__, self.wish(task, options))

    def wish(self, task: Task[Any], options: SubmitOptions) -> Resources:
        """The same, whether it can be had here or not; raises UsageError for what is none."""
        chosen = cast("object", options.resources or type(task).resources or self._default)
        if not isinstance(chosen, Resources):
            raise UsageError(
                f"the resources of {type(task).__name__} are {chosen!r}",
                hint="write resources=Resources(cpus=2, memory='4GiB')",
            )
        return chosen

    def check(self, name: str, chosen: Resources) -> Resources:
        """What a task of that name needs, if it can be had here; raises UsageError."""
        if chosen is not self._chosen:
            lacking = self.lacking(name, chosen)
            if lacking is not None:
                raise self._refusal(name, lacking)
            self._chosen = chosen
        return chosen

    def lacking(self, name: str, chosen: Resources) -> Lacking | None:
        """What can never be had here; raises UsageError for tokens that nobody counts."""
        self._declare(chosen.declared)
        self._check_tokens(name, chosen)
        demand, most = chosen.demand(), None
        for place in self._places:
            amounts = self._limits(place).amounts()
            resource = impossible(demand, amounts)
            if resource is None:
                return None
            found = Lacking(resource, dict(demand)[resource], amounts[resource])
            most = found if most is None or found.most > most.most else most
        return most

    def _declare(self, tokens: Mapping[str, int]) -> None:
        for name, count in tokens.items():
            known = self._declared.setdefault(name, count)
            if known != count:
                raise UsageError(
                    f"Token({name!r}, {count}): another task of this plan says Token({name!r}, "
                    f"{known})",
                    hint="make the token once, and give it to both",
                )
        if tokens:
            self.limits = self._limits(self._capacity)

    def _limits(self, place: Capacity) -> Limits:
        tokens = {**self._tokens, **self._declared}
        return Limits(place.cores, place.memory, place.devices, tuple(sorted(tokens.items())))

    def _check_tokens(self, name: str, chosen: Resources) -> None:
        known = dict(self.limits.tokens)
        for token in chosen.named:
            if token not in known:
                near = get_close_matches(token, known, n=1)
                guess = f"did you mean {near[0]!r}? else " if near else ""
                raise UsageError(
                    f"{name} needs the token {token!r}, and nothing says how many there are",
                    hint=f"{guess}write `{token} = 1` under [tokens] in xpm.toml, "
                    f"or give Token({token!r}, 1) instead of its name",
                )

    def _refusal(self, name: str, lacking: Lacking) -> UsageError:
        who = f"{name} could never run{f' on {self._launcher}' if self._launcher else ''}"
        where = "on one host" if len(self._places) > 1 else "in all"
        table = f"[hosts.{self._launcher}]" if self._launcher else "[launchers.local]"
        if lacking.resource.kind is Kind.TOKEN:
            table = "[tokens]"
        elif len(self._places) > 1:
            table = "the hosts' own tables"
        return UsageError(
            f"{who}: it needs {lacking.wanted}, out of {lacking.there} {where}",
            hint=f"ask for less, or say in xpm.toml that there is more ({table})",
        )


def _amount(resource: Resource, count: int) -> str:
    match resource.kind:
        case Kind.TOKEN:
            return f"{count} of the token {resource.token!r}"
        case Kind.MEMORY:
            return f"{count / 1024**3:.3g} GiB of memory"
        case Kind.GPU:
            return plural(count, "GPU") if count else "no GPU"
        case Kind.CPU:
            return plural(count, "core")
