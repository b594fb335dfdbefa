"""What is said of those who need a row of a plan of removal."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

from xpm_engine.verbs.cleaning.obsolete import Surveyed
from xpm_engine.verbs.cleaning.offers import OfferRow, Section, offer_obsolete
from xpm_engine.workspace.cleaning.needs import Need, NeedKind
from xpm_engine.workspace.index import JobRow, Records, pack_job
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.obsolete import survey
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord
from xpm_tui.cleaning.removal import need_words, removal_of

INDEX = JobKey("ir.index", "3f2a10" + "0" * 26)
LEARN = JobKey("ir.learn", "9b2e41" + "0" * 26)


def test_an_experiment_is_named_once_however_many_of_its_runs_need_it() -> None:
    runs = [Need(NeedKind.RUN, f"drmm/2026112{day}-091200-000001") for day in range(3)]
    needs = (*runs, Need(NeedKind.JOB, str(LEARN), LEARN), Need(NeedKind.PIN, "root"))
    row = OfferRow(INDEX, Section.REPLACED, "", needs=needs)
    assert need_words((row,), frozenset()) == "drmm, learn 9b2e41, a pin"
    assert need_words((row,), frozenset((LEARN,))) == "drmm, a pin"


def test_little_is_kept_of_a_row_however_much_is_known_of_its_job(tmp_path: Path) -> None:
    """Half of 100,000 jobs may be offered, and the app is to stay below 300 MB."""
    count = 2_000
    rows: dict[JobKey, JobRow] = {}
    for number in range(count):
        key = JobKey("ir.learn", f"{number:032x}")
        values = {f"trainer.parameter{name}": number + name for name in range(20)}
        record = JobRecord(
            key, JobState.FAILED, attempt=1, ended="2026-11-20T09:12:00.000000Z",
            tags={"lr": number / 10, "seed": number}, params=values,
        )  # fmt: skip
        rows[key] = pack_job(record)
    seen = Surveyed(survey((), Records(rows)), frozenset())
    offer_obsolete(WorkspacePaths(str(tmp_path)), seen)  # what is loaded and kept by the first
    gc.collect()
    tracemalloc.start()
    try:
        seen = Surveyed(survey((), Records(rows)), frozenset())
        removal = removal_of(offer_obsolete(WorkspacePaths(str(tmp_path)), seen))
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(removal.rows) == count
    assert removal.titles[removal.rows[7].offer] == "learn lr=0.7 seed=7"
    assert taken / count < 1_000  # bytes; a record alone takes three times that
