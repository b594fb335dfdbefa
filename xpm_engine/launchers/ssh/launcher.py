"""The launcher over ssh: one host, or a pool of hosts among which jobs are balanced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from xpm_engine.errors import LaunchError, RefusedError, StorageError, UnreadableError
from xpm_engine.launchers.base import Capacity, Coming, Handle, LaunchOrder, Sight
from xpm_engine.launchers.ssh.balance import Amounts, Balance
from xpm_engine.launchers.ssh.endings import ASKING
from xpm_engine.launchers.ssh.fetching import told_as
from xpm_engine.launchers.ssh.host import Host
from xpm_engine.launchers.ssh.work import Phase, Work, has_files_on
from xpm_engine.remote.link import Dial
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import append_bytes, read_object
from xpm_engine.workspace.layout import JobKey, JobPaths
from xpm_engine.workspace.pool.sharing import Limits
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.mirror import MirrorState
from xpm_engine.workspace.records.reasons import Wait, WaitKind
from xpm_engine.workspace.records.resources import Demand, Resources
from xpm_engine.workspace.records.tickets import Attempt, Launch
from xpm_engine.workspace.settings import CodeSettings, HostSettings

PATIENCE = 60.0
"""Seconds for a host to say how many cores it has, where xpm.toml does not."""


class SshLauncher:
    """Starts jobs on other machines that are reached by ssh."""

    def __init__(
        self,
        name: str,
        hosts: Mapping[str, HostSettings],
        *,
        others: Mapping[str, HostSettings] | None = None,
        pools: Sequence[str] = (),
        code: CodeSettings | None = None,
        tokens: Mapping[str, int] | None = None,
        dial: Callable[[str], Dial] | None = None,
    ) -> None:
        """`name` is the host's or the pool's in xpm.toml; `dial`, for tests, replaces ssh.

        `others` and `pools` are what else xpm.toml has: jobs that were sent there under another
        name are found there, but get no company. `tokens` are those of the settings.
        """
        self._name = name
        self._known = {**(others or {}), **hosts}
        self._names = frozenset((name, *self._known, *pools))
        self._code, self._tokens, self._dial = code or CodeSettings(), dict(tokens or {}), dial
        self._log_file = ""
        self._heard: Callable[[JobKey], None] = lambda key: None
        self._lock = threading.RLock()
        self._waiting: list[Work] = []
        self._members = tuple(hosts)
        self._hosts = {host: self._make(host) for host in hosts}
        self._cores: dict[str, int] = {}
        self._watched: dict[JobKey, frozenset[str]] = {}
        """Patterns of the files that the plan watches."""
        self._balance = Balance(hosts, self._amounts)

    @property
    def name(self) -> str:
        return self._name

    def capacity(self) -> Capacity:
        """The sum of the hosts'; asks those that xpm.toml does not tell. Raises RemoteError."""
        members = [self._capacity_of(name) for name in self._members]
        known = [member.memory for member in members if member.memory is not None]
        return Capacity(
            cores=sum(member.cores for member in members),
            memory=sum(known) if len(known) == len(members) else None,
            devices=tuple(device for member in members for device in member.devices),
            members=tuple(members),
        )

    def submit(self, orders: Sequence[LaunchOrder]) -> list[Handle]:
        """Hand them over; what a host says of them is heard later. Raises LaunchError."""
        works = [self._work(order) for order in orders]
        for order, work in zip(orders, works, strict=True):
            self._log_file = order.log
            lacking = self._balance.lacking(_demand(work.launch))
            if lacking is not None:
                resource, most = lacking
                wanted = dict(_demand(work.launch))[resource]
                text = f"no host of {self._name} has {wanted} of {resource}; {most} is the most"
                raise LaunchError(text)
        with self._lock:
            self._waiting.extend(works)
        self._assign()
        return [Handle(self._name, None, {"nonce": order.nonce}) for order in orders]

    def find(self, orders: Sequence[LaunchOrder]) -> dict[str, Sight]:
        """Take over what an earlier plan has ordered: it comes, here or where it is already."""
        found: dict[str, Sight] = {}
        for order in orders:
            try:
                self._take_over(self._work(order))
                found[order.nonce] = Sight.COMING
            except LaunchError:
                found[order.nonce] = Sight.UNKNOWN
        return found

    def knows(self, name: str) -> bool:
        """Whether it is another name for hosts that can be asked here."""
        return name in self._names

    def follow(self, job: JobPaths, attempt: Attempt) -> bool:
        work = Work(attempt.launch.key, job, attempt.launch, Phase.FOLLOWED, started=True)
        start = attempt.start
        if start is None or start.mirror is None or start.mirror.of not in self._known:
            return False
        self._give(work, start.mirror.of)
        return True

    def cancel(self, handles: Sequence[Handle]) -> None:
        """Void those that are here, and ask the hosts of the others: a plan may end right then."""
        asked: list[threading.Event] = []
        for handle in handles:
            nonce = handle.data.get("nonce")
            with self._lock:
                unsent = [work for work in self._waiting if work.launch.nonce == nonce]
                self._waiting = [work for work in self._waiting if work not in unsent]
            for work in unsent:
                user = processes.user_name()
                attempt = Attempt(work.attempt, work.launch)
                why = f"cancelled by {user} before it started"
                tickets.void(work.job, attempt, user=user, why=why)
                self._tell(work.key)
            for host in list(self._hosts.values()):
                tried = host.kill(str(nonce))
                asked += [] if tried is None else [tried]
        deadline = time.monotonic() + ASKING
        for tried in asked:
            tried.wait(max(0.0, deadline - time.monotonic()))

    def listen(self, heard: Callable[[JobKey], None]) -> None:
        self._heard = heard

    def why_waits(self, key: JobKey) -> Wait | None:
        """What it waits for on its host, or that it has none yet."""
        for host in list(self._hosts.values()):
            wait = host.why_waits(key)
            if wait is not None:
                return wait
        with self._lock:
            if not any(work.key == key for work in self._waiting):
                return None
        down = [host for host in self._members if self._hosts[host].link.error is not None]
        if len(down) == len(self._members):
            error = self._hosts[down[0]].link.error
            what = "" if error is None else error.what
            return Wait(key, WaitKind.HOST, what=what, host=", ".join(down))
        return Wait(key, WaitKind.CORE, host=self._name)

    def reads(self, host: str) -> bool:
        return self._members == (host,)

    def fetch(self, job: JobPaths, host: str, told: Callable[[Coming], None]) -> None:
        self._host(host).start().remainders.bring(job, told)

    def bring(self, key: JobKey, patterns: Sequence[str]) -> None:
        known = self._watched.get(key, frozenset())
        self._watched[key] = known.union(*map(told_as, patterns))

    def forget(self, handle: Handle) -> None:
        """Its host has let go of it already."""

    def close(self) -> None:
        for host in list(self._hosts.values()):
            host.close()

    def _make(self, name: str) -> Host:
        settings = self._known[name]
        return Host(
            name,
            settings,
            self._code,
            limits=lambda: self._limits(name),
            watched=lambda key: self._watched.get(key, frozenset()),
            over=self._left,
            changed=self._tell,
            settled=self._settled,
            elsewhere=self._follow_elsewhere,
            log=self._say,
            dial=None if self._dial is None else self._dial(name),
        )

    def _amounts(self, name: str) -> Amounts:
        """What a host has, as one job may ask for it; tokens are counted by the host's pool."""
        return self._limits(name, tokens=False).amounts()

    def _limits(self, name: str, *, tokens: bool = True) -> Limits:
        settings = self._known[name]
        return Limits(
            self._cores_of(name),
            settings.memory,
            tuple(map(str, range(settings.gpus))),
            tuple(sorted(self._tokens.items())) if tokens else (),
        )

    def _capacity_of(self, name: str) -> Capacity:
        host = self._known[name]
        devices = tuple(f"{name}:{number}" for number in range(host.gpus))
        return Capacity(self._cores_of(name), host.memory, devices)

    def _cores_of(self, name: str) -> int:
        known = self._cores.get(name)
        if known is None:
            host = self._hosts[name]
            known = host.settings.cores or host.start().link.settled(PATIENCE).hello.cores
            self._cores[name] = known
        return known

    def _work(self, order: LaunchOrder) -> Work:
        path = order.job.launch(order.attempt)
        try:
            launch = Launch.from_json(read_object(path), path)
        except (FileNotFoundError, UnreadableError) as error:
            raise LaunchError("its order can't be read back", where=path) from error
        return Work(order.key, order.job, launch, wish=has_files_on(order.job, launch))

    def _take_over(self, work: Work) -> None:
        """Where it was sent to, it is asked about; an order that never left may go anywhere."""
        path = work.job.mirror(work.attempt)
        try:
            state = MirrorState.from_json(read_object(path), path)
        except FileNotFoundError:
            with self._lock:
                known = any(each.launch.nonce == work.launch.nonce for each in self._waiting)
                if not known and not self._balance.has(work.launch.nonce):
                    self._waiting.append(work)
            self._assign()
            return
        except UnreadableError as error:
            raise LaunchError(f"{error.what}", where=path) from error
        if state.of not in self._known:
            raise LaunchError(f"it was sent to {state.of}, which xpm.toml does not know any more")
        work.phase, work.machine = Phase.SENT, state.machine
        self._give(work, state.of)

    def _give(self, work: Work, name: str) -> None:
        with self._lock:
            if self._balance.has(work.launch.nonce):
                return
            self._balance.give(work.launch.nonce, name, _demand(work.launch))
        self._host(name).take(work)

    def _host(self, name: str) -> Host:
        """One of its own hosts, or another of xpm.toml that has something of ours."""
        with self._lock:
            host = self._hosts.get(name)
            if host is None:
                host = self._hosts[name] = self._make(name)
        return host

    def _assign(self) -> None:
        """Give those that wait to the hosts that have room, but to none that can't be reached."""
        given: list[tuple[Work, str]] = []
        with self._lock:
            if not self._waiting:
                return
            up = self._usable()
            demands = [_demand(work.launch) for work in self._waiting]
            wishes = [work.wish for work in self._waiting]
            chosen = self._balance.choose(demands, up, wishes) if up else []
            for work, name in list(zip(self._waiting, chosen, strict=False)):
                if name is not None:
                    self._waiting.remove(work)
                    self._balance.give(work.launch.nonce, name, _demand(work.launch))
                    given.append((work, name))
        for work, name in given:
            self._hosts[name].take(work)

    def _usable(self) -> list[str]:
        """The hosts that can be reached, as far as is known."""
        errors = {name: self._hosts[name].start().link.error for name in self._members}
        if all(isinstance(error, RefusedError) for error in errors.values()):
            # They refuse, which waiting does not change: the job is told so.
            return list(errors)
        return [name for name, error in errors.items() if error is None]

    def _settled(self, unsent: Sequence[Work]) -> None:
        """A host can be reached again, or not any more: then `unsent` may go elsewhere."""
        with self._lock:
            for work in unsent:
                self._balance.take_back(work.launch.nonce)
            self._waiting[:0] = unsent
            waiting = [work.key for work in self._waiting]
        self._assign()
        for key in waiting:
            self._tell(key)

    def _follow_elsewhere(self, work: Work) -> None:
        """Another plan has said first where it goes."""
        self._balance.take_back(work.launch.nonce)
        try:
            self._take_over(work)
        except LaunchError as error:
            self._say(f"{work.key}: {error}")

    def _left(self, work: Work) -> None:
        with self._lock:
            self._balance.take_back(work.launch.nonce)
        self._assign()

    def _tell(self, key: JobKey) -> None:
        self._heard(key)

    def _say(self, text: str) -> None:
        if self._log_file:
            with suppress(StorageError):
                line = f"{now()} {text}\n"
                append_bytes(self._log_file, line.encode("utf-8", "backslashreplace"))


def _demand(launch: Launch) -> Demand:
    return Resources.read(launch.resources, str(launch.key)).demand()
