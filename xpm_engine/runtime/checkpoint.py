"""Files that a resumable task finds again, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def checkpoint(path: str | os.PathLike[str]) -> Generator[Path, None, None]:
    """Replace a file at once: write to the path that is yielded, it takes its place at the end.

    ::

        with checkpoint("model.pt") as path:
            torch.save(model.state_dict(), path)

    A task that is killed while it writes, or raises, leaves the former file as it was. The data
    are on the disk before they replace it. Raises what the block or the system raises.
    """
    target = Path(path)
    aside = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        yield aside
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(target)
    finally:
        with suppress(OSError):
            aside.unlink()
