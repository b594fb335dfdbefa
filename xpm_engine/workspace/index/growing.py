"""The manifest of a run that goes on: at each look only what was appended is read."""

from __future__ import annotations

import os
from collections.abc import Sequence

from xpm_engine.workspace.index.packing import PackedReferences
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import Manifest, ManifestLines, Reference

_OVERLAP = 128
"""Bytes before what was appended that must still be those that were read."""


_EMPTY = Manifest(PackedReferences([], []), ended=False)


class GrowingManifest:
    """One ``jobs.jsonl``; one that was replaced, or changed otherwise, is read from its start."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = (0, 0)
        self._offset = 0
        self._last = b""
        self._lines = ManifestLines(path)
        self._keys: list[JobKey] = []
        self._rows: list[bytes] = []
        self._places: dict[JobKey, int] = {}
        self._manifest = _EMPTY

    def read(self) -> Manifest:
        """What it says now; raises OSError. The same object where nothing was appended."""
        with open(self._path, "rb") as file:
            found = os.fstat(file.fileno())
            if (found.st_dev, found.st_ino) != self._file or found.st_size < self._offset:
                self._begin((found.st_dev, found.st_ino))
            file.seek(self._offset - len(self._last))
            data = file.read()
            if not data.startswith(self._last):
                self._begin(self._file)
                file.seek(0)
                data = file.read()
        appended = data[len(self._last) :]
        if appended:
            self._offset += len(appended)
            self._last = data[-_OVERLAP:]
            self._take(self._lines.feed(appended))
        return self._manifest

    def _begin(self, file: tuple[int, int]) -> None:
        self._file = file
        self._offset = 0
        self._last = b""
        self._lines = ManifestLines(self._path)
        self._keys.clear()
        self._rows.clear()
        self._places.clear()
        self._manifest = _EMPTY

    def _take(self, references: Sequence[Reference]) -> None:
        packed = PackedReferences.of(references)
        for key, row in zip(packed.keys, packed.rows, strict=True):
            place = self._places.setdefault(key, len(self._keys))
            if place < len(self._keys):
                self._rows[place] = row
            else:
                self._keys.append(key)
                self._rows.append(row)
        ended, damage = self._lines.ending()
        lines = self._manifest.references
        if references:
            # What was handed on before is somebody's, and never changes.
            lines = PackedReferences(list(self._keys), list(self._rows))
        self._manifest = Manifest(lines, ended, damage)
