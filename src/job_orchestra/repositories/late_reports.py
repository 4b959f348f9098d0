"""Late reports: what workers still say of attempts that count no more. Written by masters, shown by services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.domain.late_reports import LateReport, blank_account
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import advance
from job_orchestra.repositories.conditions import equal, find_everything, find_one, has_facts
from job_orchestra.repositories.paging import LIMIT, Listed, list_page
from job_orchestra.repositories.rows.columns import optional_microseconds
from job_orchestra.repositories.rows.events import StoredEvent, event_from_row, event_to_row
from job_orchestra.repositories.rows.late_reports import late_facts, late_report_from_row, late_report_to_row
from job_orchestra.storage.port import Batch, Find, Insert, Order, Row, Storage, Update
from job_orchestra.storage.schema import LATE_EVENTS, LATE_REPORTS


class LateReports:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def of(self, run: Run) -> list[LateReport]:
        """All of the run, by attempt."""
        query = Find(LATE_REPORTS.name, (equal("run", run.identifier),), (Order("run"), Order("attempt")))
        return [late_report_from_row(row, run) for row in await find_everything(self._storage, query)]

    async def find(self, run: Run, attempt: int) -> LateReport | None:
        where = (equal("run", run.identifier), equal("attempt", attempt))
        row = await find_one(self._storage, Find(LATE_REPORTS.name, where))
        return None if row is None else late_report_from_row(row, run)

    async def expect(self, run: Run) -> None:
        """Before the run's attempt is given up, so that its worker may still tell of it. May be called again."""
        assert run.worker is not None
        expected = LateReport(blank_account(run, run.attempt, run.worker), self._clock.now())
        insert = Insert(LATE_REPORTS.name, late_report_to_row(expected), ignore_duplicate=True)
        await self._storage.write(Batch((insert,)))

    async def receive(self, run: Run, attempt: int, worker: str) -> LateReport | None:
        """The report as far as it has come, when the worker comes with it; None if none is expected of this worker."""
        report = await self.find(run, attempt)
        if report is None or report.account.worker != worker:
            return None
        if report.received_at is None:
            report = replace(report, received_at=self._clock.now())
            where = (equal("run", run.identifier), equal("attempt", attempt))
            changes: Row = {"received_at": optional_microseconds(report.received_at)}
            await self._storage.write(Batch((Update(LATE_REPORTS.name, where, changes),)))
        return report

    async def save(self, before: Run, after: Run, events: Sequence[EventRecord]) -> bool:
        """What came of an account and its events, in one commit; as `RunProgress.save` is for a run."""
        if before.status.is_terminal:
            advance(before.status, after.status)
        where = (
            equal("run", before.identifier),
            equal("attempt", before.attempt),
            equal("journal_sequence", before.journal_sequence),
        )
        inserts = (
            Insert(LATE_EVENTS.name, event_to_row(before.identifier, before.attempt, event), ignore_duplicate=True)
            for event in events
        )
        facts = late_facts(after)
        outcome = await self._storage.write(Batch((Update(LATE_REPORTS.name, where, facts), *inserts)))
        if outcome.is_applied:
            return True
        stored = (equal("run", after.identifier), equal("attempt", after.attempt))
        return has_facts(await find_one(self._storage, Find(LATE_REPORTS.name, stored)), facts)

    async def events(self, run: str, attempt: int) -> list[StoredEvent]:
        return [event_from_row(row) for row in await find_everything(self._storage, _events_of(run, attempt))]

    async def list_events(
        self, run: str, attempt: int, limit: int = LIMIT, cursor: str | None = None
    ) -> Listed[StoredEvent]:
        """A page of the events of one report, in their order."""
        query = replace(_events_of(run, attempt), limit=limit)
        return await list_page(self._storage, query, cursor, event_from_row)


def _events_of(run: str, attempt: int) -> Find:
    where = (equal("run", run), equal("attempt", attempt))
    return Find(LATE_EVENTS.name, where, (Order("run"), Order("attempt"), Order("sequence")))
