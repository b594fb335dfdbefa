"""In which form something is copied: asked after `Y`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from rich.text import Text

from xpm_engine.errors import XpmError
from xpm_engine.verbs import forms
from xpm_engine.workspace.layout import WorkspacePaths
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
    workspace: WorkspacePaths, jobs: Sequence[Job], *, shown: WorkspacePaths | None = None
) -> tuple[Form, ...]:
    """All forms of these jobs; reads their parameters, so in a thread.

    `shown` is the workspace by the name that it has for people, where that is another one.
    """
    keys = [job.key for job in jobs]
    shown = shown or workspace
    if not keys:
        return (("folder", shown.root), ("command that opens it", _command("xpm-tui")))
    records = [_params(workspace, job) for job in jobs]
    found = [record for record in records if record is not None]
    identifiers = [key.identifier for key in keys]
    where = f"-w {shlex.quote(shown.root)}"
    choices: list[Form] = [
        ("identifier", "\n".join(identifiers)),
        ("task and identifier", "\n".join(map(str, keys))),
        ("folder", "\n".join(shown.job(key).root for key in keys)),
        ("command that lists it", f"xpm ls 'id:{','.join(identifiers)}' {where}"),
    ]
    if len(keys) == 1:
        choices += [
            ("command that explains it", f"xpm why {keys[0]} {where}"),
            ("command that shows its log", f"xpm log {keys[0]} {where}"),
            ("command that opens it", _command("xpm-tui", shown.root, "--job", keys[0].short)),
        ]
    params = [json.dumps(dict(job.params), indent=2, ensure_ascii=False) for job in jobs]
    choices.append(("parameters that were set", _list(params)))
    if found:
        choices.append(("all parameters as JSON", _list(list(map(forms.json_text, found)))))
        choices.append(("Python", "\n\n".join(map(forms.python_text, found))))
    return tuple(choices)


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
