"""Which workspace of which machine, and the folder here that stands for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread

from xpm_engine.errors import NotAWorkspaceError, StorageError, UnreachableError, UsageError
from xpm_engine.remote.archive import VERBS
from xpm_engine.remote.connection import Connection
from xpm_engine.remote.link import Link
from xpm_engine.remote.openssh import connect, parse_url
from xpm_engine.workspace.atomic import dumps, make_folders, read_object, write_atomic
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_tui.far.copies import ABOUT, forget_old
from xpm_tui.own_faults import foreseen

FIRST_PATIENCE = 30.0
"""Seconds for the first connection; ssh itself gives up sooner where nothing answers."""


@dataclass(frozen=True)
class FarPlace:
    """A workspace of another machine."""

    url: str
    """As the user wrote it."""
    host: str
    """The machine, in the user's words."""
    root: str
    """The workspace's folder there."""
    here: WorkspacePaths
    """The folder in the user's cache that stands for it: what was seen of it."""
    link: Link
    verbs: Callable[[], Connection]
    """Starts a process there that has the engine's verbs; raises RemoteError."""

    def there(self, path: str) -> str:
        """The path there of what a path in the folder here stands for."""
        return self.root + path[len(self.here.root) :]

    def told(self, text: str) -> str:
        """A text that names files here, with the names that they have there."""
        return text.replace(self.here.root, self.root)


def open_place(
    url: str,
    *,
    caches: str,
    dial: Callable[[bool], Connection] | None = None,
    verbs: Callable[[], Connection] | None = None,
    meanwhile: Callable[[], object] = lambda: None,
) -> FarPlace:
    """Connect to ``ssh://[user@]host[:port]/path``, and see that the path is a folder.

    Where the machine can't be reached, what was seen of it before is there to be browsed; `caches`
    is the folder for that; `meanwhile` is done while it is waited for. Raises UsageError,
    RemoteError where nothing was, NotAWorkspaceError.
    """
    destination, path = parse_url(url)
    if not path:
        raise UsageError(
            f"{url!r} names no folder", hint="ssh://host/path, or ssh://host/~/path below your home"
        )
    host = str(destination)
    name = hashlib.sha256(f"{host}\0{path}".encode("utf-8", "surrogateescape")).hexdigest()[:24]
    here = WorkspacePaths(f"{caches}/{name}")

    def dialled(suspicious: bool) -> Connection:
        with foreseen():
            if dial is not None:
                return dial(suspicious)
            return connect(destination, suspicious=suspicious)

    link = Link(host, dialled)
    link.start()
    meanwhile()
    try:
        root = _resolve(link, host, path)
    except UnreachableError:
        known = _remembered(here)
        if known is None:
            link.close()
            raise
        root = known
    except BaseException:
        link.close()
        raise
    make_folders(here.root)
    with suppress(StorageError):
        write_atomic(f"{here.root}/{ABOUT}", dumps({"v": 1, "url": url, "root": root}))
    Thread(target=forget_old, args=(caches,), kwargs={"but": name}, daemon=True).start()
    return FarPlace(
        url, host, root, here, link, verbs or (lambda: connect(destination, load=VERBS))
    )


def _resolve(link: Link, host: str, path: str) -> str:
    """The absolute path there; raises NotAWorkspaceError where it is no folder."""
    connection = link.settled(FIRST_PATIENCE)
    found = connection.ask("place", path=path)
    root = str(found["path"])
    if not found["exists"]:
        raise NotAWorkspaceError(
            "there is no such folder",
            where=f"{host}:{root}",
            hint="check the path; a path below your home is written ssh://host/~/path",
        )
    return root


def _remembered(here: WorkspacePaths) -> str | None:
    """The path there, if something was seen of it before."""
    try:
        root = read_object(f"{here.root}/{ABOUT}").get("root")
    except (OSError, StorageError, ValueError):
        return None
    return root if isinstance(root, str) else None
