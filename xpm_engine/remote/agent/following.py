"""Files and folders whose changes are streamed: told by inotify, looked at by stamp.

A look is due when something was heard, and every few seconds anyway: network file systems tell
nothing. Looks are at least `REST` apart, so that a busy log costs the same as a slow one.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Tuple

from xpm_engine.remote.agent.files import CHUNK, open_regular, small, stamp_of
from xpm_engine.remote.agent.notifier import FOLDER, WRITTEN, Notifier, Watched
from xpm_engine.remote.agent.serving import Answer, Request, Source
from xpm_engine.remote.frames import Message
from xpm_engine.workspace.atomic import storage_error

REST = 0.03
"""Seconds, at least, between two looks of one request."""

RECONCILE = 2.0
"""Seconds between two looks where changes are heard of; more often it need not be."""

POLL = 0.25
"""Seconds between two looks where nothing can be heard."""


def follow(request: Request) -> Answer:
    """Some files of one job, from now on until `stop`.

    `files` are ``[name, how, at]``: *whole* is sent when it changed, *tail* what was appended after
    `at`, *last* as whole, but only after everything else was sent to its end: with it the request
    ends by itself. `folder` is what the names are below. Parts: ``{name, at, size, reset}`` and
    bytes; a part with neither says that all that there is was told.
    """
    fields = request.fields
    wanted = [_Followed(str(name), str(how), int(at)) for name, how, at in fields.items("files")]
    return _Following(request.agent.notifier, fields.text("folder"), wanted)


def watch(request: Request) -> Answer:
    """Some folders, until `stop`; parts: ``changed`` [folder, ...], each told once a look.

    The first part says whether changes are heard of (``inotify``) or looked for (``poll``).
    """
    interval = request.fields.optional_number("interval") or RECONCILE
    return _Watching(request.agent.notifier, request.fields.texts("folders"), interval)


@dataclass
class _Followed:
    """One file of a following."""

    name: str
    how: str
    """whole, tail or last."""
    at: int
    """How many bytes of a tail were sent."""
    stamp: Optional[List[int]] = None
    watched: Optional[Watched] = None
    armed: bool = False
    """Whether the next write to it will be heard of."""


class _Following(Source):
    def __init__(self, notifier: Notifier, folder: str, files: "List[_Followed]") -> None:
        self._notifier = notifier
        self._folder = folder
        self._files = files
        self._folders: Dict[str, Optional[Watched]] = {}
        self._told = False
        self._over = False
        self.due = time.monotonic()

    def step(self) -> Iterator[Message]:
        if self._over:
            self.due = None
            return
        self._listen()
        # What is last is read before the rest is drained, and sent after it.
        last = [part for each in self._files if each.how == "last" for part in self._whole(each)]
        more = told = False
        for each in self._files:
            if each.how == "whole":
                parts = self._whole(each)
            elif each.how == "tail":
                parts, again = self._tail(each)
                more = more or again
            else:
                continue
            told = told or bool(parts)
            for part in parts:
                yield part
        if last and more:
            # Read it again when nothing is left before it.
            for each in self._files:
                if each.how == "last":
                    each.stamp = None
        elif last:
            for part in last:
                yield part
            self._over = True
        if not more and (told or not self._told):
            self._told = True
            yield Message({})
        self.due = time.monotonic() + (0.0 if more else self._interval)

    def close(self) -> None:
        for watched in [*self._folders.values(), *(each.watched for each in self._files)]:
            if watched is not None:
                self._notifier.remove(watched)

    @property
    def _interval(self) -> float:
        return RECONCILE if self._notifier.descriptor is not None else POLL

    def _heard(self, name: str) -> None:
        if self.due is not None:
            self.due = min(self.due, time.monotonic() + REST)

    def _listen(self) -> None:
        """Watch the folders for their entries, and each tail for its next write."""
        for each in self._files:
            folder = os.path.dirname(f"{self._folder}/{each.name}")
            if self._folders.get(folder) is None:
                self._folders[folder] = self._notifier.add(folder, FOLDER, self._heard)
            if each.how == "tail" and not each.armed:
                each.watched = self._notifier.add(
                    f"{self._folder}/{each.name}", WRITTEN, self._woken(each)
                )
                each.armed = each.watched is not None

    def _woken(self, each: _Followed) -> "Any":
        def heard(name: str) -> None:
            each.armed = False
            each.watched = None
            self._heard(name)

        return heard

    def _whole(self, each: _Followed) -> "List[Message]":
        path = f"{self._folder}/{each.name}"
        found = stamp_of(path)
        if found == each.stamp:
            return []
        each.stamp = found
        if found is None:
            # Where all of the folder went away, what was told of it stays.
            there = stamp_of(self._folder) is not None
            return [Message({"name": each.name, "gone": True})] if there else []
        data, each.stamp = small(path, CHUNK)
        if data is None:
            return []
        return [Message({"name": each.name, "at": 0, "size": len(data)}, data)]

    def _tail(self, each: _Followed) -> "Tuple[List[Message], bool]":
        """What was appended, at most a chunk of it, and whether there is more."""
        path = f"{self._folder}/{each.name}"
        found = stamp_of(path)
        if found is None:
            return [], False
        body: Dict[str, Any] = {"name": each.name, "size": found[2]}
        replaced = each.stamp is not None and each.stamp[0] != found[0]
        if replaced or found[2] < each.at:
            each.at = 0
            body["reset"] = True
        each.stamp = found
        if found[2] == each.at:
            return ([Message({**body, "at": 0})] if "reset" in body else []), False
        try:
            descriptor = open_regular(path)
        except FileNotFoundError:
            return [], False
        except OSError as error:
            raise storage_error(error, path, "read this file") from error
        try:
            data = os.pread(descriptor, CHUNK, each.at)
        finally:
            os.close(descriptor)
        body["at"] = each.at
        each.at += len(data)
        return [Message(body, data)], each.at < found[2]


@dataclass
class _Folder:
    path: str
    stamp: Optional[List[int]] = None
    watched: Optional[Watched] = None
    heard: bool = field(default=False)


class _Watching(Source):
    def __init__(self, notifier: Notifier, folders: "List[str]", interval: float) -> None:
        self._notifier = notifier
        self._interval = interval
        self._folders = [_Folder(path, stamp_of(path)) for path in folders]
        self._looked = self._told = False
        self._reconcile = 0.0
        self.due = time.monotonic()

    def step(self) -> Iterator[Message]:
        if not self._told:
            self._told = True
            self._listen()
            listening = all(each.watched is not None for each in self._folders)
            yield Message({"by": "inotify" if listening else "poll"})
        clock = time.monotonic()
        if clock >= self._reconcile:
            self._listen()
            for each in self._folders:
                found = stamp_of(each.path)
                each.heard = each.heard or found != each.stamp
                each.stamp = found
            self._reconcile = clock + self._interval
        changed = [each for each in self._folders if each.heard]
        for each in changed:
            each.heard = False
            each.stamp = stamp_of(each.path)
        if changed:
            yield Message({"changed": [each.path for each in changed]})
        self.due = self._reconcile

    def close(self) -> None:
        for each in self._folders:
            if each.watched is not None:
                self._notifier.remove(each.watched)

    def _listen(self) -> None:
        """Watch what is not watched yet: absent before, or its watch is gone with its folder."""
        for each in self._folders:
            if each.watched is None:
                each.watched = self._notifier.add(each.path, FOLDER, self._marker(each))
                each.heard = each.heard or (each.watched is not None and self._looked)
        self._looked = True

    def _marker(self, each: _Folder) -> "Any":
        def heard(name: str) -> None:
            each.heard = True
            if self.due is not None:
                self.due = min(self.due, time.monotonic() + REST)
            if not name and stamp_of(each.path) is None:
                each.watched = None

        return heard
