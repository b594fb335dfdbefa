"""In which form something is copied: asked after `Y`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from rich.text import Text

from xpm_engine.errors import XpmError
from xpm_engine.verbs import forms
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.params import ParamsRecord
from xpm_engine.workspace.scan import read_params
from xpm_tui import look
from xpm_tui.screens.picker import Picker
from xpm_tui.store import Job
from xpm_tui.widgets.pick_list import Pick

NAME_WIDTH = 26
LINES_WIDTH = 9
NOTE = "enter copy   esc back"
Form = tuple[str, str]
"""What a form is called, and the text."""


class CopyAsScreen(Picker):
    """The forms there are; ends with the name of the one that was chosen."""

    def __init__(self, choices: Sequence[Form]) -> None:
        picks = [Pick(name, Text(name, "xpm.key"), *_preview(text)) for name, text in choices]
        super().__init__("Copy as", picks, widths=(NAME_WIDTH, LINES_WIDTH), note=NOTE)


def forms_of(
    workspace: WorkspacePaths, jobs: Sequence[Job], *, there: tuple[Form, ...] | None = None
) -> tuple[Form, ...]:
    """All forms of these jobs; reads their parameters, so in a thread.

    `there` are those that say where they are, if that is on another machine.
    """
    keys = [job.key for job in jobs]
    if not keys:
        here = (("folder", workspace.root), ("command that opens it", _command("xpm-tui")))
        return there or here
    records = [_params(workspace, job) for job in jobs]
    found = [record for record in records if record is not None]
    identifiers = [key.identifier for key in keys]
    choices: list[Form] = [
        ("identifier", "\n".join(identifiers)),
        ("task and identifier", "\n".join(map(str, keys))),
        *(_places(workspace, keys) if there is None else there),
    ]
    params = [json.dumps(dict(job.params), indent=2, ensure_ascii=False) for job in jobs]
    choices.append(("parameters that were set", _list(params)))
    if found:
        choices.append(("all parameters as JSON", _list(list(map(forms.json_text, found)))))
        choices.append(("Python", "\n\n".join(map(forms.python_text, found))))
    return tuple(choices)


def _places(workspace: WorkspacePaths, keys: Sequence[JobKey]) -> list[Form]:
    """Where they are, and the commands about them there."""
    where = f"-w {shlex.quote(workspace.root)}"
    identifiers = ",".join(key.identifier for key in keys)
    found: list[Form] = [
        ("folder", "\n".join(workspace.job(key).root for key in keys)),
        ("command that lists it", f"xpm ls 'id:{identifiers}' {where}"),
    ]
    if len(keys) == 1:
        opens = _command("xpm-tui", workspace.root, "--job", keys[0].short)
        found += [
            ("command that explains it", f"xpm why {keys[0]} {where}"),
            ("command that shows its log", f"xpm log {keys[0]} {where}"),
            ("command that opens it", opens),
        ]
    return found


def _command(*words: str) -> str:
    return shlex.join(words)


def _list(texts: Sequence[str]) -> str:
    """One JSON value as it is; several in a list."""
    return texts[0] if len(texts) == 1 else "[\n" + ",\n".join(texts) + "\n]"


def _params(workspace: WorkspacePaths, job: Job) -> ParamsRecord | None:
    try:
        return read_params(workspace.job(job.key), job.record.attempt)
    except XpmError:
        return None


def _preview(text: str) -> tuple[Text, Text]:
    """How many lines it has, where there are several, and the first of them."""
    lines = text.splitlines() or [""]
    count = look.plural(len(lines), "line") if len(lines) > 1 else ""
    return Text(count, "xpm.faint"), Text(look.plain(" ".join(text.split())))
