"""Commits the planned faults, each at its moment; several may be going on at a time, but one for each victim."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from tests.faults.findings import Findings
from tests.faults.ledger import Ledger
from tests.faults.plan import Fault, Victim
from tests.faults.site import Site

_PATIENCE = 60.0
"""Seconds in which something has to start, whatever is going on."""


class Storm:
    def __init__(self, site: Site, ledger: Ledger, findings: Findings, say: Callable[[str], None]) -> None:
        self._site = site
        self._ledger = ledger
        self._findings = findings
        self._say = say
        self._turns: defaultdict[Victim, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.committed: Counter[str] = Counter()

    async def blow(self, faults: Sequence[Fault]) -> None:
        """Returns when all is as it was, or on its way to it."""
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                if not await self._ledger.wait_for(lambda fault=fault: self._is_due(fault), _PATIENCE):  # type: ignore[misc]
                    self._findings.add(f"Nothing has started for {_PATIENCE:g} s before {fault}.")
                    return
                group.create_task(self._commit(fault))

    def _is_due(self, fault: Fault) -> bool:
        return len(self._ledger.started) >= fault.after_starts

    async def _commit(self, fault: Fault) -> None:
        await asyncio.sleep(fault.delay)
        async with self._turns[fault.victim]:
            self._say(str(fault))
            await self._site.suffer(fault.victim, fault.act, fault.pause)
            self.committed[f"{fault.act} {fault.victim}"] += 1
