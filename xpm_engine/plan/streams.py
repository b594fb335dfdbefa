"""The plan's standard streams, which a service manager or a shell's ``>&-`` may have closed."""

from __future__ import annotations

import os


def hold_standard_streams() -> None:
    """Take those of the descriptors 0 to 2 that are closed.

    A file or socket of ours that came there would be taken for the output of what the plan starts.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
