"""Stores what workers report, many messages at a time: log bytes, then records; only then is it acknowledged."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from job_orchestra.domain.errors import Conflict, Invalid
from job_orchestra.domain.event_records import EventRecord, record_to_event
from job_orchestra.domain.events import Ended
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.runs import Run
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.outage import Outage
from job_orchestra.protocol.master_session import StoreEvents, StoreLog
from job_orchestra.protocol.messages import JournalEvent
from job_orchestra.protocol.violations import ProtocolViolation
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.storage.log_port import LogKey, LogPiece, LogStore

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Report:
    """What one batch of messages brings of one run."""

    run: Run
    pieces: list[LogPiece] = field(default_factory=list[LogPiece])
    records: list[EventRecord] = field(default_factory=list[EventRecord])

    @property
    def log_end(self) -> int | None:
        """Where the log ends that came along; None if none did."""
        return self.pieces[-1].offset + len(self.pieces[-1].data) if self.pieces else None


@dataclass(frozen=True, slots=True)
class Stored:
    """A report that is durable."""

    run: Run
    log_end: int | None
    has_changed: bool
    is_log_to_be_sent_again: bool = False


def log_key(run: Run) -> LogKey:
    return LogKey(run.request.project, run.identifier, run.attempt)


def gather_reports(runs: Sequence[tuple[Run, StoreEvents | StoreLog]]) -> list[Report]:
    """One report for each run, in the order in which its messages came."""
    reports: dict[str, Report] = {}
    for run, effect in runs:
        report = reports.setdefault(run.identifier, Report(run))
        if isinstance(effect, StoreLog):
            report.pieces.append(LogPiece(log_key(run), effect.offset, effect.data))
        else:
            report.records.extend(_to_record(event) for event in effect.events)
    return list(reports.values())


def _to_record(event: JournalEvent) -> EventRecord:
    return EventRecord(event.sequence, event.kind, event.date, event.data)


class Intake:
    """Shared by all connections; the storage's writer gathers what several of them commit at the same time."""

    def __init__(self, progress: RunProgress, queue: RunQueue, log_store: LogStore, outage: Outage) -> None:
        self._progress = progress
        self._queue = queue
        self._log_store = log_store
        self._outage = outage

    async def store_logs(self, reports: Sequence[Report]) -> None:
        """The log bytes are durable when it returns."""
        pieces = [piece for report in reports for piece in report.pieces]
        if pieces:
            await self._outage.outlast(lambda: self._log_store.append(pieces))
            reach(FailPoint.MASTER_LOG_APPENDED)

    async def store_records(self, report: Report) -> Stored:
        """Status, results and events are durable when it returns; the log bytes have to be already.

        ProtocolViolation for events that cannot follow what is stored.
        """
        if not report.records:
            return Stored(report.run, report.log_end, has_changed=False)
        after, records, is_log_wrong = await self._fold(report)
        if records:
            await self._save(report.run, after, records)
            reach(FailPoint.MASTER_END_COMMITTED if after.status.is_terminal else FailPoint.MASTER_EVENTS_COMMITTED)
        return Stored(after, report.log_end, bool(records), is_log_wrong)

    async def _fold(self, report: Report) -> tuple[Run, list[EventRecord], bool]:
        """The run after the events, and those of them that count: an end whose log does not match is left out."""
        run = report.run
        for place, record in enumerate(report.records):
            try:
                event = record_to_event(record)
                following = apply_event(run, event)
            except (Invalid, Conflict) as error:
                raise ProtocolViolation(f"An event of run {run.identifier!r} is refused: {error}") from None
            if isinstance(event, Ended) and not await self._is_log_complete(run, event):
                return run, report.records[:place], True
            run = following
        return run, report.records, False

    async def _is_log_complete(self, run: Run, ended: Ended) -> bool:
        size, digest = await self._outage.outlast(lambda: self._log_store.sha256(log_key(run)))
        if (size, digest) == (ended.log_size, ended.log_sha256):
            reach(FailPoint.MASTER_LOG_VERIFIED)
            return True
        _logger.warning(
            "The stored log of run %s has %d bytes with SHA-256 %s, the worker's %d with %s: it is sent again.",
            run.identifier, size, digest, ended.log_size, ended.log_sha256,
        )  # fmt: skip
        await self._outage.outlast(lambda: self._log_store.truncate(log_key(run)))
        reach(FailPoint.MASTER_LOG_TRUNCATED)
        return False

    async def _save(self, before: Run, after: Run, records: Sequence[EventRecord]) -> None:
        if await self._outage.outlast(lambda: self._progress.save(before, after, records)):
            return
        # An outage may have hidden that the very same change was committed; anything else is another writer's.
        stored = await self._outage.outlast(lambda: self._queue.load(before.identifier))
        if stored is None or stored.attempt != after.attempt or stored.journal_sequence < after.journal_sequence:
            raise ProtocolViolation(f"Run {before.identifier!r} was changed elsewhere; connect again.")
