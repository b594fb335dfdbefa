"""Which program is run, and how; that the terminal comes back is shown in a real one."""

from __future__ import annotations

import gzip
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from xpm_engine.errors import StorageError, UsageError
from xpm_tui.outside.programs import END, Errand, FileLine, editor, frame_of, pager, run, shell


@pytest.fixture
def file(tmp_path: Path) -> FileLine:
    (tmp_path / "train.py").write_text("a\n" * 100)
    return FileLine(str(tmp_path / "train.py"), 88)


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ({"EDITOR": "vi"}, ("vi", "+88", "FILE")),
        ({"VISUAL": "  ", "EDITOR": "vi"}, ("vi", "+88", "FILE")),
        ({"VISUAL": "emacs -nw", "EDITOR": "vi"}, ("emacs", "-nw", "+88", "FILE")),
        ({"EDITOR": "'/opt/my editor/nano'"}, ("/opt/my editor/nano", "+88", "FILE")),
        ({"EDITOR": "code --wait"}, ("code", "--wait", "--goto", "FILE:88")),
        ({"EDITOR": "/usr/bin/hx"}, ("/usr/bin/hx", "FILE:88")),
    ],
)
def test_the_editor_is_at_the_line(
    file: FileLine, environment: dict[str, str], command: tuple[str, ...]
) -> None:
    found = editor(file, environment)
    assert found.command == tuple(word.replace("FILE", file.file) for word in command)


def test_without_an_editor_it_says_what_to_set(file: FileLine, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        editor(file, {"PATH": str(tmp_path)})
    assert caught.value.hint == "set $VISUAL to one"


def test_an_editor_that_can_not_be_read(file: FileLine) -> None:
    with pytest.raises(UsageError, match="VISUAL"):
        editor(file, {"VISUAL": "'vi"})


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="not there"):
        editor(FileLine(str(tmp_path / "gone.py"), 1), {"EDITOR": "vi"})


def test_the_pager_is_at_the_line_or_the_end(file: FileLine) -> None:
    assert pager(file, {"PAGER": "less -S"}, secure=False).command == (
        "less",
        "-S",
        "+88g",
        file.file,
    )
    end = FileLine(file.file, END)
    assert "+G" in pager(end, {"PAGER": "less"}, secure=False).command
    assert pager(end, {"PAGER": "more"}, secure=False).command == ("more", file.file)


def test_a_packed_log_is_unpacked_for_them(
    file: FileLine, capfd: pytest.CaptureFixture[str]
) -> None:
    with gzip.open(f"{file.file}.gz", "wb") as packed:
        packed.write(b"said\n")
    assert editor(file, {"EDITOR": "cat"}).command[-1] == file.file
    os.unlink(file.file)
    for errand in (pager(file, {"PAGER": "cat"}, secure=False), editor(file, {"EDITOR": "cat --"})):
        copy = errand.command[-1]
        assert os.path.basename(copy) == "train.py"
        command = ("cat", copy)
        assert run(replace(errand, command=command)) == 0
        assert capfd.readouterr().out == "said\n"
        assert os.stat(copy).st_mode & 0o777 == 0o400
    Path(f"{file.file}.gz").write_bytes(b"no gzip")
    with pytest.raises(StorageError, match="can't unpack"):
        run(pager(file, {"PAGER": "cat"}, secure=False))


def test_a_secure_pager_starts_nothing(file: FileLine) -> None:
    environment = pager(file, {"PAGER": "less"}, secure=True).environment
    assert environment is not None
    assert environment["LESSSECURE"] == "1"


def test_the_shell_is_in_the_folder(tmp_path: Path) -> None:
    found = shell(str(tmp_path), {"SHELL": "/bin/zsh"})
    assert (found.command, found.folder) == (("/bin/zsh",), str(tmp_path))
    assert shell(str(tmp_path), {}).command == ("/bin/sh",)
    with pytest.raises(StorageError):
        shell(str(tmp_path / "gone"), {})


def test_running_says_how_it_ended(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = "import os; print(os.getcwd(), os.environ['X'])"
    errand = Errand((sys.executable, "-c", code), str(tmp_path), {"X": "y"}, "hello")
    assert run(errand) == 0
    assert capfd.readouterr().out == f"hello\n{tmp_path} y\n"
    with pytest.raises(StorageError, match="No such file"):
        run(Errand(("/no/such/program",)))


def test_what_interrupts_the_child_does_not_end_the_app() -> None:
    code = "import os, signal; os.kill(os.getppid(), signal.SIGINT); print(signal.getsignal(2))"
    before = signal.getsignal(signal.SIGINT)
    assert run(Errand((sys.executable, "-c", code))) == 0
    assert signal.getsignal(signal.SIGINT) is before


def test_a_line_of_a_traceback() -> None:
    line = '  File "/home/you/ir/train.py", line 88, in step'
    assert frame_of(line) == FileLine("/home/you/ir/train.py", 88)
    assert frame_of("epoch 3") is None
