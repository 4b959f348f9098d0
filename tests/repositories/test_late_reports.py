from __future__ import annotations

from dataclasses import replace

import pytest

from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.domain.late_reports import LateReport, blank_account
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import LogFacts, Run
from job_orchestra.domain.statuses import RunStatus
from tests.repositories.records import Records, play

STARTED = EventRecord(1, "started", 5, {"host": {}})
ENDED = EventRecord(2, "ended", 6, {"odd": ["\x00", "é"]})


async def _given_up(records: Records) -> Run:
    """A run whose first attempt is given up, and waits again."""
    run = await records.trigger()
    assigned = await records.queue.assign(run, "w")
    assert assigned is not None
    running = replace(assigned, status=RunStatus.RUNNING, started_at=records.clock.date, journal_sequence=1)
    assert await records.progress.save(assigned, running, [STARTED])
    await records.late_reports.expect(running)
    await records.late_reports.expect(running)
    waiting = await records.queue.unassign(running)
    assert waiting is not None
    return waiting


def test_a_report_from_its_first_event_to_its_end(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await _given_up(records)
        lost_at = records.clock.date
        blank = blank_account(run, 1, "w")
        assert await records.late_reports.of(run) == [LateReport(blank, lost_at)]
        records.clock.advance(60)
        received = await records.late_reports.receive(run, 1, "w")
        assert received is not None
        assert received == LateReport(blank, lost_at, records.clock.date)
        begun = replace(blank, status=RunStatus.RUNNING, started_at=records.clock.date, journal_sequence=1)
        assert await records.late_reports.save(blank, begun, [STARTED])
        assert await records.late_reports.save(blank, begun, [STARTED])
        assert not await records.late_reports.save(blank, replace(begun, started_at=lost_at), [STARTED])
        over = replace(
            begun,
            status=RunStatus.ABORTED,
            reason=Reason(ReasonCode.ABORT_REQUESTED, "."),
            ended_at=records.clock.date,
            duration=1.5,
            results={"a": {"b": [1]}},
            journal_sequence=2,
            log=LogFacts(7, "ab" * 32),
        )
        assert await records.late_reports.save(begun, over, [ENDED])
        records.clock.advance(60)
        assert await records.late_reports.receive(run, 1, "w") == replace(received, account=over)
        stored = await records.late_reports.events(run.identifier, 1)
        assert [one.record for one in stored] == [STARTED, ENDED]
        first = await records.late_reports.list_events(run.identifier, 1, limit=1)
        rest = await records.late_reports.list_events(run.identifier, 1, cursor=first.next)
        assert (first.items + rest.items, rest.next) == (stored, None)
        assert (await records.late_reports.list_events(run.identifier, 2)).items == []
        with pytest.raises(Conflict):
            await records.late_reports.save(over, replace(over, status=RunStatus.SUCCEEDED), [])
        # All that while, the run is what it was.
        assert await records.queue.load(run.identifier) == run
        assert [one.record for one in await records.runs.events(run.identifier)] == [STARTED]

    play(database_url, scenario)


def test_only_what_was_given_up_is_reported_and_only_by_its_worker(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await _given_up(records)
        assert await records.late_reports.receive(run, 1, "other") is None
        assert await records.late_reports.receive(run, 2, "w") is None
        assert await records.late_reports.receive(await records.trigger(), 1, "w") is None

    play(database_url, scenario)


def test_the_workers_that_have_runs(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        assert await records.queue.workers_with_runs() == set()
        await _given_up(records)
        assert await records.queue.workers_with_runs() == set()
        for worker in ("b", "a", "b", "é"):
            assigned = await records.queue.assign(await records.trigger(), worker)
            assert assigned is not None
            if worker == "a":
                assert await records.progress.save(assigned, replace(assigned, status=RunStatus.RUNNING), [])
        assert await records.queue.workers_with_runs() == {"a", "b", "é"}

    play(database_url, scenario)
