"""Task: a configuration that can be run."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast, overload

from xpm_engine.config.base import Config
from xpm_engine.config.light import LightTask, attach
from xpm_engine.config.node import state_of
from xpm_engine.config.order import order_of
from xpm_engine.config.outputs import output_of
from xpm_engine.config.paths import using_roots
from xpm_engine.config.problems import caller
from xpm_engine.config.submitting import SubmitOptions, Submitter, current_submitter
from xpm_engine.errors import UsageError
from xpm_engine.workspace.records.reasons import ReasonKind
from xpm_engine.workspace.records.resources import Resources


class Itself:
    """What a Task hands on by default: itself."""


if TYPE_CHECKING:
    from typing_extensions import TypeVar as DefaultTypeVar

    Output_co = DefaultTypeVar("Output_co", covariant=True, default=Itself)
    TaskOfItself = TypeVar("TaskOfItself", bound="Task[Itself]")
else:
    Output_co = TypeVar("Output_co", covariant=True)
    TaskOfItself = TypeVar("TaskOfItself")

O = TypeVar("O")  # noqa: E741 (the output, in one signature)


class Task(Config, Generic[Output_co]):
    """Something to run: `execute` is called once, in a process and a folder of its own.

    ``Task[Model]`` hands on a Model: what `output` returns.
    """

    _xpm_is_task: ClassVar[bool] = True

    resources: ClassVar[Resources | None] = None
    """What a job of this class needs while it runs, unless its `submit` says otherwise."""

    def execute(self) -> object:
        """Do the work; the working directory is the job's folder.

        What is returned reaches the plan: see `result`. It must be plain data: numbers, texts,
        lists, dicts, paths, …
        """
        raise NotImplementedError(f"{type(self).__name__} does not define execute()")

    def output(self) -> Output_co:
        """What `submit` returns, made in the plan from the sealed task; by default the task."""
        return cast("Output_co", self)

    @property
    def before(self) -> tuple[LightTask, ...]:
        """The light tasks that it was submitted with."""
        return cast("tuple[LightTask, ...]", state_of(self).before)

    @overload
    def submit(
        self: TaskOfItself,
        *,
        launcher: Any = None,
        resources: Resources | None = None,
        retries: int = 0,
        retry_on: Iterable[ReasonKind | str] | None = None,
        on_drift: Any = None,
        priority: int = 0,
        before: Sequence[LightTask] = (),
    ) -> TaskOfItself: ...

    @overload
    def submit(
        self: Task[O],
        *,
        launcher: Any = None,
        resources: Resources | None = None,
        retries: int = 0,
        retry_on: Iterable[ReasonKind | str] | None = None,
        on_drift: Any = None,
        priority: int = 0,
        before: Sequence[LightTask] = (),
    ) -> O: ...

    def submit(
        self,
        *,
        launcher: Any = None,
        resources: Resources | None = None,
        retries: int = 0,
        retry_on: Iterable[ReasonKind | str] | None = None,
        on_drift: Any = None,
        priority: int = 0,
        before: Sequence[LightTask] = (),
    ) -> Any:
        """Seal the task and hand it to the experiment around; returns what it hands on.

        The light tasks in `before` run in the task's process, in order, before its `execute`; they
        are part of its identifier. Raises ParameterError if a parameter is missing or invalid,
        UsageError outside of an experiment.
        """
        submitter = current_submitter.get()
        if submitter is None:
            raise UsageError(
                f"{type(self).__name__}.submit() needs an experiment",
                where=caller(),
                hint="call it inside `with experiment(workspace, name):`" + _of_threads(),
            )
        options = SubmitOptions(launcher, resources, retries, on_drift, priority, retry_on)
        roots = submitter.roots
        attach(self, before)
        order = order_of(self, roots)
        submitter.submit(self, order, options)
        state_of(self).submitter = submitter
        job = state_of(self).job
        assert job is not None
        with using_roots(roots):
            return output_of(self, job)

    def result(self, *, timeout: float | None = None) -> Any:
        """Wait until the job is over; what its `execute` returned, None for nothing.

        Raises JobFailed, JobBlocked, JobNotRun or DriftError where there is no result, TimeoutError
        after `timeout` seconds, UsageError for a task that was not submitted.
        """
        return self._submitter().result(self, timeout=timeout)

    def __await__(self) -> Generator[Any, None, Any]:
        """``await task`` is `result` for plans that are coroutines."""
        return self._submitter().result_later(self).__await__()

    def _submitter(self) -> Submitter:
        submitter = state_of(self).submitter
        if submitter is None:
            raise UsageError(
                f"{type(self).__name__} was not submitted, so it has no result",
                where=caller(),
                hint="call submit() inside `with experiment(workspace, name):`",
            )
        return cast("Submitter", submitter)


class ResumableTask(Task[Output_co]):
    """A task that goes on where its last attempt was stopped.

    A new attempt finds the files that the earlier ones left in the job's folder, instead of an
    empty one: `execute` looks there first. `checkpoint` writes such a file whole or not at all.
    """

    _xpm_is_resumable: ClassVar[bool] = True


def _of_threads() -> str:
    """What to do in a thread, which does not know by itself inside of which block it was made."""
    if threading.current_thread() is threading.main_thread():
        return ""
    return "; start a thread in it with contextvars.copy_context().run"
