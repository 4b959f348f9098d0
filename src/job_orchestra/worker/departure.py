"""What a worker does between being told to stop and leaving, as far as its runs are concerned."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from job_orchestra.domain.stopping import OnStop
from job_orchestra.worker.run_keeper import RunKeeper

_logger = logging.getLogger(__name__)

_HINDRANCE = "is about to stop"
_REFUSAL = "The worker is to stop, and takes no new runs."


class Departure:
    """`on_stop` may be changed at any time: from draining to aborting, say."""

    def __init__(self, on_stop: OnStop, patience: float) -> None:
        """`patience`: seconds without progress after which what is not delivered is left to the next worker."""
        self._on_stop = on_stop
        self._patience = patience
        self._something_happened = asyncio.Event()

    def change(self, on_stop: OnStop) -> None:
        self._on_stop = on_stop
        self.note()

    def note(self) -> None:
        """Something about a run has changed."""
        self._something_happened.set()

    async def carry_out(self, keeper: RunKeeper, tell: Callable[[str], None]) -> None:
        """Returns when the worker may leave; `tell` hears why it takes no more runs."""
        if self._keeps_runs():
            return
        keeper.refuse_new(_REFUSAL)
        tell(_HINDRANCE)
        _logger.info("Told to stop: %d runs are to be %s.", keeper.unended(), self._verb())
        await self._wait_for_ends(keeper)
        if not self._keeps_runs():
            keeper.retire_hosts()
            await self._wait_for_delivery(keeper)

    async def _wait_for_ends(self, keeper: RunKeeper) -> None:
        while not self._keeps_runs() and keeper.unended():
            self._something_happened.clear()
            if self._on_stop is OnStop.ABORT:
                keeper.abort_all()
            await self._something_happened.wait()

    async def _wait_for_delivery(self, keeper: RunKeeper) -> None:
        while left := len(list(keeper.runs)):
            self._something_happened.clear()
            try:
                await asyncio.wait_for(self._something_happened.wait(), self._patience)
            except TimeoutError:
                _logger.warning("%d runs are not completely stored by the master: the next worker sees to that.", left)
                return

    def _keeps_runs(self) -> bool:
        return self._on_stop is OnStop.KEEP

    def _verb(self) -> str:
        return "waited for" if self._on_stop is OnStop.DRAIN else "aborted"
