"""Keeping the store true: a thread that reads what changed.

Events of the few folders that can change say *that* something happened; the reader finds out what.
A look at everything now and then is the base, for events are lost, and never come from other hosts.
The thread never touches the screen: it puts what it found aside and calls `wake`, once, until the
screen has fetched it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from threading import Condition, Thread
from typing import Protocol

from xpm_engine.errors import UnreachableError
from xpm_engine.tracebacks import in_words
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_tui.ears.opening import Hears, open_ears
from xpm_tui.own_faults import own_fault
from xpm_tui.store.memory import Memory
from xpm_tui.store.model import Delta
from xpm_tui.store.reader import TURNS, Look, Reader
from xpm_tui.store.subjects import RunKey

CYCLE = 1.0
"""Seconds between looks at what is live; events shorten them."""

POLL = 5.0
"""The same where there are no events: every look costs a network file system's answers."""

RECONCILE = 30.0
"""Seconds between looks at everything; more where such a look takes long."""

SHARE = 0.02
"""The part of the time that looks at everything may take, …"""

CPU_SHARE = 0.003
"""… and that of a core."""

SETTLE = 0.03
"""Seconds from an event to the look: what is written with it is seen by the same look."""

PACE = 1.0
"""Seconds at the least between looks at jobs that only told how far they are: a hundred of them may
each do so twice a second."""

PATIENCE = 5.0
"""Seconds that a screen has to take what was remembered; then the check begins all the same."""

PAINT = 0.2
"""Seconds that it has to paint it."""

MAX_JOB_WATCHES = 64
"""Live jobs whose folder is watched: each may cost a thread. The others wait for the cycle."""

MAX_FOLDER_WATCHES = 128


class Hearing(Enum):
    """How the watcher hears of changes."""

    STARTING = "starting"
    EVENTS = "events"
    POLLING = "polling"
    LOST = "lost"
    """The other machine can't be reached."""


class Reads(Protocol):
    """What reads a workspace: `store.reader.Reader`, or `far.reader.FarReader`."""

    memory: Memory

    @property
    def lost(self) -> str: ...

    @property
    def live_jobs(self) -> frozenset[JobKey]: ...

    def folders(self) -> tuple[str, ...]: ...

    def read(self, look: Look) -> Iterator[Delta]: ...


@dataclass(frozen=True)
class Senses:
    """How a workspace is read, and how its changes are heard of."""

    reader: Reads
    ears: Callable[[Callable[[str], None]], Hears]


@dataclass
class _Dirty:
    """What events named since the last look."""

    jobs: set[JobKey] = field(default_factory=set[JobKey])
    moved: set[JobKey] = field(default_factory=set[JobKey])
    """Those that only told how far they are; they alone are no reason to look at once."""
    runs: set[RunKey] = field(default_factory=set[RunKey])
    lists: bool = False
    everything: bool = False

    def __bool__(self) -> bool:
        return bool(self.jobs or self.runs or self.lists or self.everything)


class Watcher:
    """Reads a workspace in a thread of its own for as long as it is not stopped."""

    def __init__(
        self,
        workspace: WorkspacePaths,
        wake: Callable[[], None],
        *,
        events: bool = True,
        senses: Senses | None = None,
    ) -> None:
        """`wake` is called from the thread when there is something to `take`; it must not block.

        Without `events` it looks every few seconds. `senses` are those for a workspace of another
        machine.
        """
        self.hearing = Hearing.STARTING
        self.trouble = ""
        """Why there are no events, and what would bring them; empty if there are."""
        self._workspace = workspace
        self._wake = wake
        self._events = events
        self._senses = senses or Senses(Reader(workspace), open_ears)
        self._reader = self._senses.reader
        self._changed = Condition()
        self._dirty = _Dirty(everything=True)
        self._found: deque[Delta] = deque()
        self._touched: set[JobKey] = set()
        self._woken = False
        self._share = 0.0
        """How much the screen was told to be looked at."""
        self._kept = False
        """Whether what the first look at everything found was remembered."""
        self._told_of: frozenset[JobKey] = frozenset()
        """The live jobs whose folder is listened at."""
        self._still = 0
        """How many looks in a row found nothing, but for what jobs tell that go on."""
        self._moved_due = 0.0
        """When jobs that only told how far they are may be looked at next, in monotonic time."""
        self._stopped = False
        self._thread = Thread(target=self._run, name="watcher", daemon=True)
        self._ears: Hears | None = None

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it does so after the file that it reads just now."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def join(self, seconds: float) -> bool:
        """Wait for the thread to end; False if it did not."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def index_trouble(self) -> str:
        """Why the next start will have to read everything; empty if it will not."""
        return self._reader.memory.trouble

    @property
    def remembering(self) -> bool:
        """Whether what was read is being written down for the next start."""
        return self._reader.memory.keeping

    def take(self) -> list[Delta]:
        """What was found since it was last taken."""
        with self._changed:
            found = list(self._found)
            self._found.clear()
            self._woken = False
            self._changed.notify()
            return found

    def touch(self, key: JobKey) -> None:
        """Files of this job have come that no look tells of: who shows them reads them again."""
        with self._changed:
            self._touched.add(key)
        self._wake()

    def take_touched(self) -> frozenset[JobKey]:
        """The jobs that were touched since this was last asked."""
        with self._changed:
            touched = frozenset(self._touched)
            self._touched.clear()
            return touched

    def look_soon(self) -> None:
        """Do not wait for the next cycle."""
        with self._changed:
            self._dirty.lists = True
            self._changed.notify()

    def look_now(self) -> None:
        """Look at everything now."""
        with self._changed:
            self._dirty.everything = True
            self._changed.notify()

    # In the thread

    def _run(self) -> None:
        due = 0.0
        try:
            remembered = self._reader.memory.remember()
            if remembered is not None:
                self._hand_on(remembered)
                self._let_paint()
            while not self._stopped:
                look = self._next_look(due)
                if look is None:
                    break
                began, spent = time.monotonic(), time.thread_time()
                self._read(look)
                if look.everything:
                    took, spent = time.monotonic() - began, time.thread_time() - spent
                    pause = max(RECONCILE, took / SHARE, spent / CPU_SHARE)
                    due = time.monotonic() + pause
                if self._has_to_listen():
                    self._listen()
                if look.everything and not self._kept:
                    self._kept = True
                    self._reader.memory.keep()
        except Exception as error:
            # Nobody looks any more: what is shown must not go on looking live.
            own_fault(error)
            problem = f"{self._workspace.root} is not read any more: {in_words(error)}"
            self._hand_on(self._reader.memory.tell(problem=problem))
            raise
        finally:
            self._reader.memory.keep()
            if self._ears is not None:
                self._ears.close()

    def _let_paint(self) -> None:
        """Wait until what was remembered is on the screen: one thread at a time is quicker."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or not self._woken, PATIENCE)
            self._changed.wait_for(lambda: self._stopped, PAINT)

    def _next_look(self, due: float) -> Look | None:
        """Wait for the next time to look; None if it is over."""
        with self._changed:
            if self._wait():
                self._changed.wait_for(lambda: self._stopped, SETTLE)
            if self._stopped:
                return None
            dirty, self._dirty = self._dirty, _Dirty()
            now = time.monotonic()
            if now < self._moved_due and not dirty.everything:
                self._dirty.moved, dirty.moved = dirty.moved, set()
            elif dirty.moved:
                self._moved_due = now + PACE
        self._still = 0 if dirty else self._still + 1
        everything = dirty.everything or now >= due
        return Look(
            frozenset(dirty.jobs),
            frozenset(dirty.runs),
            everything,
            heard=self._told_of,
            moved=frozenset(dirty.moved),
        )

    def _wait(self) -> bool:
        """Wait for something to look at, or for the next cycle; whether events told of something.

        Of jobs that only told how far they are the first one is looked at as soon, and the others
        that come before the next second is over with the one after it.
        """
        cycle = time.monotonic() + (CYCLE if self.hearing is Hearing.EVENTS else POLL)
        while not (self._stopped or self._dirty):
            until = min(cycle, self._moved_due) if self._dirty.moved else cycle
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._changed.wait(left)
        return True

    def _read(self, look: Look) -> None:
        live = self._reader.live_jobs
        for delta in self._reader.read(look):
            if self._stopped:
                return
            if delta or delta.checked != 1.0 or self._share != 1.0 or look.everything:
                self._share = delta.checked
                if delta.beyond_jobs or look.everything:
                    self._still = 0
                self._hand_on(delta)
        if self._reader.live_jobs != live:
            self._still = 0

    def _hand_on(self, delta: Delta) -> None:
        with self._changed:
            self._found.append(delta)
            wake, self._woken = not self._woken, True
        if wake:
            self._wake()

    def _has_to_listen(self) -> bool:
        """Whether other folders may be the ones to watch; events tell of most that makes it so."""
        quiet = self.hearing is Hearing.EVENTS and not self._reader.lost
        return not quiet or self._still % TURNS == 0

    def _listen(self) -> None:
        """Watch the folders that can change now."""
        self._told_of = frozenset()
        if self._reader.lost:
            self.hearing, self.trouble = Hearing.LOST, self._reader.lost
            return
        if not self._events or self.hearing is Hearing.POLLING:
            self.hearing = Hearing.POLLING
            return
        try:
            if self._ears is None:
                self._ears = self._senses.ears(self._heard)
            jobs = sorted(self._reader.live_jobs)[:MAX_JOB_WATCHES]
            folders = self._reader.folders()[:MAX_FOLDER_WATCHES]
            heard = dict.fromkeys((*jobs, *self._reader.memory.restarts.lately))
            new = self._ears.listen_at([*folders, *(self._workspace.job(key).xpm for key in heard)])
        except UnreachableError as error:
            self.hearing, self.trouble = Hearing.LOST, error.what
            return
        except OSError as error:
            self.trouble = (
                f"no events from this file system ({error.strerror or error}); if a limit is the "
                "reason, raise fs.inotify.max_user_watches and max_user_instances with sysctl"
            )
            self.hearing = Hearing.POLLING
            if self._ears is not None:
                self._ears.close()
                self._ears = None
            return
        self.hearing, self.trouble = Hearing.EVENTS, ""
        self._told_of = frozenset(jobs)
        if new:
            # What happened in a folder between reading it and watching it made no event.
            with self._changed:
                self._dirty.lists = True
                self._dirty.jobs.update(filter(None, map(self._workspace.key_of, new)))

    def _heard(self, path: str) -> None:
        """Something was made, replaced or removed at `path`; in a thread."""
        key = self._workspace.key_of(path)
        run = self._run_of(path)
        with self._changed:
            if key is not None and path == self._workspace.job(key).progress:
                first = not self._dirty.moved
                self._dirty.moved.add(key)
                if not first:
                    return
            elif key is not None:
                self._dirty.jobs.add(key)
            elif run is not None:
                self._dirty.runs.add(run)
            else:
                self._dirty.lists = True
            self._changed.notify()

    def _run_of(self, path: str) -> RunKey | None:
        prefix = self._workspace.experiments + "/"
        parts = path[len(prefix) :].split("/") if path.startswith(prefix) else []
        return RunKey(parts[0], parts[1]) if len(parts) > 2 else None
