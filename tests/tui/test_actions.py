"""The table of actions: one meaning a key, and none that a terminal multiplexer eats."""

from __future__ import annotations

from collections import Counter

from textual.binding import Binding

from xpm_tui.actions.action import Situation, key_name
from xpm_tui.actions.table import ACTIONS, BY_ID, bindings


def test_every_key_has_one_meaning() -> None:
    keys = Counter(key for action in ACTIONS for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []
    assert len(BY_ID) == len(ACTIONS)


def test_no_key_that_tmux_screen_or_the_terminal_takes() -> None:
    taken = {"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+z", "ctrl+q", "ctrl+h", "ctrl+i", "ctrl+j"}
    taken |= {"ctrl+m"}
    keys = {key for action in ACTIONS for key in action.keys}
    assert not keys & taken
    assert not [key for key in keys if key.startswith("alt+")]


def test_no_binding_fires_under_a_dialog() -> None:
    made = [binding for binding in bindings() if isinstance(binding, Binding)]
    assert len(made) == sum(len(action.keys) for action in ACTIONS)
    assert not any(binding.priority for binding in made)


def test_the_digits_say_which_one() -> None:
    made = {binding.key: binding.action for binding in bindings() if isinstance(binding, Binding)}
    assert made["3"] == "act('tab', 3)"
    assert made["x"] == "act('remove')"


def test_readonly_forbids_what_changes_something() -> None:
    situation = Situation(readonly=True, jobs=1, changes=1)
    forbidden = {action.id for action in ACTIONS if action.why_disabled(situation)}
    dangerous = {action.id for action in ACTIONS if action.dangerous}
    assert dangerous <= forbidden
    # An editor and a shell could change anything; planning a removal ends in one.
    assert forbidden - dangerous <= {"editor", "shell", "remove"}


def test_what_has_nothing_to_act_on_says_so() -> None:
    assert (
        BY_ID["remove"].why_disabled(Situation()) == "there is nothing to remove under the cursor"
    )
    assert BY_ID["undo"].why_disabled(Situation()) == "nothing was changed in this session"
    assert BY_ID["undo"].why_disabled(Situation(changes=1)) == ""


def test_keys_have_names_for_people() -> None:
    assert [key_name(key) for key in ("question_mark", "slash", "enter", "x")] == [
        "?",
        "/",
        "enter",
        "x",
    ]
