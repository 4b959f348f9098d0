from __future__ import annotations

from collections.abc import Sequence

import pytest

from job_orchestra.protocol.messages import (
    LOG_PIECE_SIZE,
    PROTOCOL_VERSION,
    Abort,
    Accepted,
    Acknowledged,
    Execute,
    Goodbye,
    Hindered,
    Refused,
    Release,
    Resume,
    RunOnDisk,
    SendAgain,
    Welcome,
)
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.violations import ProtocolViolation
from job_orchestra.protocol.worker_session import (
    AbortRun,
    DeleteRun,
    Dismissed,
    ReadJournal,
    ReadLog,
    Reply,
    StoreRequest,
    Transfer,
    WorkerIdentity,
    WorkerSession,
)

KEY = RunKey("r1", 1)
IDENTITY = WorkerIdentity("1.0", "w", "i", "b", "", 2, {})


def execute(key: RunKey = KEY) -> Execute:
    return Execute(key.run, key.attempt, "p", "j", {}, {}, "job", {})


def welcome(resume: Sequence[Resume] = (), release: Sequence[RunOnDisk] = ()) -> Welcome:
    return Welcome(PROTOCOL_VERSION, "1.0", "m", tuple(resume), tuple(release))


def connected(window: int = 1 << 20) -> WorkerSession:
    session = WorkerSession(window)
    session.hello(IDENTITY, 0.0)
    session.receive(welcome())
    return session


def executing(window: int = 1 << 20) -> WorkerSession:
    session = connected(window)
    session.receive(execute())
    session.accepted(KEY)
    return session


def test_a_request_is_stored_once_and_accepted_each_time_it_is_repeated() -> None:
    session = connected()
    assert session.receive(execute()) == [StoreRequest(execute())]
    assert session.receive(execute()) == []
    assert session.accepted(KEY) == [Reply(Accepted("r1", 1))]
    assert session.receive(execute()) == [Reply(Accepted("r1", 1))]


def test_a_request_that_cannot_be_stored_stays_refused_over_this_connection() -> None:
    session = connected()
    session.receive(execute())
    assert session.refused(KEY, "disk full") == [Reply(Refused("r1", 1, "disk full"))]
    assert session.receive(execute()) == [Reply(Refused("r1", 1, "disk full"))]
    session.hello(IDENTITY, 1.0)
    session.receive(welcome())
    assert session.receive(execute()) == [StoreRequest(execute())]


def test_an_abort_during_storing_is_carried_out_afterwards() -> None:
    session = connected()
    session.receive(execute())
    assert session.receive(Abort("r1", 1, "eve")) == []
    assert session.accepted(KEY) == [Reply(Accepted("r1", 1)), AbortRun(KEY, "eve")]


def test_a_request_stored_while_the_connection_changed_is_accepted_after_the_welcome() -> None:
    session = connected()
    session.receive(execute())
    hello = session.hello(IDENTITY, 1.0)
    assert hello.runs == ()
    assert session.accepted(KEY) == []
    assert Reply(Accepted("r1", 1)) in session.receive(welcome())


def test_ended_goes_only_behind_the_whole_log() -> None:
    session = executing(window=100)
    session.grew(KEY, 4, 250, is_ended=True)
    assert session.transfers() == [ReadLog(KEY, 0, 100), ReadJournal(KEY, 0, 3)]
    session.receive(Acknowledged("r1", 1, 3, 100))
    assert session.transfers() == [ReadLog(KEY, 100, 100)]
    session.receive(Acknowledged("r1", 1, 3, 200))
    assert session.transfers() == [ReadLog(KEY, 200, 50), ReadJournal(KEY, 3, 1)]
    assert session.transfers() == []


def test_the_window_bounds_what_is_in_flight_over_all_runs() -> None:
    session = executing(window=3 * LOG_PIECE_SIZE)
    other = RunKey("r2", 1)
    session.receive(execute(other))
    session.accepted(other)
    for key in (KEY, other):
        session.grew(key, 0, 100 * LOG_PIECE_SIZE, is_ended=False)
    pieces = [transfer for transfer in session.transfers() if isinstance(transfer, ReadLog)]
    assert sum(piece.size for piece in pieces) <= 3 * LOG_PIECE_SIZE
    assert {piece.key for piece in pieces} == {KEY, other}


def test_a_released_run_leaves_the_window_to_the_others_before_it_is_deleted() -> None:
    session = executing(window=10)
    other = RunKey("r2", 1)
    session.receive(execute(other))
    session.accepted(other)
    session.grew(KEY, 0, 10, is_ended=False)
    assert session.transfers() == [ReadLog(KEY, 0, 10)]
    session.grew(other, 0, 10, is_ended=False)
    assert session.transfers() == []
    session.receive(Release("r1", 1))
    assert session.transfers() == [ReadLog(other, 0, 10)]


def test_the_window_bounds_the_bytes_of_events_too() -> None:
    """Events of 300 bytes each, of two runs, in a window of 1000, which the last of them may exceed."""
    session = executing(window=1000)
    other = RunKey("r2", 1)
    session.receive(execute(other))
    session.accepted(other)
    session.grew(KEY, 100, 150, is_ended=False)
    session.grew(other, 100, 0, is_ended=False)

    def send() -> list[Transfer]:
        return session.transfers(lambda _key, after, last: 300 * (last - after))

    assert send() == [ReadLog(KEY, 0, 150), ReadJournal(KEY, 0, 4)]
    assert send() == []
    session.receive(Acknowledged("r1", 1, 3, 150))
    assert send() == [ReadJournal(KEY, 4, 3)]
    session.receive(Acknowledged("r1", 1, 7, 150))
    assert send() == [ReadJournal(other, 0, 4)]


def test_an_event_larger_than_the_window_goes_alone() -> None:
    session = executing(window=1000)
    session.grew(KEY, 3, 0, is_ended=False)

    def send() -> list[Transfer]:
        return session.transfers(lambda _key, after, last: 5000 * (last - after))

    assert send() == [ReadJournal(KEY, 0, 1)]
    assert send() == []
    session.receive(Acknowledged("r1", 1, 1, 0))
    assert send() == [ReadJournal(KEY, 1, 1)]


def test_a_new_connection_goes_on_from_where_the_master_has_everything() -> None:
    session = executing()
    session.grew(KEY, 2, 10, is_ended=False)
    session.transfers()
    hello = session.hello(IDENTITY, 1.0)
    assert hello.runs == (RunOnDisk("r1", 1, 2, 10),)
    assert session.transfers() == []
    session.receive(welcome([Resume("r1", 1, 1, 4)]))
    assert session.transfers() == [ReadLog(KEY, 4, 6), ReadJournal(KEY, 1, 1)]


def test_a_released_run_is_deleted_when_it_has_ended_and_aborted_before() -> None:
    session = executing()
    assert session.receive(Release("r1", 1)) == [AbortRun(KEY, "the master, for whom this attempt counts no more")]
    assert session.receive(Release("r1", 1)) == []
    assert session.transfers() == []
    assert session.grew(KEY, 2, 4, is_ended=False) == []
    assert session.grew(KEY, 3, 5, is_ended=True) == [DeleteRun(KEY)]
    session.deleted(KEY)
    assert session.hello(IDENTITY, 1.0).runs == ()


def test_send_again_repeats_the_log_and_then_the_end() -> None:
    session = executing()
    session.grew(KEY, 2, 10, is_ended=True)
    session.transfers()
    session.receive(Acknowledged("r1", 1, 1, 10))
    session.receive(SendAgain("r1", 1))
    assert session.transfers() == [ReadLog(KEY, 0, 10), ReadJournal(KEY, 1, 1)]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Acknowledged("r1", 1, 1, 0), "acknowledged"),
        (Acknowledged("r1", 1, 0, 1), "acknowledged"),
        (welcome(), "twice"),
    ],
)
def test_what_makes_no_sense_is_a_violation(message: Acknowledged | Welcome, words: str) -> None:
    with pytest.raises(ProtocolViolation, match=words):
        executing().receive(message)


def test_what_is_on_its_way_for_a_damaged_run_is_no_violation() -> None:
    """Commands have damaged the run on the disk, and the connection is about to be closed by the worker."""
    session = executing()
    session.grew(KEY, 2, 100, is_ended=False)
    session.transfers()
    session.deleted(KEY)
    session.add(KEY, 1)
    assert session.receive(Acknowledged(KEY.run, KEY.attempt, 2, 100)) == []
    assert session.transfers() == []


def test_nothing_is_said_before_the_welcome() -> None:
    session = WorkerSession()
    session.hello(IDENTITY, 0.0)
    with pytest.raises(ProtocolViolation, match="before its welcome"):
        session.receive(execute())


def test_a_welcome_has_to_answer_for_each_run() -> None:
    session = WorkerSession()
    session.add(KEY)
    session.hello(IDENTITY, 0.0)
    with pytest.raises(ProtocolViolation, match="does not answer"):
        session.receive(welcome())


def test_a_goodbye_is_heard_at_any_time() -> None:
    goodbye = Goodbye("refused", "The name is taken.", is_final=True)
    assert WorkerSession().receive(goodbye) == [Dismissed(goodbye)]


def test_what_hinders_the_worker_is_said_at_each_connection() -> None:
    session = WorkerSession()
    assert session.hindered("has a full disk") == []
    session.hello(IDENTITY, 0.0)
    assert Reply(Hindered("has a full disk")) in session.receive(welcome())
    assert session.hindered("") == [Reply(Hindered(""))]
    session.hello(IDENTITY, 0.0)
    assert not any(isinstance(effect, Reply) for effect in session.receive(welcome()))
