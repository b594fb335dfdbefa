"""What a task hands on: configurations that know the job which makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xpm_engine.config.containers import is_dict, is_list, is_tuple
from xpm_engine.config.graph import postorder
from xpm_engine.config.identifier import reference
from xpm_engine.config.node import STATE, Node, Phase, Producer, State, state_of
from xpm_engine.config.seal import seal
from xpm_engine.errors import DefinitionError

if TYPE_CHECKING:
    from xpm_engine.config.task import Task


def output_of(task: Task[Any], job: Producer) -> Any:
    """What the task's `output` returns, marked as made by its job; the same at every call."""
    state = state_of(task)
    if state.output is None:
        made = task.output()
        if made is None:
            raise DefinitionError(
                f"{type(task).__name__}.output() returned None",
                hint="return the configuration that the task hands on, or self",
            )
        state.output = _marked(task, made, job)
    return state.output


def _marked(task: Node, made: object, job: Producer) -> Any:
    """The output, through lists, tuples and dicts; what was sealed before is copied first."""
    if is_list(made):
        return [_marked(task, item, job) for item in made]
    if is_tuple(made):
        return tuple(_marked(task, item, job) for item in made)
    if is_dict(made):
        return {key: _marked(task, item, job) for key, item in made.items()}
    if not isinstance(made, Node) or made is task:
        return made
    if state_of(made).phase is not Phase.OPEN:
        return _marked_copy(made, job)
    nodes = postorder(made)
    for node in nodes:
        if state_of(node).phase is Phase.OPEN:
            state_of(node).producer = job
    seal(made, nodes)
    return made


def _marked_copy(made: Node, job: Producer) -> Node:
    """A sealed copy that is the job's: the original may be among the task's own parameters."""
    old = state_of(made)
    copy = made.__class__.__new__(made.__class__)
    copy.__dict__.update(made.__dict__)
    state = State(old.file, old.line)
    state.phase = Phase.SEALED
    state.producer = job
    state.distinct = old.distinct
    state.tags = old.tags
    state.before = old.before
    if old.digest is not None and old.resolved is not None:
        state.digest = reference(job.digest, old.digest)
        state.resolved = reference(job.resolved, old.resolved)
    copy.__dict__[STATE] = state
    return copy
