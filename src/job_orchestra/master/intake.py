"""Stores what workers report, many messages at a time: log bytes, then records; only then is it acknowledged."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from job_orchestra.domain.attempts import outcomes_of
from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Conflict, Invalid
from job_orchestra.domain.event_records import EventRecord, record_to_event
from job_orchestra.domain.events import Ended
from job_orchestra.domain.progress import apply_damaged_end, apply_event
from job_orchestra.domain.runs import Run
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.outage import Outage
from job_orchestra.protocol.master_session import StoreEvents, StoreLog
from job_orchestra.protocol.messages import JournalEvent
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.violations import ProtocolViolation
from job_orchestra.repositories.late_reports import LateReports
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.storage.log_port import LogKey, LogPiece, LogStore

_logger = logging.getLogger(__name__)

_MOST_REPETITIONS = 2
"""Of a whole log. One heals what a command's truncation left wrong on the way; a changed file never heals."""


@dataclass(frozen=True, slots=True)
class Account:
    """A run as one attempt of it tells; a late one's changes nothing but its report."""

    run: Run
    is_late: bool = False

    @property
    def key(self) -> RunKey:
        return RunKey(self.run.identifier, self.run.attempt)

    @property
    def log_key(self) -> LogKey:
        return log_key(self.run, self.is_late)


@dataclass(slots=True)
class Report:
    """What one batch of messages brings of one account."""

    account: Account
    pieces: list[LogPiece] = field(default_factory=list[LogPiece])
    records: list[EventRecord] = field(default_factory=list[EventRecord])

    @property
    def log_end(self) -> int | None:
        """Where the log ends that came along; None if none did."""
        return self.pieces[-1].offset + len(self.pieces[-1].data) if self.pieces else None


@dataclass(frozen=True, slots=True)
class Stored:
    """A report that is durable."""

    account: Account
    """As it tells the attempt now."""
    run: Run
    """As it is stored now: if the attempt has ended and is retried, already the next one."""
    log_end: int | None
    has_changed: bool
    is_log_to_be_sent_again: bool = False


def log_key(run: Run, is_late: bool = False) -> LogKey:
    return LogKey(run.request.project, run.identifier, run.attempt, is_late)


def gather_reports(told: Sequence[tuple[Account, StoreEvents | StoreLog]]) -> list[Report]:
    """One report for each account, in the order in which its messages came."""
    reports: dict[RunKey, Report] = {}
    for account, effect in told:
        report = reports.setdefault(account.key, Report(account))
        if isinstance(effect, StoreLog):
            report.pieces.append(LogPiece(account.log_key, effect.offset, effect.data))
        else:
            report.records.extend(_to_record(event) for event in effect.events)
    return list(reports.values())


def _to_record(event: JournalEvent) -> EventRecord:
    return EventRecord(event.sequence, event.kind, event.date, event.data)


class Intake:
    """Shared by all connections; the storage's writer gathers what several of them commit at the same time."""

    def __init__(
        self,
        progress: RunProgress,
        late_reports: LateReports,
        log_store: LogStore,
        outage: Outage,
        clock: Clock,
        before_end: Callable[[Run], Awaitable[None]],
    ) -> None:
        """`before_end` has done what has to be done before the end of a run is committed when it returns."""
        self._progress = progress
        self._late_reports = late_reports
        self._log_store = log_store
        self._outage = outage
        self._clock = clock
        self._before_end = before_end
        self._mismatches: Counter[RunKey] = Counter()
        """How often the whole log of a run came and was not the one that it ended with."""

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
            return Stored(report.account, report.account.run, report.log_end, has_changed=False)
        after, records, is_log_wrong = await self._fold(report)
        if after.status.is_terminal:
            self._mismatches.pop(report.account.key, None)
        stored = after
        if records:
            stored = await self._save(report.account, after, records)
            reach(FailPoint.MASTER_END_COMMITTED if after.status.is_terminal else FailPoint.MASTER_EVENTS_COMMITTED)
        return Stored(replace(report.account, run=after), stored, report.log_end, bool(records), is_log_wrong)

    async def _fold(self, report: Report) -> tuple[Run, list[EventRecord], bool]:
        """The run after the events, and those of them that count: an end whose log does not match is left out."""
        run = report.account.run
        for place, record in enumerate(report.records):
            try:
                event = record_to_event(record)
                following = apply_event(run, event)
            except (Invalid, Conflict) as error:
                raise ProtocolViolation(f"An event of run {run.identifier!r} is refused: {error}") from None
            if isinstance(event, Ended):
                await self._outage.outlast(lambda: self._log_store.seal(report.account.log_key))
                reach(FailPoint.MASTER_LOG_SEALED)
                stored = await self._outage.outlast(lambda: self._log_store.sha256(report.account.log_key))
                if stored == (event.log_size, event.log_sha256):
                    reach(FailPoint.MASTER_LOG_VERIFIED)
                elif self._mismatches[report.account.key] < _MOST_REPETITIONS:
                    await self._discard_log(report.account, event, *stored)
                    return run, report.records[:place], True
                else:
                    following = apply_damaged_end(run, event, stored[0])
            run = following
        return run, report.records, False

    async def _discard_log(self, account: Account, ended: Ended, size: int, digest: str) -> None:
        _logger.warning(
            "The stored log of run %s has %d bytes with SHA-256 %s, the worker's %d with %s: it is sent again.",
            account.run.identifier, size, digest, ended.log_size, ended.log_sha256,
        )  # fmt: skip
        self._mismatches[account.key] += 1
        await self._outage.outlast(lambda: self._log_store.truncate(account.log_key))
        reach(FailPoint.MASTER_LOG_TRUNCATED)

    async def _save(self, account: Account, after: Run, records: Sequence[EventRecord]) -> Run:
        """The run as it is stored then."""
        save = self._late_reports.save if account.is_late else self._progress.save
        is_over = after.status.is_terminal and not account.is_late
        for outcome in outcomes_of(after, self._clock.now()) if is_over else (after,):
            if is_over and outcome.status.is_terminal:
                await self._before_end(outcome)
            if await self._outage.outlast(lambda outcome=outcome: save(account.run, outcome, records)):  # type: ignore[misc]
                return outcome
        # By another master, which took the worker for gone: what it made of the run decides, at the next greeting.
        raise ProtocolViolation(f"Run {after.identifier!r} was changed elsewhere; connect again.")
