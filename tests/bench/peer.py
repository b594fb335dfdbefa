"""The peer of `tests.bench.app`: a workspace of experimaestro 2.7.0, and its monitor on it.

The files are those that its scheduler leaves behind; its monitor reads them and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from tests.big_workspace import BEGAN, RANKERS, TASKS, Shape

RUN = "20261120_090000"


def make_peer(root: Path, shape: Shape) -> Path:
    """Write as many jobs, in as many experiments, with the same tags, as `big_workspace.make`."""
    draw = Random(shape.seed)
    (root / ".events" / "experiments").mkdir(parents=True)
    (root / ".events" / "jobs").mkdir()
    (root / "experiments").mkdir()
    (root / ".__experimaestro__").touch()
    share = -(-shape.jobs // shape.experiments)
    for number in range(shape.experiments):
        places = range(number * share, min((number + 1) * share, shape.jobs))
        if places:
            _experiment(root, f"grid{number:02d}", places, shape, draw)
    return root


def monitor(python: str, workspace: Path) -> list[str]:
    """The command that opens its console monitor."""
    program = Path(python).parent / "experimaestro"
    return [str(program), "experiments", "--workdir", str(workspace), "monitor", "--console"]


def _experiment(root: Path, name: str, places: Sequence[int], shape: Shape, draw: Random) -> None:
    folder = root / "experiments" / name / RUN
    folder.mkdir(parents=True)
    lines: list[str] = []
    states: dict[str, str] = {}
    for place in places:
        task = TASKS[place % len(TASKS)]
        identifier = hashlib.sha256(f"{shape.seed} {place}".encode()).hexdigest()
        state = "error" if draw.random() < shape.failed else "done"
        tags = {
            "ranker": RANKERS[place // 4 % len(RANKERS)],
            "lr": round(10 ** -draw.uniform(1, 5), 6),
            "seed": place // 4,
        }
        _job(root, task, identifier, state, draw)
        link = folder / "jobs" / task / identifier
        link.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(root / "jobs" / task / identifier, link)
        states[identifier] = state
        line = {"job_id": identifier, "task_id": task, "tags": tags, "timestamp": BEGAN}
        lines.append(json.dumps(line))
    (folder / "jobs.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "objects.jsonl").touch()
    status: dict[str, Any] = {
        "version": 1,
        "experiment_id": name,
        "run_id": RUN,
        "status": "done",
        "hostname": "here",
        "started_at": _time(BEGAN),
        "ended_at": _time(BEGAN + 90_000),
        "job_states": states,
        "services": {},
        "actions": {},
        "run_tags": [],
        "last_updated": _time(BEGAN + 90_000),
    }
    (folder / "status.json").write_text(json.dumps(status))
    os.symlink(RUN, folder.parent / "current")


def _job(root: Path, task: str, identifier: str, state: str, draw: Random) -> None:
    folder = root / "jobs" / task / identifier
    (folder / ".experimaestro").mkdir(parents=True)
    began = BEGAN + draw.uniform(0, 80_000)
    status: dict[str, Any] = {
        "job_id": identifier,
        "task_id": task,
        "path": str(folder),
        "state": state,
        "failure_reason": "FAILED" if state == "error" else None,
        "scheduler_state": state,
        "scheduler_failure_reason": None,
        "started_time": _time(began),
        "ended_time": _time(began + draw.uniform(5, 9_000)),
        "exit_code": 1 if state == "error" else None,
        "retry_count": 0,
        "resumable": False,
        "progress": [],
        "process": None,
        "events_count": 0,
    }
    (folder / ".experimaestro" / "status.json").write_text(json.dumps(status))
    (folder / "params.json").write_text("{}")
    short = task.rpartition(".")[2]
    (folder / f"{short}.{'failed' if state == 'error' else 'done'}").touch()


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()
