"""Other hosts over ssh, on loopback: jobs a second, small result files, how late a log is.

    python tests/bench/ssh.py [JOBS] [FILES]

Starts an OpenSSH server of its own (openssh-server and rsync must be installed). The result files
are fetched by the agent, by `scp -r` and by `rsync`, all over the same warm connection.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.far.sshd import Sshd
from xpm_engine import Option, Param, Task, experiment
from xpm_engine.launchers.ssh.fetching import fetch
from xpm_engine.remote.openssh import command, connect, drop_shared, parse_destination

LINES = 40
PAUSE = 0.1


class Nothing(Task):
    """Does nothing."""

    number: Param[int]

    def execute(self) -> None:
        pass


class Talk(Task):
    """Says what time it is, now and then."""

    lines: Option[int] = LINES

    def execute(self) -> None:
        for _ in range(self.lines):
            time.sleep(PAUSE)
            print(f"{time.time():.6f}", flush=True)


def jobs(folder: Path, count: int) -> None:
    """How many no-op jobs a second, once the connection is there."""
    with experiment(folder / "ws", "jobs", launcher="far", on_failure="raise") as xp:
        Nothing(number=-1).submit()
        xp.wait()
        began, used = time.perf_counter(), time.process_time()
        for number in range(count):
            Nothing(number=number).submit()
        xp.wait()
        seconds, used = time.perf_counter() - began, time.process_time() - used
    print(f"{count} no-op jobs: {seconds:.2f} s, {count / seconds:.0f} jobs a second")
    print(f"  {used / count * 1000:.1f} ms of the plan's processor time a job")


def latency(folder: Path) -> None:
    """How old a line of a far log is when it is in the local one."""
    late: list[float] = []
    with experiment(folder / "ws", "log", launcher="far", on_failure="raise"):
        Talk().submit()
        seen = 0
        while seen < LINES:
            for path in (folder / "ws" / "jobs").glob("*talk/*/.xpm/logs/1.out"):
                lines = path.read_bytes().splitlines()
                arrived = time.time()
                late += [arrived - float(line) for line in lines[seen:]]
                seen = len(lines)
            time.sleep(0.001)
    late.sort()
    middle, worst = statistics.median(late) * 1000, late[int(0.95 * len(late))] * 1000
    print(f"log, far write -> local file: median {middle:.0f} ms, 95 % {worst:.0f} ms")


def files(folder: Path, count: int) -> None:
    """A result of many small files, brought here in three ways."""
    there = folder / "result"
    for number in range(count):
        path = there / f"{number % 10}" / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(1024).hex().encode())
    destination = parse_destination("far")
    connection = connect(destination)
    connection.ask("ping")
    began = time.perf_counter()
    tally = fetch(connection, str(there), str(folder / "agent"), ["**"])
    print(f"{tally.files} files of 2 KB by the agent: {time.perf_counter() - began:.2f} s")
    connection.close()
    shared = command(destination)[:3]
    for name, line in (
        ("scp -r", ["scp", "-q", "-r", "-S", shutil.which("ssh") or "ssh", "-o"]),
        ("rsync -a", ["rsync", "-a", "-e", " ".join(shared)]),
    ):
        target = folder / name.split()[0]
        if line[0] == "scp":
            line.append(f"ControlPath={shared[2]}")
        began = time.perf_counter()
        subprocess.run([*line, f"far:{there}/", str(target)], check=True)
        print(f"  by {name}: {time.perf_counter() - began:.2f} s")
    for name in ("agent", "rsync"):
        found = sum(1 for path in (folder / name).rglob("*.json"))
        assert found == count, (name, found)


def main() -> None:
    """Measure all three."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    small = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with tempfile.TemporaryDirectory(prefix="xpm-ssh-") as name:
        folder = Path(name)
        server = Sshd(folder / "sshd")
        os.environ["PATH"] = f"{server.bin}:{os.environ['PATH']}"
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        (folder / "ws").mkdir()
        settings = f'[hosts.far]\nworkspace = "{folder}/far"\npython = "{sys.executable}"\n'
        (folder / "ws/xpm.toml").write_text(settings)
        try:
            files(folder, small)
            jobs(folder, count)
            latency(folder)
        finally:
            drop_shared(parse_destination("far"))
            server.stop()


if __name__ == "__main__":
    main()
