"""The order of an attempt, parsed once: a forked process finds what its parent has parsed."""

from __future__ import annotations

from xpm_engine.workspace.atomic import parse_object, read_bytes
from xpm_engine.workspace.layout import JobPaths
from xpm_engine.workspace.records.params import ParamsRecord
from xpm_engine.workspace.records.tickets import Launch

_launch: tuple[bytes, Launch] | None = None
_params: tuple[Launch, ParamsRecord] | None = None


def read_launch(job: JobPaths, attempt: int) -> Launch:
    """N.launch; parsed only if the file holds something else than the last time.

    Raises FileNotFoundError and UnreadableError.
    """
    global _launch  # noqa: PLW0603 (a process runs one job: the last order is the only one)
    path = job.launch(attempt)
    data = read_bytes(path)
    if _launch is None or _launch[0] != data:
        _launch = data, Launch.from_json(parse_object(data, path), path)
    return _launch[1]


def params_of(launch: Launch, where: str) -> ParamsRecord:
    """The parameters of an order that `read_launch` gave; raises UnreadableError."""
    global _params  # noqa: PLW0603 (as above)
    if _params is None or _params[0] is not launch:
        _params = launch, ParamsRecord.from_json(launch.params, where)
    return _params[1]
