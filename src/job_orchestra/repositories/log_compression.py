"""Finds the logs of ended runs that are to be compressed, without looking through history again and again.

Runs are walked through in the order of their identifiers, which is that of their triggers. Those that go on when the
walk comes by are remembered, and looked at again. How far it came is stored, and never passes one of them: so a master
that starts goes on with the oldest run of which it cannot be sure.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Unavailable
from job_orchestra.domain.identifiers import RUN_IDENTIFIER, first_run_identifier
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.run_logs import RecordedLog, is_worth_compressing
from job_orchestra.repositories.conditions import among
from job_orchestra.repositories.rows.columns import text
from job_orchestra.repositories.rows.run_logs import run_logs_from_row
from job_orchestra.storage.log_port import Compression, LogKey, LogStore
from job_orchestra.storage.port import Condition, Find, Operator, Order, Storage
from job_orchestra.storage.schema import RUNS

_logger = logging.getLogger(__name__)

_AT_ONCE = 50
"""Runs of a page: each has a record, and results of any size."""
_SETTLED = timedelta(hours=1)
"""Since its trigger, after which a run is looked at: no service's clock is so wrong that an older one comes later."""
_MOST_FAILURES = 10
"""Of a round: then it is the disk rather than a file."""


@dataclass(frozen=True, slots=True)
class Compressed:
    """What a round has done so far."""

    logs: int = 0
    freed: int = 0
    """Bytes."""
    failures: int = 0


class LogCompression:
    """For one task. Several masters may do the same: they get in nobody's way, and each log is compressed once."""

    def __init__(self, storage: Storage, log_store: LogStore, clock: Clock) -> None:
        self._storage = storage
        self._log_store = log_store
        self._clock = clock
        self._start: str | None = None
        """The first run that is looked at; None until what is stored of it was read."""
        self._last: str | None = None
        """The last one that was."""
        self._unsettled: set[str] = set()
        """Runs up to that one which have not ended, or whose logs somebody else has, or could not be written."""
        self._stored = ""
        self._done = Compressed()

    async def round(self) -> AsyncGenerator[Compressed]:
        """Compresses what may be compressed by now, and tells after each few steps what came of it so far.

        Unavailable if the database cannot be used; another round goes on there.
        """
        self._done = Compressed()
        for pages in (self._new_logs(), self._logs_of(sorted(self._unsettled))):
            async for runs in pages:
                # First, so that none is forgotten if this breaks off.
                self._unsettled.update(logs[0].run for logs in runs)
                for logs in runs:
                    if self._done.failures < _MOST_FAILURES and await self._settle(logs):
                        yield self._done
                await self._store_position()
                yield self._done
                if self._done.failures >= _MOST_FAILURES:
                    return

    async def _new_logs(self) -> AsyncGenerator[list[list[RecordedLog]]]:
        """All logs of each run, of those that were not looked at yet, and are old enough."""
        if self._start is None:
            stored = await self._log_store.compression_position()
            # What is no identifier was written by somebody else: everything is looked at.
            self._start = self._stored = stored if RUN_IDENTIFIER.fullmatch(stored) else ""
        young = first_run_identifier(to_microseconds(self._clock.now() - _SETTLED) // 1000)
        where = (
            Condition("identifier", Operator.GREATER_EQUAL, self._start),
            Condition("identifier", Operator.LESS, young),
        )
        while True:
            after = None if self._last is None else (self._last,)
            rows = await self._storage.find(Find(RUNS.name, where, (Order("identifier"),), after, _AT_ONCE))
            if not rows:
                return
            self._last = text(rows[-1], "identifier")
            yield [run_logs_from_row(row) for row in rows]

    async def _logs_of(self, unsettled: Sequence[str]) -> AsyncGenerator[list[list[RecordedLog]]]:
        for start in range(0, len(unsettled), _AT_ONCE):
            some = unsettled[start : start + _AT_ONCE]
            named = (among("identifier", some),)
            rows = await self._storage.find(Find(RUNS.name, named, (Order("identifier"),), limit=_AT_ONCE))
            self._unsettled.difference_update(some)  # also those that are gone
            yield [run_logs_from_row(row) for row in rows]

    async def _settle(self, logs: Sequence[RecordedLog]) -> bool:
        """Whether one of these, which are all of a run, was compressed."""
        run = logs[0].run
        if not all(log.status.is_terminal for log in logs):
            return False
        results: list[Compression] = []
        try:
            results.extend([await self._compress(log) for log in logs if is_worth_compressing(log)])
        except Unavailable as error:
            self._done = replace(self._done, failures=self._done.failures + 1)
            _logger.warning("The log of run %s is not compressed for now: %s", run, error)
        else:
            if Compression.BUSY not in results:
                self._unsettled.discard(run)
        return Compression.DONE in results

    async def _compress(self, log: RecordedLog) -> Compression:
        assert log.facts.sha256 is not None
        key = LogKey(log.project, log.run, log.attempt)
        before = sum(await self._log_store.occupied([key]))
        result = await self._log_store.compress(key, log.facts.size, log.facts.sha256)
        if result is Compression.DIFFERENT:
            _logger.error(
                "The log of run %s stays as it is: it is not the one of %d bytes with SHA-256 %s that it ended with.",
                log.run, log.facts.size, log.facts.sha256,
            )  # fmt: skip
        if result is Compression.DONE:
            freed = before - sum(await self._log_store.occupied([key]))
            self._done = replace(self._done, logs=self._done.logs + 1, freed=self._done.freed + freed)
        return result

    async def _store_position(self) -> None:
        position = min([*self._unsettled, *filter(None, (self._last,))], default="")
        if position > self._stored:
            await self._log_store.store_compression_position(position)
            self._stored = position
