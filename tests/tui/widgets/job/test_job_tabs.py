"""What the tabs of a job say, as plain lines."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App, ComposeResult

from tests.engine.making import KEY, end, launch, start
from tests.tui.screen_text import widget_lines
from xpm_engine.workspace import processes, scan
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.fields import format_time
from xpm_engine.workspace.records.jobs import Progress, ProgressLevel
from xpm_engine.workspace.records.mirror import Mirror
from xpm_engine.workspace.records.params import (
    CodeRecord,
    FieldKind,
    FieldRecord,
    ObjectRecord,
    ParamsRecord,
)
from xpm_engine.workspace.records.reasons import (
    Frame,
    Outcome,
    Reason,
    ReasonKind,
    Wait,
    WaitKind,
)
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import Attempt, Usage
from xpm_engine.workspace.scan import JobRecord
from xpm_tui import look
from xpm_tui.facts.metrics import MetricsRead, Series
from xpm_tui.facts.usage import LiveUsage, live_usage
from xpm_tui.store import Job
from xpm_tui.widgets.job.metrics import MetricsOf, metrics_lines
from xpm_tui.widgets.job.overview_facts import Explained, OverviewFacts
from xpm_tui.widgets.job.overview_lines import Neighbour, OverviewOf, overview_lines
from xpm_tui.widgets.job.parameters import parameter_lines
from xpm_tui.widgets.lines import Line, Lines

NOW = 1_000_000.0
WORKSPACE = WorkspacePaths("/ws")


def texts(lines: tuple[Line, ...]) -> list[str]:
    return [line.text.plain.rstrip() for line in lines]


def overview(job: Job, facts: OverviewFacts | None = None, **around: object) -> str:
    about = OverviewOf(WORKSPACE, job, WORKSPACE.job(job.key).root, **around)  # type: ignore[arg-type]
    return "\n".join(texts(overview_lines(about, facts or OverviewFacts(), now=NOW)))


def running() -> Job:
    record = JobRecord(
        KEY,
        JobState.RUNNING,
        attempt=2,
        started=format_time(NOW - 540),
        supervisor=processes.own_identity(),
        task=replace(processes.own_identity(), pid=5120, host="front1"),
        progress=Progress(
            2,
            format_time(NOW),
            540.0,
            (ProgressLevel(0.6, "epoch 3/5"), ProgressLevel(0.25, "batch 2/8")),
        ),
    )
    return Job(KEY, JobState.RUNNING, record)


def test_what_was_sent_to_a_host_that_is_gone_says_what_to_do() -> None:
    wait = Wait(KEY, WaitKind.SENT, what="connection refused", host="alpha")
    record = JobRecord(KEY, JobState.UNREACHABLE, attempt=1)
    shown = overview(Job(KEY, JobState.UNREACHABLE, record, wait=wait))
    assert "alpha, where it may run: connection refused" in shown
    assert "goes on when alpha is back. Gone for good? K ends its plan, R then asks" in shown


def test_a_running_job_says_since_when_where_and_with_what() -> None:
    said = overview(running(), OverviewFacts(usage=LiveUsage(0.96, 1_200_000_000, 1)))
    assert "● running 9 min on" in said
    assert "pid 5120 · 96 % cpu · 1.2 GB · attempt 2" in said


def test_a_launcher_is_named_where_it_is_not_this_machines() -> None:
    job = running()
    assert "Launcher" not in overview(replace(job, record=replace(job.record, launcher="local")))
    far = overview(replace(job, record=replace(job.record, launcher="al[pha]")))
    assert "Launcher     al[pha]" in far


def test_old_word_of_another_host_is_told_with_its_time() -> None:
    job = running()

    def seen(ago: float) -> Job:
        mirror = Mirror("alpha", format_time(NOW - ago))
        return replace(job, record=replace(job.record, mirror=mirror))

    assert "as of" not in overview(seen(59))
    assert re.search(r"running 9 min .* · as of \d\d:\d\d on alpha", overview(seen(120)))
    ended = seen(120)
    ended = replace(ended, record=replace(ended.record, state=JobState.DONE))
    assert "as of" not in overview(ended)


def test_every_level_of_progress_has_its_bar_and_the_whole_its_time_left() -> None:
    lines = overview(running()).splitlines()
    whole = next(line for line in lines if line.startswith("Progress"))
    part = next(line for line in lines if "batch 2/8" in line)
    assert "60 % · ~6 min left · epoch 3/5" in whole
    assert "25 %" in part
    assert part.count("━") < whole.count("━")


def test_a_failure_says_why_and_shows_the_line_as_it_was() -> None:
    frame = Frame("/home/you/train.py", 88, "step", "    loss = f(x)")
    reason = Reason(ReasonKind.EXCEPTION, "batch is empty", "ValueError", frame)
    record = JobRecord(KEY, JobState.FAILED, reason=reason, usage=Usage(240.0, 200.0, 5_000_000))
    said = overview(Job(KEY, JobState.FAILED, record))
    assert "✗ failed after 4 min" in said
    assert "Reason       batch is empty\n             ValueError" in said
    assert "At           /home/you/train.py:88 in step" in said
    assert "> 88   loss = f(x)" in said
    assert "Used         4 min · 3 min of processor · 5.0 MB at most" in said


def test_a_job_that_can_not_be_read_says_what_to_do() -> None:
    problem = "/ws/jobs/x/.xpm/1.end: is empty"
    said = overview(
        Job(KEY, JobState.UNREADABLE, JobRecord(KEY, JobState.UNREADABLE, problem=problem))
    )
    assert f"Problem      {problem}" in said
    assert "Next         if nothing of it runs, move its folder away" in said


def test_earlier_attempts_say_how_they_ended() -> None:
    reason = Reason(ReasonKind.OUT_OF_MEMORY, "killed at 2 GB")
    ended = end(Outcome.FAILED, reason=reason, usage=Usage(60.0, 1.0, 1))
    attempts = (
        Attempt(1, launch(), start(), ended),
        Attempt(2, launch(attempt=2), start()),
    )
    said = overview(running(), OverviewFacts(attempts=attempts))
    assert "Attempt 1    failed" in said
    assert "after 1 min: killed at 2 GB" in said
    assert "Attempt 2" not in said


def test_silence_is_told_and_never_made_a_state() -> None:
    said = overview(running(), OverviewFacts(sign=NOW - 240))
    assert "· no sign for 4 min" in said
    assert "● running" in said
    assert "no sign" not in overview(running(), OverviewFacts(sign=NOW - 40))
    assert look.silence_words(None, NOW) == ""


def test_the_last_sign_is_the_newest_of_the_start_and_the_signs_of_life(tmp_path: Path) -> None:
    job = WorkspacePaths.at(tmp_path).job(KEY)
    assert scan.last_sign(job, 1) is None
    os.makedirs(job.xpm)
    for path, at in ((job.start(1), 100.0), (job.alive, 400.0)):
        Path(path).touch()
        os.utime(path, (at, at))
    assert scan.last_sign(job, 1) == 400.0


def test_why_it_ran_what_it_came_to_and_that_it_is_pinned() -> None:
    came = Progress(1, "", 1.0, (ProgressLevel(0.31, "epoch 2/5"),))
    failed = Job(KEY, JobState.FAILED, JobRecord(KEY, JobState.FAILED, attempt=1))
    about = OverviewOf(WORKSPACE, failed, WORKSPACE.job(KEY).root)
    explained = Explained(KEY, 1, "lr 0.1 → 0.01", "71c0de")
    facts = OverviewFacts(pinned=True, came_to=came)
    lines = texts(overview_lines(about, facts, now=NOW, explained=explained))
    assert "⚑ pinned" in lines[0]
    assert "Came to      epoch 2/5 31 %" in lines
    assert "Ran because  lr 0.1 → 0.01   (nearest earlier job: 71c0de)" in lines


def test_what_it_used_since_one_looks_is_a_line_of_blocks() -> None:
    trail = [LiveUsage(cpu, memory, 1) for cpu, memory in ((0.0, 1), (0.5, 2), (1.0, 4_000_000))]
    lines = texts(
        overview_lines(
            OverviewOf(WORKSPACE, running(), WORKSPACE.job(KEY).root),
            OverviewFacts(),
            now=NOW,
            trail=trail,
        )
    )
    processor = next(line for line in lines if line.startswith("Processor"))
    assert processor.split() == ["Processor", "▁▅█", "100", "%"]
    memory = next(line for line in lines if line.startswith("Memory"))
    assert memory.endswith("4.0 MB")


def test_of_a_job_that_ended_no_line_says_what_it_uses() -> None:
    done = Job(KEY, JobState.DONE, JobRecord(KEY, JobState.DONE, attempt=1))
    trail = [LiveUsage(0.5, 2_000_000, 1), LiveUsage(0.1, 1_000_000, 1)]
    about = OverviewOf(WORKSPACE, done, WORKSPACE.job(KEY).root)
    lines = texts(overview_lines(about, OverviewFacts(), now=NOW, trail=trail))
    assert not [line for line in lines if line.startswith(("Processor", "Memory"))]


def test_neighbours_are_named_and_many_are_counted() -> None:
    other = Job(JobKey("ir.index", "f" * 32), JobState.DONE, JobRecord(KEY, JobState.DONE))
    said = overview(running(), upstream=(Neighbour("index stem=a", other),) * 14)
    assert "Needs        ✓ done  index stem=a  ffffff" in said
    assert "… 2 more: see Links" in said


def test_what_could_not_be_read_is_said() -> None:
    record = JobRecord(KEY, JobState.UNREADABLE, problem="/ws/job.json: truncated")
    assert "/ws/job.json: truncated" in overview(Job(KEY, JobState.UNREADABLE, record))


def field(name: str, value: object, **changes: object) -> FieldRecord:
    made = FieldRecord(name, FieldKind.PARAM, value, False, "", "float")
    return replace(made, **changes)  # type: ignore[arg-type]


def record() -> ParamsRecord:
    adam = ObjectRecord(
        "ir.Adam",
        "ir",
        "Adam",
        "",
        "",
        fields=(
            field("lr", 0.1, help="Learning rate", has_default=True, default=0.001),
            field("eps", 1e-8, is_default=True, help="Small"),
        ),
        tags={"lr": 0.1},
    )
    learner = ObjectRecord(
        "ir.Learner",
        "ir",
        "Learner",
        "",
        "",
        doc="Learns a ranker.",
        fields=(
            field("optimizer", {"$config": 0}),
            field("again", {"$config": 0}),
            field("several", [{"$config": 0}]),
            field("threads", 8, kind=FieldKind.OPTION),
            field("model", {"$path": ["job:x", "model"]}, kind=FieldKind.PATH),
        ),
    )
    return ParamsRecord(1, (adam, learner), CodeRecord("ir", "Learner", "", ""))


def test_parameters_are_nested_documented_and_marked() -> None:
    lines = texts(parameter_lines(record()))
    assert lines[:2] == ["ir.Learner", "Learns a ranker."]
    assert lines[3].split() == ["optimizer", "Adam"]
    assert lines[4].startswith("  lr  ")
    assert lines[4].split(maxsplit=2)[2] == "tag · default 0.001  Learning rate"
    assert "Small" in lines[5]
    assert sum("Adam is the one shown above" in line for line in lines) == 2
    assert any(line.endswith("option") for line in lines)
    assert any(line.endswith("in the job's folder") for line in lines)


def test_what_drifted_is_told_with_both_values() -> None:
    change = "default of Adam.eps 1e-08 → 1e-06"
    lines = texts(parameter_lines(record(), (change,)))
    assert lines[0] == f"≠ drifted    {change}"
    eps = next(line for line in lines if line.startswith("  eps"))
    assert "1e-08" in eps
    assert "≠ now 1e-06" in eps
    assert sum("now" in line for line in lines) == 1


def test_defaults_are_dimmed_and_what_was_set_is_bold() -> None:
    lines = parameter_lines(record())
    styles = [{str(span.style) for span in line.text.spans} for line in lines]
    assert "bold" in styles[4]
    assert "bold" not in styles[5]
    assert "xpm.faint" in styles[5]


def test_metrics_say_last_value_range_and_curve() -> None:
    found = MetricsRead((Series("loss", (3.0, 2.0, 1.0), (10, 20, 30)),), bad_lines=1, earlier=4)
    lines = texts(metrics_lines(MetricsOf("", {"mrr": 0.25, "loss": 1.0}), found, width=100))
    assert lines[0].split()[:2] == ["loss", "1"]
    assert lines[0].endswith("at step 30  lowest 1 at step 30  highest 3 at step 10")
    assert lines[1].split()[0] == "3"
    assert lines[6].split()[0] == "1"
    assert all(set(line[12:]) <= set(map(chr, range(0x2800, 0x2900))) for line in lines[1:7])
    assert lines[7].split() == ["step", "10", "step", "30"]
    assert lines[9].split() == ["mrr", "0.25"]
    assert lines[10:] == [
        "4 values of earlier attempts are not shown",
        "1 line could not be read",
    ]


def test_many_metrics_have_a_line_each() -> None:
    found = MetricsRead(tuple(Series(f"m{number}", (1.0, 2.0)) for number in range(9)))
    lines = texts(metrics_lines(MetricsOf(""), found))
    assert len(lines) == 9
    assert lines[0].endswith("▁█")


def test_the_usage_of_this_very_process_is_measured() -> None:
    usage = live_usage(processes.own_identity())
    assert usage is not None
    assert usage.memory > 1_000_000
    assert usage.cpu >= 0.0
    assert live_usage(replace(processes.own_identity(), start_ticks=1)) is None


def test_a_process_that_ends_while_it_is_measured_uses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with subprocess.Popen(["sleep", "600"]) as child:

        def end_it(seconds: float) -> None:
            child.kill()
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

        monkeypatch.setattr("xpm_tui.facts.usage.time.sleep", end_it)
        identity = processes.identity_of(child.pid)
        assert identity is not None
        assert live_usage(identity) is None


class LinesHost(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.lines = Lines()

    def compose(self) -> ComposeResult:
        yield self.lines


async def test_long_lines_go_on_below_their_value() -> None:
    from rich.text import Text

    host = LinesHost()
    async with host.run_test(size=(24, 6)) as pilot:
        host.lines.show([Line(Text("Needs   one two three four five"), indent=8)])
        await pilot.pause()
        assert widget_lines(host.lines)[:3] == [
            " Needs   one two three",
            "         four five",
            "",
        ]


@pytest.mark.parametrize(("needle", "hits"), [("THREE", 1), ("nine", 10), ("[x]", 0), ("", 0)])
async def test_a_text_is_searched_without_regard_to_case(needle: str, hits: int) -> None:
    from rich.text import Text

    host = LinesHost()
    async with host.run_test(size=(40, 6)) as pilot:
        words = ["one", "two", "three", "ninety", *["nineteen"] * 9, *["x"] * 50]
        host.lines.show([Line(Text(word)) for word in words])
        await pilot.pause()
        assert host.lines.find(needle) == hits
        await pilot.pause()
        if hits:
            assert any(needle.casefold() in line for line in widget_lines(host.lines))
