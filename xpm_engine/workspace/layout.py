"""Where everything is: the only place that spells a file name of the workspace.

Portable set: plain standard library, Python 3.8 syntax. Paths are plain strings, because a
workspace of 100,000 jobs makes millions of them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Iterator, NamedTuple, Optional

from xpm_engine.errors import BadNameError

XPM = ".xpm"
"""The folder, in a job's and at the workspace's top, that holds what we write ourselves."""

SETTINGS = "xpm.toml"
RETRY_SUFFIX = ".retry"
"""How the id of a retry's run ends: a listing tells it from a plan's run without reading it."""

PACKED = ".gz"
"""What the name of a packed log ends in."""

MAX_TASK_BYTES = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_IDENTIFIER = re.compile(r"[0-9a-f]{32}\Z")
_PARTIAL = re.compile(r"\.([0-9]+|[0-9a-f]{16}|fetched|whole)\.part\Z")
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_.")
TICKET_KINDS = frozenset(("launch", "start", "end"))
_NUMBER = re.compile(r"[1-9][0-9]{0,5}\Z")


def check_name(name: object, *, what: str = "experiment") -> str:
    """Return `name` if it can name a folder: an experiment or a run.

    Raises BadNameError for anything but ``[A-Za-z0-9][A-Za-z0-9._-]{0,99}``.
    """
    if not isinstance(name, str) or not _NAME.match(name):
        raise BadNameError(
            f"{name!r} can't name an {what}"
            if what[0] in "aeiou"
            else f"{name!r} can't name a {what}",
            hint="a letter or digit, then up to 99 letters, digits, dots, dashes or underscores",
        )
    return name


def is_retry(run: str) -> bool:
    """Whether a run's id is that of a retry, which shows nothing but what it runs again."""
    return run.endswith(RETRY_SUFFIX)


def is_name(name: str) -> bool:
    """Whether a folder's name can be an experiment's or a run's."""
    return bool(_NAME.match(name))


def task_folder(type_name: str) -> str:
    """The TASK-ID of a type name: lower case, anything but ``[a-z0-9_.]`` percent-encoded.

    Raises BadNameError where the result is empty, has an empty dotted part (``a..b``, which
    could climb out of the folder), or is longer than 200 bytes.
    """
    lowered = type_name.lower().encode("utf-8", "surrogatepass")
    folder = "".join(chr(b) if b in _PLAIN else "%%%02x" % b for b in lowered)
    if not all(folder.split(".")):
        raise BadNameError(
            f"the type name {type_name!r} has an empty part",
            hint="give the class a name of dotted parts, with __xpmid__ or by its module",
        )
    if len(folder) > MAX_TASK_BYTES:
        raise BadNameError(
            f"the type name {type_name[:60]!r}… needs {len(folder)} bytes as a folder's name, "
            f"and {MAX_TASK_BYTES} is the most",
            hint="set a shorter __xpmid__ in the class",
        )
    return folder


def is_task_folder(name: str) -> bool:
    """Whether a folder's name can be a TASK-ID."""
    return 0 < len(name) <= MAX_TASK_BYTES and all(
        part and all(c in "abcdefghijklmnopqrstuvwxyz0123456789_%" for c in part)
        for part in name.split(".")
    )


def is_identifier(name: str) -> bool:
    """Whether a folder's name is 32 lower-case hexadecimal digits."""
    return bool(_IDENTIFIER.match(name))


class JobKey(NamedTuple):
    """The name of a job: its task's folder and its identifier.

    A tuple, because a workspace has very many of these, and all of them are keys.
    """

    task: str
    """TASK-ID, as `task_folder` makes it."""
    identifier: str
    """32 hexadecimal digits."""

    def __str__(self) -> str:
        return self.task + "/" + self.identifier

    @property
    def short(self) -> str:
        """Six digits, for people."""
        return self.identifier[:6]

    @classmethod
    def parse(cls, text: str) -> "JobKey":
        """Read ``task/identifier``; raises ValueError for anything else."""
        task, slash, identifier = text.rpartition("/")
        if not slash or not is_task_folder(task) or not is_identifier(identifier):
            raise ValueError(f"not a job: {text!r}")
        return cls(task, identifier)


@dataclass(frozen=True)
class JobPaths:
    """The files of one job."""

    root: str
    """``workspace/jobs/TASK-ID/IDENTIFIER``: the job's working directory."""

    @property
    def xpm(self) -> str:
        return self.root + "/" + XPM

    def ticket(self, attempt: int, kind: str) -> str:
        """The path of ``N.launch``, ``N.start`` or ``N.end``."""
        return f"{self.root}/{XPM}/{attempt}.{kind}"

    def launch(self, attempt: int) -> str:
        return self.ticket(attempt, "launch")

    def start(self, attempt: int) -> str:
        return self.ticket(attempt, "start")

    def end(self, attempt: int) -> str:
        return self.ticket(attempt, "end")

    def handle(self, attempt: int) -> str:
        """What the launcher said of attempt N: information only."""
        return f"{self.root}/{XPM}/{attempt}.handle"

    def mirror(self, attempt: int) -> str:
        """Which job of another host attempt N is a copy of, and how far it was copied."""
        return f"{self.root}/{XPM}/{attempt}.mirror"

    @property
    def fetched(self) -> str:
        """What of a result on another host was brought here."""
        return self.root + "/" + XPM + "/fetched.json"

    @property
    def summary(self) -> str:
        return self.root + "/" + XPM + "/job.json"

    @property
    def params(self) -> str:
        return self.root + "/" + XPM + "/params.json"

    @property
    def result(self) -> str:
        """What the task returned to its plan."""
        return self.root + "/" + XPM + "/result.json"

    @property
    def progress(self) -> str:
        return self.root + "/" + XPM + "/progress.json"

    @property
    def events(self) -> str:
        return self.root + "/" + XPM + "/events.jsonl"

    @property
    def metrics(self) -> str:
        return self.root + "/" + XPM + "/metrics.jsonl"

    @property
    def lock(self) -> str:
        return self.root + "/" + XPM + "/lock"

    @property
    def alive(self) -> str:
        """Touched by the supervisor every 30 s: a hint for other hosts."""
        return self.root + "/" + XPM + "/alive"

    @property
    def alias(self) -> str:
        return self.root + "/" + XPM + "/alias.json"

    @property
    def baseline(self) -> str:
        """What the job's result is compared with when defaults changed: a decision of people."""
        return self.root + "/" + XPM + "/baseline.json"

    @property
    def pin(self) -> str:
        return self.root + "/" + XPM + "/pin.json"

    @property
    def logs(self) -> str:
        return self.root + "/" + XPM + "/logs"

    def stdout(self, attempt: int) -> str:
        return f"{self.root}/{XPM}/logs/{attempt}.out"

    def log(self, name: str) -> str:
        """``1.out``, ``2.err``"""
        return f"{self.root}/{XPM}/logs/{name}"

    def stderr(self, attempt: int) -> str:
        return f"{self.root}/{XPM}/logs/{attempt}.err"

    @property
    def stdout_link(self) -> str:
        return self.root + "/stdout.log"

    @property
    def stderr_link(self) -> str:
        return self.root + "/stderr.log"

    @property
    def log_links(self) -> "tuple[str, str]":
        """The links to the logs of the last attempt, for people."""
        return self.stdout_link, self.stderr_link

    def log_link(self, name: str) -> Optional[str]:
        """The link that leads to a log called ``N.out`` or ``N.err``; None for another name."""
        stem, _, kind = name.partition(".")
        if not _NUMBER.match(stem):
            return None
        return {"out": self.stdout_link, "err": self.stderr_link}.get(kind)

    @property
    def attempts(self) -> str:
        return self.root + "/" + XPM + "/attempts"

    def leftovers(self, attempt: int) -> str:
        """Where the files of an earlier attempt are kept."""
        return f"{self.root}/{XPM}/attempts/{attempt}"


@dataclass(frozen=True)
class RunPaths:
    """The files of one run of an experiment."""

    root: str
    """``workspace/experiments/NAME/RUN-ID``."""

    @property
    def record(self) -> str:
        return self.root + "/run.json"

    @property
    def manifest(self) -> str:
        """What this run referenced, a job a line."""
        return self.root + "/jobs.jsonl"

    @property
    def orders(self) -> str:
        """The whole orders of jobs that wait for others."""
        return self.root + "/orders.jsonl"

    @property
    def queue(self) -> str:
        """Why each job waits."""
        return self.root + "/queue.json"

    @property
    def log(self) -> str:
        return self.root + "/scheduler.log"

    @property
    def results(self) -> str:
        return self.root + "/results"


@dataclass(frozen=True)
class TrashPaths:
    """The files of one cleaning transaction."""

    root: str
    """``workspace/.xpm/trash/TRANSACTION``."""

    @property
    def journal(self) -> str:
        return self.root + "/journal.jsonl"

    @property
    def lock(self) -> str:
        """Held by who works on it; it is there only while the transaction is unfinished."""
        return self.root + "/lock"

    @property
    def jobs(self) -> str:
        return self.root + "/jobs"

    def ticket(self, kind: str) -> str:
        """The launch, start or end that is linked into every job of the transaction."""
        return f"{self.root}/ticket.{kind}"

    @property
    def purging(self) -> str:
        """What `jobs` is renamed to before it is deleted for good."""
        return self.root + "/purging"

    def job(self, key: JobKey) -> JobPaths:
        """Where a removed job lies."""
        return JobPaths(f"{self.root}/jobs/{key.task}/{key.identifier}")

    def pieces(self, kind: str) -> str:
        """Where what is no whole job lies, by its kind; no task has a name like this."""
        return f"{self.root}/jobs/+{kind}"

    def piece(self, kind: str, names: "tuple[str, ...]") -> str:
        """Where one of them lies."""
        return "/".join((self.pieces(kind), *names))


@dataclass(frozen=True)
class PoolPaths:
    """The files of a machine's pool, which lies outside of all workspaces."""

    root: str
    """``$XDG_RUNTIME_DIR/pool`` or ``/tmp/xpm-UID/pool``."""

    @property
    def mutex(self) -> str:
        return self.root + "/mutex"

    def reservation(self, nonce: str) -> str:
        """What the attempt with this nonce takes."""
        return f"{self.root}/{nonce}.job"

    def waiting(self, plan: str) -> str:
        """What a plan waits for."""
        return f"{self.root}/{plan}.plan"

    def wake(self, plan: str) -> str:
        """A pipe: a byte in it tells the plan to look again."""
        return f"{self.root}/{plan}.wake"

    def listing(self) -> "tuple[list[str], list[str]]":
        """The nonces of all reservations, and the names of all plans that wait."""
        names = os.listdir(self.root)
        nonces = [name[: -len(".job")] for name in names if name.endswith(".job")]
        return nonces, [name[: -len(".plan")] for name in names if name.endswith(".plan")]


@dataclass(frozen=True)
class WorkspacePaths:
    """The folders and files at the top of a workspace."""

    root: str
    """Absolute; what a relative workspace is relative to is the caller's matter."""

    @classmethod
    def at(cls, path: "os.PathLike[str] | str") -> "WorkspacePaths":
        """The workspace at `path`, made absolute against the working directory."""
        return cls(os.path.abspath(os.fspath(path)))

    @property
    def settings(self) -> str:
        return self.root + "/" + SETTINGS

    @property
    def experiments(self) -> str:
        return self.root + "/experiments"

    @property
    def jobs(self) -> str:
        return self.root + "/jobs"

    @property
    def shared(self) -> str:
        return self.root + "/shared"

    @property
    def xpm(self) -> str:
        return self.root + "/" + XPM

    @property
    def trash(self) -> str:
        return self.root + "/" + XPM + "/trash"

    @property
    def code(self) -> str:
        """Where code that was shipped here is kept, by its digest."""
        return self.root + "/" + XPM + "/code"

    def arriving(self, nonce: str) -> str:
        """Where a result that was made elsewhere is put together."""
        return f"{self.root}/{XPM}/arriving/{nonce}"

    @property
    def supervisors_log(self) -> str:
        """What supervisors that an agent started here had to say: nothing, as a rule."""
        return self.root + "/" + XPM + "/supervisors.log"

    def experiment(self, name: str) -> str:
        return self.root + "/experiments/" + name

    def latest(self, name: str) -> str:
        """A link to the last run's folder, for people and viewers."""
        return self.root + "/experiments/" + name + "/latest"

    def run(self, experiment: str, run: str) -> RunPaths:
        return RunPaths(f"{self.root}/experiments/{experiment}/{run}")

    def job(self, key: JobKey) -> JobPaths:
        return JobPaths(f"{self.root}/jobs/{key.task}/{key.identifier}")

    def job_xpm(self, key: JobKey) -> str:
        """``job(key).xpm``, for very many jobs."""
        return f"{self.root}/jobs/{key[0]}/{key[1]}/{XPM}"

    @property
    def purged(self) -> str:
        """Where a small record stays of what was deleted for good, a file a clean."""
        return self.root + "/" + XPM + "/purged"

    def purged_record(self, name: str) -> str:
        return f"{self.root}/{XPM}/purged/{name}.jsonl"

    def transaction(self, name: str) -> TrashPaths:
        return TrashPaths(f"{self.root}/{XPM}/trash/{name}")

    def partial(self, task: str, name: str, identifier: str) -> str:
        """The folder shared by the jobs of one partial identifier."""
        return f"{self.root}/shared/{task}/{name}/{identifier}"

    def shared_folder(self, name: str) -> str:
        """The shared folder ``task/name/identifier``."""
        return f"{self.root}/shared/{name}"

    def shared_lock(self, name: str) -> str:
        """Its lock: its running job holds it."""
        return f"{self.root}/shared/{name}/{XPM}/lock"

    def key_of(self, path: str) -> Optional[JobKey]:
        """The job whose folder holds `path`, or is it; None outside of all jobs."""
        prefix = self.jobs + "/"
        if not path.startswith(prefix):
            return None
        parts = path[len(prefix) :].split("/", 2)
        if len(parts) < 2 or not is_task_folder(parts[0]) or not is_identifier(parts[1]):
            return None
        return JobKey(parts[0], parts[1])


def workspace_of_job(job_root: str) -> WorkspacePaths:
    """The workspace that a job's folder stands in."""
    return WorkspacePaths(os.path.dirname(os.path.dirname(os.path.dirname(job_root))))


def key_of_job(job_root: str) -> JobKey:
    """The name of the job in this folder."""
    parent, identifier = os.path.split(job_root)
    return JobKey(os.path.basename(parent), identifier)


def attempts_in(names: "list[str]") -> "dict[int, set[str]]":
    """Attempt -> which of launch, start, end it has, from the names in a job's ``.xpm/``."""
    found: "dict[int, set[str]]" = {}
    for name in names:
        number, _, kind = name.partition(".")
        if kind in TICKET_KINDS and _NUMBER.match(number):
            found.setdefault(int(number), set()).add(kind)
    return found


def link_to_log(name: str) -> str:
    """Where the link to a log points, from the job's folder."""
    return f"{XPM}/logs/{name}"


def partial_file(path: str, digest: str) -> str:
    """What a file is called until all of it has come."""
    return f"{path}.{digest[:16]}{STAGE}"


def is_partial(path: str) -> bool:
    """Whether it is the name of a file that is still being written, or copied."""
    return bool(_PARTIAL.search(path))


STAGE = ".part"
"""How the name of a folder ends whose files are still coming, and that of an unfinished file."""


def stage_folder(place: str, sender: str) -> str:
    """Where one sender puts a folder together; no two senders share one."""
    return f"{place}.{sender[:16]}{STAGE}"


def stage_lock(stage: str) -> str:
    """What is held while somebody may still put files into a stage."""
    return stage + ".lock"


def stages(folder: str) -> "list[str]":
    """The stages in a folder, with those of which only the lock is left."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    ends = (STAGE, stage_lock(STAGE))
    found = {name[: name.rindex(STAGE)] + STAGE for name in names if name.endswith(ends)}
    return [f"{folder}/{name}" for name in sorted(found)]


def list_folders(path: str) -> Iterator[str]:
    """The names of real folders in `path`, none if it is absent; links are not followed."""
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield entry.name
    except (FileNotFoundError, NotADirectoryError):
        return
