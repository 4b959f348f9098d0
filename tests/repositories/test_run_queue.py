from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from job_orchestra.domain.attempts import next_attempt
from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import LogFacts, PastAttempt, Run, queue_key
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import Worker, WorkerDescription
from job_orchestra.repositories.conditions import equal
from job_orchestra.repositories.workers import still_away, still_connected
from job_orchestra.storage.port import Batch, Update
from tests.connecting import connect_worker
from tests.repositories.records import Records, play

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
_REASON = Reason(ReasonCode.CANCEL_REQUESTED, "Somebody said so.")


async def _assigned(records: Records, worker: str = "w") -> Run:
    assigned = await records.queue.assign(await records.trigger(), worker)
    assert assigned is not None
    return assigned


def test_groups_and_their_heads(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        low = await records.trigger("a", priority=-1)
        normal = await records.trigger("a")
        high = await records.trigger("a", priority=5)
        picky = await records.trigger("a", properties={"gpu": True})
        other = await records.trigger("b")
        taken = await _assigned(records)
        keys = await records.queue.groups()
        assert set(keys) == {queue_key(run.request) for run in (low, picky, other)}
        assert queue_key(taken.request) not in keys
        head = await records.queue.head(queue_key(low.request), 2)
        assert [run.identifier for run in head] == [high.identifier, normal.identifier]
        await records.runs.request_cancel("p", high.identifier, "eve")
        head = await records.queue.head(queue_key(low.request), 1)
        assert [run.identifier for run in head] == [normal.identifier]

    play(database_url, scenario)


def test_pending_since_finds_what_came_later(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        first, second, third = [await records.trigger() for _ in range(3)]
        await records.queue.assign(second, "w")
        found = await records.queue.pending_since(first.identifier, 10)
        assert [run.identifier for run in found] == [third.identifier]
        loaded = await records.queue.load_many([first.identifier, third.identifier, "nope"])
        assert loaded == [first, third]
        assert await records.queue.load("nope") is None

    play(database_url, scenario)


def test_an_expiry_of_its_own_counts_alone_and_only_until_a_run_is_taken(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        usual = await records.trigger()
        patient, hasty, taken = [await records.trigger(expiry=seconds) for seconds in (7200.0, 60.0, 60.0)]
        assigned = await records.queue.assign(taken, "w")
        assert assigned is not None
        records.clock.advance(59.0)
        assert await records.queue.expired(10) == []
        records.clock.advance(2.0)
        assert await records.queue.expired(10) == [hasty]
        later = (await records.trigger()).identifier
        assert await records.queue.pending_before(later, 10) == [usual]
        await records.queue.unassign(assigned)
        records.clock.advance(7200.0)
        assert await records.queue.expired(10) == [hasty, patient]
        assert await records.queue.cancel(hasty, _REASON) is not None
        assert await records.queue.expired(10) == [patient]

    play(database_url, scenario)


def test_of_many_who_assign_one_wins(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await records.trigger()
        assigned = await asyncio.gather(*(records.queue.assign(run, f"w{number}") for number in range(10)))
        winners = [one for one in assigned if one is not None]
        assert len(winners) == 1
        assert await records.queue.load(run.identifier) == winners[0]
        assert winners[0].assigned_at == records.clock.date

    play(database_url, scenario)


def test_a_run_that_is_to_be_cancelled_is_not_assigned(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await records.trigger()
        await records.runs.request_cancel("p", run.identifier, "me")
        assert await records.queue.assign(run, "w") is None
        assert [one.identifier for one in await records.queue.wished(10)] == [run.identifier]
        cancelled = await records.queue.cancel(run, _REASON)
        assert cancelled is not None
        stored = await records.queue.load(run.identifier)
        assert stored is not None
        assert (stored.status, stored.reason, stored.ended_at) == (RunStatus.CANCELLED, _REASON, records.clock.date)
        assert await records.queue.wished(10) == []
        with pytest.raises(Conflict):
            await records.queue.cancel(stored, _REASON)

    play(database_url, scenario)


def test_an_unassigned_run_waits_as_its_next_attempt(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        assigned = await _assigned(records)
        waiting = await records.queue.unassign(assigned)
        assert waiting is not None
        assert (waiting.attempt, waiting.worker) == (2, None)
        assert await records.queue.load(assigned.identifier) == waiting
        # Whoever still believes in the first attempt changes nothing.
        assert await records.queue.unassign(assigned) is None
        assert await records.queue.assign(replace(assigned, worker=None), "v") is None
        assert not await records.progress.save(assigned, replace(assigned, status=RunStatus.RUNNING), [])

    play(database_url, scenario)


def test_an_old_look_puts_nothing_back(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        first = await records.queue.assign(await records.trigger(), "w")
        assert first is not None
        again = await records.queue.unassign(first)
        assert again is not None
        second = await records.queue.assign(again, "w")
        assert second is not None
        assert await records.queue.unassign(first) is None, "that was another attempt"
        told = replace(second, journal_sequence=1)
        assert await records.progress.save(second, told, [])
        assert await records.queue.unassign(second) is None, "it has been told of since"
        assert await records.queue.unassign(told) is not None

    play(database_url, scenario)


def test_what_a_worker_was_given_once_waits_since_then_and_does_not_expire(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        waiting, given = await records.trigger(), await records.trigger()
        assigned = await records.queue.assign(given, "w")
        assert assigned is not None
        assert await records.queue.unassign(assigned) is not None
        later = (await records.trigger()).identifier
        assert [run.identifier for run in await records.queue.pending_before(later, 10)] == [waiting.identifier]

    play(database_url, scenario)


def test_a_run_is_given_up_only_while_the_connection_is_the_present_one(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await _assigned(records)
        earlier = await connect_worker(records.workers, "w", "me", "i", WorkerDescription("1"), 0.0, "m")
        records.clock.advance(1)
        present = await connect_worker(records.workers, "w", "me", "i", WorkerDescription("1"), 0.0, "other")
        for after in _next_attempt(run), replace(run, status=RunStatus.EXCEPTION):
            assert not await records.progress.save(run, after, [], still_connected(earlier))
        assert await records.progress.save(run, _next_attempt(run), [], still_connected(present))

    play(database_url, scenario)


def test_a_run_is_given_up_only_while_its_worker_is_away_as_it_was(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        async def connect() -> Worker:
            return await connect_worker(records.workers, "w", "me", "i", WorkerDescription("1"), 0.0, "m")

        async def go_away() -> Worker:
            records.clock.advance(1)
            await records.workers.disconnect(await records.workers.get("w"))
            return await records.workers.get("w")

        first, second = await _assigned(records), await _assigned(records)
        ended = replace(first, status=RunStatus.EXCEPTION)
        await connect()
        now = away = await go_away()
        await connect()
        for _ in range(2):
            assert not await records.progress.save(first, ended, [], still_away(away))
            assert not await records.progress.save(second, _next_attempt(second), [], still_away(away))
            now = await go_away()  # another time: its absence began anew
        assert await records.queue.assigned_to("w") == [first, second]
        assert await records.progress.save(first, ended, [], still_away(now))
        assert await records.progress.save(second, _next_attempt(second), [], still_away(now))

    play(database_url, scenario)


def _next_attempt(run: Run, waits_until: datetime | None = None) -> Run:
    reason = Reason(ReasonCode.COMMAND_FAILED, "It failed.")
    past = PastAttempt(
        run.attempt, RunStatus.FAILED, reason, run.worker, run.assigned_at, None, NOON, 0.5, LogFacts(3, "00")
    )
    return replace(next_attempt(run, past), waits_until=waits_until)


def test_a_run_that_is_retried_waits_as_its_next_attempt_and_remembers_the_one_before(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        assigned = await _assigned(records)
        running = replace(assigned, status=RunStatus.RUNNING, journal_sequence=1, results={"a": 1}, started_at=NOON)
        assert await records.progress.save(assigned, running, [EventRecord(1, "started", 5, {})])
        retried = _next_attempt(running)
        ended = EventRecord(2, "ended", 6, {})
        for _ in range(2):  # a lost answer makes it be tried again
            assert await records.progress.save(running, retried, [ended])
        assert await records.queue.load(retried.identifier) == retried
        assert await records.queue.groups() == [queue_key(retried.request)]
        assert await records.queue.head(queue_key(retried.request), 5) == [retried]
        again = await records.queue.assign(retried, "v")
        assert again is not None
        # Whoever still believes in the first attempt changes nothing.
        for late in retried, replace(running, status=RunStatus.FAILED):
            assert not await records.progress.save(running, late, [ended])
        assert await records.queue.load(retried.identifier) == again
        assert [(one.attempt, one.record) for one in await records.runs.events(again.identifier)] == [
            (1, EventRecord(1, "started", 5, {})),
            (1, ended),
        ]

    play(database_url, scenario)


@pytest.mark.parametrize("wish", ["cancel", "abort"])
def test_a_run_that_somebody_wants_stopped_is_not_retried(database_url: str, wish: str) -> None:
    """However late the wish comes: the commit asks for it."""

    async def scenario(records: Records) -> None:
        assigned = await _assigned(records)
        running = replace(assigned, status=RunStatus.RUNNING)
        if wish == "abort":
            assert await records.progress.save(assigned, running, [])
            await records.runs.request_abort("p", assigned.identifier, "ann")
        else:
            await records.runs.request_cancel("p", assigned.identifier, "ann")
            assert await records.progress.save(assigned, running, [])
        assert not await records.progress.save(running, _next_attempt(running), [])
        assert await records.progress.save(running, replace(running, status=RunStatus.FAILED), [])

    play(database_url, scenario)


def test_a_run_that_waits_for_a_moment_is_not_in_the_queue(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        due = [records.clock.date + timedelta(seconds=seconds) for seconds in (30, 10, 20)]
        runs = [await _assigned(records) for _ in due]
        delayed = [_next_attempt(run, moment) for run, moment in zip(runs, due, strict=True)]
        for before, after in zip(runs, delayed, strict=True):
            assert await records.progress.save(before, after, [])
        last, first, second = delayed
        assert await records.queue.delayed(2) == [first, second]
        assert await records.queue.delayed(9) == [first, second, last]
        key = queue_key(first.request)
        assert (await records.queue.groups(), await records.queue.head(key, 9)) == ([], [])
        assert await records.queue.pending_since("", 9) == []
        assert (await records.runs.ahead_of(await records.trigger())).count == 0
        assert await records.queue.assign(first, "w") is None

        gone_on = await records.queue.end_delay(first)
        assert gone_on is not None
        assert gone_on == replace(first, waits_until=None)
        assert await records.queue.end_delay(first) is None, "another master has done it"
        assert (await records.queue.head(key, 9))[:1] == [gone_on]
        assert await records.queue.assign(gone_on, "w") is not None

        cancelled = await records.queue.cancel(second, _REASON)
        assert cancelled is not None
        assert await records.queue.load(second.identifier) == cancelled
        assert await records.queue.end_delay(second) is None
        assert await records.queue.delayed(9) == [last]

    play(database_url, scenario)


def test_what_a_worker_holds(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        first, second = await _assigned(records), await _assigned(records)
        await _assigned(records, "v")
        running = replace(first, status=RunStatus.RUNNING)
        assert await records.progress.save(first, running, [])
        assert await records.queue.assigned_to("w") == [running, second]
        assert [run.worker for run in await records.queue.assigned()] == ["v", "w"]
        assert await records.runs.count_active("w") == 2
        assert await records.progress.save(running, replace(running, status=RunStatus.FAILED), [])
        assert await records.runs.count_active("w") == 1

    play(database_url, scenario)


def test_progress_is_stored_with_its_events_and_only_once(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await _assigned(records)
        events = [EventRecord(1, "started", 5, {"host": {}}), EventRecord(2, "ended", 6, {"odd": ["\x00", "é"]})]
        after = replace(
            run,
            status=RunStatus.SUCCEEDED,
            reason=Reason(ReasonCode.COMPLETED, "Done."),
            started_at=records.clock.date,
            ended_at=records.clock.date,
            duration=0.25,
            results={"a": {"b": [1]}},
            journal_sequence=2,
            log=LogFacts(12, "ab" * 32),
        )
        assert await records.progress.save(run, after, events)
        assert await records.queue.load(run.identifier) == after
        # Once more, as after an answer that was lost; and what is another's, although it has the same number.
        assert await records.progress.save(run, after, events)
        assert not await records.progress.save(run, replace(after, status=RunStatus.EXCEPTION), events)
        assert await records.queue.load(run.identifier) == after
        stored = await records.runs.events(run.identifier)
        assert [(one.attempt, one.record) for one in stored] == [(1, events[0]), (1, events[1])]
        assert await records.runs.events(run.identifier, attempt=2) == []
        page = await records.runs.list_events(run.identifier, limit=1)
        assert [one.record for one in page.items] == events[:1]
        rest = await records.runs.list_events(run.identifier, limit=1, cursor=page.next)
        assert ([one.record for one in rest.items], rest.next) == (events[1:], None)

    play(database_url, scenario)


def test_a_terminal_run_never_changes(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await _assigned(records)
        ended = replace(run, status=RunStatus.EXCEPTION)
        assert await records.progress.save(run, ended, [])
        with pytest.raises(Conflict):
            await records.progress.save(ended, replace(ended, status=RunStatus.RUNNING), [])

    play(database_url, scenario)


def test_saving_what_does_not_differ_only_checks(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await _assigned(records)
        assert await records.progress.save(run, run, [])
        assert not await records.progress.save(replace(run, journal_sequence=3), replace(run, journal_sequence=3), [])

    play(database_url, scenario)


def test_a_run_that_cannot_be_read_does_not_stop_the_others(database_url: str) -> None:
    """Another version of the program may have written it."""

    async def scenario(records: Records) -> None:
        strange, plain = await records.trigger(), await records.trigger()
        request: JsonObject = {"project": "p", "job": "j", "definition": {"type": "?"}, "beyond": 1}
        where = (equal("identifier", strange.identifier),)
        await records.storage.write(Batch((Update("runs", where, {"request": request}),)))
        assert await records.queue.load(strange.identifier) is None
        assert await records.queue.pending_since("", 10) == [plain]
        assert await records.queue.head(queue_key(plain.request), 10) == [plain]
        assert await records.queue.head(queue_key(plain.request), 1) == [plain]

    play(database_url, scenario)
