"""What the policies of ``[retention]`` would remove: always shown first, carried out when asked.

Keep the last runs of a plan and its arguments, keep the best results of a task, drop files of
finished jobs, pack large logs. All of it goes to the trash, so that all of it can be taken back.
"""

from __future__ import annotations

import fnmatch
import math
import os
import stat
from collections.abc import Iterable, Iterator

from xpm_engine.verbs.cleaning.obsolete import Offer, Surveyed, offer_of, without_needed
from xpm_engine.verbs.cleaning.offers import (
    Offering,
    OfferRow,
    Section,
    arranged,
    is_current,
    run_row,
)
from xpm_engine.words import plain
from xpm_engine.workspace.cleaning.needs import Need, NeedKind
from xpm_engine.workspace.layout import PACKED, XPM, JobPaths, WorkspacePaths
from xpm_engine.workspace.obsolete import groups_of
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Piece, PieceKind
from xpm_engine.workspace.scan import JobRecord, RunView
from xpm_engine.workspace.settings import Best, RetentionSettings


def offer_policies(
    workspace: WorkspacePaths, seen: Surveyed, retention: RetentionSettings
) -> Offering:
    """What the policies select, ticked; what somebody needs is shown, and not ticked."""
    rows: list[OfferRow] = []
    later = seen
    if retention.keep_runs:
        old = list(_old_runs(seen, retention.keep_runs))
        later = seen.without({(run.experiment, run.run) for run in old})
        rows += [run_row(run, Section.OLD_RUNS, later) for run in old]
        rows += _jobs_of_old_runs(later, old)
    gone = {row.offer for row in rows if row.ticked}
    for task, best in retention.keep_best.items():
        rows += _not_best(later, task, best, gone)
    leaving = {row.offer for row in rows if row.ticked}
    for record in later.survey.jobs.values():
        if record.key not in leaving:
            rows += _files(workspace, later, record, retention)
            rows += _logs(workspace, later, record, retention)
    return arranged(workspace, later, rows)


def _old_runs(seen: Surveyed, keep: int) -> Iterator[RunView]:
    """The runs beyond the last ones of their scope, but for the one that the others rest on."""
    for group in groups_of(seen.runs):
        for run in group[:-keep]:
            if not (run.live or run.problem or is_current(run, group)):
                yield run


def _jobs_of_old_runs(later: Surveyed, old: Iterable[RunView]) -> Iterator[OfferRow]:
    """The jobs that only these runs name, and that nobody needs."""
    named = {line.key: run for run in old for line in run.manifest.references}
    items = {
        item.key: item
        for item in later.survey.obsolete
        if item.key in named and not item.attempt and item.free
    }
    leaving = without_needed(later.survey, set(items))
    for key, item in items.items():
        run = named[key]
        yield OfferRow(
            offer_of(item),
            Section.OLD_RUNS,
            f"only in old runs, the last {plain(run.experiment)}/{plain(run.run)}",
            item.row,
            ticked=key in leaving,
            alike=("only in old runs",),
        )


def _not_best(later: Surveyed, task: str, best: Best, gone: set[Offer]) -> Iterator[OfferRow]:
    """The results of a task beyond its best ones; a job without the metric is none of them."""
    ranked: list[tuple[float, JobRecord]] = []
    for record in later.survey.jobs.values():
        value = record.metrics.get(best.metric)
        wanted = record.key.task == task and record.state is JobState.DONE
        if wanted and value is not None and not math.isnan(value) and record.key not in gone:
            ranked.append((value, record))
    ranked.sort(key=lambda pair: pair[1].key)
    ranked.sort(key=lambda pair: pair[0], reverse=not best.lowest)
    doubt = next(iter(later.survey.blockers), "")
    for place, (value, record) in enumerate(ranked[best.keep :], start=best.keep + 1):
        needs = later.survey.needs(record.key)
        others = tuple(need for need in needs if need.kind is not NeedKind.LATEST)
        why = f"{best.metric} {value:.4g}, place {place} of {len(ranked)}"
        refused = _live(needs) or (f"nobody can tell: {plain(doubt)}" if doubt else "")
        yield OfferRow(
            record.key,
            Section.NOT_BEST,
            why,
            record,
            needs=needs,
            refused=refused,
            ticked=not others and not refused,
            alike=(f"beyond the best {best.keep} by {best.metric}",),
        )


def _files(
    workspace: WorkspacePaths, later: Surveyed, record: JobRecord, retention: RetentionSettings
) -> Iterator[OfferRow]:
    patterns = [
        pattern
        for task, each in retention.drop_files.items()
        if fnmatch.fnmatchcase(record.key.task, task)
        for pattern in each
    ]
    if not patterns or record.state is not JobState.DONE or record.alias is not None:
        return
    refused = _live(later.survey.needs(record.key))
    for path in _files_of(workspace.job(record.key)):
        found = next((pattern for pattern in patterns if matches(path, pattern)), None)
        if found is not None:
            yield _piece_row(record, PieceKind.FILE, path, f"matches {found}", refused)


def _logs(
    workspace: WorkspacePaths, later: Surveyed, record: JobRecord, retention: RetentionSettings
) -> Iterator[OfferRow]:
    least = retention.pack_logs
    over = not record.state.live and record.state is not JobState.UNREADABLE
    if least is None or not over or record.alias is not None:
        return
    refused = _live(later.survey.needs(record.key))
    try:
        entries = sorted(os.scandir(workspace.job(record.key).logs), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        packed = entry.name.endswith((PACKED, ".tmp"))
        if stat.S_ISREG(status.st_mode) and not packed and status.st_size >= max(1, least):
            yield _piece_row(record, PieceKind.LOG, entry.name, "a packed copy stays", refused)


def _piece_row(record: JobRecord, kind: PieceKind, name: str, why: str, refused: str) -> OfferRow:
    piece = Piece(kind, (record.key.task, record.key.identifier, name))
    section = Section.FILES if kind is PieceKind.FILE else Section.LOGS
    return OfferRow(piece, section, plain(why), record, refused=refused, ticked=not refused)


def matches(path: str, pattern: str) -> bool:
    """Whether a path in a job's folder is meant by a pattern.

    One without ``/`` means the name at any depth; ``*`` stays inside one folder, ``**`` does not.
    """
    if "/" not in pattern:
        return fnmatch.fnmatchcase(path.rpartition("/")[2], pattern)
    return _parts_match(path.split("/"), pattern.split("/"))


def _parts_match(parts: list[str], patterns: list[str]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return any(_parts_match(parts[skip:], patterns[1:]) for skip in range(len(parts) + 1))
    return (
        bool(parts)
        and fnmatch.fnmatchcase(parts[0], patterns[0])
        and _parts_match(parts[1:], patterns[1:])
    )


def _files_of(job: JobPaths) -> Iterator[str]:
    """The paths of the regular files that the task left in its folder; links are not followed."""
    pending = [""]
    while pending:
        inside = pending.pop()
        try:
            entries = sorted(os.scandir(f"{job.root}/{inside}"), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            path = f"{inside}{entry.name}"
            if path == XPM:
                continue
            if entry.is_dir(follow_symlinks=False):
                pending.append(f"{path}/")
            elif entry.is_file(follow_symlinks=False):
                yield path


def _live(needs: Iterable[Need]) -> str:
    return next((str(need) for need in needs if need.live), "")
