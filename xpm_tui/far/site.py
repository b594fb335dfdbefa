"""A workspace of another machine, as the app uses it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

from xpm_engine.errors import XpmError
from xpm_engine.remote.openssh import parse_url, shell_command
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_tui.facts.folder import MAX_DEPTH, MAX_ENTRIES, Entry, EntryKind, Listing
from xpm_tui.far.deeds import FarDeeds
from xpm_tui.far.details import Details, Shown
from xpm_tui.far.listening import FarEars
from xpm_tui.far.opened import Opened
from xpm_tui.far.place import FarPlace
from xpm_tui.far.reader import FarReader
from xpm_tui.outside.programs import Errand
from xpm_tui.watcher import Senses

_KINDS = {"file": EntryKind.FILE, "folder": EntryKind.FOLDER, "link": EntryKind.LINK}

ATTEMPTS = 3
"""The logs of so many attempts of the job on the screen are followed, the newest ones."""


class FarSite:
    """The machine, the connection to it, and what is on the screen of it."""

    def __init__(self, place: FarPlace, *, readonly: bool = False) -> None:
        self.place = place
        self.deeds = FarDeeds(place, readonly=readonly)
        self.opened = Opened(place)
        self._details = Details(place, self._arrived)
        self._touch: Callable[[JobKey], None] = lambda key: None

    @property
    def title(self) -> str:
        """``host:path``, for the first row."""
        return f"{self.place.host}:{self.place.root}"

    def senses(self, *, clock: Callable[[], float]) -> Senses:
        """How it is read, and how its changes are heard of."""
        reader = FarReader(self.place, self._details, clock=clock, trash=self.deeds.trash)
        return Senses(reader, lambda heard: FarEars(self.place, heard))

    def tell(self, touch: Callable[[JobKey], None], soon: Callable[[], None]) -> None:
        """Call `touch`, in any thread, when files of a job on the screen have come, and `soon`
        when there is a new connection."""
        self._touch = touch
        self.place.link.when_up(lambda _: soon())

    def attend(self, key: JobKey | None, attempt: int) -> bool:
        """This job is on the screen: follow its files; whether that is news."""
        attempts = tuple(range(max(1, attempt - ATTEMPTS + 1), attempt + 1))
        shown = None if key is None else Shown(key, attempts)
        if shown == self._details.shown:
            return False
        self._details.show(shown)
        return True

    def list_folder(self, path: str) -> Listing:
        """What is in a folder there, that is named as the one here which stands for it.

        It waits for the other machine: not for the thread that draws.
        """
        entries: list[Entry] = []
        complete = True
        try:
            connection = self.place.link.connection()
            for part in connection.stream("walk", path=self.place.there(path)):
                for told in part.body.get("entries", ()):
                    entry = _entry(told)
                    if len(entries) < MAX_ENTRIES and entry.depth <= MAX_DEPTH:
                        entries.append(entry)
                    else:
                        complete = False
                if len(entries) >= MAX_ENTRIES:
                    complete = False
                    break
        except XpmError as error:
            return Listing(tuple(entries), complete=False, problem=error.what)
        return Listing(tuple(entries), complete=complete)

    def shell(self, folder: str) -> Errand:
        """A shell in a folder there, that is named as the one here which stands for it.

        Raises StorageError.
        """
        there = self.place.there(folder)
        command = shell_command(parse_url(self.place.url)[0], there)
        greeting = f"{self.place.host}:{there}\nexit, or ctrl+d, leads back to xpm-tui"
        return Errand(tuple(command), greeting=greeting)

    def forms(self, keys: Sequence[JobKey]) -> tuple[tuple[str, str], ...]:
        """What is copied of jobs there, besides what holds wherever they are."""
        host, url = self.place.host, self.place.url
        there = WorkspacePaths(self.place.root)
        if not keys:
            opens = shlex.join(["xpm-tui", url])
            return (("folder", there.root), ("command that opens it", opens))
        folders = [there.job(key).root for key in keys]
        copies = "\n".join(shlex.quote(f"{host}:{folder}") for folder in folders)
        found = [("folder", "\n".join(folders)), ("folder, for scp and rsync", copies)]
        if len(keys) == 1:
            opens = shlex.join(["xpm-tui", url, "--job", keys[0].short])
            found.append(("command that opens it", opens))
        return tuple(found)

    def close(self) -> None:
        """Let go of the machine."""
        self.opened.close()
        self.deeds.close()
        self.place.link.close()

    def _arrived(self, key: JobKey) -> None:
        self._touch(key)


def _entry(told: dict[str, object]) -> Entry:
    name = str(told["name"])
    size, modified = told.get("size"), told.get("mtime_ns")
    kind = _KINDS.get(str(told["kind"]), EntryKind.OTHER)
    return Entry(
        path=name,
        depth=name.count("/"),
        kind=kind,
        size=size if kind is EntryKind.FILE and isinstance(size, int) else None,
        modified=modified / 1e9 if isinstance(modified, int) else None,
        target=str(told.get("to", "")),
    )
