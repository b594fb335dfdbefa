"""Whole histories: runs, edits, scopes, links, failures, cleans, undos, purges; and a model of it.

The model says which jobs and runs stand, in which state, and what each folder looks like to the
byte: content, times, modes, links. After every step it is compared with the disk.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from tests.engine.folders import key, make_job, picture, reference
from tests.engine.histories import run as as_view
from xpm_engine.verbs.cleaning import clean, obsolete, offers
from xpm_engine.workspace import scan
from xpm_engine.workspace.atomic import append_bytes, dumps, make_folders, write_atomic
from xpm_engine.workspace.cleaning.piece_places import place_of
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.runs import PlanState, RunKind, end_line
from xpm_engine.workspace.records.states import JobState, state_of_outcome
from xpm_engine.workspace.records.trash import Piece, PieceKind

JOBS = tuple(key(number) for number in range(5))
UPSTREAM = {JOBS[1]: [JOBS[0]], JOBS[3]: [JOBS[2]], JOBS[4]: [JOBS[3]]}

Picture = dict[str, tuple[Any, ...]]


class HistoryModel(RuleBasedStateMachine):
    """A workspace that plans and people work on."""

    cleans = Bundle("cleans")

    def __init__(self) -> None:
        super().__init__()
        self.root = tempfile.mkdtemp()
        self.workspace = WorkspacePaths(self.root + "/ws")
        make_folders(self.workspace.root)
        self.jobs: dict[JobKey, tuple[JobState, Picture]] = {}
        self.runs: dict[Piece, Picture] = {}
        self.trash: dict[str, dict[JobKey | Piece, Any]] = {}
        self.whole: dict[JobKey, Picture] = {}
        """What each job looked like when it had ended, with all that it made."""
        self.pinned: set[JobKey] = set()
        self.number = 0

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    @rule(
        names=st.lists(st.sampled_from(JOBS), unique=True),
        seed=st.sampled_from("12"),
        plan=st.sampled_from(
            (PlanState.COMPLETE, PlanState.COMPLETE, PlanState.RAISED, PlanState.INTERRUPTED)
        ),
        selected=st.booleans(),
        fails=st.sampled_from((None, *JOBS)),
    )
    def run_a_plan(
        self, names: list[JobKey], seed: str, plan: PlanState, selected: bool, fails: JobKey | None
    ) -> None:
        """A plan with one of two arguments, perhaps a part of it; what is missing is run."""
        needed = list(names)
        for name in needed:
            needed += [up for up in UPSTREAM.get(name, ()) if up not in needed]
        self.number += 1
        view = as_view(self.number, [], plan=plan, arguments={"seed": seed})
        assert view.record is not None
        record = {
            **view.record.to_json(),
            "selection": "task:bm25" if selected else None,
            "kind": RunKind.PLAN.value,
        }
        paths = self.workspace.run("drmm", view.run)
        make_folders(paths.root)
        write_atomic(paths.record, dumps(record))
        lines = [reference(name, dependencies=UPSTREAM.get(name, ())).to_json() for name in needed]
        text = b"".join(dumps(line) + b"\n" for line in [*lines, end_line(len(lines))])
        append_bytes(paths.manifest, text)
        self.runs[Piece(PieceKind.RUN, ("drmm", view.run))] = picture(paths.root)
        for name in needed:
            if name not in self.jobs:
                self._run_job(name, Outcome.FAILED if name == fails else Outcome.DONE)

    def _run_job(self, name: JobKey, outcome: Outcome) -> None:
        job = make_job(self.workspace, name, outcome=outcome, dependencies=UPSTREAM.get(name, ()))
        os.symlink(self.root, f"{job.root}/out")
        os.makedirs(f"{job.root}/models")
        with open(f"{job.root}/models/one.pt", "wb") as file:
            file.write(bytes(self.number % 256 for _ in range(100)))
        os.chmod(f"{job.root}/models/one.pt", 0o600)
        os.utime(f"{job.root}/models", ns=(5, 7))
        self.jobs[name] = state_of_outcome(outcome), picture(job.root)
        self.whole[name] = self.jobs[name][1]

    @rule(name=st.sampled_from(JOBS))
    def pin(self, name: JobKey) -> None:
        if name in self.jobs:
            path = self.workspace.job(name).pin
            if name in self.pinned:
                os.unlink(path)
                self.pinned.discard(name)
            else:
                write_atomic(path, b"{}")
                self.pinned.add(name)
            self.jobs[name] = self.jobs[name][0], picture(self.workspace.job(name).root)

    @rule(target=cleans, finished=st.booleans())
    def clean_what_is_obsolete(self, finished: bool) -> str:
        seen = obsolete.survey_workspace(self.workspace)
        offering = offers.offer_obsolete(self.workspace, seen, finished=finished)
        return self._carry_out(obsolete.plan_clean(self.workspace, seen, offering.ticked))

    @rule(target=cleans, data=st.data())
    def clean_runs(self, data: st.DataObject) -> str:
        names = sorted(piece.names for piece in self.runs)
        chosen = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
        seen = obsolete.survey_workspace(self.workspace)
        pairs = [(experiment, run) for experiment, run in chosen]
        offering = offers.offer_runs(self.workspace, seen, pairs, finished=True)
        return self._carry_out(obsolete.plan_clean(self.workspace, offering.seen, offering.ticked))

    @rule(target=cleans, names=st.lists(st.sampled_from(JOBS), unique=True, min_size=1))
    def clean_files(self, names: list[JobKey]) -> str:
        pieces = [
            Piece(PieceKind.FILE, (name.task, name.identifier, "models/one.pt")) for name in names
        ]
        logs = [Piece(PieceKind.LOG, (name.task, name.identifier, "1.out")) for name in names]
        seen = obsolete.survey_workspace(self.workspace)
        return self._carry_out(obsolete.plan_clean(self.workspace, seen, [*pieces, *logs]))

    def _carry_out(self, plan: clean.RemovalPlan) -> str:
        done = clean.carry_out(self.workspace, plan)
        lying: dict[JobKey | Piece, Any] = {}
        for removal in done.removals:
            assert removal.key not in self.pinned
            lying[removal.key] = self.jobs.pop(removal.key)
        for piece in done.pieces:
            if piece.kind is PieceKind.RUN:
                lying[piece] = self.runs.pop(piece)
            else:
                assert piece.key is not None
                assert piece.key not in self.pinned
                state, before = self.jobs[piece.key]
                lying[piece] = before
                self.jobs[piece.key] = state, picture(self.workspace.job(piece.key).root)
        if lying:
            self.trash[done.name] = lying
        return done.name

    @rule(name=cleans)
    def undo(self, name: str) -> None:
        lying = self.trash.get(name)
        if lying is None:
            return
        report = clean.undo(self.workspace, name)
        back: set[JobKey | Piece] = {*report.returned, *report.pieces}
        for item in back:
            before = lying.pop(item)
            if isinstance(item, JobKey):
                assert item not in self.jobs
                self.jobs[item] = before
            elif item.kind is PieceKind.RUN:
                self.runs[item] = before
        for owner in {piece.key for piece in report.pieces if piece.key is not None}:
            now = picture(self.workspace.job(owner).root)
            self.jobs[owner] = self.jobs[owner][0], dict(now)
            lie = (item for items in self.trash.values() for item in items)
            if not any(isinstance(item, Piece) and item.key == owner for item in lie):
                now.pop(".xpm/pin.json", None)
                assert now == self.whole[owner]
        for item in lying:
            # Only what is in use, or has nowhere to go back to, stays.
            place = place_of(self.workspace, item) if isinstance(item, Piece) else ""
            owner = item if isinstance(item, JobKey) else item.key
            assert owner in self.jobs or os.path.lexists(place) or owner is not None
        if not lying:
            del self.trash[name]

    @rule(name=consumes(cleans))
    def purge(self, name: str) -> None:
        lying = self.trash.pop(name, None)
        if lying is not None:
            clean.purge(self.workspace, name)
            (record,) = [item for item in clean.list_purged(self.workspace) if item.name == name]
            jobs = {job.key for job in record.jobs}
            assert jobs == {item for item in lying if isinstance(item, JobKey)}

    @invariant()
    def what_stands_is_as_it_was(self) -> None:
        assert set(scan.list_jobs(self.workspace)) == set(self.jobs)
        for name, (state, before) in self.jobs.items():
            assert scan.read_job(self.workspace, name).state is state
            assert picture(self.workspace.job(name).root) == before
        standing = {
            Piece(PieceKind.RUN, (experiment, run))
            for experiment in scan.list_experiments(self.workspace)
            for run in scan.list_runs(self.workspace, experiment)
        }
        assert standing == set(self.runs)
        for piece, before in self.runs.items():
            assert picture(place_of(self.workspace, piece)) == before

    @invariant()
    def the_trash_holds_what_was_cleaned(self) -> None:
        found = {
            item.name: {*(removal.key for removal in item.removals), *item.pieces}
            for item in clean.list_trash(self.workspace)
        }
        assert found == {name: set(lying) for name, lying in self.trash.items()}


TestHistoryModel = HistoryModel.TestCase
TestHistoryModel.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
