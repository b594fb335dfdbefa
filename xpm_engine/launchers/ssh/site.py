"""What there is on a host, asked once a connection, and what was brought there."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xpm_engine.errors import RefusedError, UnreadableError, XpmError
from xpm_engine.launchers.bundle import Bundle, code_bundle, engine_bundle
from xpm_engine.launchers.ssh import shipping
from xpm_engine.launchers.ssh.work import Work
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace import tickets
from xpm_engine.workspace.atomic import dumps, read_object
from xpm_engine.workspace.layout import JobKey, WorkspacePaths, workspace_of_job
from xpm_engine.workspace.records.mirror import MirrorState
from xpm_engine.workspace.records.params import CodeRecord, ParamsRecord
from xpm_engine.workspace.records.tickets import End, Launch, awaited
from xpm_engine.workspace.settings import CodeSettings, HostSettings

OLDEST = (3, 11)
"""The Python that a job's process needs."""


@dataclass
class Place:
    """What is known of a host in one connection."""

    connection: Connection
    workspace: WorkspacePaths
    engine: str
    """The folder that `xpm_engine` is imported from there."""
    python: tuple[str, ...]
    env: Mapping[str, str]
    """What its jobs find in their environment besides."""
    bundles: dict[str, str] = field(default_factory=dict[str, str])
    """Id of a bundle -> its folder there."""
    upstream: set[JobKey] = field(default_factory=set[JobKey])
    """Results that are there."""

    @property
    def code(self) -> list[str]:
        """The folders of what was shipped, which nobody may remove while jobs need them."""
        inside = f"{self.workspace.code}/"
        return [each for each in (self.engine, *self.bundles.values()) if each.startswith(inside)]


class Site:
    """A host's place, and the code of this plan."""

    def __init__(self, name: str, settings: HostSettings, code: CodeSettings) -> None:
        self._name, self._settings, self._code = name, settings, code
        self._place: Place | None = None
        self._lock = threading.Lock()
        self._bundles: dict[bytes, Bundle] = {}
        self._sender = tickets.new_nonce()
        """Who puts what together there; the same after a cut."""

    def known(self, connection: Connection) -> Place:
        """The host's facts, from any thread; raises RefusedError where no job could run there."""
        with self._lock:
            return self._known(connection)

    def _known(self, connection: Connection) -> Place:
        if self._place is not None and self._place.connection is connection:
            return self._place
        settings = self._settings
        found = connection.ask("place", path=settings.workspace)
        workspace = WorkspacePaths(found["path"])
        python = python_command(settings)
        env = settings.environment(os.environ)
        check_python(connection, python, self._name, env=env)
        if settings.shared:
            engine = engine_bundle().roots[0][0]
        else:
            engine = self._put(engine_bundle(), connection, workspace)
        self._place = Place(connection, workspace, engine, python, env)
        return self._place

    def order(self, work: Work, place: Place) -> Launch:
        """Bring what the job needs; its order as it is given there.

        Raises LaunchError, and OccupiedError while somebody makes a result there that it needs.
        """
        order = work.launch
        if self._settings.shared:
            return order
        connection = place.connection
        record = ParamsRecord.from_json(order.params, str(work.key))
        bundle = self._bundle(record.code, work)
        shipping.check_platform(bundle, connection.hello.platform, self._name)
        if bundle.identifier not in place.bundles:
            folder = self._put(bundle, connection, place.workspace)
            place.bundles[bundle.identifier] = folder
            # Nobody waits for that: it may have to look at all of the jobs there.
            connection.begin("sweep", root=place.workspace.root)
        code = bundle.moved(record.code, place.bundles[bundle.identifier])
        order = shipping.order_for(order, code, paths=self._settings.paths, host=self._name)
        here = workspace_of_job(work.job.root)
        for name in order.early:
            shipping.put_early(connection, here, place.workspace, name, self._name)
        for key in awaited(order.dependencies, order.early):
            if key not in place.upstream:
                shipping.put_upstream(
                    connection,
                    here,
                    place.workspace,
                    key,
                    host=self._name,
                    sender=self._sender,
                )
                place.upstream.add(key)
        return order

    def find_again(self, work: Work, connection: Connection) -> bool:
        """Where an attempt is there that an earlier plan started; by the nonce it had there."""
        path = work.job.mirror(work.attempt)
        try:
            state = MirrorState.from_json(read_object(path), path)
        except (FileNotFoundError, UnreadableError):
            state = MirrorState(self._name, machine=machine_of(connection))
        work.far_attempt, work.far_nonce, work.machine = state.attempt, state.nonce, state.machine
        if not work.far_attempt:
            root = self.known(connection).workspace.root
            asked = [[str(work.key), work.launch.nonce]]
            (found,) = connection.ask("find", root=root, jobs=asked)["found"]
            if found is not None:
                work.far_attempt, work.far_nonce = found["attempt"], found["nonce"]
        return work.far_attempt > 0

    def here(self, end: End) -> End:
        """An end with the user's files where they are on this machine."""
        reason = end.reason
        frame = None if reason is None else reason.frame
        if reason is None or frame is None or self._place is None:
            return end
        for bundle in self._bundles.values():
            folder = self._place.bundles.get(bundle.identifier)
            for root, inside in bundle.roots:
                prefix = f"{folder}/{inside}/"
                if folder is not None and frame.file.startswith(prefix):
                    file = f"{root}/{frame.file[len(prefix) :]}"
                    return replace(end, reason=replace(reason, frame=replace(frame, file=file)))
        return end

    def _put(self, bundle: Bundle, connection: Connection, workspace: WorkspacePaths) -> str:
        return shipping.put_bundle(connection, bundle, workspace, sender=self._sender)

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


def python_command(settings: HostSettings) -> tuple[str, ...]:
    """What starts the job's interpreter: no parameter of a job is ever part of a shell's text."""
    python = settings.python
    at_home = python.startswith("~/")
    if not settings.activate and not at_home:
        return (python,)
    interpreter = '"$HOME/$0"' if at_home else '"$0"'
    line = f'{settings.activate}\nexec {interpreter} "$@"'.lstrip()
    return ("/bin/sh", "-c", line, python.removeprefix("~/") if at_home else python)


def check_python(
    connection: Connection, python: tuple[str, ...], host: str, *, env: Mapping[str, str]
) -> str:
    """The version and path of the job's interpreter; raises RefusedError where there is none."""
    probed = connection.ask("probe", python=python, engine="", env=dict(env), patience=60.0)
    hint = f"check `python` and `activate` under [hosts.{host}] in xpm.toml"
    if "fault" in probed:
        raise RefusedError(
            f"{host}: its Python can't be started: {probed['fault']}",
            hint=f"{hint}; xpm doctor ssh {host}",
        )
    version = ".".join(map(str, probed["version"]))
    if tuple(probed["version"][:2]) < OLDEST:
        raise RefusedError(
            f"{host}: {probed['executable']} is Python {version}, and 3.11 is needed", hint=hint
        )
    return f"{version} ({probed['executable']})"


def machine_of(connection: Connection) -> str:
    """The machine that is at the other end now."""
    return connection.machine


def last_words(connection: Connection, workspace: WorkspacePaths) -> str:
    """What supervisors there had to say last."""
    try:
        parts = connection.stream("read", path=workspace.supervisors_log, at=-1000)
        text = b"".join(part.data for part in parts).decode("utf-8", "replace")
    except XpmError:
        return "and left no word"
    return " / ".join(line.strip() for line in text.strip().splitlines()[-3:])
