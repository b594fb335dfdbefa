"""A manifest read as it grows says what the whole file says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.big_workspace import Shape, make
from xpm_engine.workspace import scan
from xpm_engine.workspace.atomic import dumps
from xpm_engine.workspace.index import Known, PackedReferences, pack_manifest
from xpm_engine.workspace.index.growing import GrowingManifest
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import How, Manifest, Reference, end_line, parse_manifest

KEYS = [JobKey("ir.learn", f"{number:032x}") for number in range(5)]


def line(key: JobKey, seed: int) -> bytes:
    return dumps(Reference(key, How.NEW, "2026-11-23T09:12:00.000Z", tags={"seed": seed}).to_json())


lines = st.one_of(
    st.builds(line, st.sampled_from(KEYS), st.integers(0, 9)),
    st.integers(0, 6).map(lambda count: dumps(end_line(count))),
    st.sampled_from([b"", b"[]", b'{"v":1}', b"\xff", b"{"]),
)
texts = st.lists(lines, max_size=8).map(b"\n".join)


def same(found: Manifest, data: bytes, where: Path) -> None:
    assert isinstance(found.references, PackedReferences)
    assert found == pack_manifest(parse_manifest(data, str(where)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts, st.lists(st.integers(0, 400), max_size=6), st.booleans())
def test_it_is_the_whole_file(tmp_path: Path, data: bytes, cuts: list[int], closed: bool) -> None:
    path = tmp_path / "jobs.jsonl"
    data += b"\n" if closed else b""
    path.write_bytes(b"")
    growing = GrowingManifest(str(path))
    for cut in [*sorted(cuts), len(data)]:
        with open(path, "ab") as file:
            file.write(data[path.stat().st_size : cut])
        same(growing.read(), data[: path.stat().st_size], path)
    assert growing.read() is growing.read()


def test_a_file_that_was_changed_otherwise_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "jobs.jsonl"
    path.write_bytes(line(KEYS[0], 1) + b"\n")
    growing = GrowingManifest(str(path))
    growing.read()
    path.write_bytes(line(KEYS[1], 2) + b"\n" + line(KEYS[2], 2) + b"\n")
    same(growing.read(), path.read_bytes(), path)
    path.write_bytes(line(KEYS[3], 3) + b"\n")
    same(growing.read(), path.read_bytes(), path)
    os.unlink(path)
    path.write_bytes(line(KEYS[4], 4) + b"\n" + line(KEYS[0], 4) + b"\n")
    same(growing.read(), path.read_bytes(), path)


def test_a_live_run_is_not_parsed_from_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make(tmp_path / "ws", Shape(40, experiments=2, running=4, waiting=5))
    run = ("grid01", scan.list_runs(workspace, "grid01")[0])
    known = Known(workspace)
    known.look_at_run(run)
    path = workspace.run(*run).manifest
    for number in range(3):
        with open(path, "ab") as file:
            file.write(line(KEYS[number], number) + b"\n")
        view = known.look_at_run(run)
        assert view is not None
        assert view.manifest == pack_manifest(scan.read_run(workspace, *run).manifest)
        assert list(view.manifest.references)[-1].key == KEYS[number]
        parsed: list[str] = []
        monkeypatch.setattr("xpm_engine.workspace.scan.runs.read_manifest", parsed.append)
        assert known.look_at_run(run) is None
        assert not parsed
        monkeypatch.undo()
