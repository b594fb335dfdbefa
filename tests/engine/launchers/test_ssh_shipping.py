"""Several who ship or fetch the same thing at the same time, and what a dead one left."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.engine.making import KEY, end, launch, start
from tests.engine.remote.agents import connect
from xpm_engine.errors import OccupiedError, RemoteError, StorageError
from xpm_engine.launchers.ssh import fetching, shipping
from xpm_engine.launchers.ssh.shipping import Parcel, put_folder, put_upstream
from xpm_engine.remote.agent import staging
from xpm_engine.remote.agent.serving import Request
from xpm_engine.remote.agent.table import HANDLERS
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace import tickets
from xpm_engine.workspace.layout import WorkspacePaths, partial_file, stage_folder, stage_lock
from xpm_engine.workspace.records.fields import Fields

CONTENT = {"a": b"one", "deep/b": b"two", "large": bytes(300_000) + b"end"}


class Inside:
    """An agent's handlers, called in this process: `before` is done before one of them."""

    name = "here"

    def __init__(self) -> None:
        self.before: dict[str, Callable[[], None]] = {}

    def ask(self, what: str, *, data: bytes = b"", **fields: Any) -> Any:
        answer: Any = {}
        for part in self.stream(what, data=data, **fields):
            answer = part.body if hasattr(part, "body") else part
        return answer

    def begin(self, what: str, *, data: bytes = b"", **fields: Any) -> Callable[[], Any]:
        answer = self.ask(what, data=data, **fields)
        return lambda: answer

    def stream(self, what: str, *, data: bytes = b"", **fields: Any) -> Iterator[Any]:
        self.before.pop(what, lambda: None)()
        request = Request(cast("Any", None), Fields(fields, what), data)
        answer: Any = HANDLERS[what](request)
        yield from [answer] if isinstance(answer, dict) else (part for part in answer if part)

    @property
    def connection(self) -> Connection:
        return cast("Connection", self)


@pytest.fixture
def files(tmp_path: Path) -> list[Parcel]:
    parcels: list[Parcel] = []
    for name, data in CONTENT.items():
        source = tmp_path / "from" / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(data)
        parcels.append(Parcel(name, str(source), len(data), executable=False))
    return parcels


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "code" / "ID"


@pytest.fixture
def two() -> Iterator[tuple[Connection, Connection]]:
    made = connect(), connect()
    yield made
    for connection in made:
        connection.close()


def _check(place: Path) -> None:
    found = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
    assert found == CONTENT.keys()
    assert all((place / name).read_bytes() == data for name, data in CONTENT.items())
    assert os.listdir(place.parent) == ["ID"]


def test_one_takes_the_place_while_the_other_writes_a_file(
    files: list[Parcel], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def slow(source: str, target: str) -> None:
        # The file is written aside, and has not its name yet.
        monkeypatch.setattr(os, "replace", replace)
        put_folder(Inside().connection, files, str(place), sender="second")
        replace(source, target)

    monkeypatch.setattr(os, "replace", slow)
    put_folder(Inside().connection, files, str(place), sender="first")
    _check(place)


@pytest.mark.parametrize("moment", ["stage", "walk", "put_all", "put", "settle"])
def test_one_takes_the_place_while_the_other_is_on_its_way(
    files: list[Parcel], place: Path, two: tuple[Connection, Connection], moment: str
) -> None:
    first = Inside()
    first.before[moment] = lambda: put_folder(two[0], files, str(place), sender="second")
    put_folder(first.connection, files, str(place), sender="first")
    _check(place)


def test_many_at_once(files: list[Parcel], place: Path) -> None:
    connections = [connect() for _ in range(4)]
    failed: list[BaseException] = []

    def put(number: int) -> None:
        try:
            put_folder(connections[number], files, str(place), sender=f"sender{number}")
        except Exception as error:  # noqa: BLE001 (looked at below)
            failed.append(error)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for connection in connections:
        connection.close()
    assert failed == []
    _check(place)


def test_the_stages_of_living_senders_are_their_own(
    files: list[Parcel], place: Path, two: tuple[Connection, Connection]
) -> None:
    stage = two[0].ask("stage", place=str(place), sender="first")["stage"]
    shipping.put_files(two[0], files[:2], stage, staged=True)
    other: str = two[1].ask("stage", place=str(place), sender="second")["stage"]
    assert other != stage
    assert os.listdir(other) == []


def test_the_next_sender_has_the_files_of_a_dead_one(
    files: list[Parcel], place: Path, two: tuple[Connection, Connection]
) -> None:
    stage = two[0].ask("stage", place=str(place), sender="first")["stage"]
    shipping.put_files(two[0], files[:2], stage, staged=True)
    large = files[2]
    digest = shipping.sum_of(large.source)
    data = Path(large.source).read_bytes()
    two[0].ask(
        "put",
        data=data[:1000],
        path=f"{stage}/large",
        sha256=digest,
        size=len(data),
        at=0,
        executable=False,
        stage=stage,
    )
    two[0].close()
    mine: str = two[1].ask("stage", place=str(place), sender="second")["stage"]
    assert not os.path.exists(stage)
    assert sorted(os.listdir(mine)) == [
        "a",
        "deep",
        os.path.basename(partial_file("large", digest)),
    ]
    put_folder(two[1], files, str(place), sender="second")
    _check(place)


def test_a_sender_has_its_stage_again_after_a_cut(
    files: list[Parcel], place: Path, two: tuple[Connection, Connection]
) -> None:
    stage = two[0].ask("stage", place=str(place), sender="first")["stage"]
    shipping.put_files(two[0], files[:1], stage, staged=True)
    # The agent before the cut does not know of it yet.
    assert two[1].ask("stage", place=str(place), sender="first")["stage"] == stage
    put_folder(two[1], files, str(place), sender="first")
    with pytest.raises(StorageError, match="somebody else"):
        shipping.put_files(two[0], files[1:], stage, staged=True)
    _check(place)


def test_a_sender_whose_stage_was_taken_begins_again(files: list[Parcel], place: Path) -> None:
    first = Inside()

    def taken() -> None:
        stage = stage_folder(str(place), "first")
        os.rename(stage, stage_folder(str(place), "second"))

    first.before["put_all"] = taken
    put_folder(first.connection, files, str(place), sender="first")
    assert place.is_dir()


@pytest.fixture
def made(tmp_path: Path) -> WorkspacePaths:
    """A workspace with a result."""
    workspace = WorkspacePaths(str(tmp_path / "here"))
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start())
    (Path(job.root) / "model").write_bytes(CONTENT["large"])
    tickets.record_end(job, 1, end())
    return workspace


@pytest.mark.parametrize("moment", ["has", "stage", "put", "install"])
def test_two_plans_ship_one_result(tmp_path: Path, made: WorkspacePaths, moment: str) -> None:
    there = WorkspacePaths(str(tmp_path / "there"))
    first, second = Inside(), Inside().connection
    first.before[moment] = lambda: put_upstream(
        second, made, there, KEY, host="alpha", sender="second"
    )
    put_upstream(first.connection, made, there, KEY, host="alpha", sender="first")
    job = there.job(KEY)
    assert (Path(job.root) / "model").read_bytes() == CONTENT["large"]
    assert tickets.ticket_names(job) == {1: {"launch", "start", "end"}}
    arriving = there.arriving("")
    assert not os.path.isdir(arriving) or os.listdir(arriving) == []


def test_a_result_that_somebody_makes_there_is_waited_for(
    tmp_path: Path, made: WorkspacePaths
) -> None:
    there = WorkspacePaths(str(tmp_path / "there"))
    agent = Inside()

    def somebody_begins() -> None:
        tickets.claim_launch(there.job(KEY), launch())

    # Once when all is shipped, and then before anything is.
    agent.before["install"] = somebody_begins
    for _ in range(2):
        with pytest.raises(OccupiedError, match="somebody makes"):
            put_upstream(agent.connection, made, there, KEY, host="alpha", sender="first")
    assert not (Path(there.job(KEY).root) / "model").exists()


def test_what_is_forgotten_is_removed(files: list[Parcel], place: Path) -> None:
    place.parent.mkdir()
    old, new = (stage_folder(str(place.with_name(name)), "gone") for name in ("OLD", "NEW"))
    for stage in (old, new):
        os.mkdir(stage)
        Path(stage_lock(stage)).touch()
    os.utime(stage_lock(old), (0, 0))
    put_folder(Inside().connection, files, str(place), sender="first")
    names = {os.path.basename(path) for path in (new, stage_lock(new))}
    assert set(os.listdir(place.parent)) == {"ID", *names}


def test_two_agents_write_one_large_file(
    tmp_path: Path, two: tuple[Connection, Connection]
) -> None:
    data = os.urandom(1_000_000)
    source, path = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    parcel = Parcel("target", str(source), len(data), executable=False)
    threads = [
        threading.Thread(target=shipping.put_file, args=(connection, parcel, str(path)))
        for connection in two
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() == data
    assert sorted(os.listdir(tmp_path)) == ["source", "target"]


def test_a_large_file_is_on_its_way_in_many_pieces(
    tmp_path: Path, two: tuple[Connection, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "PIECE", 1000)
    data = os.urandom(100_500)
    source, path = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    digest = shipping.sum_of(str(source))
    # A part is there, of which the last bytes are others.
    Path(partial_file(str(path), digest)).write_bytes(data[:5000] + bytes(100))
    asked: list[int] = []
    begin = two[0].begin

    def counted(what: str, **fields: Any) -> Callable[[], Any]:
        asked.append(fields["at"])
        return begin(what, **fields)

    monkeypatch.setattr(two[0], "begin", counted)
    shipping.put_file(two[0], Parcel("", str(source), len(data), executable=False), str(path))
    assert path.read_bytes() == data
    assert sorted(os.listdir(tmp_path)) == ["source", "target"]
    # Once from the middle, and once all of it.
    assert asked[1] == 5100
    assert asked.count(0) == 2
    assert len(asked) == 1 + 96 + 101


@pytest.mark.parametrize("size", [10, 500_000])
def test_two_fetch_the_same_file(
    tmp_path: Path, two: tuple[Connection, Connection], size: int
) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    (there / "result").write_bytes(os.urandom(size))
    found: list[fetching.Tally] = []

    def fetch(connection: Connection) -> None:
        found.append(fetching.fetch(connection, str(there), str(here), ["*"]))

    threads = [threading.Thread(target=fetch, args=(connection,)) for connection in two]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [tally.files for tally in found] == [1, 1]
    assert (here / "result").read_bytes() == (there / "result").read_bytes()
    assert os.listdir(here) == ["result"]


@pytest.mark.parametrize("size", [10, 500_000])
def test_a_fetch_that_is_stopped_is_named(
    tmp_path: Path,
    two: tuple[Connection, Connection],
    size: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "STOPPED", 0.1)
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    (there / "result").write_bytes(bytes(size))
    known = "fetched" if size == 10 else shipping.sum_of(str(there / "result"))
    aside = partial_file(str(here / "result"), known)
    held = tickets.hold(aside, patience=0.0)
    assert held is not None
    with pytest.raises(RemoteError, match="another process fetches"):
        fetching.fetch(two[0], str(there), str(here), ["*"])
    os.close(held)
    fetching.fetch(two[0], str(there), str(here), ["*"])
    assert os.listdir(here) == ["result"]


def test_a_stage_is_held_while_its_agent_lives(place: Path) -> None:
    connection = connect()
    stage = connection.ask("stage", place=str(place), sender="first")["stage"]
    staging.clear(str(place))
    assert os.path.isdir(stage)
    connection.close()
    staging.clear(str(place))
    assert os.listdir(place.parent) == []
