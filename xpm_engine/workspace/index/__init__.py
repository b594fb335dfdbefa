"""What was read of a workspace, kept small in memory and between two sessions; never believed.

- `packing`   a job's record and a line of a manifest as bytes, and back
- `stamps`    whether a file or folder may be different from when it was read
- `known`     every job and run that was read, and what changed since
- `file`      the same in the user's cache folder, for the next session

The folders decide. What is kept here is shown until they were looked at, and saves reading those
that have not changed.
"""

from __future__ import annotations

from xpm_engine.workspace.index.file import (
    Remembered,
    index_path,
    read_index,
    why_unwritable,
    write_index,
)
from xpm_engine.workspace.index.known import Known, RunName, StoredRun
from xpm_engine.workspace.index.packing import (
    JobRow,
    PackedReferences,
    ended_of,
    ended_since,
    keys_of,
    last_end,
    named_in,
    pack_job,
    pack_manifest,
    record_of,
    seconds_of,
    state_of,
    tags_in,
)
from xpm_engine.workspace.index.reading import JobReader
from xpm_engine.workspace.index.records import Records, records
from xpm_engine.workspace.index.stamps import Stamp, Stamps

__all__ = [
    "JobReader",
    "JobRow",
    "Known",
    "PackedReferences",
    "Records",
    "Remembered",
    "RunName",
    "Stamp",
    "Stamps",
    "StoredRun",
    "ended_of",
    "ended_since",
    "index_path",
    "keys_of",
    "last_end",
    "named_in",
    "pack_job",
    "pack_manifest",
    "read_index",
    "record_of",
    "records",
    "seconds_of",
    "state_of",
    "tags_in",
    "why_unwritable",
    "write_index",
]
