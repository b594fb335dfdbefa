"""What a plan does when jobs fail, and how it ends: the choices of `experiment`."""

from __future__ import annotations

import sys
from enum import Enum
from typing import TypeVar

from xpm_engine.config.problems import caller
from xpm_engine.errors import UsageError

INTERRUPTED = 130
"""Exit code of a plan that was interrupted, with jobs left running."""


class OnFailure(Enum):
    """What the end of the block does where jobs failed."""

    EXIT = "exit"
    """List them, and exit with code 1."""
    RAISE = "raise"
    """Raise FailedJobs."""
    RETURN = "return"
    """Nothing: `Experiment.failed` has them."""


class FailurePolicy(Enum):
    """What becomes of the other jobs when one has failed, for good."""

    CONTINUE = "continue"
    """All that does not depend on it is run."""
    DRAIN = "drain"
    """Nothing more is started; what runs is waited for."""
    STOP = "stop"
    """Nothing more is started, and the plan's running jobs are asked to stop."""


Choice = TypeVar("Choice", OnFailure, FailurePolicy)


def choose(kind: type[Choice], value: Choice | str, option: str) -> Choice:
    """The choice that an option of `experiment` names; raises UsageError."""
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(repr(choice.value) for choice in kind)
        raise UsageError(f"{option}={value!r} is none of {choices}", where=caller()) from None


def usual_on_failure() -> OnFailure:
    """Exit in a script, raise in a notebook and under pytest."""
    main = sys.modules.get("__main__")
    script = getattr(main, "__file__", None) is not None
    if not script or "pytest" in sys.modules or "ipykernel" in sys.modules:
        return OnFailure.RAISE
    return OnFailure.EXIT
