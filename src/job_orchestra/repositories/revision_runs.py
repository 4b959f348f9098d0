"""The runs of some revisions: those whose results name one, found along the index of results, or that are to build it.

A run says which it has to do with by its result `revision_control.revision`, and until it has results by its parameter
`revision`. What is looked at is bounded, whatever the history.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest

from job_orchestra.domain.json import JsonValue
from job_orchestra.domain.queries.value_keys import key_of
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import ACTIVE, RunStatus
from job_orchestra.repositories.conditions import among, equal
from job_orchestra.repositories.rows.columns import text
from job_orchestra.repositories.rows.runs import run_from_row
from job_orchestra.storage.port import Find, Order, Row, Storage
from job_orchestra.storage.schema import RUN_VALUES, RUNS

REVISION_KEY = "revision_control.revision"
"""Of results; always indexed."""
_MOST_OF_ONE = 100
_MOST = 500
_MOST_UNFINISHED = 200
_FIRST_AT_ONCE = 4
_MOST_AT_ONCE = 16
_LIGHT = 1 << 20
"""Bytes of runs that are read at once: after more of them fewer are."""
_MOST_BYTES = 32 << 20
"""Of the runs that are read for one answer, of those that have ended and of the others, each."""
_NEWEST_FIRST = Order("run", descending=True)


@dataclass(frozen=True, slots=True)
class RunsOfRevision:
    runs: tuple[Run, ...]
    """Newest first, without their results."""
    is_complete: bool
    """False: there are others that nobody looked at."""


class RevisionRuns:
    def __init__(
        self, storage: Storage, most_of_one: int = _MOST_OF_ONE, most: int = _MOST, most_bytes: int = _MOST_BYTES
    ) -> None:
        self._storage = storage
        self._most_of_one = most_of_one
        self._most = most
        self._most_bytes = most_bytes

    async def find(self, project: str, revisions: Sequence[str]) -> dict[str, RunsOfRevision]:
        """By revision, for each of these."""
        # First those that have not ended: one that does so meanwhile is found by its results.
        unfinished = _Reading(self._storage, project, self._most_bytes)
        are_all = await self._read_unfinished(unfinished)
        named = await self._named(revisions)
        taken = _in_turns([runs[: self._most_of_one] for runs in named], self._most)
        ended = _Reading(self._storage, project, self._most_bytes)
        await self._read_these(ended, [run for run in taken if run not in unfinished.looked_at])
        looked_at = unfinished.looked_at | ended.looked_at
        of_revision: dict[str, dict[str, Run]] = {revision: {} for revision in revisions}
        for revision, run in (*ended.found, *unfinished.found):
            if revision in of_revision:
                of_revision[revision][run.identifier] = run
        return {
            revision: RunsOfRevision(
                tuple(runs[identifier] for identifier in sorted(runs, reverse=True)),
                are_all and looked_at.issuperset(all_of_it),
            )
            for (revision, runs), all_of_it in zip(of_revision.items(), named, strict=True)
        }

    async def _named(self, revisions: Sequence[str]) -> list[list[str]]:
        """For each revision what the index has, newest first, and one more than is looked at."""
        finds = [
            Find(
                RUN_VALUES.name,
                (equal("path", REVISION_KEY), equal("value", key_of(revision))),
                (_NEWEST_FIRST,),
                limit=self._most_of_one + 1,
            )
            for revision in revisions
        ]
        pages = await self._storage.find_all(finds) if finds else []
        return [[text(row, "run") for row in rows] for rows in pages]

    async def _read_unfinished(self, reading: _Reading) -> bool:
        """The newest ones of each status; whether there was room for them."""
        for status in (status for status in RunStatus if status in ACTIVE):
            where = (equal("project", reading.project), equal("status", status.value))
            query = Find(RUNS.name, where, (Order("identifier", descending=True),))
            left = _MOST_UNFINISHED
            while left:
                if reading.is_over:
                    return False
                size = min(reading.at_once, left)
                rows = await reading.read(replace(query, limit=size))
                if len(rows) < size:
                    break
                left -= size
                query = replace(query, after=(rows[-1],))
        return True

    async def _read_these(self, reading: _Reading, runs: Sequence[str]) -> None:
        place = 0
        while place < len(runs) and not reading.is_over:
            some = runs[place : place + reading.at_once]
            # Without an order, for which PostgreSQL may walk through history.
            await reading.read(Find(RUNS.name, (among("identifier", some),), limit=len(some)))
            reading.looked_at.update(some)  # also those that are gone
            place += len(some)


class _Reading:
    """Reads few runs at a time, as the results of each may take megabytes, and keeps none of these."""

    def __init__(self, storage: Storage, project: str, most_bytes: int) -> None:
        self.project = project
        self.at_once = _FIRST_AT_ONCE
        self.found: list[tuple[str | None, Run]] = []
        """Those of the project, each with the revision that it belongs to."""
        self.looked_at: set[str] = set()
        self._storage = storage
        self._left = most_bytes

    @property
    def is_over(self) -> bool:
        return self._left <= 0

    async def read(self, query: Find) -> list[str]:
        """Which ones these are, in the order of the query."""
        rows = await self._storage.find(query)
        # In a thread: nobody else shall wait for large ones.
        size = await asyncio.to_thread(self._keep, rows)
        self._left -= size
        self.at_once = min(2 * self.at_once, _MOST_AT_ONCE) if size <= _LIGHT else max(1, self.at_once // 2)
        identifiers = [text(row, "identifier") for row in rows]
        self.looked_at.update(identifiers)
        return identifiers

    def _keep(self, rows: Sequence[Row]) -> int:
        for row in rows:
            if row["project"] == self.project:
                run = run_from_row(row)
                self.found.append((_revision_of(run), replace(run, results={})))
        return sum(len(json.dumps(row[column])) for row in rows for column in ("results", "request"))


def _revision_of(run: Run) -> str | None:
    """Rows of the index may be stale: what counts is what the run says now."""
    control = run.results.get("revision_control")
    value: JsonValue = control.get("revision") if isinstance(control, dict) else None
    if value is None and not run.status.is_terminal:
        value = run.request.parameters.get("revision")
    return value if isinstance(value, str) else None


def _in_turns(lists: Sequence[Sequence[str]], most: int) -> list[str]:
    """The first item of each list, the second of each, and so on: no more than `most` together."""
    turns = (item for turn in zip_longest(*lists) for item in turn if item is not None)
    return list(dict.fromkeys(islice(turns, most)))
