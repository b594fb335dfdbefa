"""ONE table of what the keys do: it feeds the bindings, the key bar, the help and the palette.

An action named ``open`` is carried out by the first `do_open` that is found on the way from the
widget that has the focus up to its screen and the app. So the key of an action means the same
everywhere, and where nothing carries it out, the user is told where it works.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from xpm_tui.actions.action import Action, Bar, Place, Situation


def _changes(situation: Situation) -> str:
    return "the app was started with --readonly" if situation.readonly else ""


def _acts_on_jobs(situation: Situation) -> str:
    return _changes(situation) or ("" if situation.jobs else "there is no job under the cursor")


def _fetches(situation: Situation) -> str:
    host = situation.host
    there = f"this is {host}'s own workspace: Y copies its folder for scp and rsync" if host else ""
    return _changes(situation) or there or ("" if situation.fetching else _acts_on_jobs(situation))


def _goes_out(situation: Situation) -> str:
    return "a browser has no other programs" if situation.web else ""


def _leaves(situation: Situation) -> str:
    """A shell could change anything."""
    return _goes_out(situation) or _changes(situation)


def _edits(situation: Situation) -> str:
    # Of another machine's file a copy is looked at, in a pager that changes nothing.
    return _goes_out(situation) if situation.host else _leaves(situation)


def _removes(situation: Situation) -> str:
    nothing = "there is nothing to remove under the cursor"
    return _changes(situation) or ("" if situation.jobs or situation.things else nothing)


def _takes_back(situation: Situation) -> str:
    return _changes(situation) or (
        "" if situation.changes else "nothing was changed in this session"
    )


ACTIONS: tuple[Action, ...] = (
    Action("down", ("j", "down"), "down", "Move down", Place.LISTS, shown="j ↓"),
    Action("up", ("k", "up"), "up", "Move up", Place.LISTS, shown="k ↑"),
    Action("first", ("g", "home"), "first", "Go to the beginning", Place.LISTS, shown="g"),
    Action("last", ("G", "end"), "last", "Go to the end", Place.LISTS, shown="G"),
    Action("page_down", ("pagedown",), "page down", "Move a screen down", Place.LISTS),
    Action("page_up", ("pageup",), "page up", "Move a screen up", Place.LISTS),
    Action("half_down", ("ctrl+d",), "half down", "Move half a screen down", Place.LISTS),
    Action("half_up", ("ctrl+u",), "half up", "Move half a screen up", Place.LISTS),
    Action(
        "deeper",
        ("l", "right"),
        "unfold",
        "Unfold; in tables and texts: scroll to the right",
        Place.LISTS,
        shown="l →",
    ),
    Action(
        "shallower",
        ("h", "left"),
        "fold",
        "Fold, then to the parent, at last the workspace; in tables and texts: scroll to the left",
        Place.LISTS,
        shown="h ←",
    ),
    Action(
        "open",
        ("enter",),
        "open",
        "Open what is under the cursor",
        weight=90,
        plan=Bar("why", 98),
    ),
    Action(
        "back",
        ("escape", "backspace"),
        "back",
        "One step back; never leaves the app",
        shown="esc",
        weight=50,
        log=Bar("back", 90),
        plan=Bar("back", 94),
    ),
    Action("quit", ("q",), "leave", "Leave this screen; on the main screen the app", weight=12),
    Action("next_pane", ("tab",), "pane", "Go to the next pane or field", weight=40),
    Action("previous_pane", ("shift+tab",), "pane back", "Go to the pane or field before"),
    Action(
        "tab",
        tuple("123456789"),
        "tabs",
        "Show the n-th tab of the right side",
        shown="1-9",
    ),
    Action("alone", ("m",), "alone", "This pane alone, and back", weight=15),
    Action(
        "next_sibling",
        ("full_stop",),
        "next",
        "The next job, log or run beside what is open",
        Place.JOB,
        shown=".",
        log=Bar("other log", 89, ", ."),
    ),
    Action(
        "previous_sibling",
        ("comma",),
        "previous",
        "The job, log or run before what is open",
        Place.JOB,
        shown=",",
    ),
    Action(
        "find",
        ("slash",),
        "filter",
        "Find in what has the focus: lists narrow, texts jump",
        shown="/",
        weight=80,
        log=Bar("search", 95),
    ),
    Action(
        "next_hit",
        ("n",),
        "next hit",
        "The next hit of a search; in lists every row shown is one",
        log=Bar("hit", 94, "n N"),
    ),
    Action("previous_hit", ("N",), "hit before", "The hit before"),
    Action(
        "next_trouble",
        ("e",),
        "error",
        "The next row or line in trouble",
        weight=35,
        log=Bar("error", 93, "e E"),
    ),
    Action("previous_trouble", ("E",), "error before", "The row or line in trouble before"),
    Action(
        "mark",
        ("space",),
        "mark",
        "Mark, or unmark; of a cause all jobs; in a plan: tick",
        weight=70,
        plan=Bar("tick", 99),
    ),
    Action(
        "mark_range",
        ("v",),
        "range",
        "Begin a range: space marks it; in a log y copies it",
        Place.LISTS,
        log=Bar("select", 88),
    ),
    Action(
        "mark_all",
        ("asterisk",),
        "all",
        "Mark all that is shown",
        Place.LISTS,
        shown="*",
        plan=Bar("all", 97),
    ),
    Action("unmark_all", ("u",), "none", "Take all marks away", Place.LISTS, plan=Bar("none", 96)),
    Action(
        "group",
        ("t",),
        "group",
        "Group the jobs by task, tag, state or not at all",
        Place.TREE,
        weight=65,
    ),
    Action("sort", ("s",), "sort", "Sort by the next column", Place.TABLE, weight=45),
    Action("sort_reverse", ("S",), "reverse", "Sort the other way round", Place.TABLE),
    Action("columns", ("C",), "columns…", "Choose the columns", Place.TABLE, weight=28),
    Action(
        "log",
        ("L",),
        "log",
        "The log of this job: at the error if it failed, else at the newest output",
        Place.JOB,
        weight=85,
        log=Bar("log", 1),
    ),
    Action(
        "follow", ("f",), "follow", "Follow the end of the log", Place.LOG, log=Bar("follow", 92)
    ),
    Action(
        "hits_only", ("ampersand",), "hits only", "Show only the lines that are hits", Place.LOG
    ),
    Action("wrap", ("w",), "wrap", "Wrap long lines", Place.LOG, log=Bar("wrap", 91)),
    Action(
        "copy",
        ("y",),
        "copy",
        "Copy the identifier, the name, or the lines of a log that were chosen with v",
        weight=32,
        log=Bar("copy", 87),
    ),
    Action(
        "copy_as",
        ("Y",),
        "copy as…",
        "Copy the identifier, the folder, a command, the parameters as JSON or Python",
        Place.JOBS,
    ),
    Action(
        "editor",
        ("o",),
        "editor",
        "Open the editor at the line: of the code that failed, of the log, of the plan",
        weight=14,
        log=Bar("editor", 86),
        why_disabled=_edits,
    ),
    Action(
        "pager",
        ("vertical_line",),
        "pager",
        "Show the log, or the file, in the pager",
        why_disabled=_goes_out,
    ),
    Action(
        "shell",
        ("exclamation_mark",),
        "shell",
        "A shell in the folder, there by ssh if it is on another machine; exit leads back",
        why_disabled=_leaves,
    ),
    Action(
        "pin",
        ("p",),
        "pin",
        "Pin, so that no clean moves it; where all of it is pinned, take the pins away",
        Place.JOBS,
        dangerous=True,
        weight=13,
        why_disabled=_acts_on_jobs,
    ),
    Action(
        "kill",
        ("K",),
        "kill…",
        "Kill what runs, after a question that also offers to stop the plan",
        Place.JOBS,
        dangerous=True,
        weight=54,
        why_disabled=_acts_on_jobs,
    ),
    Action(
        "retry",
        ("R",),
        "retry…",
        "Run again what failed, with what is blocked behind it, after a question",
        Place.JOBS,
        dangerous=True,
        weight=53,
        why_disabled=_acts_on_jobs,
    ),
    Action(
        "fetch",
        ("F",),
        "fetch…",
        "Bring here what is on another host alone of a result; while it comes: stop it",
        Place.JOBS,
        dangerous=True,
        why_disabled=_fetches,
    ),
    Action(
        "remove",
        ("x",),
        "clean…",
        "Plan a removal, and nothing moves before X; in Trash: purge, after a typed word",
        Place.LISTS,
        weight=55,
        why_disabled=_removes,
    ),
    Action(
        "carry_out",
        ("X",),
        "move to trash",
        "Carry out the plan on the screen",
        Place.PLAN,
        dangerous=True,
        weight=95,
        why_disabled=_changes,
    ),
    Action(
        "budget",
        ("B",),
        "budget…",
        "Tick what frees so many bytes and costs least to compute again",
        Place.PLAN,
        weight=48,
    ),
    Action(
        "undo",
        ("z",),
        "undo",
        "Take back my last change in this session; in Trash: that clean",
        Place.TRASH,
        dangerous=True,
        weight=33,
        why_disabled=_takes_back,
    ),
    Action("reread", ("r",), "read again", "Read the disk again"),
    Action("redraw", ("ctrl+l",), "redraw", "Draw the screen again"),
    Action(
        "palette",
        ("colon", "ctrl+p"),
        "palette",
        "Every action, and every experiment, by its name",
        shown=":",
        weight=10,
    ),
    Action("help", ("question_mark",), "all keys", "What the keys do here", shown="?"),
)

BY_ID = {action.id: action for action in ACTIONS}


def bindings(actions: Iterable[Action] = ACTIONS) -> list[BindingType]:
    """The bindings of a screen: each key runs `action_act` with the action's id.

    The digits say which digit it was: ``act('tab', 3)``.
    """
    found: list[BindingType] = []
    for action in actions:
        for key in action.keys:
            argument = f", {key}" if action.id == "tab" else ""
            found.append(Binding(key, f"act('{action.id}'{argument})", action.title, show=False))
    return found
