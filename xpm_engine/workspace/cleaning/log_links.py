"""The links to logs at the top of a job's folder, while the logs are packed and when they are back.

``stdout.log`` leads to the log of the last attempt. Where that is packed, ``stdout.log.gz`` leads
to the packed copy in its place, so that neither leads nowhere and a name says what one finds.
Nothing else of these names is touched: a task may call its files as it likes.
"""

from __future__ import annotations

import os
from contextlib import suppress

from xpm_engine.workspace.layout import PACKED, JobPaths, link_to_log


def link_time(job: JobPaths, name: str) -> int | None:
    """When the link to this log was made, in nanoseconds; None where none leads to it."""
    link = job.log_link(name)
    if link is None or _target(link) != link_to_log(name):
        return None
    with suppress(OSError):
        return os.lstat(link).st_mtime_ns
    return None


def lead_to_packed(job: JobPaths, name: str) -> None:
    """The log is packed: a link that led to it leads to the packed copy, under its name.

    Does what it can, as the links are for people; may be done again. The job's lock is held.
    """
    link = job.log_link(name)
    if link is None or _target(link) != link_to_log(name):
        return
    with suppress(OSError):
        with suppress(FileExistsError):
            os.symlink(link_to_log(name) + PACKED, link + PACKED)
        os.unlink(link)


def lead_to_log(job: JobPaths, name: str, time: int | None) -> None:
    """The log is in its place again: so is the link to it, with the `time` that it had.

    None where that is not known; then there is one again if one leads to the packed copy. Does
    what it can; may be done again. The job's lock is held.
    """
    link = job.log_link(name)
    if link is None:
        return
    packed = _target(link + PACKED) == link_to_log(name) + PACKED
    with suppress(OSError):
        if packed or time is not None:
            with suppress(FileExistsError):
                os.symlink(link_to_log(name), link)
        if time is not None and _target(link) == link_to_log(name):
            os.utime(link, ns=(time, time), follow_symlinks=False)
        if packed:
            os.unlink(link + PACKED)


def _target(link: str) -> str | None:
    try:
        return os.readlink(link)
    except OSError:
        return None
