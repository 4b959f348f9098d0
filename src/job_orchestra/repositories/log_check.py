"""Compares what is recorded of logs with the files that there are, while the system runs or not.

Twice through everything, a few at a time: from records to files, and from files to records. What looks wrong is looked
at again, in the order that shows whether it was only being removed: a run's row goes before its files, and from before
that until nothing is left of the run it is written down that it goes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

from job_orchestra.domain.run_logs import Flaw, Judgement, RecordedLog, judge_digest, judge_size
from job_orchestra.repositories.conditions import among, equal, find_everything, find_one
from job_orchestra.repositories.rows.columns import integer, text
from job_orchestra.repositories.rows.run_logs import late_log_from_row, run_logs_from_row
from job_orchestra.storage.log_port import LogDamaged, LogEntry, LogInventory, LogKey, LogStore
from job_orchestra.storage.port import Find, Order, Row, Storage
from job_orchestra.storage.schema import LATE_REPORTS, REMOVALS, RUNS

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Finding:
    judgement: Judgement
    key: LogKey | None
    """Of the log; None for a file that is none."""
    entry: LogEntry | None = None
    """The file, where that is what was found."""


@dataclass(frozen=True, slots=True)
class Looked:
    """At what one step of the check has looked, and what it found."""

    logs: int = 0
    """Of which something is recorded."""
    files: int = 0
    findings: tuple[Finding, ...] = ()


class LogCheck:
    def __init__(self, storage: Storage, log_store: LogStore, inventory: LogInventory) -> None:
        self._storage = storage
        self._log_store = log_store
        self._inventory = inventory

    async def has_runs(self) -> bool:
        return await find_one(self._storage, Find(RUNS.name, (), (Order("identifier"),))) is not None

    async def look(self, *, is_thorough: bool) -> AsyncGenerator[Looked]:
        """Step by step. `is_thorough` reads all logs to their end and compares SHA-256, too."""
        async for logs in self._recorded():
            found = [await self._judge(log, size, is_thorough) for log, size in await self._with_sizes(logs)]
            yield Looked(logs=len(logs), findings=tuple(filter(None, found)))
        async for entries in self._inventory.entries():
            for start in range(0, len(entries), _AT_ONCE):
                some = entries[start : start + _AT_ONCE]
                yield Looked(files=len(some), findings=tuple(await self._judge_entries(some)))

    async def remove(self, finding: Finding) -> bool:
        """Takes away a log without a run, or what is left over; False for other findings, and what is gone already."""
        if finding.entry is None:
            return False
        if finding.judgement.flaw is Flaw.WITHOUT_RUN and finding.key is not None:
            is_there = await self._inventory.has(finding.entry)
            await self._log_store.delete(finding.key)
            return is_there
        if finding.judgement.flaw is Flaw.LEFT_OVER:
            return await self._inventory.remove_left_over(finding.entry)
        return False

    # ---------- from records to files

    async def _recorded(self) -> AsyncGenerator[list[RecordedLog]]:
        async for rows in self._pages(RUNS.name, "identifier"):
            yield [log for row in rows for log in run_logs_from_row(row)]
        async for rows in self._pages(LATE_REPORTS.name, "run", "attempt"):
            runs = await self._runs({text(row, "run") for row in rows})
            found = ((row, runs.get(text(row, "run"))) for row in rows)
            yield [late_log_from_row(row, text(run, "project")) for row, run in found if run is not None]

    async def _pages(self, collection: str, *key: str) -> AsyncGenerator[list[Row]]:
        order, after = tuple(Order(column) for column in key), None
        while rows := await self._storage.find(Find(collection, (), order, after, _AT_ONCE)):
            yield rows
            after = tuple(rows[-1][column] for column in key)

    async def _with_sizes(self, logs: Sequence[RecordedLog]) -> list[tuple[RecordedLog, int | LogDamaged]]:
        try:
            sizes: list[int | LogDamaged] = [*await self._log_store.sizes([_key(log) for log in logs])]
        except LogDamaged:
            sizes = [await self._size(log) for log in logs]
        return list(zip(logs, sizes, strict=True))

    async def _size(self, log: RecordedLog) -> int | LogDamaged:
        try:
            return await self._log_store.size(_key(log))
        except LogDamaged as error:
            return error

    async def _judge(self, log: RecordedLog, size: int | LogDamaged, is_thorough: bool) -> Finding | None:
        if isinstance(size, LogDamaged):
            judgement: Judgement | None = Judgement(Flaw.DAMAGED, size.message)
        else:
            judgement = judge_size(log, size)
            if judgement is None and is_thorough and log.is_final and size:
                judgement = await self._judge_content(log)
        if judgement is None or not await self._is_recorded_still(log):
            return None
        return Finding(judgement, _key(log))

    async def _judge_content(self, log: RecordedLog) -> Judgement | None:
        try:
            _, digest = await self._log_store.sha256(_key(log))
        except LogDamaged as error:
            return Judgement(Flaw.DAMAGED, error.message)
        return judge_digest(log, digest)

    async def _is_recorded_still(self, log: RecordedLog) -> bool:
        return bool(await self._runs({log.run}))

    async def _runs(self, identifiers: set[str]) -> dict[str, Row]:
        query = Find(RUNS.name, (among("identifier", sorted(identifiers)),), (Order("identifier"),))
        return {text(row, "identifier"): row for row in await find_everything(self._storage, query)}

    # ---------- from files to records

    async def _judge_entries(self, entries: Sequence[LogEntry]) -> list[Finding]:
        runs = await self._runs({entry.key.run for entry in entries if entry.key is not None})
        found = [await self._judge_entry(entry, runs) for entry in entries]
        return [finding for finding in found if finding is not None]

    async def _judge_entry(self, entry: LogEntry, runs: Mapping[str, Row]) -> Finding | None:
        if entry.key is None:
            return Finding(Judgement(Flaw.UNKNOWN, "This is no file of a log."), None, entry)
        unrecorded = await self._unrecorded(entry, entry.key, runs.get(entry.key.run))
        if unrecorded is not None:
            return Finding(Judgement(Flaw.WITHOUT_RUN, unrecorded), entry.key, entry)
        if entry.is_left_over:
            sentence = "A compression or a deletion was interrupted; if there is a log, it is the file beside it."
            return Finding(Judgement(Flaw.LEFT_OVER, sentence), entry.key, entry)
        return None

    async def _unrecorded(self, entry: LogEntry, key: LogKey, run: Row | None) -> str | None:
        """In a sentence, what is not recorded of this log; None if it is, or is being removed."""
        if run is not None and text(run, "project") == key.project:
            if key.attempt > integer(run, "attempt"):
                return f"Run {key.run} has had no attempt after {integer(run, 'attempt')}."
            if not key.is_late or await self._has_late_report(key):
                return None
            sentence = f"Run {key.run} has no late report of this attempt."
        else:
            sentence = f"Project {key.project} has no run {key.run}."
        if await find_one(self._storage, Find(REMOVALS.name, (equal("run", key.run),))) is not None:
            return None
        return sentence if await self._inventory.has(entry) else None

    async def _has_late_report(self, key: LogKey) -> bool:
        where = (equal("run", key.run), equal("attempt", key.attempt))
        return await find_one(self._storage, Find(LATE_REPORTS.name, where)) is not None


def _key(log: RecordedLog) -> LogKey:
    return LogKey(log.project, log.run, log.attempt, log.is_late)
