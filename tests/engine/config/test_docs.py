"""Documentation of classes and parameters, from wherever people write it."""

from __future__ import annotations

import json
import subprocess
import sys

from xpm_engine.config import Config, Constant, Option, Param, Task, deprecated, describe, field


class Base(Config):
    """Base of all.

    Attributes:
        eps: For stability,
            on two lines.
        lr: Not shown, since a docstring stands under it.
    """

    eps: Param[float] = 1e-8
    lr: Param[float] = 1e-3
    """Learning
    rate"""


@deprecated("old.Adam")
class Adam(Base, Task):
    """Wrapper for Adam,
    the optimizer.

    More about it.
    """

    steps: Param[int]
    wd: Param[list[float] | None] = field(
        default=None, help="Weight decay", deprecated=deprecated("l2")
    )
    threads: Option[int] = 2
    version: Constant[str] = "a"


def test_describe_tells_all() -> None:
    adam = describe(Adam)
    assert adam.summary == "Wrapper for Adam, the optimizer."
    assert adam.text.endswith("More about it.")
    assert adam.type_name.endswith(".test_docs.Adam")
    assert adam.is_task
    assert adam.former == ("old.Adam",)
    found = {each.name: each for each in adam.parameters}
    assert list(found) == ["eps", "lr", "steps", "wd", "threads", "version"]
    assert found["eps"].help == "For stability,\non two lines."
    assert found["lr"].help == "Learning\nrate"
    assert found["lr"].declared_in == "Base"
    assert (found["lr"].default, found["lr"].required) == ("0.001", False)
    assert (found["steps"].default, found["steps"].required) == ("", True)
    assert found["wd"].help == "Weight decay"
    assert found["wd"].type == "list[float] | None"
    assert found["wd"].former == "l2"
    assert found["threads"].kind.value == "option"
    assert json.loads(json.dumps(adam.to_json()))["parameters"][1]["kind"] == "param"


def test_no_source_is_no_error() -> None:
    made = type("Made", (Config,), {"__annotations__": {"x": Param[int]}, "__module__": __name__})
    assert describe(made).parameters[0].help == ""


def test_configurations_are_light_to_import() -> None:
    script = (
        "import sys\nfrom xpm_engine.config import Config, Param, Task, tag\n"
        "class A(Config):\n    '''Attributes:\\n    x: y'''\n    x: Param[list[int]] = [1]\n"
        "A(x=[2]).__identifier__()\n"
        "heavy = {'pydantic', 'rich', 'textual', 'watchdog', 'docstring_parser', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
