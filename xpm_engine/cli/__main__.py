"""``python -m xpm_engine.cli`` is ``xpm``."""

from __future__ import annotations

import sys

from xpm_engine.cli import main

sys.exit(main())
