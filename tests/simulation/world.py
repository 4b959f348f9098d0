"""What all parts of a simulated life share: virtual time, seeded chance, the trace, and who is alive."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import Any

from tests.simulation.virtual_time import VirtualClock, VirtualLoop

_process: ContextVar[Process | None] = ContextVar("process", default=None)


class Violation(AssertionError):
    """A promise is broken."""


class World:
    def __init__(self, seed: int, tell: Callable[[str], None] | None = None) -> None:
        """`tell` gets a line for each thing that happens."""
        self.chance = random.Random(seed)
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop)
        self.is_troubled = True
        """Things break; when it is over, nothing does any more."""
        self.violated: asyncio.Future[None] = self.loop.create_future()
        self._tell = tell
        self.is_traced = tell is not None
        self.loop.set_task_factory(_make_task)
        self.loop.set_exception_handler(self._on_unhandled)

    @property
    def now(self) -> float:
        return self.loop.time()

    def say(self, who: str, what: object) -> None:
        if self._tell is not None:
            self._tell(f"{self.now:9.4f}  {who:<12} {what}")

    def happens(self, probability: float) -> bool:
        """In times of trouble, and as often as that."""
        return self.is_troubled and self.chance.random() < probability

    def after(self, delay: float, action: Callable[[], None]) -> None:
        self.loop.call_later(delay, action)

    def soon(self, action: Callable[[], None], longest: float = 0.05) -> None:
        """After a random delay."""
        self.loop.call_later(self.chance.random() * longest, action)

    def violate(self, sentence: str) -> None:
        """The simulation ends with this; called from wherever it is seen, also from within the product."""
        self.say("VIOLATION", sentence)
        if not self.violated.done():
            self.violated.set_exception(Violation(sentence))

    def require(self, condition: bool, sentence: str) -> None:
        if not condition:
            self.violate(sentence)

    def _on_unhandled(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        error = context.get("exception")
        if error is None or isinstance(error, Exception):
            self.violate(f"P10: something went unhandled: {context.get('message')} {error!r}")


class Process:
    """One life of an application. When it dies, its tasks end, and what they still say or store gets nowhere."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.application = name.partition("#")[0]
        """Whose life it is."""
        self.is_alive = True
        self.died_at = 0.0
        self.on_death: list[Callable[[], None]] = []
        self.tasks: list[asyncio.Task[Any]] = []

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """As a task of this process; those that it starts are of this process, too."""
        token = _process.set(self)
        try:
            return self.world.loop.create_task(work)
        finally:
            _process.reset(token)

    def soon(self, action: Callable[[], None], longest: float = 0.05) -> None:
        """After a random delay, unless it is dead by then."""
        self.after(self.world.chance.random() * longest, action)

    def after(self, delay: float, action: Callable[[], None]) -> None:
        self.world.loop.call_later(delay, self._while_alive, action)

    def check_alive(self) -> None:
        """A dead process does nothing more: whatever of it still executes is ended as a cancelled task."""
        if not self.is_alive:
            raise asyncio.CancelledError(f"{self.name} is dead")

    def die(self) -> None:
        """As by SIGKILL. May be called twice."""
        if not self.is_alive:
            return
        self.is_alive = False
        self.died_at = self.world.now
        for tell in self.on_death:
            tell()
        for task in self.tasks:
            if not task.done():
                task.cancel()

    def _while_alive(self, action: Callable[[], None]) -> None:
        if self.is_alive:
            action()


def _make_task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
    process = _process.get()
    if process is not None:
        process.tasks.append(task)
    return task
