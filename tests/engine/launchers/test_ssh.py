"""Jobs of other hosts: shipped, run there, mirrored and fetched; with a stub in ssh's place."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.far.plans import Far
from xpm_engine.cli import main
from xpm_engine.errors import UsageError
from xpm_engine.launchers.bundle import engine_bundle
from xpm_engine.verbs.fetch import fetch_job
from xpm_engine.verbs.kill import Killed, kill_job
from xpm_engine.workspace import aliases, scan, tickets
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.events import parse_events
from xpm_engine.workspace.records.mirror import Fetched
from xpm_engine.workspace.records.reasons import ReasonKind
from xpm_engine.workspace.records.states import JobState


def test_a_job_runs_there_and_is_seen_here(far: Far) -> None:
    far.plan('Write(text="hello").submit()')
    far.run()
    key = far.key()
    here, there = far.here.job(key), far.there.job(key)
    assert Path(here.root, "out.txt").read_text() == "hello"
    assert Path(here.root, "sub/large").read_bytes() == Path(there.root, "sub/large").read_bytes()
    assert Path(here.stdout_link).read_text() == "writing hello\n"
    record = scan.read_job(far.here, key)
    assert record.state is JobState.DONE
    assert record.mirror is not None
    assert record.mirror.of == "alpha"
    assert record.usage is not None
    assert record.run.startswith("exp/")
    assert json.loads(Path(here.progress).read_text())["levels"][0]["fraction"] == 0.5
    events, bad = parse_events(Path(here.events).read_bytes())
    assert [event.type.value for event in events] == ["started", "ended"]
    assert not bad
    assert json.loads(Path(here.params).read_text()) == tickets.last_attempt(here).launch.params  # type: ignore[union-attr]
    # It ran there, with code that was shipped there.
    assert far.there.root in Path(there.params).read_text()
    assert os.listdir(far.there.code)
    assert engine_bundle().identifier in os.listdir(far.there.code)
    assert "reused" in far.run()
    assert far.project.ledger() == ["begin hello", "end hello"]


def test_nothing_is_left_there_but_the_workspace(far: Far) -> None:
    far.plan('Write(text="hello").submit()')
    far.run()
    assert os.listdir(far.host.home) == ["far"]
    assert sorted(os.listdir(far.there.xpm)) == ["code", "supervisors.log"]
    assert Path(far.there.supervisors_log).read_text() == ""


def test_results_of_here_are_shipped_there(far: Far) -> None:
    far.plan('Write(text="made here").submit()', launcher='"local"')
    far.run()
    far.plan('Read(source=Write(text="made here").submit()).submit()')
    far.run()
    text = Path(far.here.job(far.key("read")).stdout_link).read_text()
    assert text.startswith(f"read made here {far.there.root}/jobs/plan.read/")
    assert scan.read_job(far.there, far.key("write")).state is JobState.DONE
    assert far.project.ledger() == ["begin made here", "end made here", "begin read", "end read"]


def test_results_of_there_are_not_shipped_again(far: Far) -> None:
    far.plan('Read(source=Write(text="made there").submit()).submit()')
    far.run()
    assert tickets.ticket_names(far.there.job(far.key("write"))) == {1: {"launch", "start", "end"}}
    # Another workspace here finds the result there, and runs nothing.
    os.rename(far.here.root, far.here.root + ".old")
    far.configure()
    far.run()
    assert Path(far.here.job(far.key("write")).root, "out.txt").read_text() == "made there"
    assert far.project.ledger().count("begin made there") == 1
    assert far.project.ledger().count("begin read") == 1


@pytest.mark.parametrize(
    ("fetch", "expected", "left"),
    [('"on demand"', set(), 2), ('["*.txt"]', {"out.txt"}, 1), ('["sub/**"]', {"sub/large"}, 1)],
)
def test_what_is_fetched(far: Far, fetch: str, expected: set[str], left: int) -> None:
    far.configure(f"fetch = {fetch}")
    far.plan('Write(text="hello").submit()')
    far.run()
    job = far.here.job(far.key())
    found = {
        str(path.relative_to(job.root)) for path in Path(job.root).rglob("*") if path.is_file()
    }
    logs = {"stdout.log", "stderr.log"}
    assert {name for name in found if not name.startswith(".xpm/")} - logs == expected
    fetched = Fetched.from_json(json.loads(Path(job.fetched).read_text()), job.fetched)
    assert fetched.left == left


def test_a_failure_names_the_line_of_here(far: Far) -> None:
    far.plan("Work(name=1, fails=True).submit()")
    code, _ = far.project.run()
    assert code == 1
    record = scan.read_job(far.here, far.key())
    assert record.state is JobState.FAILED
    assert record.reason is not None
    assert record.reason.kind is ReasonKind.EXCEPTION
    assert record.reason.frame is not None
    assert record.reason.frame.file == str(far.project.folder / "plan.py")
    assert "work 1 fails" in Path(far.here.job(far.key()).stderr(1)).read_text()
    # Submitted again it is tried again, there too.
    code, _ = far.project.run()
    assert code == 1
    assert max(tickets.ticket_names(far.there.job(far.key()))) == 2
    assert "work 1 fails" in Path(far.here.job(far.key()).stderr(2)).read_text()


def test_an_absolute_path_needs_to_be_mapped(far: Far, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/file").write_text("mapped")
    far.plan(f'Use(file=Path("{tmp_path}/data/file")).submit()')
    code, said = far.project.run()
    assert code == 1
    assert "nothing says where that is on alpha" in said
    assert "[hosts.alpha.paths]" in said
    far.configure(f'[hosts.alpha.paths]\n"{tmp_path}/data" = "/there"')
    far.run()
    assert Path(far.here.job(far.key()).stdout_link).read_text() == "at /there/file\n"


def test_a_killed_plan_finds_its_jobs_again(far: Far) -> None:
    far.plan("for n in range(4):\n    Work(name=n, seconds=1.0).submit()")
    plan = far.project.start()
    far.project.wait_for(lambda: "begin 1" in far.project.ledger())
    plan.kill()
    far.project.finish(plan)
    far.run()
    far.project.check_ledger()
    assert sorted(far.project.ledger()) == sorted(
        f"{what} {n}" for what in ("begin", "end") for n in range(4)
    )
    assert set(far.project.states().values()) == {"done"}


def test_two_plans_on_one_host(far: Far) -> None:
    far.plan("for n in range(4):\n    Work(name=n, seconds=0.3).submit()")
    plans = [far.project.start() for _ in range(2)]
    for plan in plans:
        code, said = far.project.finish(plan)
        assert code == 0, said
    far.project.check_ledger()
    assert len(far.project.ledger()) == 8


def test_a_host_that_is_not_there_is_waited_for(far: Far) -> None:
    far.host.refuse()
    far.plan("Work(name=1).submit()")
    plan = far.project.start()
    far.project.wait_for(
        lambda: bool(scan.list_runs(far.here, "exp")) and "Connection" in far.log()
    )
    assert set(far.project.states().values()) <= {"queued"}
    far.host.refuse(False)
    code, said = far.project.finish(plan)
    assert code == 0, said
    assert far.project.ledger() == ["begin 1", "end 1"]


def test_a_python_that_is_not_there_is_said(far: Far) -> None:
    far.configure(python="/no/such/python")
    far.plan("Work(name=1).submit()")
    code, said = far.project.run()
    assert code == 1
    assert "/no/such/python" in said
    assert "[hosts.alpha]" in said


def test_killing(far: Far) -> None:
    far.plan("Work(name=1, seconds=60).submit()")
    plan = far.project.start()
    far.project.wait_for(lambda: "begin 1" in far.project.ledger())
    far.project.wait_for(lambda: set(far.project.states().values()) == {"running"})
    report = kill_job(far.here, far.key())
    assert report.killed is Killed.ASKED
    assert report.detail == "on alpha"
    code, _ = far.project.finish(plan)
    assert code == 1
    assert far.project.states() == {"1": "cancelled"}


def test_a_job_that_is_killed_outright_has_died(far: Far) -> None:
    far.plan("Work(name=1, seconds=60).submit()")
    plan = far.project.start()
    far.project.wait_for(lambda: "begin 1" in far.project.ledger())
    far.project.wait_for(lambda: set(far.project.states().values()) == {"running"})
    supervisor = scan.read_job(far.there, far.key()).supervisor
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    code, said = far.project.finish(plan)
    assert code == 1, said
    assert far.project.states() == {"1": "died"}


def test_a_name_that_is_no_launcher(far: Far) -> None:
    far.plan("Work(name=1).submit()", launcher='"alhpa"')
    code, said = far.project.run()
    assert code != 0
    assert "did you mean 'alpha'?" in said


def test_a_plan_that_is_not_guarded(far: Far) -> None:
    far.plan('Write(text="hello").submit()')
    plan = far.project.folder / "plan.py"
    text = plan.read_text().replace('if __name__ == "__main__":\n', "if True:\n")
    plan.write_text(text)
    far.run()
    assert far.project.ledger() == ["begin hello", "end hello"]
    assert Path(far.there.supervisors_log).read_text() == ""


def test_a_shared_file_system(far: Far) -> None:
    far.configure("shared = true")
    text = Path(far.here.settings).read_text()
    Path(far.here.settings).write_text(text.replace('"~/far"', f'"{far.here.root}"'))
    far.plan('Read(source=Write(text="hello").submit()).submit()')
    far.run()
    job = far.here.job(far.key("write"))
    assert Path(job.root, "out.txt").read_text() == "hello"
    assert tickets.ticket_names(job) == {1: {"launch", "start", "end"}}
    assert scan.read_job(far.here, far.key("write")).mirror is None
    assert not os.listdir(far.host.home)
    assert not Path(far.here.code).exists()
    assert far.project.ledger() == ["begin hello", "end hello", "begin read", "end read"]


def test_code_that_nobody_needs_any_more_goes(far: Far) -> None:
    far.plan('Write(text="hello").submit()')
    far.run()
    before = set(os.listdir(far.there.code))
    for name in before:
        os.utime(f"{far.there.code}/{name}", (0, 0))
    far.plan('Write(text="other").submit()')
    plan = far.project.start()
    code, said = far.project.finish(plan)
    assert code == 0, said + far.log()
    # The plan does not wait for that.
    engine = engine_bundle().identifier
    far.project.wait_for(lambda: not before & set(os.listdir(far.there.code)) - {engine})
    assert engine in os.listdir(far.there.code)
    assert len(os.listdir(far.there.code)) == 2


def test_shipped_code_is_seen_and_removed(
    far: Far, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    far.plan('Write(text="hello").submit()')
    far.run()
    monkeypatch.chdir(far.project.folder)

    def xpm(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "-w", "ws"])
        said = capsys.readouterr()
        return code, said.out, said.err

    code, out, _ = xpm("doctor", "ssh", "alpha")
    assert "2 versions of shipped code, " in out
    assert "xpm clean --code" not in out, "all of it was used just now"
    code, out, err = xpm("clean", "--code", "alpha", "--yes")
    assert (code, out.count("stays: it was used within the last hour")) == (0, 2)
    assert "nothing of it can go now" in err
    for name in os.listdir(far.there.code):
        os.utime(f"{far.there.code}/{name}", (0, 0))
    assert (
        "no job needs 2: xpm clean --code alpha removes them now"
        in xpm("doctor", "ssh", "alpha")[1]
    )
    code, out, _ = xpm("clean", "--code", "alpha", "--dry-run")
    assert (code, out.count("no job needs it"), len(os.listdir(far.there.code))) == (0, 2, 2)
    code, _, err = xpm("clean", "--code", "alpha")
    assert (code, "there is nobody to ask" in err) == (2, True)
    code, out, _ = xpm("clean", "--code", "alpha", "--yes")
    assert (code, "removed 2 versions of code from alpha: " in out) == (0, True)
    assert os.listdir(far.there.code) == []
    assert "no code was shipped to alpha" in xpm("clean", "--code", "alpha", "-n")[2]
    code, _, err = xpm("clean", "--code", "alhpa")
    assert (code, "there are: alpha" in err) == (2, True)
    far.plan('Write(text="again").submit()')
    far.run()
    assert len(os.listdir(far.there.code)) == 2, "it is shipped again"
    code, out, _ = xpm("clean", "--code", "alpha", "--json")
    assert [row["removed"] for row in json.loads(out)["code"]] == [False, False]


def test_what_a_renamed_job_has_is_fetched(far: Far) -> None:
    far.configure('fetch = "on demand"')
    far.plan('Write(text="hello").submit()')
    far.run()
    renamed = JobKey("plan.writer", "0" * 32)
    aliases.adopt(far.here, renamed, far.key(), run="exp/1")
    assert fetch_job(far.here, renamed).brought == 2
    assert Path(far.here.job(far.key("write")).root, "out.txt").read_text() == "hello"
    assert os.listdir(far.here.job(renamed).root) == [".xpm"]


def test_results_are_fetched_on_demand(far: Far) -> None:
    far.configure('fetch = "on demand"')
    far.plan('Write(text="hello").submit()')
    far.run()
    key = far.key()
    job = far.here.job(key)
    assert not Path(job.root, "out.txt").exists()
    assert len(fetch_job(far.here, key, ["*.txt"]).left) == 1
    assert Path(job.root, "out.txt").read_text() == "hello"
    seen: list[tuple[int, int]] = []
    tally = fetch_job(far.here, key, progress=lambda here, whole: seen.append((here, whole)))
    assert (tally.files, tally.brought, tally.left) == (2, 1, ())
    assert seen[-1] == (300_005, 300_005)
    assert Path(job.root, "sub/large").stat().st_size == 300_000
    assert Fetched.from_json(json.loads(Path(job.fetched).read_text()), job.fetched).left == 0


def test_nothing_is_fetched_of_a_job_of_here(far: Far) -> None:
    far.plan('Write(text="hello").submit()', launcher='"local"')
    far.run()
    with pytest.raises(UsageError, match="no result on another host"):
        fetch_job(far.here, far.key())
