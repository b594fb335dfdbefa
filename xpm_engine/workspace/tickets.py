"""Claiming attempts: the moves of *Run once* in docs/design.md, each won by one writer only.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import time
from contextlib import contextmanager
from typing import Any, Callable, Dict, Generator, Optional

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.workspace import processes
from xpm_engine.workspace.atomic import (
    dumps,
    make_folders,
    publish,
    read_object,
    storage_error,
    write_atomic,
)
from xpm_engine.workspace.layout import JobPaths, attempts_in
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.jobs import JobSummary
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind
from xpm_engine.workspace.records.tickets import Attempt, End, Launch, Start


def new_nonce() -> str:
    """128 random bits as hexadecimal digits."""
    return secrets.token_hex(16)


def ticket_names(job: JobPaths) -> "dict[int, set[str]]":
    """Attempt -> the kinds of tickets it has; empty for a folder that is absent.

    Raises UnreadableError where the folder may not be listed.
    """
    try:
        return attempts_in(os.listdir(job.xpm))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UnreadableError(f"can't be listed: {error.strerror}", where=job.xpm) from error


ReadObject = Callable[[str], Dict[str, Any]]
"""Gives the JSON object of a file; raises FileNotFoundError, UnreadableError."""


def read_attempt(
    job: JobPaths, number: int, kinds: "set[str]", *, read: ReadObject = read_object
) -> Attempt:
    """The tickets of one attempt that `kinds` says are there.

    `read` gives what is in them where the folder is not on this machine. Raises UnreadableError
    for a damaged one or an order that is missing, FileNotFoundError if the folder went away
    meanwhile.
    """
    launch = job.launch(number)
    start = job.start(number)
    if "launch" not in kinds:
        # To look again would find it missing again, for ever.
        raise UnreadableError("is missing, though the attempt has begun", where=launch)
    return Attempt(
        number=number,
        launch=Launch.from_json(read(launch), launch),
        start=Start.from_json(read(start), start) if "start" in kinds else None,
        end=read_end(job, number, read=read) if "end" in kinds else None,
    )


def read_end(job: JobPaths, number: int, *, read: ReadObject = read_object) -> End:
    """N.end; raises as `read_attempt` does."""
    path = job.end(number)
    return End.from_json(read(path), path)


def stands(job: JobPaths, number: int) -> bool:
    """Whether attempt N, which had ended, is still the newest one of a folder in its place.

    Two questions instead of a listing. Whoever claims N+1 after the first of them sees what was
    on the disk before it.
    """
    return os.access(job.end(number), os.F_OK) and not os.access(job.launch(number + 1), os.F_OK)


def newest_attempt(job: JobPaths) -> Optional[Attempt]:
    """The attempt with the highest number, void or not; None if there is none yet."""
    names = ticket_names(job)
    if not names:
        return None
    number = max(names)
    return read_attempt(job, number, names[number])


def last_attempt(job: JobPaths) -> Optional[Attempt]:
    """The last attempt that is not void: a job's state is that of this one."""
    names = ticket_names(job)
    for number in sorted(names, reverse=True):
        attempt = read_attempt(job, number, names[number])
        if not attempt.void:
            return attempt
    return None


def is_done(job: JobPaths) -> bool:
    """Whether the job's result is there."""
    names = ticket_names(job)
    for number in sorted(names, reverse=True):
        # Most often one N.end says it all, and the order, which may be long, is not read.
        end = read_end(job, number) if "end" in names[number] else None
        if end is not None and end.outcome is not Outcome.VOID:
            return end.outcome is Outcome.DONE
        if end is None and not read_attempt(job, number, names[number]).void:
            return False
    return False


def claim_launch(job: JobPaths, launch: Launch) -> bool:
    """Try to own attempt N; creates the job's folder for its first; True if this one won."""
    make_folders(job.xpm)
    try:
        return publish(job.launch(launch.attempt), dumps(launch.to_json()))
    except StorageError as error:
        # A cleaner, whose ticket was first, moved the folder away meanwhile: look again.
        if isinstance(error.__cause__, FileNotFoundError):
            return False
        raise


def claim_start(job: JobPaths, number: int, start: Start) -> bool:
    """Try to be the one who runs attempt N (or voids it); True if this one won."""
    return publish(job.start(number), dumps(start.to_json()))


def record_end(job: JobPaths, number: int, end: End) -> bool:
    """Record how attempt N ended, for ever, on the disk; False if its end was recorded before."""
    return publish(job.end(number), dumps(end.to_json()), durable=True)


def void(job: JobPaths, attempt: Attempt, *, user: str, why: str) -> bool:
    """Make sure that an attempt that has not started never will; False if it had started."""
    if attempt.start is None:
        me = processes.own_identity()
        start = Start(new_nonce(), attempt.launch.nonce, me, now(), user, void=True, why=why)
        if not claim_start(job, attempt.number, start):
            path = job.start(attempt.number)
            start = Start.from_json(read_object(path), path)
        if not start.void:
            return False
    elif not attempt.start.void:
        return False
    complete_void(job, attempt.number)
    return True


def complete_void(job: JobPaths, number: int, *, by: Optional[ProcessIdentity] = None) -> None:
    """Give a void start its end, which anyone may do; `by` is this process if it is known."""
    end = End(new_nonce(), Outcome.VOID, now(), by or processes.own_identity())
    publish(job.end(number), dumps(end.to_json()))


def proved_dead(job: JobPaths, attempt: Attempt) -> bool:
    """Whether nothing of a started attempt lives, proved from this machine.

    The boot id changed; or supervisor and task are dead by identity and the lock is free. Of what
    runs on another host, and is only mirrored here, nothing is proved from here.
    """
    start = attempt.start
    if start is None or start.void or attempt.end is not None or start.mirror is not None:
        return False
    if processes.liveness(start.by) is not processes.Liveness.DEAD:
        return False
    if start.by.boot_id != processes.boot_id():
        return True
    summary = read_summary(job)
    task = None
    if summary is not None and summary.attempt == attempt.number:
        task = summary.task
    if task is not None and processes.liveness(task) is not processes.Liveness.DEAD:
        return False
    return lock_is_free(job)


def reap(job: JobPaths, attempt: Attempt) -> bool:
    """Record the death of an attempt that is proved dead; False if its own end was there first."""
    start = attempt.start
    if start is not None and start.by.boot_id != processes.boot_id():
        reason = Reason(ReasonKind.HOST_GONE, f"{start.by.host} was started again while it ran")
    else:
        pid = start.by.pid if start is not None else 0
        reason = Reason(ReasonKind.NO_EXIT_RECORD, f"no exit record, and process {pid} is gone")
    return _record_death(job, attempt, reason)


def _record_death(job: JobPaths, attempt: Attempt, reason: Reason) -> bool:
    end = End(
        nonce=new_nonce(),
        outcome=Outcome.DIED,
        at=now(),
        by=processes.own_identity(),
        reason=reason,
        resolved=attempt.launch.resolved,
        project=attempt.launch.project,
    )
    if not record_end(job, attempt.number, end):
        return False
    mend_summary(job, attempt.number, end)
    return True


def assume_dead(job: JobPaths, attempt: Attempt, *, user: str) -> bool:
    """Record that a person says that an attempt is dead which can't be asked from here.

    False where it can be asked, and lives, or had an end of its own by now.
    """
    if attempt.start is None:
        if processes.liveness(attempt.launch.driver) is processes.Liveness.ALIVE:
            return False
        return void(job, attempt, user=user, why="%s says that its plan is dead" % user)
    by = attempt.start.by
    if processes.liveness(by) is processes.Liveness.ALIVE or not lock_is_free(job):
        return False
    text = "%s says that it is dead: process %d on %s" % (user, by.pid, by.host)
    return _record_death(job, attempt, Reason(ReasonKind.NO_EXIT_RECORD, text))


def read_summary(job: JobPaths, *, read: ReadObject = read_object) -> Optional[JobSummary]:
    """job.json; None if it is absent or damaged: it is a summary, the tickets decide."""
    try:
        return JobSummary.from_json(read(job.summary), job.summary)
    except (FileNotFoundError, UnreadableError):
        return None


def mend_summary(job: JobPaths, number: int, end: End) -> None:
    """Bring job.json up to an end that its supervisor could not write there."""
    with try_lock(job) as held:
        summary = read_summary(job) if held else None
        if summary is None or summary.attempt != number or summary.outcome is not None:
            return
        data = summary.to_json()
        data.update(outcome=end.outcome.value, ended=end.at, resolved=end.resolved)
        data["reason"] = None if end.reason is None else end.reason.to_json()
        write_atomic(job.summary, dumps(data))


def take_lock(job: JobPaths, *, patience: float) -> Optional[int]:
    """Hold the job's lock: its descriptor, to be closed or inherited; see `hold`."""
    return hold(job.lock, patience=patience)


def hold(path: str, *, patience: float) -> Optional[int]:
    """Hold the lock file at `path`, made if its folder is there; None after `patience` seconds.

    flock, never fcntl or lockf: any close of the file in a process drops those. A lock that was
    opened before the folder was renamed is granted on the moved file, so it is compared with
    what stands at the path now. A symbolic link in its place is refused. Raises StorageError.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    deadline = time.monotonic() + patience
    while True:
        try:
            descriptor = os.open(path, flags, 0o666)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(error, path, "open this lock") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                return descriptor
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EINTR):
                os.close(descriptor)
                raise storage_error(error, path, "take this lock") from error
        os.close(descriptor)
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.01)


@contextmanager
def try_lock(job: JobPaths) -> Generator[bool, None, None]:
    """Hold the job's lock if it is free; yields whether it is held."""
    descriptor = take_lock(job, patience=0.0)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def lock_is_free(job: JobPaths) -> bool:
    """Whether nobody on this machine holds the job's lock; writes nothing, creates nothing."""
    try:
        descriptor = os.open(job.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _is_at(descriptor: int, path: str) -> bool:
    held = os.fstat(descriptor)
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)
