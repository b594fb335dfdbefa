"""What all tests share: each has a pool of its own, and waits for nobody else."""

from __future__ import annotations

import compileall
import itertools
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no fault of a test.
settings.register_profile("xpm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("xpm")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background jobs ignore Ctrl-C, and so would the plans that are started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)

_PACKAGES = [Path(__file__).parents[1] / name for name in ("xpm_engine", "xpm_tui")]

_numbers = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    """Compile the packages once where Python may not do so itself (PYTHONDONTWRITEBYTECODE).

    Else each of the thousands of processes that the tests start would: a third of their work.
    """
    if sys.dont_write_bytecode and not hasattr(config, "workerinput"):
        for package in _PACKAGES:
            compileall.compile_dir(package, quiet=2)


@pytest.fixture(scope="session")
def runtime_folders() -> Iterator[Path]:
    """Where each test has its runtime folder: its path is short, for sockets are made in it."""
    folder = tempfile.mkdtemp(prefix="xpm-", dir="/tmp")
    yield Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def own_pool(runtime_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runtime folder of this test: the machine's pool is in it."""
    folder = runtime_folders / str(next(_numbers))
    os.mkdir(folder, 0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    # What one test's app remembers is no other's.
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    return folder
