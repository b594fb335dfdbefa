"""``python -m xpm_tui``: the same as the command ``xpm-tui``."""

from __future__ import annotations

import sys

from xpm_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
