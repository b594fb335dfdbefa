"""Transfers between hosts on loopback: one large file and many small ones, by the agent and rsync.

    python tests/bench/transfer.py [MEGABYTES] [FILES]

Starts an OpenSSH server of its own (openssh-server and rsync must be installed); all ways use the
same warm connection, and are told with the processor time of both ends. The agent compares a large
file by its SHA-256, and has the disk keep what it has put; rsync is run with -a, and with --append
where the file was cut at its half.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.far.sshd import Sshd
from xpm_engine.launchers.ssh.fetching import fetch
from xpm_engine.launchers.ssh.shipping import Parcel, put_files, sum_of
from xpm_engine.remote.openssh import command, connect, drop_shared, parse_destination
from xpm_engine.workspace.layout import partial_file

FAR = parse_destination("far")


def measure(what: str, do: Callable[[], object]) -> None:
    """How long it takes, and the processor time of both ends."""
    began, used = time.perf_counter(), _used()
    do()
    seconds, used = time.perf_counter() - began, _used() - used
    print(f"  {what:28} {seconds:7.2f} s   processors {used:6.2f} s", flush=True)


def _used() -> float:
    """Processor time of this process, all below it, and the shared connection's process."""
    parents: dict[str, str] = {}
    ticks: dict[str, int] = {}
    masters: list[str] = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            text = Path(entry.path, "stat").read_text()
            if b"[mux]" in Path(entry.path, "cmdline").read_bytes():
                masters.append(entry.name)
        except OSError:
            continue
        words = text.rpartition(")")[2].split()
        parents[entry.name] = words[1]
        ticks[entry.name] = sum(map(int, words[11:15]))
    ours = {str(os.getpid()), *(pid for pid in masters if _is_ours(pid))}
    for pid in parents:
        line = [pid]
        while line[-1] in parents and line[-1] not in ours:
            line.append(parents[line[-1]])
        if line[-1] in ours:
            ours.update(line)
    return sum(ticks.get(pid, 0) for pid in ours) / os.sysconf("SC_CLK_TCK")


def _is_ours(pid: str) -> bool:
    return os.environ["XPM_BENCH"].encode() in Path(f"/proc/{pid}/cmdline").read_bytes()


def rsync(source: str, target: str, *more: str) -> None:
    """Copy by rsync over the shared connection."""
    shell = " ".join(command(FAR)[:3])
    subprocess.run(["rsync", "-a", *more, "-e", shell, source, target], check=True)


def compare(folder: Path, there: Path) -> None:
    """Fetch a folder, and put one, both ways."""
    connection = connect(FAR)
    connection.ask("ping")
    here = folder / "here"
    parcels = [
        Parcel(str(path.relative_to(there)), str(path), path.stat().st_size, executable=False)
        for path in sorted(there.rglob("*"))
        if path.is_file()
    ]
    measure("fetched by the agent", lambda: fetch(connection, str(there), f"{here}/a", ["**"]))
    measure("fetched by rsync", lambda: rsync(f"far:{there}/", f"{here}/b"))
    measure("put by the agent", lambda: put_files(connection, parcels, f"{here}/c"))
    measure("put by rsync", lambda: rsync(f"{there}/", f"far:{here}/d"))
    measure(
        "again: fetched by the agent", lambda: fetch(connection, str(there), f"{here}/a", ["**"])
    )
    measure("again: fetched by rsync", lambda: rsync(f"far:{there}/", f"{here}/b"))
    if len(parcels) == 1:
        _halves(connection, there, here, parcels[0])
    connection.close()
    shutil.rmtree(here)


def _halves(connection: object, there: Path, here: Path, parcel: Parcel) -> None:
    half, digest = parcel.size // 2, sum_of(parcel.source)
    for name in ("a", "b"):
        whole = here / name / parcel.path
        if name == "a":
            whole = whole.rename(partial_file(str(whole), digest))
        os.truncate(whole, half)
    measure(
        "its second half by the agent",
        lambda: fetch(connection, str(there), f"{here}/a", ["**"]),  # type: ignore[arg-type]
    )
    measure("its second half by rsync", lambda: rsync(f"far:{there}/", f"{here}/b", "--append"))
    assert sum_of(str(here / "a" / parcel.path)) == digest


def main() -> None:
    """Measure both."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    with tempfile.TemporaryDirectory(prefix="xpm-ssh-") as name:
        folder = Path(name)
        server = Sshd(folder / "sshd")
        os.environ["PATH"] = f"{server.bin}:{os.environ['PATH']}"
        (folder / "run").mkdir(mode=0o700)
        os.environ["XPM_BENCH"] = str(folder)
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
        (folder / "here").mkdir()
        large, small = folder / "large", folder / "small"
        large.mkdir()
        piece = os.urandom(1 << 20)
        with (large / "model").open("wb") as file:
            for number in range(size):
                file.write(number.to_bytes(4, "big") + piece[4:])
        for number in range(count):
            path = small / f"{number % 100}" / f"{number}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(piece[number : number + 2048])
        try:
            print(f"a file of {size} MiB")
            compare(folder, large)
            (folder / "here").mkdir()
            print(f"{count} files of 2 KB")
            compare(folder, small)
        finally:
            drop_shared(FAR)
            server.stop()


if __name__ == "__main__":
    main()
