"""Writing the demo's plan, and never over a user's edit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from xpm_engine.errors import StorageError, UnreadableError
from xpm_tui import demo
from xpm_tui.demo import files


def shipped() -> bytes:
    return Path(files.__file__).with_name("plan.py").read_bytes()


def test_the_plan_is_written_into_a_new_folder(tmp_path: Path) -> None:
    plan = demo.write_demo(tmp_path / "xpm-demo")

    assert plan == tmp_path / "xpm-demo" / "plan.py"
    assert plan.read_bytes() == shipped()


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    plan = demo.write_demo(tmp_path)
    before = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}

    assert demo.write_demo(tmp_path) == plan
    assert {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before


def test_an_edited_plan_is_left_alone(tmp_path: Path) -> None:
    plan = demo.write_demo(tmp_path)
    plan.write_bytes(shipped().replace(b"(0.6, 1.2, 2.4)", b"(0.6, 1.2)"))
    edited = plan.read_bytes()

    demo.write_demo(tmp_path)

    assert edited != shipped()
    assert plan.read_bytes() == edited


def test_a_plan_that_we_did_not_write_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "plan.py").write_text("print('mine')\n")

    demo.write_demo(tmp_path)

    assert (tmp_path / "plan.py").read_text() == "print('mine')\n"


def test_the_plan_of_an_earlier_version_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    (earlier / "plan.py").write_text("print('version 0')\n")
    monkeypatch.setattr(files, "__file__", str(earlier / "files.py"))
    plan = demo.write_demo(tmp_path / "xpm-demo")
    assert plan.read_text() == "print('version 0')\n"
    monkeypatch.undo()

    demo.write_demo(tmp_path / "xpm-demo")

    assert plan.read_bytes() == shipped()


def test_a_file_in_the_way_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "xpm-demo").write_text("")

    with pytest.raises(StorageError, match="needs a folder") as caught:
        demo.write_demo(tmp_path / "xpm-demo")

    assert caught.value.where == str(tmp_path / "xpm-demo")


def test_a_file_instead_of_the_parent_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError, match="make the demo's folder"):
        demo.write_demo(tmp_path / "file" / "xpm-demo")


def test_a_folder_named_as_the_plan_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "plan.py").mkdir()

    with pytest.raises(UnreadableError):
        demo.write_demo(tmp_path)

    assert os.listdir(tmp_path) == ["plan.py"]


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("xpm_tui.demo", ["textual", "watchdog", "rich", "pydantic"]),
        ("xpm_tui.demo.plan", ["textual", "watchdog", "rich"]),
    ],
)
def test_importing_the_demo_loads_no_screen(module: str, unwanted: list[str]) -> None:
    code = f"import sys, {module}; print([name for name in {unwanted} if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert run.stdout.strip() == "[]"
