"""File systems that are mounted inside of folders.

Moving a folder takes them along, and deleting it would empty them.
"""

from __future__ import annotations

import os
import re

MOUNTS = "/proc/self/mountinfo"
"""proc(5): a mount a line, its place the fifth field; absent on other systems than Linux."""

_PLACE = 4
_ESCAPED = re.compile(rb"\\([0-7]{3})")


def mounts_below(path: str) -> tuple[str, ...]:
    """Where file systems are mounted below a folder; empty where the system does not tell."""
    real = os.fsencode(os.path.realpath(path)) + b"/"
    try:
        with open(MOUNTS, "rb") as file:
            fields = [line.split(b" ", _PLACE + 1) for line in file]
    except OSError:
        return ()
    places = (_unescaped(each[_PLACE]) for each in fields if len(each) > _PLACE)
    return tuple(sorted({os.fsdecode(place) for place in places if place.startswith(real)}))


def _unescaped(place: bytes) -> bytes:
    """Blanks and the like stand there as octal numbers."""
    return _ESCAPED.sub(lambda found: bytes((int(found.group(1), 8),)), place)
