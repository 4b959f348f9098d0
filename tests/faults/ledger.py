"""The tally that the commands themselves keep, read as it grows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from job_orchestra.protocol.run_key import RunKey

_INTERVAL = 0.005


class Place(NamedTuple):
    key: RunKey
    step: str


@dataclass(slots=True)
class Entry:
    """What one command told."""

    starts: int = 0
    written: int = 0
    """Bytes that it knew to be written when it told so last."""
    is_ended: bool = False
    overlaps: int = 0


class Ledger:
    def __init__(self, path: Path) -> None:
        path.touch()
        self._file = path.open("rb")
        self._rest = b""
        self.entries: dict[Place, Entry] = {}
        self.started: dict[str, float] = {}
        """Runs of which a command has started, and when that was seen."""
        self.changed_at = time.monotonic()

    def read(self) -> None:
        """What was appended since."""
        content = self._rest + self._file.read()
        *lines, self._rest = content.split(b"\n")
        for line in lines:
            self._enter(line.decode())

    def _enter(self, line: str) -> None:
        step, run, attempt, word, amount = line.split(" ")
        entry = self.entries.setdefault(Place(RunKey(run, int(attempt)), step), Entry())
        match word:
            case "start":
                entry.starts += 1
                self.changed_at = time.monotonic()
                self.started.setdefault(run, self.changed_at)
            case "wrote":
                entry.written = int(amount)
            case "overlap":
                entry.overlaps += 1
            case _:
                entry.is_ended = True

    async def wait_for(self, condition: Callable[[], bool], patience: float) -> bool:
        """Whether it came true before nothing had started for `patience` seconds."""
        began = time.monotonic()
        while True:
            self.read()
            if condition():
                return True
            if time.monotonic() - max(began, self.changed_at) > patience:
                return False
            await asyncio.sleep(_INTERVAL)

    def attempts_of(self, run: str) -> set[int]:
        return {place.key.attempt for place in self.entries if place.key.run == run}

    def close(self) -> None:
        self._file.close()
