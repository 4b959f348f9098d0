"""The way to the database or to the logs: it takes its time, breaks off before or after the deed, and goes down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from job_orchestra.storage.port import Outcome, StorageUnavailable
from tests.simulation.world import Process, World

T = TypeVar("T")

_BREAKS_OFF = 0.02
"""How often a call fails by itself, half of them after the deed."""
LAST_MOMENT = 0.2
"""Seconds for which a database still carries out what a dead process has sent; nobody starts it anew within them."""
_CALM = 0.002


class Facility:
    """The database, or the disk of the logs: how fast it is, and whether it can be used."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self._pace = world.chance.choice([0.001, 0.01, 0.1, 0.5])
        self._tail = world.chance.choice([0.0, 0.02, 0.1])
        """How often a call takes seconds."""
        self._late = world.chance.choice([0.0, 0.1, 0.6])
        """How often an answer is late, and tells of what was true some time ago."""
        self._down_until = 0.0

    def go_down(self, seconds: float) -> None:
        self.world.say(self.name, f"is down for {seconds:.2f} s")
        self._down_until = self.world.now + seconds

    def heal(self) -> None:
        self._down_until = 0.0

    @property
    def is_down(self) -> bool:
        return self.world.now < self._down_until

    def delay(self) -> float:
        chance = self.world.chance
        if not self.world.is_troubled:
            return chance.random() * _CALM
        if chance.random() < self._tail:
            return chance.random() * 6.0
        return chance.random() * self._pace

    def lateness(self) -> float:
        """Seconds from the deed to its answer."""
        return self.world.chance.random() ** 2 * 3.0 if self.world.happens(self._late) else 0.0

    def unavailable(self) -> StorageUnavailable:
        return StorageUnavailable(f"The {self.name} cannot be used (simulated).")


class Way:
    """Of one process to a facility; implements `memory_storage.Passage`."""

    def __init__(self, facility: Facility, process: Process, outlives_caller: bool) -> None:
        """`outlives_caller`: what was sent may still be carried out when the process is dead, as databases do it."""
        self._facility = facility
        self._process = process
        self._outlives_caller = outlives_caller

    async def carry(self, work: Callable[[], T], what: str) -> T:
        self._process.check_alive()
        world = self._facility.world
        answer: asyncio.Future[T] = world.loop.create_future()
        world.after(self._facility.delay(), lambda: self._arrive(work, what, answer))
        result = await answer
        self._process.check_alive()
        return result

    def _arrive(self, work: Callable[[], T], what: str, answer: asyncio.Future[T]) -> None:
        world = self._facility.world
        is_dead = not self._process.is_alive
        if is_dead and not (self._outlives_caller and world.now < self._process.died_at + LAST_MOMENT):
            return
        is_broken = self._facility.is_down or world.happens(_BREAKS_OFF)
        is_done = not is_broken or (not self._facility.is_down and world.chance.random() < 0.5)
        outcome: T | Exception
        try:
            outcome = work() if is_done else self._facility.unavailable()
        except Exception as error:  # a mistake of the program: for the caller
            outcome = error
        if world.is_traced:
            note = "" if is_done else " (not done)"
            note += " (answer lost)" if is_broken and is_done else ""
            note += " (of a dead process)" if is_dead else ""
            world.say(self._process.name, f"{what}: {_in_short(outcome)}{note}")
        if is_broken:
            outcome = self._facility.unavailable()
        if is_dead:
            return
        delay = self._facility.lateness() if what.startswith("find") else 0.0
        if delay:
            world.after(delay, lambda: self._deliver(answer, outcome))
        else:
            self._deliver(answer, outcome)

    def _deliver(self, answer: asyncio.Future[T], outcome: T | Exception) -> None:
        if answer.done():
            return
        if self._facility.is_down and self._facility.world.chance.random() < 0.5:
            outcome = self._facility.unavailable()
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)


def _in_short(outcome: object) -> str:
    match outcome:
        case Outcome():
            return f"{outcome.rows} rows" if outcome.is_applied else f"operation {outcome.failed_at} does not match"
        case list():
            return f"{len(outcome)} found"  # pyright: ignore[reportUnknownArgumentType]
        case None:
            return "done"
        case _:
            return f"{outcome!r:.100}"
