"""An `ssh` that leads nowhere: what a host would be told is run here, in another home."""

from __future__ import annotations

from pathlib import Path

from tests.far.sshd import write_wrapper

_LINE = """
for last; do
  [ "$last" = -O ] && exit 0
done
[ -e {cut} ] && { echo "ssh: connect to host far: Connection refused" >&2; exit 255; }
export HOME={home}
cd {home}
exec /bin/sh -c "$last"
"""


class StubHost:
    """A host on this machine, that the command `ssh` in `bin` leads to."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.home = folder / "home"
        self._cut = folder / "cut"
        self.bin.mkdir(parents=True)
        self.home.mkdir()
        line = _LINE.replace("{cut}", str(self._cut)).replace("{home}", str(self.home))
        write_wrapper(self.bin / "ssh", line)

    def refuse(self, yes: bool = True) -> None:
        """Let new connections fail, or no more."""
        if yes:
            self._cut.touch()
        else:
            self._cut.unlink()
