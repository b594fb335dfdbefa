"""The supervisor records how a task ended, whatever the task does: real processes, real signals."""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engine.making import KEY, dead_process, end, launch, start
from tests.engine.supervising import run, spawn, wait_for
from xpm_engine.errors import StorageError
from xpm_engine.runtime import supervisor
from xpm_engine.runtime.child import NONCE_VARIABLE
from xpm_engine.runtime.context import JobContext, enter_job
from xpm_engine.runtime.outcomes import BadEnd
from xpm_engine.runtime.progress import progress
from xpm_engine.workspace import processes, scan, tickets
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.records.events import EventType, parse_events
from xpm_engine.workspace.records.jobs import Progress
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import Launch

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
"""The forked processes never come back to the threads of the test's process."""


def test_a_good_end_is_recorded_with_what_it_used(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        print("out")
        print("err", file=sys.stderr)
        return 0

    record = run(workspace, body)
    job = workspace.job(KEY)
    assert record.state is JobState.DONE
    assert record.exit_code == 0
    assert record.usage is not None
    assert record.usage.peak_bytes > 1_000_000
    assert Path(job.stdout_link).read_text() == "out\n"
    assert Path(job.stderr_link).read_text() == "err\n"
    assert os.readlink(job.stdout_link) == ".xpm/logs/1.out"
    events, bad = parse_events(Path(job.events).read_bytes())
    assert [event.type for event in events] == [EventType.STARTED, EventType.ENDED]
    assert bad == 0


def test_a_reported_reason_is_kept(workspace: WorkspacePaths) -> None:
    told = Reason(ReasonKind.EXCEPTION, "ValueError: x", "ValueError")

    def body(context: JobContext, order: Launch, report: int) -> int:
        os.write(report, BadEnd(Outcome.FAILED, told).to_report())
        return 1

    record = run(workspace, body)
    assert record.state is JobState.FAILED
    assert record.reason == told
    assert record.exit_code == 1


def test_a_crash_of_the_interpreter_is_recorded(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        faulthandler.disable()
        ctypes.string_at(0)
        return 0

    record = run(workspace, body)
    assert record.state is JobState.FAILED
    assert record.signal == signal.SIGSEGV
    assert record.reason is not None
    assert record.reason.text == "killed by SIGSEGV"


def test_leaving_by_os_exit_is_no_good_end(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        os._exit(7)

    record = run(workspace, body)
    assert record.state is JobState.FAILED
    assert record.exit_code == 7


def test_what_the_task_leaves_running_is_ended(workspace: WorkspacePaths, tmp_path: Path) -> None:
    """A daemon in a session of its own, that ignores SIGTERM."""
    pid_file = tmp_path / "pid"
    code = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(pid_file)!r} + '.new', 'w').write(str(os.getpid()))\n"
        f"os.rename({str(pid_file)!r} + '.new', {str(pid_file)!r})\n"
        "time.sleep(600)\n"
    )

    def body(context: JobContext, order: Launch, report: int) -> int:
        subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
        wait_for(pid_file.exists)
        return 0

    record = run(workspace, body)
    assert record.state is JobState.DONE
    assert processes.identity_of(int(pid_file.read_text())) is None


def test_a_request_to_stop_reaches_the_task(workspace: WorkspacePaths, tmp_path: Path) -> None:
    ready = tmp_path / "ready"

    def body(context: JobContext, order: Launch, report: int) -> int:
        ready.touch()
        time.sleep(600)
        return 0

    order = launch()
    tickets.claim_launch(workspace.job(KEY), order)
    pid = spawn(workspace, body, order)
    wait_for(ready.exists)
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    record = scan.read_job(workspace, KEY)
    assert record.state is JobState.CANCELLED
    assert record.signal == signal.SIGTERM


def test_the_task_dies_with_its_supervisor_and_nothing_is_recorded(
    workspace: WorkspacePaths, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"

    def body(context: JobContext, order: Launch, report: int) -> int:
        (tmp_path / "new").write_text(str(os.getpid()))
        (tmp_path / "new").rename(pid_file)
        time.sleep(600)
        return 0

    order = launch()
    job = workspace.job(KEY)
    tickets.claim_launch(job, order)
    pid = spawn(workspace, body, order)
    wait_for(pid_file.exists)
    task = int(pid_file.read_text())
    assert scan.read_job(workspace, KEY).state is JobState.RUNNING
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait_for(lambda: processes.identity_of(task) is None)
    record = scan.read_job(workspace, KEY)
    assert record.state is JobState.DIED
    attempt = tickets.last_attempt(job)
    assert attempt is not None
    assert attempt.end is None
    assert tickets.proved_dead(job, attempt)
    assert tickets.reap(job, attempt)
    assert scan.read_job(workspace, KEY).state is JobState.DIED


def test_only_one_of_many_supervisors_runs_the_task(
    workspace: WorkspacePaths, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"

    def body(context: JobContext, order: Launch, report: int) -> int:
        with ledger.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return 0

    order = launch()
    tickets.claim_launch(workspace.job(KEY), order)
    for pid in [spawn(workspace, body, order) for _ in range(6)]:
        os.waitpid(pid, 0)
    assert len(ledger.read_text().splitlines()) == 1
    assert scan.read_job(workspace, KEY).state is JobState.DONE


def test_a_voided_order_is_notrun(workspace: WorkspacePaths, tmp_path: Path) -> None:
    job = workspace.job(KEY)
    order = launch()
    tickets.claim_launch(job, order)
    attempt = tickets.last_attempt(job)
    assert attempt is not None
    tickets.void(job, attempt, user="ada", why="overdue")
    before = sorted(os.listdir(job.xpm))

    def body(context: JobContext, order: Launch, report: int) -> int:
        (tmp_path / "ran").touch()
        return 0

    os.waitpid(spawn(workspace, body, order), 0)
    assert not (tmp_path / "ran").exists()
    assert sorted(set(os.listdir(job.xpm)) - {"lock"}) == before


def test_an_order_of_another_nonce_is_left_alone(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    os.waitpid(spawn(workspace, lambda *_: 0, launch()), 0)
    assert scan.read_job(workspace, KEY).state is JobState.QUEUED


def test_without_its_upstream_a_job_ends_before_it_executes(workspace: WorkspacePaths) -> None:
    gone = JobKey("ir.index", "e" * 32)
    record = run(workspace, lambda *_: 0, launch(dependencies=(gone,)))
    assert record.state is JobState.FAILED
    assert record.reason is not None
    assert record.reason.kind is ReasonKind.UPSTREAM_GONE
    assert str(gone) in record.reason.text


@pytest.mark.parametrize("resumable", [True, False])
def test_what_an_earlier_attempt_left_is_moved_unless_it_resumes(
    workspace: WorkspacePaths, resumable: bool
) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start(by=dead_process()))
    tickets.record_end(job, 1, end(Outcome.FAILED))
    checkpoint = Path(job.root) / "checkpoint"
    checkpoint.write_text("half")

    def body(context: JobContext, order: Launch, report: int) -> int:
        return 0 if checkpoint.exists() == resumable else 3

    record = run(workspace, body, launch(attempt=2, resumable=resumable))
    assert record.state is JobState.DONE
    assert record.attempt == 2
    assert (Path(job.leftovers(1)) / "checkpoint").exists() == (not resumable)


def _told(workspace: WorkspacePaths) -> Progress | None:
    return scan.read_progress(workspace.job(KEY), 1)


def test_progress_is_written_with_its_levels(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        enter_job(context)
        progress(0.0, desc="epoch 1/2")
        progress(0.5, level=1, desc="batch\n5")
        progress(2.0, level=1)
        wait_for(lambda: (told := _told(workspace)) is not None and len(told.levels) == 2)
        return 0

    run(workspace, body)
    told = _told(workspace)
    assert told is not None
    assert [(level.fraction, level.text) for level in told.levels] == [
        (0.0, "epoch 1/2"),
        (1.0, "batch 5"),
    ]


def test_progress_outside_of_a_job_does_nothing() -> None:
    progress(0.5)
    with pytest.raises(ValueError, match="level 9"):
        progress(0.5, level=9)
    with pytest.raises(ValueError, match="NaN"):
        progress(float("nan"))


def test_a_task_starts_clean(workspace: WorkspacePaths) -> None:
    """Its folder, standard input, signals, process group and environment are its own."""

    def body(context: JobContext, order: Launch, report: int) -> int:
        checks = [
            os.getcwd() == os.path.realpath(context.job.root),
            sys.stdin.read() == "",
            os.getpgid(0) == os.getpid(),
            signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
            os.environ[NONCE_VARIABLE] == order.nonce,
            not tickets.lock_is_free(JobPaths(context.job.root)),
        ]
        print(checks)
        return 0 if all(checks) else 1

    record = run(workspace, body)
    assert record.state is JobState.DONE, Path(workspace.job(KEY).stdout(1)).read_text()


def test_the_summary_names_the_task_before_it_executes(workspace: WorkspacePaths) -> None:
    def body(context: JobContext, order: Launch, report: int) -> int:
        summary = tickets.read_summary(context.job)
        assert summary is not None
        assert summary.task is not None
        return 0 if summary.task.pid == os.getpid() else 1

    assert run(workspace, body).state is JobState.DONE


def test_a_task_whose_summary_can_not_be_written_does_not_execute(
    workspace: WorkspacePaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = supervisor.write_atomic

    def refuse(path: str, data: bytes) -> None:
        if path.endswith("job.json"):
            full = OSError(errno.ENOSPC, "No space left on device")
            raise StorageError("can't write this file", where=path) from full
        write(path, data)

    monkeypatch.setattr(supervisor, "write_atomic", refuse)

    def body(context: JobContext, order: Launch, report: int) -> int:
        (tmp_path / "executed").touch()
        return 0

    record = run(workspace, body)
    assert record.state is JobState.FAILED
    assert record.reason is not None
    assert record.reason.kind is ReasonKind.DISK_FULL
    assert not (tmp_path / "executed").exists()


def test_a_task_whose_log_can_not_be_opened_says_so(workspace: WorkspacePaths) -> None:
    log = workspace.job(KEY).stdout(1)
    os.makedirs(log)
    record = run(workspace, lambda context, order, report: 0)
    assert record.state is JobState.FAILED
    assert record.reason == Reason(ReasonKind.LAUNCHER, f"can't open {log}: Is a directory")
