"""What transformers make of a run's results when they are read. What is stored never changes.

Transformers are users' code: each gets a copy of its own, in a thread beside the event loop, for a limited time. One
that fails, in whichever way, is named in the answer, and the results are what the others made of them.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Protocol

from job_orchestra.domain.checking import Reader, read_all
from job_orchestra.domain.definition_data import MOST_RESULTS_SIZE
from job_orchestra.domain.json import JsonObject, is_longer
from job_orchestra.domain.places import Place
from job_orchestra.domain.runs import Run

_logger = logging.getLogger(__name__)

TIME_LIMIT = 2.0
"""Seconds, for all transformers of one answer together."""
_MOST_AT_ONCE = 8
_LONGEST_TEXT = 300


class ResultTransformer(Protocol):
    """Called each time that results are read, in any thread, several at a time: be quick, and keep nothing."""

    @property
    def name(self) -> str:
        """Stands in messages where it fails."""
        ...

    def transform(self, run: Run, results: JsonObject) -> JsonObject:
        """The results as they are to be shown; `results` is a copy that may be changed, of what earlier ones made."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    transformer: str
    message: str


@dataclass(frozen=True, slots=True)
class Transformed:
    results: JsonObject
    failures: tuple[Failure, ...] = ()


class Transformation:
    def __init__(self, transformers: Sequence[ResultTransformer] = (), time_limit: float = TIME_LIMIT) -> None:
        self._transformers = transformers
        self._time_limit = time_limit
        self._working = 0
        """Threads under way, those among them that nobody waits for any more."""
        self._told: dict[str, str] = {}

    async def apply(self, run: Run) -> Transformed:
        """Never raises for what a transformer does; returns within the time limit."""
        if not self._transformers or not run.results:
            return Transformed(run.results)
        if self._working >= _MOST_AT_ONCE:
            return Transformed(run.results, (Failure("all", "too many transformers are still at work"),))
        done = await self._work(_Chain(run, self._transformers))
        for failure in done.failures:
            self._tell(run, failure)
        return done

    async def _work(self, chain: _Chain) -> Transformed:
        loop, is_done = asyncio.get_running_loop(), asyncio.Event()
        self._working += 1

        def end() -> None:
            self._working -= 1
            is_done.set()

        def work() -> None:
            try:
                chain.carry_out()
            finally:
                # The loop may be closed: whoever waited is gone with it.
                if not loop.is_closed():
                    loop.call_soon_threadsafe(end)

        # Not one of a pool: a transformer that never returns must not keep the service from ending.
        Thread(target=work, name="transform results", daemon=True).start()
        try:
            async with asyncio.timeout(self._time_limit):
                await is_done.wait()
        except TimeoutError:
            return chain.given_up(f"has not returned within {self._time_limit:g} seconds")
        return chain.done

    def _tell(self, run: Run, failure: Failure) -> None:
        """Once, until it says something else: pages are read again and again."""
        if self._told.get(failure.transformer) != failure.message:
            self._told[failure.transformer] = failure.message
            _logger.warning(
                "Transformer %s fails, first for run %s: %s", failure.transformer, run.identifier, failure.message
            )


class _Chain:
    """Transformers one after the other; another thread may look how far they are."""

    def __init__(self, run: Run, transformers: Sequence[ResultTransformer]) -> None:
        self.done = Transformed(run.results)
        self._run = run
        self._transformers = transformers
        self._present = ""
        self._is_given_up = False

    def carry_out(self) -> None:
        for transformer in self._transformers:
            if self._is_given_up:
                return
            self._present = _name_of(transformer)
            try:
                self.done = Transformed(self._made_by(transformer), self.done.failures)
            except BaseException as error:  # users' code may raise anything; it concerns this transformer alone
                self.done = self._failed(_told_by(error))

    def given_up(self, message: str) -> Transformed:
        """What there is; nobody wants what is made from here on."""
        self._is_given_up = True
        return self._failed(message)

    def _made_by(self, transformer: ResultTransformer) -> JsonObject:
        # Through JSON: copies what is nested. What comes back is held to what commands may save, so it can be sent.
        made = transformer.transform(self._run, json.loads(json.dumps(self.done.results)))
        if not isinstance(made, dict):
            raise TypeError(f"it returned {type(made).__name__}, not an object of results")
        # Looked at first: while JSON is copied no other thread has its turn, and the service stands still.
        if is_longer(made, MOST_RESULTS_SIZE):
            raise ValueError(f"it returned results of more than {MOST_RESULTS_SIZE >> 20} MiB")
        return read_all(json.loads(json.dumps(made, allow_nan=False)), Reader.json_object, Place(step="results"))

    def _failed(self, message: str) -> Transformed:
        return Transformed(self.done.results, (*self.done.failures, Failure(self._present, _sendable(message))))


def _name_of(transformer: ResultTransformer) -> str:
    try:
        return _sendable(f"{transformer.name}")
    except BaseException:  # users' code, too
        return type(transformer).__name__


def _told_by(error: BaseException) -> str:
    kind = type(error).__name__
    try:
        return f"{kind}: {error}".rstrip(": ")
    except BaseException:  # what it says is made by users' code, too
        return kind


def _sendable(text: str) -> str:
    """Names of files may have brought halves of surrogate pairs into it, which cannot be sent."""
    return text[:_LONGEST_TEXT].encode(errors="backslashreplace").decode()
