"""The launcher over ssh: one host, or a pool of hosts among which jobs are balanced."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from xpm_engine.errors import LaunchError, StorageError, UnreadableError
from xpm_engine.launchers.base import Capacity, Handle, LaunchOrder, Sight
from xpm_engine.launchers.ssh.host import Host
from xpm_engine.launchers.ssh.work import Phase, Work
from xpm_engine.remote.link import Dial
from xpm_engine.workspace.atomic import append_bytes, read_object
from xpm_engine.workspace.hosts import CodeSettings, HostSettings
from xpm_engine.workspace.layout import JobKey, JobPaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.mirror import MirrorState
from xpm_engine.workspace.records.tickets import Attempt, Launch

PATIENCE = 60.0
"""Seconds for a host to say how many cores it has, where xpm.toml does not."""


class SshLauncher:
    """Starts jobs on other machines that are reached by ssh."""

    def __init__(
        self,
        name: str,
        hosts: Mapping[str, HostSettings],
        *,
        code: CodeSettings | None = None,
        dial: Callable[[str], Dial] | None = None,
    ) -> None:
        """`name` is the host's or the pool's in xpm.toml; `dial`, for tests, replaces ssh."""
        self._name = name
        self._log_file = ""
        self._heard: Callable[[JobKey], None] = lambda key: None
        self._lock = threading.Lock()
        self._waiting: list[Work] = []
        self._used: dict[str, int] = dict.fromkeys(hosts, 0)
        self._where: dict[str, tuple[str, int]] = {}
        self._hosts = {
            host: Host(
                host,
                settings,
                code or CodeSettings(),
                over=self._left,
                changed=self._tell,
                log=self._say,
                dial=None if dial is None else dial(host),
            )
            for host, settings in hosts.items()
        }
        self._cores: dict[str, int] = {}

    @property
    def name(self) -> str:
        return self._name

    def capacity(self) -> Capacity:
        """The sum of the hosts'; asks those that xpm.toml does not tell. Raises RemoteError."""
        memory = [host.settings.memory for host in self._hosts.values()]
        known = [size for size in memory if size is not None]
        gpus = max((host.settings.gpus for host in self._hosts.values()), default=0)
        return Capacity(
            cores=sum(self._cores_of(name) for name in self._hosts),
            memory=sum(known) if len(known) == len(memory) else None,
            devices=tuple(map(str, range(gpus))),
        )

    def submit(self, orders: Sequence[LaunchOrder]) -> list[Handle]:
        """Hand them over; what a host says of them is heard later. Raises LaunchError."""
        works = [self._work(order) for order in orders]
        for order, work in zip(orders, works, strict=True):
            self._log_file = order.log
            largest = max(map(self._cores_of, self._hosts))
            cores = _cores(work.launch)
            if cores > largest:
                text = f"no host of {self._name} has {cores} cores; {largest} is the most"
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

    def follow(self, job: JobPaths, attempt: Attempt) -> bool:
        work = Work(attempt.launch.key, job, attempt.launch, Phase.FOLLOWED, started=True)
        start = attempt.start
        if start is None or start.mirror is None or start.mirror.of not in self._hosts:
            return False
        self._give(work, start.mirror.of)
        return True

    def cancel(self, handles: Sequence[Handle]) -> None:
        for handle in handles:
            nonce = handle.data.get("nonce")
            for host in self._hosts.values():
                if isinstance(nonce, str):
                    host.kill(nonce)

    def listen(self, heard: Callable[[JobKey], None]) -> None:
        self._heard = heard

    def forget(self, handle: Handle) -> None:
        """Its host has let go of it already."""

    def close(self) -> None:
        for host in self._hosts.values():
            host.close()

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
        return Work(order.key, order.job, launch)

    def _take_over(self, work: Work) -> None:
        """Where it was sent to, it is asked about; an order that never left may go anywhere."""
        path = work.job.mirror(work.attempt)
        try:
            state = MirrorState.from_json(read_object(path), path)
        except FileNotFoundError:
            with self._lock:
                known = any(each.launch.nonce == work.launch.nonce for each in self._waiting)
                if not known and work.launch.nonce not in self._where:
                    self._waiting.append(work)
            self._assign()
            return
        except UnreadableError as error:
            raise LaunchError(f"{error.what}", where=path) from error
        if state.of not in self._hosts:
            raise LaunchError(f"it was sent to {state.of}, which is no host of {self._name}")
        work.phase, work.machine = Phase.SENT, state.machine
        self._give(work, state.of)

    def _give(self, work: Work, name: str) -> None:
        with self._lock:
            if work.launch.nonce in self._where:
                return
            self._used[name] += _cores(work.launch)
            self._where[work.launch.nonce] = (name, _cores(work.launch))
        self._hosts[name].take(work)

    def _assign(self) -> None:
        """Give each waiting job to the host with the most room for it, if one has room."""
        given: list[tuple[Work, str]] = []
        with self._lock:
            for work in list(self._waiting):
                name = self._best(_cores(work.launch))
                if name is None:
                    continue
                self._waiting.remove(work)
                self._used[name] += _cores(work.launch)
                self._where[work.launch.nonce] = (name, _cores(work.launch))
                given.append((work, name))
        for work, name in given:
            self._hosts[name].take(work)

    def _best(self, cores: int) -> str | None:
        """The host with the largest free part of those that have room, connected ones first."""
        best, found = (False, -1.0), None
        for name, host in self._hosts.items():
            whole = self._cores_of(name)
            free = whole - self._used[name]
            up = host.link.error is None
            if free >= cores and (up, free / whole) > best:
                best, found = (up, free / whole), name
        return found

    def _left(self, work: Work) -> None:
        with self._lock:
            name, cores = self._where.pop(work.launch.nonce, ("", 0))
            if name:
                self._used[name] -= cores
        self._assign()

    def _tell(self, key: JobKey) -> None:
        self._heard(key)

    def _say(self, text: str) -> None:
        if self._log_file:
            with suppress(StorageError):
                line = f"{now()} {text}\n"
                append_bytes(self._log_file, line.encode("utf-8", "backslashreplace"))


def _cores(launch: Launch) -> int:
    cpus = launch.resources.get("cpus")
    return cpus if isinstance(cpus, int) else 1
