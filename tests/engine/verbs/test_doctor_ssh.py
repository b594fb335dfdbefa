"""The doctor against a real server with one defect after the other: it says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.old_python import old_python
from tests.far.sshd import Sshd, make_key
from xpm_engine.remote.openssh import Destination, drop_shared
from xpm_engine.verbs import doctor
from xpm_engine.verbs.doctor import Finding, Step
from xpm_engine.workspace.layout import WorkspacePaths


class Sick:
    """A host, and what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sshd = Sshd(folder / "sshd")
        self._config = (self.sshd.folder / "sshd_config").read_text()

    def shell(self, text: str) -> None:
        """What runs before each command: start-up files, as far as ssh knows."""
        script = self.folder / "start.sh"
        script.write_text(f'#!/bin/bash\n{text}\neval "$SSH_ORIGINAL_COMMAND"\n')
        script.chmod(0o755)
        self.sshd.stop()
        config = self.sshd.folder / "sshd_config"
        config.write_text(f"{self._config}\nForceCommand {script}\n")
        self.sshd.start()

    def path(self, **programs: str) -> None:
        """Let only these programs be found there: a file to lead to, or a script."""
        folder = self.folder / "programs"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, what in programs.items():
            if what.startswith("#!"):
                (folder / name).write_text(what)
                (folder / name).chmod(0o755)
            else:
                (folder / name).symlink_to(what)
        self.shell(f"export PATH={folder}")

    def wrong(self, workspace: str = "far", python: str = sys.executable) -> Step | None:
        """The first thing that the doctor finds wrong."""
        paths = WorkspacePaths(str(self.folder / "ws"))
        os.makedirs(paths.root, exist_ok=True)
        Path(paths.settings).write_text(
            f'[hosts.alpha]\nworkspace = "{self.folder / workspace}"\npython = "{python}"\n'
        )
        try:
            return next((s for s in doctor.ssh(paths, "alpha") if s.finding is Finding.WRONG), None)
        finally:
            drop_shared(Destination("alpha"))


@pytest.fixture
def sick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sick]:
    made = Sick(tmp_path)
    monkeypatch.setenv("PATH", str(made.sshd.bin), prepend=":")
    yield made
    made.sshd.stop()


def _check(step: Step | None, what: str, text: str, hint: str) -> None:
    assert step is not None
    assert step.what == what
    assert text in step.text
    assert hint in step.hint


def test_pythons(sick: Sick) -> None:
    sick.path()
    _check(sick.wrong(), "connection", "has no python3", "install Python 3.8")
    sick.path(python3="#!/bin/sh\nexec /no/such/python\n")
    _check(sick.wrong(), "connection", "/no/such/python", "install Python 3.8")
    sick.path(python3="#!/bin/sh\nexit 1\n")
    _check(sick.wrong(), "connection", "it said nothing", "ssh alpha python3 --version")
    sick.path(python3="#!/bin/sh\necho 'Unknown option: -I' >&2; exit 2\n")
    _check(sick.wrong(), "connection", "no Python 3", "ssh alpha python3")
    sick.path(python3=old_python())
    _check(sick.wrong(python="python3"), "python", "3.11 is needed", "[hosts.alpha]")
    assert sick.wrong() is None


def test_start_up_files(sick: Sick) -> None:
    sick.shell("for n in $(seq 300); do echo welcome $n; done; echo bye >&2")
    assert sick.wrong() is None
    sick.shell("echo This account is not available.; exit 1")
    _check(sick.wrong(), "connection", "account is not available", "ssh alpha")
    sick.shell("yes welcome")
    _check(sick.wrong(), "connection", "prints without end", "ssh HOST true")
    sick.shell("read -r line")
    _check(sick.wrong(), "connection", "reads what is sent", "start-up file")


def test_folders(sick: Sick) -> None:
    (sick.folder / "file").touch()
    _check(sick.wrong("file"), "workspace", "is a file", "another folder")
    (sick.folder / "loop").symlink_to("nowhere")
    assert sick.wrong("new/folder") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_and_one_that_is_read_only(sick: Sick) -> None:
    disk = sick.folder / "disk"
    disk.mkdir()
    for options, text in (("size=64k", "is full"), ("size=64m,ro", "may not be written")):
        mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("this machine mounts nothing")
        try:
            _check(sick.wrong("disk"), "workspace", text, "another folder")
        finally:
            subprocess.run(["umount", str(disk)], check=True)


def test_keys(sick: Sick) -> None:
    folder = sick.sshd.folder
    make_key(folder / "other")
    sick.sshd.trust("other.pub")
    _check(sick.wrong(), "connection", "not the one that is known", "compare its fingerprint")
    (folder / "known_hosts").write_text("")
    _check(sick.wrong(), "connection", "not known here yet", "ssh alpha")
    sick.sshd.trust()
    (folder / "id").chmod(0o644)
    _check(sick.wrong(), "connection", "others may read it", "chmod 600")
    (folder / "id").chmod(0o600)
    (folder / "authorized_keys").write_text("")
    _check(sick.wrong(), "connection", "does not let you in", "without a question")
    sick.sshd.stop()
    _check(sick.wrong(), "connection", "can't be reached", "ssh alpha true")


def test_the_client_s_configuration(sick: Sick) -> None:
    config = sick.sshd.config.read_text()
    sick.sshd.config.write_text(f"{config}\nNonsense yes\n")
    _check(sick.wrong(), "connection", "does not accept its configuration", "mend the file")
