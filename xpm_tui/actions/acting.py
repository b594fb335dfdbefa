"""How a key becomes something done: the action is carried out by the nearest that can.

On the way from the focused widget up to its screen and the app, the first `do_…` of the action's
name is called. One that returns False has declined, and the next one is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any, ClassVar, Generic, TypeVar

from textual.app import App
from textual.binding import ActiveBinding, BindingType
from textual.dom import DOMNode
from textual.screen import Screen

from xpm_tui.actions.action import Action, Place, Situation
from xpm_tui.actions.table import ACTIONS, BY_ID, bindings
from xpm_tui.look.compositor import compose_sparingly

Result = TypeVar("Result")

NOTHING_HERE = "there is nothing here that it could act on"


class ActingScreen(Screen[Result], Generic[Result]):
    """A screen whose keys are those of the table of actions."""

    BINDINGS: ClassVar[list[BindingType]] = bindings()

    def __init__(self) -> None:
        super().__init__()
        compose_sparingly(self)

    def action_act(self, name: str, *arguments: Any) -> None:
        """Carry out an action, or say why not."""
        action = BY_ID[name]
        why = action.why_disabled(self.situation())
        if why:
            self.say(f"{action.key_text} {action.title}: {why}", bad=True)
            return
        for node in self._chain():
            do = getattr(node, f"do_{name}", None)
            if do is not None and do(*arguments) is not False:
                self.after_action()
                return
        self.say(f"{action.key_text} {action.title}: {_elsewhere(action)}")

    def choose(self, name: str) -> None:
        """Carry out an action that was picked from a list: what the key of the focus would do."""
        bindings = self._inner_bindings()
        inner = next((bindings[key] for key in BY_ID[name].keys if key in bindings), None)
        if inner is None:
            self.action_act(name)
        else:
            me: Any = self
            app: App[object] = me.app
            app.call_later(app.run_action, inner.binding.action, inner.node)

    def situation(self) -> Situation:
        """What the actions' being possible depends on."""
        return Situation()

    def after_action(self) -> None:
        """An action was carried out."""

    def say(self, message: str, *, bad: bool = False) -> None:
        """Tell the user something, for a while."""
        self.notify(message, markup=False, severity="warning" if bad else "information")

    def possible(self) -> list[Action]:
        """The actions that something in the focus's line can carry out, and nothing forbids."""
        situation, carried_out, idle = self.situation(), self._carriers(), self.idle_actions()
        return [
            action
            for action in ACTIONS
            if action.id not in idle and carried_out(action) and not action.why_disabled(situation)
        ]

    def explained(self) -> Iterator[tuple[Action, str]]:
        """Every action, with why it can't be carried out now; empty if it can."""
        situation, carried_out, idle = self.situation(), self._carriers(), self.idle_actions()
        for action in ACTIONS:
            where = "" if carried_out(action) else _elsewhere(action)
            if not where and action.id in idle:
                where = NOTHING_HERE
            yield action, action.why_disabled(situation) or where

    def idle_actions(self) -> frozenset[str]:
        """Those that would find nothing to do where the focus is.

        What carries actions out tells it by a property `idle`, their ids.
        """
        found: frozenset[str] = frozenset()
        for node in self._chain():
            found |= getattr(node, "idle", found)
        return found

    def _carriers(self) -> Callable[[Action], bool]:
        """A test whether something in the focus's line can carry an action out."""
        chain, inner = list(self._chain()), self._inner_bindings()

        def carried_out(action: Action) -> bool:
            named = f"do_{action.id}"
            return any(hasattr(node, named) for node in chain) or any(
                key in inner for key in action.keys
            )

        return carried_out

    def _inner_bindings(self) -> dict[str, ActiveBinding]:
        """The keys that are bound by something on the way from the focus to the screen."""
        inside = list(takewhile(lambda node: node is not self, self._chain()))
        active = self.active_bindings
        return {key: binding for key, binding in active.items() if binding.node in inside}

    def _chain(self) -> Iterator[DOMNode]:
        start = self if self.focused is None else self.focused
        yield from start.ancestors_with_self


def _elsewhere(action: Action) -> str:
    """Why nothing in the focus's line carries an action out."""
    everywhere = action.place is Place.EVERYWHERE
    return NOTHING_HERE if everywhere else f"works {action.place.value}"
