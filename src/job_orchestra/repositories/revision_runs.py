"""The runs of some revisions: those whose results name one, found along the index of results, or that are to build it.

A run says which it has to do with by its result `revision_control.revision`, and until it has results by its parameter
`revision`. What is looked at is bounded, whatever the history.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
_AT_ONCE = 100
_NEWEST_FIRST = Order("run", descending=True)


@dataclass(frozen=True, slots=True)
class RunsOfRevision:
    runs: tuple[Run, ...]
    """Newest first."""
    is_complete: bool
    """False: there are older ones that nobody looked at."""


class RevisionRuns:
    def __init__(self, storage: Storage, most_of_one: int = _MOST_OF_ONE, most: int = _MOST) -> None:
        self._storage = storage
        self._most_of_one = most_of_one
        self._most = most

    async def find(self, project: str, revisions: Sequence[str]) -> dict[str, RunsOfRevision]:
        """By revision, for each of these."""
        named = await self._named(revisions)
        taken = _share([runs[: self._most_of_one] for runs in named], self._most)
        unfinished = await self._unfinished(project)
        found = await self._load(project, {run for runs in taken for run in runs} - unfinished.keys())
        by_identifier = {run.identifier: run for run in found} | unfinished
        of_revision: dict[str, dict[str, Run]] = {revision: {} for revision in revisions}
        for run in by_identifier.values():
            if (revision := _revision_of(run)) in of_revision:
                of_revision[revision][run.identifier] = run
        return {
            revision: RunsOfRevision(
                tuple(runs[identifier] for identifier in sorted(runs, reverse=True)), len(used) == len(all_of_it)
            )
            for (revision, runs), all_of_it, used in zip(of_revision.items(), named, taken, strict=True)
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

    async def _unfinished(self, project: str) -> dict[str, Run]:
        """Those that have not ended, as far as they are looked at: the newest."""
        finds = [
            Find(
                RUNS.name,
                (equal("project", project), equal("status", status.value)),
                (Order("identifier", descending=True),),
                limit=_MOST_UNFINISHED,
            )
            for status in RunStatus
            if status in ACTIVE
        ]
        pages = await self._storage.find_all(finds)
        return {run.identifier: run for run in await asyncio.to_thread(_runs_of, pages, project)}

    async def _load(self, project: str, identifiers: Iterable[str]) -> list[Run]:
        """Those of them that are the project's."""
        wanted = sorted(identifiers)
        some = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]
        # Without an order, for which PostgreSQL may walk through history.
        finds = [Find(RUNS.name, (among("identifier", each),), limit=len(each)) for each in some]
        pages = await self._storage.find_all(finds) if finds else []
        # In a thread: results may be large, and nobody else shall wait for them.
        return await asyncio.to_thread(_runs_of, pages, project)


def _runs_of(pages: Sequence[Sequence[Row]], project: str) -> list[Run]:
    return [run_from_row(row) for rows in pages for row in rows if row["project"] == project]


def _revision_of(run: Run) -> str | None:
    """Rows of the index may be stale: what counts is what the run says now."""
    control = run.results.get("revision_control")
    value: JsonValue = control.get("revision") if isinstance(control, dict) else None
    if value is None and not run.status.is_terminal:
        value = run.request.parameters.get("revision")
    return value if isinstance(value, str) else None


def _share(lists: Sequence[Sequence[str]], most: int) -> list[list[str]]:
    """The first ones of each list, as evenly as they come, no more than `most` together."""
    shares: list[list[str]] = [[] for _ in lists]
    left = most
    for place in range(max(map(len, lists), default=0)):
        for share, items in zip(shares, lists, strict=True):
            if left and place < len(items):
                share.append(items[place])
                left -= 1
    return shares
