from __future__ import annotations

import json
from pathlib import Path

import pytest

from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.execution.inotify import Change, Inotify
from job_orchestra.execution.journal import JournalReader, encode_line
from job_orchestra.execution.log_end import read_log_end
from job_orchestra.execution.request import Request, decode_request, encode_request
from job_orchestra.execution.run_directory import (
    AbortWish,
    RunDirectory,
    delete_run_directory,
    list_run_directories,
    parse_run_name,
    read_abort,
    remove_remains,
    run_name,
    wish_abort,
    write_requests,
)
from job_orchestra.protocol.run_key import RunKey
from tests.executor.hosting import wait_for


def request(run: str = "r1", attempt: int = 1) -> Request:
    return Request(
        run=run,
        attempt=attempt,
        project="example",
        job="hello",
        definition={"type": "commands", "commands": [["echo", "ü"]]},
        parameters={"a": [1, None, {"b": True}]},
        workspace=Workspace.RUN,
        limits=RunLimits(timeout=5.5, log_size=None),
        service_url="http://127.0.0.1:5902",
        boot="boot",
        executor="module:Class",
    )


def record(sequence: int, kind: str = "results_changed", **data: object) -> EventRecord:
    return EventRecord(sequence, kind, 1_000_000 + sequence, data)  # type: ignore[arg-type]


def test_a_request_survives_the_disk(tmp_path: Path) -> None:
    assert write_requests(tmp_path, [request("r2", 3), request("r1")]) == {RunKey("r2", 3): None, RunKey("r1", 1): None}
    directories = list_run_directories(tmp_path)
    assert [one.key for one in directories] == [RunKey("r1", 1), RunKey("r2", 3)]
    assert directories[1].read_request() == request("r2", 3)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"run": 5}', b"\xff"])
def test_what_is_no_request(content: bytes) -> None:
    with pytest.raises(Invalid):
        decode_request(content)


def test_a_request_of_an_unknown_workspace() -> None:
    data = json.loads(encode_request(request()))
    with pytest.raises(Invalid, match="nowhere"):
        decode_request(json.dumps({**data, "workspace": "nowhere"}).encode())


def test_a_request_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "r1.1").write_text("in the way")
    outcome = write_requests(tmp_path, [request("r1"), request("r2")])
    assert isinstance(outcome[RunKey("r1", 1)], OSError)
    assert outcome[RunKey("r2", 1)] is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r1.1", "r2.1"]


@pytest.mark.parametrize(
    "name", ["", ".1", "x", "x.", "x.0", "x.01", "x.-1", "x.1x", "x.²", ".new.x.1", "../x.1", "x y.1"]
)
def test_names_that_are_no_run_directories(name: str) -> None:
    assert parse_run_name(name) is None


def test_names() -> None:
    for key in (RunKey("01abc", 1), RunKey("a.b", 12)):
        assert parse_run_name(run_name(key)) == key


def test_deleting_leaves_nothing_and_so_does_a_crash(tmp_path: Path) -> None:
    write_requests(tmp_path, [request("r1"), request("r2")])
    delete_run_directory(RunDirectory.of(tmp_path, RunKey("r1", 1)))
    (tmp_path / ".r3.1").mkdir()
    (tmp_path / ".new.r4.1").mkdir()
    assert [one.name for one in list_run_directories(tmp_path)] == ["r2.1"]
    remove_remains(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["r2.1"]


def test_the_first_wish_to_abort_counts(tmp_path: Path) -> None:
    write_requests(tmp_path, [request()])
    directory = RunDirectory.of(tmp_path, RunKey("r1", 1))
    assert read_abort(directory) is None
    wish_abort(directory, "ann")
    wish_abort(directory, "bob")
    assert read_abort(directory) == AbortWish("ann")


def test_a_worker_may_wish_to_abort_because_it_stops(tmp_path: Path) -> None:
    write_requests(tmp_path, [request()])
    directory = RunDirectory.of(tmp_path, RunKey("r1", 1))
    wish_abort(directory, "the worker", is_shutdown=True)
    assert read_abort(directory) == AbortWish("the worker", is_shutdown=True)
    directory.abort.write_text('{"by": "an earlier version"}')
    assert read_abort(directory) == AbortWish("an earlier version")


# ---------- the journal


def test_a_journal_is_followed_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    reader = JournalReader(path)
    assert not reader.look()
    assert not reader.is_claimed
    lines = [encode_line(record(number)) for number in (1, 2, 3)]
    with path.open("ab", buffering=0) as journal:
        journal.write(lines[0] + lines[1][:10])
        assert reader.look()
        assert (reader.is_claimed, reader.sequence) == (True, 1)
        assert not reader.look()
        journal.write(lines[1][10:] + lines[2])
        assert reader.look()
        journal.write(encode_line(record(4, "ended")))
        assert not reader.is_ended
        assert reader.look()
    assert (reader.sequence, reader.is_ended) == (4, True)
    assert reader.read(1, 2) == [record(2), record(3)]
    assert reader.read(0, 100)[3] == record(4, "ended")
    assert reader.read(4, 100) == []


def test_a_journal_is_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    records = [record(number, text="x" * 1000 * number) for number in range(1, 6)]
    path.write_bytes(b"".join(map(encode_line, records)))
    reader = JournalReader(path)
    reader.look()
    assert reader.read(0, 10, size=4000) == records[:2]
    assert reader.size_between(0, 10) == reader.size
    assert reader.size_between(1, 3) == reader.size_between(0, 3) - reader.size_between(0, 1) > 0
    assert reader.size_between(4, 4) == reader.size_between(10, 20) == 0
    # One at least, however large it is.
    assert reader.read(4, 10, size=10) == records[4:]


def test_a_damaged_journal_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(encode_line(record(1)))
    reader = JournalReader(path)
    reader.look()
    path.write_bytes(encode_line(record(1)).replace(b"{", b"x"))
    with pytest.raises(Invalid):
        reader.read(0, 1)


@pytest.mark.parametrize("damage", [b"nonsense\n", b"\0\n", encode_line(record(1)), encode_line(record(3)), b"{}\n"])
def test_what_is_no_event_and_what_follows_it_does_not_count(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(encode_line(record(1)) + damage + encode_line(record(2, "ended")))
    reader = JournalReader(path)
    reader.look()
    assert (reader.sequence, reader.is_ended) == (1, False)
    assert reader.read(0, 10) == [record(1)]


def test_the_end_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert (read_log_end(path).size, read_log_end(path).sha256) == (0, empty)
    path.write_bytes(b"x" * 3_000_000)
    assert read_log_end(path).size == 3_000_000


# ---------- notices


def test_notices_of_a_directory(tmp_path: Path) -> None:
    inotify = Inotify()
    try:
        directory = tmp_path / "ü"
        directory.mkdir()
        watch = inotify.watch(directory, Change.CREATED | Change.MODIFIED | Change.MOVED_IN)
        assert inotify.read() == []
        (directory / "file").write_text("content")
        (directory / "file").rename(directory / "journal")
        notices = inotify.read()
        assert {one.watch for one in notices} == {watch}
        assert [(one.name, one.change) for one in notices] == [
            ("file", Change.CREATED),
            ("file", Change.MODIFIED),
            ("journal", Change.MOVED_IN),
        ]
        inotify.unwatch(watch)
        assert [one.change for one in wait_for(inotify.read)] == [Change.UNWATCHED]
        with pytest.raises(FileNotFoundError):
            inotify.watch(tmp_path / "none", Change.CREATED)
    finally:
        inotify.close()
