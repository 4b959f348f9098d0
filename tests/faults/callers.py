"""Users of the service: trigger each deed once whatever breaks, follow some logs, cancel and abort some."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from job_orchestra.client.calls import jobs, runs
from job_orchestra.domain.errors import Conflict
from tests.faults.deeds import PROJECT, Deed, Wish
from tests.faults.findings import Findings
from tests.faults.ledger import Ledger
from tests.faults.lines import JOB as LINE_JOB
from tests.faults.lines import Line
from tests.faults.patience import PatientClient

_AHEAD = 16
"""So many runs more are triggered than have started."""
_STALL = 3.0
"""Nothing has started for so many seconds: some of those that were triggered will never start, for they have ended."""
_UNSTARTED = 4
_PATIENCE = 30.0
_SOME = 0.1


@dataclass(frozen=True, slots=True)
class Followed:
    """What somebody saw who followed the log of a run to its end."""

    log: bytes
    status: str
    reason: str


class Callers:
    def __init__(self, client: PatientClient, ledger: Ledger, chance: random.Random, findings: Findings) -> None:
        self._client = client
        self._ledger = ledger
        self._chance = chance
        self._findings = findings
        self.runs: dict[str, Deed] = {}
        """What each run has to do."""
        self.pipelines: dict[str, Line] = {}
        self.stopped: set[str] = set()
        """Runs whose cancellation or abort was asked for and granted."""
        self.followed: dict[str, Followed] = {}

    async def call_all(self, deeds: Sequence[Deed], lines: Sequence[Line]) -> None:
        """Returns when every deed and line has its run, and those that are followed have ended."""
        ahead = _AHEAD
        unsent = [*lines]
        async with asyncio.TaskGroup() as group:
            for sent, deed in enumerate(deeds):
                most = sent - ahead
                if not await self._ledger.wait_for(lambda most=most: len(self._ledger.started) > most, _STALL):  # type: ignore[misc]
                    ahead += _UNSTARTED
                group.create_task(self._call(deed))
                if sent % max(1, len(deeds) // (len(lines) + 1)) == 0 and unsent:
                    group.create_task(self._call_line(unsent.pop()))
            for line in unsent:
                group.create_task(self._call_line(line))

    async def _call(self, deed: Deed) -> None:
        run = await self._trigger(deed)
        if run in self.runs:
            self._findings.add(f"Deed {deed.name} got run {run}, which is that of deed {self.runs[run].name}.")
        self.runs[run] = deed
        if self._chance.random() < _SOME:
            again = await self._trigger(deed)
            if again != run:
                self._findings.add(f"Deed {deed.name} was triggered twice with one key: runs {run} and {again}.")
        await self._wish(run, deed.wish)
        if self._chance.random() < _SOME:
            await self._follow(run)

    async def _call_line(self, line: Line) -> None:
        call = jobs.trigger(PROJECT, LINE_JOB, line.parameters, idempotency_key=line.name)
        self.pipelines[(await self._client.send(call)).identifier] = line

    async def _trigger(self, deed: Deed) -> str:
        call = jobs.trigger(PROJECT, deed.job, deed.parameters, idempotency_key=deed.name)
        return (await self._client.send(call)).identifier

    async def _wish(self, run: str, wish: Wish) -> None:
        match wish:
            case Wish.NOTHING:
                return
            case Wish.CANCEL:
                call = runs.cancel(PROJECT, run)
            case Wish.ABORT:
                if not await self._ledger.wait_for(lambda: run in self._ledger.started, _PATIENCE):
                    return
                call = runs.abort(PROJECT, run)
        try:
            await self._client.send(call)
        except Conflict:
            return  # It has started or ended, or is not known to have started.
        self.stopped.add(run)

    async def _follow(self, run: str) -> None:
        log = await self._client.follow_log(PROJECT, run)
        seen = await self._client.send(runs.get(PROJECT, run))
        self.followed[run] = Followed(log, seen.status, seen.reason.code if seen.reason else "")
