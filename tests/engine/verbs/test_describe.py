from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.finished import Disk
from tests.engine.submitting import order, submitting
from xpm_engine.errors import LoadError, UsageError
from xpm_engine.verbs.describe import describe, find_class

PLAN = '''
from xpm_engine import Config, Option, Param, Task, experiment, field

class Adam(Config):
    """An optimizer.

    It adapts.
    """
    lr: Param[float] = 1e-3
    """The learning rate"""

class Learn(Task["Learn"]):
    """Learns."""
    optimizer: Param[Adam]
    epochs: Param[int] = field(default=4, help="How often")
    threads: Option[int] = 1
    def execute(self): pass

other = 3

with experiment("ws", "x"):
    raise SystemExit("this must not run")
'''

_numbers = itertools.count()


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A plan's file of a name that no module has yet, in the working directory."""
    path = tmp_path / f"described{next(_numbers)}.py"
    path.write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    yield path
    sys.path[:] = before
    sys.modules.pop(path.stem, None)


def test_a_class_with_all_that_is_known_of_it(plan: Path) -> None:
    found = describe(f"{plan}:Learn")
    assert (found.name, found.is_task, found.summary) == ("Learn", True, "Learns.")
    assert found.type_name == f"{plan.stem}.Learn"
    epochs = next(each for each in found.parameters if each.name == "epochs")
    assert (epochs.type, epochs.default, epochs.help) == ("int", "4", "How often")
    assert found.parameters[0].required
    assert [each.kind.value for each in found.parameters] == ["param", "param", "option"]


@pytest.mark.parametrize(
    "form", ["{file}:Adam", "{name}:Adam", "{name}.Adam", "{file}:{name}.adam", "{name}.adam"]
)
def test_every_way_to_name_a_class(plan: Path, form: str) -> None:
    text = form.format(file=plan.name, name=plan.stem)
    found = describe(text)
    assert found.name == "Adam"
    assert found.text == "An optimizer.\n\nIt adapts."
    assert found.parameters[0].help == "The learning rate"


def test_a_task_of_the_workspace(plan: Path, tmp_path: Path) -> None:
    cls = find_class(f"{plan}:Learn")
    adam = find_class(f"{plan}:Adam")
    disk = Disk(str(tmp_path / "ws"))
    with submitting(disk.workspace.root):
        key = disk.add(order(cls(optimizer=adam())))  # type: ignore[call-arg]
    assert find_class(key.task, workspace=disk.workspace) is cls


def test_a_class_in_a_package(plan: Path, tmp_path: Path) -> None:
    package = tmp_path / f"package_of_{plan.stem}"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "tasks.py").write_text(PLAN)
    assert describe(f"{package.name}/tasks.py:Learn").type_name == f"{package.name}.tasks.Learn"


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("{file}:Lern", "no class of configurations 'Lern'", "did you mean Learn?"),
        ("{file}:Zzzzzz", "no class of configurations", "it has Adam, Learn"),
        ("{file}:other", "is no class of configurations", "derives from Config"),
        ("{file}:", "no class of configurations ''", "it has Adam, Learn"),
        ("gone.py:Learn", "there is no such file", "plan.py:Class"),
        ("no_such_module_anywhere.Learn", "names no class", "module:Class"),
        ("learn", "names no class", "TASK-ID"),
        ("", "names no class", "module:Class"),
        ("..", "names no class", "module:Class"),
        ("json:JSONDecoder", "is no class of configurations", "derives from Config"),
    ],
)
def test_what_is_no_class(plan: Path, text: str, what: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        describe(text.format(file=plan))
    assert what in caught.value.what
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("1 / 0", "raised ZeroDivisionError: division by zero"),
        ("import no_such_module_anywhere", "can't be imported: No module named"),
        ("def", "raised SyntaxError"),
    ],
)
def test_a_module_that_does_not_import(plan: Path, source: str, what: str) -> None:
    plan.write_text(source)
    with pytest.raises(LoadError) as caught:
        describe(f"{plan}:Learn")
    assert what in caught.value.what
    assert plan.name in str(caught.value.where)
