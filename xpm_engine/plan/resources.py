"""What a job needs, chosen from what was said where, and checked against what there is."""

from __future__ import annotations

from collections.abc import Mapping
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


class ResourceRules:
    """What holds in one run: what there is, and what a job needs that does not say so."""

    def __init__(
        self,
        capacity: Capacity,
        tokens: Mapping[str, int] | None = None,
        default: Resources = DEFAULT_RESOURCES,
    ) -> None:
        """`tokens` are those of the settings: name and count."""
        self._capacity = capacity
        self._tokens = dict(tokens or {})
        self._declared: dict[str, int] = {}
        self._default = default
        self._chosen = DEFAULT_RESOURCES
        """What was checked last: thousands of tasks need the same."""
        self.limits = self._limits()
        """What there is to share; replaced when a task brings a token along."""

    def choose(self, task: Task[Any], options: SubmitOptions) -> Resources:
        """What a task needs: as its submit says, else its class, else the settings.

        Raises UsageError for what can never be had here.
        """
        chosen = cast("object", options.resources or type(task).resources or self._default)
        return self.check(type(task).__name__, chosen)

    def check(self, name: str, chosen: object) -> Resources:
        """What a task of that name needs, if it can be had here; raises UsageError."""
        if not isinstance(chosen, Resources):
            raise UsageError(
                f"the resources of {name} are {chosen!r}",
                hint="write resources=Resources(cpus=2, memory='4GiB')",
            )
        if chosen is not self._chosen:
            self._declare(chosen.declared)
            self._check(name, chosen)
            self._chosen = chosen
        return chosen

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
            self.limits = self._limits()

    def _limits(self) -> Limits:
        tokens = {**self._tokens, **self._declared}
        return Limits(
            self._capacity.cores,
            self._capacity.memory,
            self._capacity.devices,
            tuple(sorted(tokens.items())),
        )

    def _check(self, name: str, chosen: Resources) -> None:
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
        amounts = self.limits.amounts()
        lacking = impossible(chosen.demand(), amounts)
        if lacking is not None:
            raise UsageError(
                f"{name} could never run: it needs "
                f"{_amount(lacking, dict(chosen.demand())[lacking])}, out of "
                f"{_amount(lacking, amounts[lacking])} in all",
                hint="ask for less, or say in xpm.toml that there is more "
                f"({'[tokens]' if lacking.kind is Kind.TOKEN else '[launchers.local]'})",
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
