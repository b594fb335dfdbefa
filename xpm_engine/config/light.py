"""LightTask: a small piece of work in the process of the task that needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from xpm_engine.config.base import Config
from xpm_engine.config.containers import is_sequence
from xpm_engine.config.graph import parameter_nodes, postorder
from xpm_engine.config.identifier import Hasher, digest_of
from xpm_engine.config.node import BEFORE, Node, Phase, schema_of, state_of
from xpm_engine.config.parameter import Parameter
from xpm_engine.config.problems import caller, describe
from xpm_engine.config.seal import check_complete
from xpm_engine.errors import ParameterError, SealedError, UsageError


class LightTask(Config):
    """Something small that a task's own process does, before the task's `execute`.

    ::

        class LoadWeights(LightTask):
            model: Param[Model]
            path: Param[Path]

            def execute(self) -> None:
                self.model.load(self.path)

        Evaluate(model=model).submit(before=[LoadWeights(model=model, path=learned.weights)])

    It works on the very objects that the task holds. It has no job and no folder of its own; what
    it is made of counts in the identifier of each task it is given to.
    """

    def execute(self) -> object:
        """Do the work, in the job's folder. What is returned is ignored; what is raised fails the
        job."""
        raise NotImplementedError(f"{type(self).__name__} does not define execute()")

    if not TYPE_CHECKING:

        def submit(self, *_: Any, **__: Any) -> NoReturn:
            raise UsageError(
                f"{type(self).__name__} is a light task and can't be submitted by itself",
                where=caller(),
                hint="give it to the task that needs it: task.submit(before=[...])",
            )


def attach(task: Node, before: object) -> None:
    """Let light tasks run before a task: what `submit(before=...)` was given.

    Raises ParameterError for anything else, SealedError where the task was submitted with others.
    """
    state = state_of(task)
    name = type(task).__name__
    if not is_sequence(before):
        raise ParameterError(
            f"{name}.submit({BEFORE}=...): expected a list of light tasks, got {describe(before)}",
            where=caller(),
            hint=f"write {BEFORE}=[...]",
        )
    for index, each in enumerate(before):
        if not isinstance(each, LightTask):
            raise ParameterError(
                f"{name}.submit(): {BEFORE}[{index}]: expected a LightTask, got {describe(each)}",
                where=caller(),
                hint="what another job makes is a parameter: give what its submit() returns",
            )
    if state.phase is Phase.OPEN:
        state.before = tuple(before)
    elif before and [digest_of(each) for each in before] != [digest_of(e) for e in state.before]:
        raise SealedError(
            f"{name} was submitted already, with other light tasks",
            where=caller(),
            hint="make another with copy(), and submit that one",
        )


def check_shared(task: Node) -> None:
    """Refuse a light task that holds an equal copy of what its task holds.

    It would work on an object that the task never sees, and no identifier would tell. Raises
    ParameterError; for what is missing too.
    """
    lights = state_of(task).before
    check_complete(task, postorder(task))
    own = {id(part) for held in parameter_nodes(task) for part in postorder(held)}
    hasher = Hasher()
    digests = {hasher.node(part) for held in parameter_nodes(task) for part in postorder(held)}
    for light in lights:
        for parameter in schema_of(light).settable.values():
            value = light.__dict__.get(parameter.name)
            if not isinstance(value, Node) or id(value) in own:
                continue
            digest = [hasher.node(part) for part in postorder(value)][-1]
            if digest in digests and not _is_default(parameter, value, hasher):
                raise ParameterError(
                    f"{type(light).__name__}.{parameter.name}: this {type(value).__name__} equals "
                    f"one that {type(task).__name__} holds, but is another object, "
                    f"which the task never sees",
                    where=state_of(light).where,
                    hint="give both the same object; distinct() says that two are meant",
                )


def _is_default(parameter: Parameter, value: Node, hasher: Hasher) -> bool:
    default = parameter.shared_default() if parameter.has_default else None
    return isinstance(default, Node) and hasher.node(default) == hasher.node(value)
