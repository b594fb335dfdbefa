"""One host of a plan: its connection, and the way of each job through it.

Three threads, each with a queue: one ships and asks, one writes what comes back, one fetches
results. A job is in one of them at a time. What a cut connection interrupts is parked, and asked
again, by nonce, when there is one.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from xpm_engine.errors import (
    LaunchError,
    RefusedError,
    RemoteError,
    StorageError,
    UnreachableError,
    UnreadableError,
    XpmError,
)
from xpm_engine.launchers.bundle import Bundle, code_bundle, engine_bundle
from xpm_engine.launchers.ssh import shipping
from xpm_engine.launchers.ssh.fetching import fetch
from xpm_engine.launchers.ssh.mirror import JobMirror
from xpm_engine.launchers.ssh.work import Phase, Work
from xpm_engine.remote.connection import Connection
from xpm_engine.remote.frames import Message
from xpm_engine.remote.link import Dial, Link
from xpm_engine.remote.openssh import connect, parse_destination
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import dumps, read_object, write_atomic
from xpm_engine.workspace.hosts import CodeSettings, HostSettings
from xpm_engine.workspace.layout import JobKey, WorkspacePaths, workspace_of_job
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.mirror import Fetched, MirrorState
from xpm_engine.workspace.records.params import CodeRecord, ParamsRecord
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind
from xpm_engine.workspace.records.tickets import Attempt, End, Start

TICK = 1.0
"""Seconds between two looks at what waits for no message: deaths without a word, lost orders."""

REAP = 4.0
"""Seconds between two questions whether what runs there still lives."""

REFRESH = 30.0
"""Seconds between two notes that what is mirrored is true."""

MOST_TRIES = 3
"""Times that an order may be started there without a start to be seen."""

PATIENCE_TO_START = 5.0
"""Seconds after which an order without a start is asked for again."""

OLDEST = (3, 11)
"""The Python that a job's process needs."""


@dataclass
class _Place:
    """What is known of the host in one connection."""

    connection: Connection
    root: str
    engine: str
    python: tuple[str, ...]
    bundles: dict[str, str] = field(default_factory=dict[str, str])
    """Id of a bundle -> its folder there."""
    upstream: set[JobKey] = field(default_factory=set[JobKey])
    """Results that are there."""


class Host:
    """One host, for one plan."""

    def __init__(
        self,
        name: str,
        settings: HostSettings,
        code: CodeSettings,
        *,
        over: Callable[[Work], None],
        changed: Callable[[JobKey], None],
        log: Callable[[str], None],
        dial: Dial | None = None,
    ) -> None:
        """`changed` hears of each change of a job's tickets, `over` when a job has left."""
        destination = parse_destination(settings.host)
        self.name = name
        self.settings = settings
        self._code = code
        self._over, self._changed, self._log = over, changed, log

        def ssh(suspicious: bool) -> Connection:
            return connect(destination, suspicious=suspicious)

        self.link = Link(name, dial or ssh, up=self._up, down=self._down)
        self._todo: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._parts: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._works: dict[str, Work] = {}
        self._mirrors: dict[str, JobMirror] = {}
        self._asked: dict[str, float] = {}
        self._place: _Place | None = None
        self._bundles: dict[bytes, Bundle] = {}
        self._reap_at = self._refresh_at = 0.0
        self._started = self._closed = False
        self._threads = [
            threading.Thread(target=self._loop, args=(items, tick), name=f"xpm-{name}", daemon=True)
            for items, tick in (
                (self._todo, self._tick),
                (self._parts, None),
                (self._results, None),
            )
        ]

    def start(self) -> Host:
        """Connect, and begin; once."""
        if self._started:
            return self
        self._started = True
        self.link.start()
        for thread in self._threads:
            thread.start()
        return self

    def take(self, work: Work) -> None:
        """See to a job, from any thread."""
        self.start()
        self._works[work.launch.nonce] = work
        self._todo.put(lambda: self._advance(work))

    def has(self, nonce: str) -> bool:
        """Whether it sees to the order with this nonce."""
        return nonce in self._works

    def kill(self, nonce: str) -> None:
        """Ask a job to stop."""
        work = self._works.get(nonce)
        if work is not None:
            work.kill = True
            self._todo.put(lambda: self._kill(work))

    def close(self) -> None:
        """Let go; what runs there goes on."""
        self._closed = True
        if not self._started:
            return
        self.link.close()
        queues = (self._todo, self._parts, self._results)
        for items, thread in zip(queues, self._threads, strict=True):
            items.put(None)
            thread.join(10.0)
        for work in self._works.values():
            _release(work)

    def _loop(
        self,
        items: queue.SimpleQueue[Callable[[], None] | None],
        tick: Callable[[], None] | None,
    ) -> None:
        due = time.monotonic() + TICK
        while not self._closed:
            item: Callable[[], None] | None = None
            try:
                item = items.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                due = time.monotonic() + TICK
                item = tick
            if item is not None and not self._closed:
                try:
                    item()
                except Exception as error:  # noqa: BLE001 (the next job must not wait for ever)
                    self._log(f"{self.name}: {type(error).__name__}: {error}")
            if tick is not None and time.monotonic() > due:
                due = time.monotonic() + TICK
                with suppress(XpmError):
                    tick()

    # In the link's thread

    def _up(self, connection: Connection) -> None:
        self._log(f"connected to {self.name} ({connection.hello.host})")
        if abs(connection.hello.skew) > 5:
            self._log(f"the clock of {self.name} is off by {connection.hello.skew:+.0f} s")
        self._todo.put(self._resume)

    def _down(self, error: XpmError) -> None:
        self._log(f"no connection to {self.name}: {error.what}")

    # In the thread that ships and asks

    def _resume(self) -> None:
        """There is a connection again: go on with everything."""
        self._reap_at = 0.0
        for work in list(self._works.values()):
            self._advance(work)

    def _tick(self) -> None:
        clock = time.monotonic()
        if clock >= self._reap_at:
            self._reap_at = clock + REAP
            self._reap()
        refresh = clock >= self._refresh_at
        if refresh:
            self._refresh_at = clock + REFRESH
        for work in list(self._works.values()):
            if work.phase is Phase.SENT or (work.phase is Phase.FOLLOWED and not work.subscription):
                self._advance(work)
            elif work.phase is Phase.FOLLOWED and not work.started:
                if clock > self._asked.get(work.launch.nonce, 0.0) + PATIENCE_TO_START:
                    self._ask_again(work)
            elif work.phase is Phase.FOLLOWED and refresh:
                self._parts.put(partial(self._refresh, work))

    def _advance(self, work: Work) -> None:
        """Take a job as far as it can be taken now."""
        try:
            connection = self.link.connection()
        except XpmError as error:
            if isinstance(error, RefusedError) and work.phase is Phase.NEW:
                self._give_up_here(work, error)
            return
        try:
            if work.phase in (Phase.NEW, Phase.SENT):
                self._send(work, self._known(connection))
            elif work.phase is Phase.FOLLOWED:
                self._follow(work, connection)
        except UnreachableError as error:
            self._log(f"{self.name}: {work.key} waits for the connection: {error.what}")
        except XpmError as error:
            self._give_up(work, connection, error)

    def _known(self, connection: Connection) -> _Place:
        """The host's facts, asked once a connection."""
        if self._place is not None and self._place.connection is connection:
            return self._place
        settings = self.settings
        found = connection.ask("place", path=settings.workspace)
        workspace = WorkspacePaths(found["path"])
        python = _python(settings)
        probed = connection.ask("probe", python=python, engine="", patience=60.0)
        if "fault" in probed:
            raise RefusedError(
                f"{self.name}: its Python can't be started: {probed['fault']}",
                hint=f"check `python` and `activate` under [hosts.{self.name}] in xpm.toml; "
                f"xpm doctor ssh {self.name}",
            )
        if tuple(probed["version"][:2]) < OLDEST:
            version = ".".join(map(str, probed["version"]))
            raise RefusedError(
                f"{self.name}: {probed['executable']} is Python {version}, and 3.11 is needed",
                hint=f"set `python` or `activate` under [hosts.{self.name}] in xpm.toml",
            )
        if settings.shared:
            engine = os.path.dirname(engine_bundle().roots[0][0] + "/")
        else:
            engine = shipping.put_bundle(connection, engine_bundle(), workspace)
        self._place = _Place(connection, workspace.root, engine, python)
        return self._place

    def _send(self, work: Work, place: _Place) -> None:
        """Give an order to the host, or find out what became of it there."""
        connection, there = place.connection, WorkspacePaths(place.root)
        order = work.launch
        if not self.settings.shared:
            record = ParamsRecord.from_json(order.params, str(work.key))
            bundle = self._bundle(record.code, work)
            shipping.check_platform(bundle, connection.hello.platform, self.name)
            if bundle.identifier not in place.bundles:
                place.bundles[bundle.identifier] = shipping.put_bundle(connection, bundle, there)
            code = bundle.moved(record.code, place.bundles[bundle.identifier])
            order = shipping.order_for(order, code, paths=self.settings.paths, host=self.name)
            here = workspace_of_job(work.job.root)
            for key in order.dependencies:
                if key not in place.upstream:
                    shipping.put_upstream(connection, here, there, key, self.name)
                    place.upstream.add(key)
        if work.phase is Phase.NEW:
            # Before anything is said about it: where to ask, for a plan that is started later.
            self._note_host(work)
            work.phase = Phase.SENT
        answer = self._ask_launch(work, place, order.to_json())
        self._answered(work, connection, answer)

    def _ask_launch(self, work: Work, place: _Place, order: dict[str, Any]) -> Any:
        self._asked[work.launch.nonce] = time.monotonic()
        return place.connection.ask(
            "launch",
            root=place.root,
            launch=order,
            python=place.python,
            engine=place.engine,
            warm=True,
            patience=300.0,
        )

    def _ask_again(self, work: Work) -> None:
        """An order without a start: its process may have ended before it came to that."""
        work.tries += 1
        try:
            connection = self.link.connection()
            if work.tries >= MOST_TRIES:
                said = _last_lines(connection, WorkspacePaths(self._known(connection).root))
                error = LaunchError(f"{self.name}: its process ended before it started: {said}")
                self._give_up(work, connection, error)
                return
            if work.subscription is not None:
                work.subscription.stop()
            work.subscription, work.phase = None, Phase.SENT
            self._send(work, self._known(connection))
        except UnreachableError:
            return
        except XpmError as error:
            self._log(f"{self.name}: {work.key}: {error}")

    def _answered(self, work: Work, connection: Connection, answer: Any) -> None:
        """What the host says of an order: follow it, give it up, or ask again later."""
        state = answer["state"]
        if state == "cleaning":
            return
        resolved = answer.get("resolved")
        if resolved and work.launch.resolved and resolved != work.launch.resolved:
            raise LaunchError(
                f"{self.name} has {work.key} with other defaults than this plan's",
                hint=f"clean it there: xpm clean on {self.name}:{self.settings.workspace}",
            )
        start = answer.get("start")
        if start is not None and start.get("void"):
            self._void(work, f"cancelled on {self.name}: {start.get('why', '')}")
            return
        if self.settings.shared:
            # Its tickets are the very files of this workspace: there is nothing to mirror.
            work.phase = Phase.FOLLOWED
            work.started = start is not None
            work.far_attempt, work.far_nonce = answer["attempt"], answer["nonce"]
            return
        work.far_attempt, work.far_nonce = answer["attempt"], answer["nonce"]
        work.phase = Phase.FOLLOWED
        self._follow(work, connection)

    def _follow(self, work: Work, connection: Connection) -> None:
        """Listen to what the job does there, if nobody else on this machine does."""
        if self.settings.shared or work.subscription is not None:
            return
        if not work.far_attempt and not self._find_again(work, connection):
            return
        if work.lock is None:
            work.lock = tickets.take_lock(work.job, patience=0.0)
        if work.lock is None:
            if _has_ended(work):
                self._leave(work)
            return
        if _has_ended(work):
            self._leave(work)
            return
        mirror = JobMirror(work, self.name)
        self._mirrors[work.launch.nonce] = mirror
        place = self._known(connection)
        work.subscription = connection.subscribe(
            "follow",
            lambda part: self._parts.put(lambda: self._take(work, mirror, part)),
            lambda error: self._parts.put(lambda: self._unheard(work, mirror, error)),
            folder=WorkspacePaths(place.root).job(work.key).xpm,
            files=mirror.files(),
        )
        if work.kill:
            self._kill(work)

    def _find_again(self, work: Work, connection: Connection) -> bool:
        """Where an attempt is there that an earlier plan started; by the nonce it had there."""
        path = work.job.mirror(work.attempt)
        try:
            state = MirrorState.from_json(read_object(path), path)
            work.far_attempt, work.far_nonce = state.attempt, state.nonce
        except (FileNotFoundError, UnreadableError):
            place = self._known(connection)
            asked = [[str(work.key), work.launch.nonce]]
            (found,) = connection.ask("find", root=place.root, jobs=asked)["found"]
            if found is not None:
                work.far_attempt, work.far_nonce = found["attempt"], found["nonce"]
        return work.far_attempt > 0

    def _reap(self) -> None:
        """Ask whether what runs there lives: who was killed outright says nothing himself."""
        asked = [
            work
            for work in self._works.values()
            if work.phase is Phase.FOLLOWED and work.started and work.far_attempt
        ]
        if not asked:
            return
        connection = self.link.connection()
        place = self._known(connection)
        jobs = [[str(work.key), work.far_attempt, work.far_nonce] for work in asked]
        answers = connection.ask("reap", root=place.root, jobs=jobs)["reaped"]
        for work, answer in zip(asked, answers, strict=True):
            if self.settings.shared and answer in ("ended", "died", "gone"):
                self._leave(work)
            elif answer == "gone":
                text = f"its folder on {self.name} is gone, and with it what it had done"
                end = _died(work, Reason(ReasonKind.HOST_GONE, text))
                self._parts.put(partial(self._finish, work, end))

    def _kill(self, work: Work) -> None:
        try:
            connection = self.link.connection()
            place = self._known(connection)
            if work.phase is Phase.NEW:
                self._void(work, f"cancelled by {processes.user_name()} before it started")
            elif work.far_attempt:
                jobs = [[str(work.key), work.far_attempt]]
                user = processes.user_name()
                connection.ask("kill", root=place.root, jobs=jobs, user=user)
                work.kill = False
        except XpmError as error:
            self._log(f"{self.name}: {work.key} can't be stopped now: {error.what}")

    def _give_up(self, work: Work, connection: Connection, error: XpmError) -> None:
        """An order that can't be followed: it must never start there, and then it is void here."""
        self._log(f"{self.name}: {work.key}: {error}")
        if work.phase is Phase.NEW:
            self._void(work, str(error))
            return
        if work.started:
            return
        try:
            place = self._known(connection)
            answer = connection.ask(
                "void",
                root=place.root,
                launch=work.launch.to_json(),
                user=processes.user_name(),
                why=error.what,
            )
            if answer["state"] == "void":
                self._void(work, str(error))
        except UnreachableError:
            return
        except XpmError as worse:
            # A host that can't even say so: whether the order is there can't be known.
            self._log(f"{self.name}: {work.key} can't be given up: {worse.what}")

    def _give_up_here(self, work: Work, error: XpmError) -> None:
        self._void(work, str(error))

    def _void(self, work: Work, why: str) -> None:
        """The order will not start anywhere: say so here."""
        attempt = Attempt(work.attempt, work.launch)
        if tickets.void(work.job, attempt, user=processes.user_name(), why=why):
            self._leave(work)

    def _note_host(self, work: Work) -> None:
        write_atomic(work.job.mirror(work.attempt), dumps(MirrorState(self.name).to_json()))

    def _bundle(self, code: CodeRecord, work: Work) -> Bundle:
        known = dumps(code.to_json())
        bundle = self._bundles.get(known)
        if bundle is None:
            bundle = self._bundles[known] = code_bundle(
                code,
                skip=(workspace_of_job(work.job.root).root,),
                include=self._code.include,
                exclude=self._code.exclude,
            )
        return bundle

    # In the thread that writes what comes back

    def _take(self, work: Work, mirror: JobMirror, part: Message) -> None:
        if work.phase is not Phase.FOLLOWED or self._mirrors.get(work.launch.nonce) is not mirror:
            return
        try:
            if mirror.take(part.body, part.data):
                self._changed(work.key)
        except (StorageError, UnreadableError) as error:
            # Told again from where it stands, when there is room.
            self._log(f"{self.name}: {work.key}: {error}")
            self._unhear(work)
            return
        if work.kill:
            self._todo.put(lambda: self._kill(work))
        if work.end is not None:
            work.phase = Phase.FETCHING
            self._results.put(lambda: self._fetch(work))

    def _unheard(self, work: Work, mirror: JobMirror, error: XpmError | None) -> None:
        """The listening has ended: with the job, or with the connection."""
        if self._mirrors.get(work.launch.nonce) is not mirror:
            return
        work.subscription = None
        if error is not None and not isinstance(error, UnreachableError):
            self._log(f"{self.name}: {work.key}: {error}")

    def _unhear(self, work: Work) -> None:
        if work.subscription is not None:
            work.subscription.stop()
        work.subscription = None

    def _refresh(self, work: Work) -> None:
        mirror = self._mirrors.get(work.launch.nonce)
        if mirror is not None and work.phase is Phase.FOLLOWED and self.link.error is None:
            mirror.refresh()

    def _finish(self, work: Work, end: End) -> None:
        """The end here: the result is here, as far as it was asked for."""
        mirror = self._mirrors.get(work.launch.nonce)
        if mirror is None or work.phase is Phase.OVER:
            return
        try:
            mirror.finish(self._here(end))
        except StorageError as error:
            self._log(f"{self.name}: {work.key}: {error}")
            time.sleep(TICK)
            self._parts.put(lambda: self._finish(work, end))
            return
        self._leave(work)

    def _here(self, end: End) -> End:
        """An end with the user's files where they are on this machine."""
        reason = end.reason
        frame = None if reason is None else reason.frame
        if reason is None or frame is None:
            return end
        place = self._place
        for bundle in self._bundles.values():
            folder = None if place is None else place.bundles.get(bundle.identifier)
            for root, inside in bundle.roots:
                prefix = f"{folder}/{inside}/"
                if folder is not None and frame.file.startswith(prefix):
                    file = f"{root}/{frame.file[len(prefix) :]}"
                    return replace(end, reason=replace(reason, frame=replace(frame, file=file)))
        return end

    def _leave(self, work: Work) -> None:
        """This plan has nothing more to do about it."""
        work.phase = Phase.OVER
        self._unhear(work)
        _release(work)
        self._works.pop(work.launch.nonce, None)
        self._mirrors.pop(work.launch.nonce, None)
        self._asked.pop(work.launch.nonce, None)
        self._over(work)
        self._changed(work.key)

    # In the thread that fetches

    def _fetch(self, work: Work) -> None:
        """Bring what was asked for of a result, then record the end."""
        end = work.end
        assert end is not None
        if end.outcome is not Outcome.DONE:
            self._parts.put(lambda: self._finish(work, end))
            return
        try:
            connection = self.link.connection()
            root = WorkspacePaths(self._known_root(connection)).job(work.key).root
            tally = fetch(connection, root, work.job.root, self.settings.fetch)
            fetched = Fetched(self.name, root, tally.files, tally.left)
            write_atomic(work.job.fetched, dumps(fetched.to_json()))
        except UnreachableError:
            self._again(work)
        except StorageError as error:
            self._log(f"{self.name}: the result of {work.key} can't be fetched yet: {error}")
            self._again(work)
        except RemoteError as error:
            self._log(f"{self.name}: the result of {work.key} can't be fetched yet: {error}")
            self._again(work)
        else:
            self._parts.put(lambda: self._finish(work, end))

    def _again(self, work: Work) -> None:
        """Fetch once more, a little later."""
        timer = threading.Timer(TICK, self._results.put, (lambda: self._fetch(work),))
        timer.daemon = True
        timer.start()

    def _known_root(self, connection: Connection) -> str:
        place = self._place
        if place is not None:
            return place.root
        root: str = connection.ask("place", path=self.settings.workspace)["path"]
        return root


def _python(settings: HostSettings) -> tuple[str, ...]:
    """What starts the job's interpreter: no parameter of a job is ever part of a shell's text."""
    if not settings.activate:
        return (settings.python,)
    return ("/bin/sh", "-c", f'{settings.activate}\nexec "$0" "$@"', settings.python)


def _has_ended(work: Work) -> bool:
    return os.path.exists(work.job.end(work.attempt))


def _release(work: Work) -> None:
    if work.lock is not None:
        os.close(work.lock)
        work.lock = None


def _died(work: Work, reason: Reason) -> End:
    path = work.job.start(work.attempt)
    by = Start.from_json(read_object(path), path).by
    return End(
        nonce=tickets.new_nonce(),
        outcome=Outcome.DIED,
        at=now(),
        by=by,
        reason=reason,
        resolved=work.launch.resolved,
        project=work.launch.project,
    )


def _last_lines(connection: Connection, workspace: WorkspacePaths) -> str:
    """What supervisors there had to say last."""
    try:
        parts = connection.stream("read", path=workspace.supervisors_log, at=-1000)
        text = b"".join(part.data for part in parts).decode("utf-8", "replace")
    except XpmError:
        return "and left no word"
    return " / ".join(line.strip() for line in text.strip().splitlines()[-3:])
