from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.jobs import Job, JobSettings
from job_orchestra.domain.runs import RunRequest
from job_orchestra.domain.schedules import CatchUp, Schedule, ScheduleSettings
from job_orchestra.domain.ticks import (
    MOST_MISSED,
    Ledger,
    Refusal,
    Tick,
    TickState,
    decide,
    request_for,
    taken_up,
    undecided_since,
    why_given_up,
)

_NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
_LONG_AGO = _NOW - timedelta(days=9)
_REQUEST = RunRequest("p", "j", CommandsDefinition((("true",),)))
_WAITING, _DUE, _BUSY = TickState.WAITING, TickState.DUE, TickState.BUSY
_MISSED, _REFUSED = TickState.MISSED, TickState.REFUSED


def ago(minutes: float) -> datetime:
    return _NOW - timedelta(minutes=minutes)


def schedule(catch_up: str = "latest", age: float | None = None) -> Schedule:
    settings = ScheduleSettings("j", "* * * * *", catch_up=CatchUp(catch_up), catch_up_age=age)
    return Schedule("p", "s", settings, True, True, _LONG_AGO)


def tick(minutes: float, state: TickState = _WAITING) -> Tick:
    return Tick("p", "s", ago(minutes), 7, state, "j", ago(minutes), run="r")


_AFTER_A_RUN = Ledger(last_number=7, triggered=tick(60, TickState.TRIGGERED), has_unended_run=True)


def states(
    *minutes: float,
    catch_up: str = "latest",
    age: float | None = None,
    ledger: Ledger | None = None,
    wanted: RunRequest | Refusal = _REQUEST,
) -> list[TickState]:
    """Of ticks that came due so many minutes ago."""
    ledger = ledger or Ledger()
    ticks = decide(schedule(catch_up, age), ledger, [ago(each) for each in minutes], wanted, _NOW)
    assert [one.due for one in ticks] == [ago(each) for each in minutes]
    assert [one.number for one in ticks] == [ledger.last_number + place for place in range(1, len(minutes) + 1)]
    for one in ticks:
        # What makes a run knows which, everything else why not, or not yet.
        assert (one.request is not None) == (one.state is _DUE) == (one.detail == "")
    return [one.state for one in ticks]


@pytest.mark.parametrize("catch_up", CatchUp)
def test_on_time(catch_up: str) -> None:
    assert states(0, catch_up=catch_up) == [_DUE]
    assert states(0.9, catch_up=catch_up) == [_DUE]
    assert states(0, catch_up=catch_up, age=0) == [_DUE]
    assert states(0, catch_up=catch_up, ledger=_AFTER_A_RUN) == [_BUSY]


def test_what_was_missed() -> None:
    assert states(5, 3, catch_up="none") == [_MISSED, _MISSED]
    assert states(5, 3, catch_up="latest") == [_MISSED, _DUE]
    assert states(5, 3, catch_up="all") == [_WAITING, _WAITING]
    assert states(5, 3, catch_up="none", ledger=_AFTER_A_RUN) == [_MISSED, _MISSED]
    assert states(5, 3, catch_up="all", ledger=_AFTER_A_RUN) == [_WAITING, _WAITING]


def test_the_latest_that_was_missed_waits_where_the_end_of_the_run_before_is_not_known() -> None:
    """Its worker has perhaps not told yet; a tick that is on time is busy, for there it is known."""
    assert states(5, 3, ledger=_AFTER_A_RUN) == [_MISSED, _WAITING]
    assert states(3, 0, ledger=_AFTER_A_RUN) == [_MISSED, _BUSY]
    assert states(3, ledger=replace(_AFTER_A_RUN, waiting=tick(9))) == [_BUSY]
    ended = replace(_AFTER_A_RUN, has_unended_run=False, run_ended_at=ago(4))
    assert ended.was_running_at(ago(3)) is None
    assert ended.was_running_at(ago(4)) is None
    assert ended.was_running_at(ago(5)) == "Run r of this schedule had not ended."
    assert replace(ended, run_ended_at=None).was_running_at(ago(5)) is None


def test_what_was_missed_beside_what_is_on_time() -> None:
    assert states(5, 3, 0, catch_up="none") == [_MISSED, _MISSED, _DUE]
    assert states(5, 3, 0, catch_up="latest") == [_MISSED, _MISSED, _DUE]
    assert states(5, 3, 0, catch_up="all") == [_WAITING, _WAITING, _BUSY]
    assert states(0, catch_up="all", ledger=Ledger(waiting=tick(5))) == [_BUSY]


def test_what_is_too_old() -> None:
    assert states(5, 3, 2, catch_up="all", age=200) == [_MISSED, _WAITING, _WAITING]
    assert states(5, catch_up="latest", age=200) == [_MISSED]
    assert states(5, 3, catch_up="latest", age=200) == [_MISSED, _DUE]


def test_what_the_job_does_not_take() -> None:
    refusal = Refusal("There is no job p/j.")
    assert states(0, wanted=refusal) == [_REFUSED]
    assert states(5, 3, 0, wanted=refusal) == [_MISSED, _MISSED, _REFUSED]
    assert states(0, wanted=refusal, ledger=_AFTER_A_RUN) == [_BUSY]
    assert states(5, 3, catch_up="all", wanted=refusal) == [_WAITING, _WAITING]


def test_of_a_long_outage_the_latest_ticks_are_recorded() -> None:
    moments = [ago(minutes) for minutes in range(MOST_MISSED + 5, 0, -1)]
    ticks = decide(schedule(), Ledger(last_number=4), moments, _REQUEST, _NOW)
    assert [one.due for one in ticks] == moments[-MOST_MISSED:]
    assert [one.number for one in ticks] == list(range(5, MOST_MISSED + 5))
    assert "Earlier ones were missed, too" in ticks[0].detail
    assert "Earlier ones" not in ticks[1].detail


def test_the_turn_of_a_tick() -> None:
    taken = taken_up(tick(5), _REQUEST)
    assert (taken.state, taken.request, taken.detail) == (_DUE, _REQUEST, "")
    refused = taken_up(tick(5), Refusal("No."))
    assert (refused.state, refused.request, refused.detail) == (_REFUSED, None, "No.")


def test_what_is_not_caught_up_with_any_more() -> None:
    everything = schedule("all")
    alone = Ledger(last_waiting_number=7)
    assert why_given_up(tick(5), everything, alone, _NOW) is None
    assert why_given_up(tick(5), schedule("all", age=300), alone, _NOW) is None
    assert why_given_up(tick(5), schedule("latest"), alone, _NOW) is None
    later = why_given_up(tick(5), schedule("latest"), Ledger(last_waiting_number=9), _NOW)
    assert later is not None
    assert "a later tick" in later
    for changed, reason in (
        (replace(everything, is_enabled=False), "disabled"),
        (replace(everything, is_active=False), "no longer configured"),
        (replace(everything, enabled_at=ago(4)), "switched"),
        (replace(everything, timetable_since=ago(5)), "changed"),
        (schedule("none"), "changed"),
        (schedule("all", age=299), "299 s"),
    ):
        given_up = why_given_up(tick(5), changed, alone, _NOW)
        assert given_up is not None
        assert reason in given_up


def test_where_the_ticks_of_a_schedule_begin() -> None:
    nothing = Ledger()
    assert undecided_since(schedule(), nothing, _NOW) == _LONG_AGO
    switched = replace(schedule(), enabled_at=ago(30), timetable_since=ago(40))
    assert undecided_since(switched, nothing, _NOW) == ago(30)
    assert undecided_since(switched, Ledger(latest_due=ago(50)), _NOW) == ago(30)
    assert undecided_since(switched, Ledger(latest_due=ago(20)), _NOW) == ago(20)
    # Switched on by somebody whose clock is ahead.
    assert undecided_since(replace(schedule(), enabled_at=ago(-600)), nothing, _NOW) == _NOW


def test_what_a_schedule_triggers() -> None:
    job = Job("p", "j", JobSettings(_REQUEST.definition), True, True, _LONG_AGO)
    assert request_for(schedule(), job) == _REQUEST
    # Its run waits until the job is enabled.
    assert request_for(schedule(), replace(job, is_enabled=False)) == _REQUEST
    unknown = replace(schedule(), settings=replace(schedule().settings, parameters={"x": 1}))
    for refused, reason in (
        (request_for(schedule(), None), "There is no job p/j."),
        (request_for(schedule(), replace(job, is_active=False)), "no longer configured"),
        (request_for(unknown, job), "does not take the schedule's parameters: parameters.x: is no parameter"),
    ):
        assert isinstance(refused, Refusal)
        assert reason in refused.sentence


def test_the_key_of_a_run_is_one_that_no_user_can_give() -> None:
    assert tick(0).idempotency_key == tick(0, _DUE).idempotency_key != tick(1).idempotency_key
    assert not tick(0).idempotency_key.isascii()
    assert len(replace(tick(0), schedule="s" * 64).idempotency_key) <= 200
