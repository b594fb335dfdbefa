"""The folders of a workspace: its top, the runs of its experiments, its trash."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Iterator, Optional

from xpm_engine.errors import StorageError
from xpm_engine.workspace.layout.job import XPM, JobPaths
from xpm_engine.workspace.layout.names import JobKey, is_identifier, is_task_folder

SETTINGS = "xpm.toml"


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
class WorkspacePaths:
    """The folders and files at the top of a workspace."""

    root: str
    """Absolute; what a relative workspace is relative to is the caller's matter."""

    @classmethod
    def at(cls, path: "os.PathLike[str] | str") -> "WorkspacePaths":
        """The workspace at `path`, made absolute against the working directory.

        Raises StorageError, as `absolute` does.
        """
        return cls(absolute(os.fspath(path)))

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
    def reserve(self) -> str:
        """A file that is removed when there is no other room for a clean's journal."""
        return self.root + "/" + XPM + "/reserve"

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


def absolute(path: str) -> str:
    """The path from the root on; raises StorageError where the working directory is gone."""
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        raise StorageError(
            "the folder that you are in was removed", hint="go to one that is there: cd ~"
        ) from None


def workspace_of_job(job_root: str) -> WorkspacePaths:
    """The workspace that a job's folder stands in."""
    return WorkspacePaths(os.path.dirname(os.path.dirname(os.path.dirname(job_root))))


def list_folders(path: str) -> Iterator[str]:
    """The names of real folders in `path`, none if it is absent; links are not followed.

    Raises PermissionError: what can't be looked into is not empty.
    """
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield entry.name
    except (FileNotFoundError, NotADirectoryError):
        return
