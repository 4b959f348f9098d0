"""What others are asked in the background: whoever wants to know is told what is known, and never waits for long.

Each question is asked once at a time, and so is each place; a place that failed is left alone for a while. What was
known before stays known, with its age and with what went wrong since.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import NotFound

Value = TypeVar("Value")

_logger = logging.getLogger(__name__)

_FIRST_DELAY = 5.0
_LONGEST_DELAY = 300.0


class AskingFailed(Exception):
    """A place gave no answer; str() is a sentence."""

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Failure:
    sentence: str
    at: datetime


@dataclass(frozen=True)  # without slots, with which Known[T](...) fails in Python 3.11
class Known(Generic[Value]):
    """What is known now."""

    value: Value | None
    """None: nothing yet."""
    fetched_at: datetime | None
    age: float | None
    """Seconds since then."""
    is_fetching: bool
    """Whether a newer answer is on its way."""
    failure: Failure | None
    """Of the last attempt, if that was one."""


@dataclass(slots=True)
class Patience:
    """Of one request: how many seconds it waits in all, from when on, where nothing is known and where something is."""

    since: float
    first: float
    again: float

    def until(self, asked_at: float, is_known: bool) -> float:
        """For an answer that has been on its way since then: who comes late waits for the rest of the time only."""
        return self.since + self.again if is_known else min(self.since, asked_at) + self.first


@dataclass(eq=False, slots=True)
class Place:
    """Something that is asked, one question at a time."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    failure: Failure | None = None
    failures: int = 0
    """One after the other."""
    rests_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Key:
    subject: str
    question: tuple[object, ...]


@dataclass(eq=False, slots=True)
class _Entry:
    value: Any = None
    fetched_at: datetime | None = None
    """Of the value."""
    missing: Failure | None = None
    """The last answer, if that was that there is no such thing (any more)."""
    fetched: float | None = None
    task: asyncio.Task[None] | None = None
    asked_at: float = 0.0


class BackgroundAnswers:
    """Keeps the `most` answers asked for last; asks `at_once` places, each for at most `time_limit` seconds."""

    def __init__(self, clock: Clock, most: int = 500, at_once: int = 16, time_limit: float = 420.0) -> None:
        self._clock = clock
        self._most = most
        self._time_limit = time_limit
        self._slots = asyncio.Semaphore(at_once)
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()

    async def ask(
        self,
        key: Key,
        place: Place,
        question: Callable[[], Awaitable[Value]],
        fresh_for: float,
        patience: Patience,
    ) -> Known[Value]:
        """NotFound if that was the answer, and nothing was known before."""
        entry = self._entry(key)
        now = asyncio.get_running_loop().time()
        is_fresh = entry.fetched is not None and now - entry.fetched < fresh_for
        if not is_fresh and entry.task is None and now >= place.rests_until:
            entry.task, entry.asked_at = asyncio.create_task(self._refresh(entry, place, question)), now
        if not is_fresh and entry.task is not None:
            until = patience.until(entry.asked_at, is_known=entry.fetched is not None)
            await asyncio.wait({entry.task}, timeout=max(0.0, until - now))
        return self._known(entry, place)

    def forget_freshness(self, subject: str) -> None:
        """What is known of it is asked anew when somebody wants to know it."""
        for key, entry in self._entries.items():
            if key.subject == subject and entry.fetched is not None:
                entry.fetched = float("-inf")

    async def close(self) -> None:
        tasks = [entry.task for entry in self._entries.values() if entry.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _entry(self, key: Key) -> _Entry:
        entry = self._entries.setdefault(key, _Entry())
        self._entries.move_to_end(key)
        if len(self._entries) > self._most:
            # Those that are being asked for end by themselves, as long as others can go.
            idle = (one for one, other in self._entries.items() if other.task is None and other is not entry)
            dropped = self._entries.pop(next(idle, next(iter(self._entries))))
            if dropped.task is not None:
                dropped.task.cancel()
        return entry

    async def _refresh(self, entry: _Entry, place: Place, question: Callable[[], Awaitable[object]]) -> None:
        try:
            async with place.lock:
                if asyncio.get_running_loop().time() >= place.rests_until:
                    async with self._slots:
                        await self._ask(entry, place, question)
        finally:
            entry.task = None

    async def _ask(self, entry: _Entry, place: Place, question: Callable[[], Awaitable[object]]) -> None:
        try:
            async with asyncio.timeout(self._time_limit):
                entry.value = await question()
            entry.fetched_at, entry.missing = self._clock.now(), None
        except NotFound as error:
            # Its words only: it would keep alive what it went through.
            entry.missing = Failure(str(error), self._clock.now())
        except (AskingFailed, TimeoutError) as error:
            sentence = str(error) or f"It took longer than {self._time_limit:g} seconds."
            self._fail(place, sentence, error.retry_after if isinstance(error, AskingFailed) else None)
            return
        except Exception:  # of a client of the user's: a fault in it is told like any other failure
            _logger.exception("A question in the background ended with a fault.")
            self._fail(place, "The client of the repository has a fault; the service's log has the details.", None)
            return
        entry.fetched = asyncio.get_running_loop().time()
        place.failure, place.failures = None, 0

    def _fail(self, place: Place, sentence: str, retry_after: float | None) -> None:
        place.failure = Failure(sentence, self._clock.now())
        delay = min(_FIRST_DELAY * 2**place.failures, _LONGEST_DELAY) if retry_after is None else retry_after
        place.failures = min(place.failures + 1, 10)
        place.rests_until = asyncio.get_running_loop().time() + delay

    def _known(self, entry: _Entry, place: Place) -> Known[Any]:
        if entry.missing is not None and entry.fetched_at is None:
            raise NotFound.saying(entry.missing.sentence)
        age = None
        if entry.fetched_at is not None:
            age = max(0.0, (self._clock.now() - entry.fetched_at).total_seconds())
        return Known(entry.value, entry.fetched_at, age, entry.task is not None, place.failure or entry.missing)
