"""What is said of those who need a row of a plan of removal."""

from __future__ import annotations

from xpm_engine.verbs.cleaning.offers import OfferRow, Section
from xpm_engine.workspace.cleaning.needs import Need, NeedKind
from xpm_engine.workspace.layout import JobKey
from xpm_tui.cleaning.removal import need_words

INDEX = JobKey("ir.index", "3f2a10" + "0" * 26)
LEARN = JobKey("ir.learn", "9b2e41" + "0" * 26)


def test_an_experiment_is_named_once_however_many_of_its_runs_need_it() -> None:
    runs = [Need(NeedKind.RUN, f"drmm/2026112{day}-091200-000001") for day in range(3)]
    needs = (*runs, Need(NeedKind.JOB, str(LEARN), LEARN), Need(NeedKind.PIN, "root"))
    row = OfferRow(INDEX, Section.REPLACED, "", needs=needs)
    assert need_words((row,), frozenset()) == "drmm, learn 9b2e41, a pin"
    assert need_words((row,), frozenset((LEARN,))) == "drmm, a pin"
