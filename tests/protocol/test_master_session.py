from __future__ import annotations

import pytest

from job_orchestra.protocol.master_session import (
    HindranceChanged,
    MasterSession,
    PutBack,
    StoredRun,
    StoreEvents,
    StoreLog,
    TakenOver,
)
from job_orchestra.protocol.messages import (
    PROTOCOL_VERSION,
    Accepted,
    Events,
    Hello,
    Hindered,
    JournalEvent,
    Log,
    Refused,
    Release,
    Resume,
    RunOnDisk,
    ToMaster,
)
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.violations import ProtocolViolation

KEY = RunKey("r1", 1)


def hello(*runs: RunOnDisk, protocol: int = PROTOCOL_VERSION) -> Hello:
    return Hello(protocol, "1.0", "w", "i", "b", "", 1, {}, 0.0, runs)


def event(sequence: int) -> JournalEvent:
    return JournalEvent(sequence, "started", 0, {})


def executing() -> MasterSession:
    session = MasterSession()
    session.greet(hello(), [], "1.0", "m")
    assert session.execute(KEY)
    return session


def test_the_greeting_resumes_releases_repeats_and_finds_what_is_missing() -> None:
    stored = [
        StoredRun(KEY, 2, 10),
        StoredRun(RunKey("r2", 3), 0, 0),
        StoredRun(RunKey("r3", 1), 1, 0),
        StoredRun(RunKey("r4", 1), 5, 100),
    ]
    on_disk = [RunOnDisk("r1", 1, 4, 20), RunOnDisk("r2", 2, 9, 9), RunOnDisk("r4", 1, 4, 100)]
    greeting = MasterSession().greet(hello(*on_disk), stored, "1.0", "m")
    assert greeting.welcome.resume == (Resume("r1", 1, 2, 10), Resume("r4", 1, 0, 0))
    assert greeting.welcome.release == (RunOnDisk("r2", 2, 9, 9),)
    assert greeting.to_execute == (RunKey("r2", 3),)
    assert greeting.missing == (RunKey("r4", 1), RunKey("r3", 1))


def test_who_lost_something_with_its_host_is_told_from_who_truncated_its_log() -> None:
    session = MasterSession()
    stored = [StoredRun(RunKey(f"r{number}", 1), 3, 100) for number in range(1, 6)]
    on_disk = (
        RunOnDisk("r1", 1, 3, 50),
        RunOnDisk("r2", 1, 3, 50, is_of_this_boot=False),
        RunOnDisk("r3", 1, 2, 100),
        RunOnDisk("r4", 1, 2, 100, is_of_this_boot=False),
        RunOnDisk("r5", 1, 3, 100, is_of_this_boot=False),
    )
    greeting = session.greet(hello(*on_disk), stored, "1.0", "m")
    assert {one.run: one.sequence for one in greeting.welcome.resume} == {"r1": 3, "r2": 0, "r3": 0, "r4": 0, "r5": 3}
    assert greeting.welcome.release == ()
    assert greeting.missing == (RunKey("r3", 1),)
    assert greeting.restarted == (RunKey("r2", 1), RunKey("r4", 1))


def test_another_protocol_is_refused_with_both_versions() -> None:
    with pytest.raises(ProtocolViolation, match="protocol 99"):
        MasterSession().greet(hello(protocol=99), [], "1.0", "m")


def test_what_is_repeated_is_dropped_and_what_continues_passes() -> None:
    session = executing()
    assert session.receive(Log("r1", 1, 0, b"abc")) == [StoreLog(KEY, 0, b"abc")]
    assert session.receive(Log("r1", 1, 0, b"abc")) == []
    assert session.receive(Log("r1", 1, 1, b"bcde")) == [StoreLog(KEY, 3, b"de")]
    assert session.receive(Events("r1", 1, (event(1), event(2)))) == [StoreEvents(KEY, (event(1), event(2)))]
    assert session.receive(Events("r1", 1, (event(2), event(3)))) == [StoreEvents(KEY, (event(3),))]


def test_a_run_may_be_refused_before_it_has_begun() -> None:
    session = executing()
    assert session.receive(Accepted("r1", 1)) == [TakenOver(KEY)]
    assert session.receive(Refused("r1", 1, "disk full")) == [PutBack(KEY, "disk full")]
    assert session.receive(Accepted("r1", 1)) == []


def test_an_attempt_is_sent_once_over_a_connection_even_after_its_end() -> None:
    session = executing()
    assert not session.execute(KEY)
    session.release(KEY)
    assert not session.execute(KEY)
    assert session.execute(RunKey("r1", 2))


def test_what_is_said_of_a_released_run_changes_nothing() -> None:
    session = executing()
    assert session.release(KEY) == Release("r1", 1)
    assert session.receive(Log("r1", 1, 0, b"late")) == []


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Log("r1", 1, 1, b"x"), "0 is next"),
        (Log("r1", 1, -1, b"x"), "0 is next"),
        (Events("r1", 1, (event(2),)), "1 is next"),
        (Events("r1", 1, (event(1), event(3))), "2 is next"),
        (Log("r1", 2, 0, b"x"), "not one of its runs"),
        (Accepted("other", 1), "not one of its runs"),
        (hello(), "twice"),
    ],
)
def test_a_gap_or_a_foreign_run_is_a_violation(message: ToMaster, words: str) -> None:
    with pytest.raises(ProtocolViolation, match=words):
        executing().receive(message)


def test_the_log_begins_again_when_it_did_not_match() -> None:
    session = executing()
    session.receive(Log("r1", 1, 0, b"abc"))
    session.receive(Events("r1", 1, (event(1), event(2))))
    session.send_again(KEY, 1)
    assert session.receive(Log("r1", 1, 0, b"abc")) == [StoreLog(KEY, 0, b"abc")]
    assert session.receive(Events("r1", 1, (event(2),))) == [StoreEvents(KEY, (event(2),))]


def test_a_worker_says_that_it_is_hindered() -> None:
    assert executing().receive(Hindered("has a full disk")) == [HindranceChanged("has a full disk")]
    with pytest.raises(ProtocolViolation, match="200"):
        executing().receive(Hindered("x" * 201))
