"""What one job does reaches no other, forked or fresh; and what a fork could not keep apart."""

from __future__ import annotations

import ctypes.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.projects import Project

PLAN = """
import json, random, signal
from xpm_engine.launchers.local import Isolation, LocalLauncher

sys.path.insert(0, str(Path(__file__).with_name("lib")))
import helpers
{setup}

class Look(Task):
    name: Param[int]

    def execute(self) -> None:
        {look}
        LEDGER.with_name(f"seen{{self.name}}.json").write_text(json.dumps(seen))

if __name__ == "__main__":
    isolation = Isolation(sys.argv[1])
    with experiment("ws", "exp", launcher=LocalLauncher(cores=1, isolation=isolation)):
        for n in range(3):
            Look(name=n).submit()
"""

MARKS = """
import resource
os.environ["MARK"] = "of the module"
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
TEXT = open(Path(__file__).with_name("data"))
TEXT.readline()
RAW = os.open(Path(__file__).with_name("data"), os.O_RDONLY)
"""

LOOK = """
        seen = {
            "stdin": sys.stdin.read(),
            "argv": sys.argv[1:],
            "path": "left behind" in sys.path,
            "folder": sorted(os.listdir()),
            "environment": [os.environ["MARK"], "HOME" in os.environ],
            "global": list(helpers.SEEN),
            "imported": "wave" in sys.modules,
            "handlers": [signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN,
                         signal.getsignal(signal.SIGUSR2) == signal.SIG_DFL],
            "text": TEXT.read(),
            "raw": os.read(RAW, 4).decode(),
            "mask": os.umask(0o077) == 0o077,
            "limit": resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 64,
        }
        sys.stdin.close()
        sys.argv.append("left behind")
        sys.path.append("left behind")
        os.environ["MARK"] = "left behind"
        del os.environ["HOME"]
        helpers.SEEN.append(self.name)
        import wave
        signal.signal(signal.SIGUSR1, print)
        signal.signal(signal.SIGUSR2, print)
        Path("mine").touch()
        os.chdir("/")
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
"""

SEEN = {
    "stdin": "",
    "argv": [],
    "path": False,
    "folder": [".xpm", "stderr.log", "stdout.log"],
    "environment": ["of the module", True],
    "global": [],
    "imported": False,
    "handlers": [True, True],
    "text": "two\nthree\n",
    "raw": "one\n",
    "mask": False,
    "limit": False,
}
"""What each of the jobs sees, though each has changed all of it for itself."""


@pytest.fixture
def world(project: Project) -> Project:
    """A project with a library of its own, which only its plan knows how to find."""
    (project.folder / "lib").mkdir()
    (project.folder / "lib" / "helpers.py").write_text("SEEN = []\n")
    (project.folder / "data").write_text("one\ntwo\nthree\n")
    return project


def _seen(project: Project, isolation: str, setup: str, look: str) -> list[Any]:
    project.write(PLAN.format(setup=setup, look=look))
    code, said = project.run(isolation)
    assert code == 0, said
    return [json.loads((project.folder / f"seen{n}.json").read_text()) for n in range(3)]


@pytest.mark.parametrize("isolation", ["fork", "spawn"])
def test_what_a_job_does_is_not_seen_by_the_next(world: Project, isolation: str) -> None:
    assert _seen(world, isolation, MARKS, LOOK) == [SEEN] * 3
    assert "fresh interpreter" not in world.scheduler_log()


def test_every_job_draws_its_own_random_numbers(world: Project) -> None:
    seen = _seen(
        world,
        "fork",
        "import numpy",
        "seen = [random.random(), float(numpy.random.random()), os.urandom(8).hex()]",
    )
    for column in zip(*seen, strict=True):
        assert len(set(column)) == 3
    assert "fresh interpreter" not in world.scheduler_log(), "numpy keeps jobs from being forked"


THREAD = """
import ctypes
libc = ctypes.CDLL(None)
libc.pthread_create(ctypes.byref(ctypes.c_ulong()), None, libc.sleep, ctypes.c_void_p(600))
"""

OPENMP = """
import ctypes
gomp, libc = ctypes.CDLL("libgomp.so.1"), ctypes.CDLL(None)
gomp.GOMP_parallel(libc.getpid, None, 4, 0)
"""


@pytest.mark.parametrize("setup", [THREAD, OPENMP], ids=["a native thread", "an OpenMP pool"])
def test_native_threads_make_a_fork_unsafe(world: Project, setup: str) -> None:
    """An OpenMP pool that was used before a fork hangs the child at its next use."""
    if setup is OPENMP and ctypes.util.find_library("gomp") is None:
        pytest.skip("no libgomp here")
    look = "gomp.GOMP_parallel(libc.getpid, None, 4, 0)\n        " if setup is OPENMP else ""
    assert _seen(world, "fork", setup, look + "seen = self.name") == [0, 1, 2]
    log = world.scheduler_log()
    assert log.count("a fresh interpreter for each job") == 1
    assert "native threads running (OpenMP?)" in log


@pytest.fixture
def device() -> Iterator[str]:
    """Something whose name is that of a GPU's device."""
    path = f"/dev/nvidia-test-{os.getpid()}"
    try:
        Path(path).touch()
    except OSError:
        pytest.skip("only root can make a device's file")
    yield path
    os.unlink(path)


def test_an_open_gpu_makes_a_fork_unsafe(world: Project, device: str) -> None:
    setup = f"DEVICE = os.open({device!r}, os.O_RDONLY)"
    assert _seen(world, "fork", setup, "seen = self.name") == [0, 1, 2]
    assert (
        f"a fresh interpreter for each job: the plan's modules opened {device}"
        in world.scheduler_log()
    )
