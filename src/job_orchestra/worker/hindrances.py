"""What keeps the worker from taking new runs: several things may, and each comes and goes by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

_logger = logging.getLogger(__name__)


class Hindrances:
    """`tell` hears all of them in one sentence's predicate, whenever that changes; nothing when there is none."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._present: dict[str, str] = {}

    def of(self, cause: str) -> Callable[[str], None]:
        """What hears of that cause alone."""

        def change(sentence: str) -> None:
            before = dict(self._present)
            self._present.pop(cause, None)
            if sentence:
                self._present[cause] = sentence
            if self._present != before:
                self._tell(", and ".join(self._present.values()))

        return change


class HostWatch:
    """Notices that the executor host does not answer: somebody stopped it, or its disk hangs."""

    def __init__(
        self,
        silence: Callable[[], float],
        on_changed: Callable[[str], None],
        interval: float,
        patience: float,
    ) -> None:
        """`silence` asks the host, and tells for how many seconds it has owed an answer."""
        self._silence = silence
        self._on_changed = on_changed
        self._interval = interval
        self._patience = patience
        self._is_silent = False

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self.look()
            await asyncio.sleep(self._interval)

    def look(self) -> None:
        is_silent = self._silence() > self._patience
        if is_silent == self._is_silent:
            return
        self._is_silent = is_silent
        if is_silent:
            _logger.error("The executor host does not answer: its runs are out of reach until it does.")
        else:
            _logger.info("The executor host answers again.")
        self._on_changed("has an executor host that does not answer" if is_silent else "")
