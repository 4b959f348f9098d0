"""The index of results as masters keep it: rows for the keys that the settings name, of new runs and of old ones.

Rows are hints, and are only ever added while their key is in use: one that is stale costs a look at its run, one that
is missing would hide it. So a run's rows are written before the run, by every master that may save one. Masters learn
from the database which keys there are, and the walk through older runs begins when all of them must have learned it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.queries.parsing import parse_result_key
from job_orchestra.domain.queries.paths import Missing, Path, look_up
from job_orchestra.domain.queries.value_keys import key_of
from job_orchestra.domain.runs import Run
from job_orchestra.repositories.conditions import equal, find_everything
from job_orchestra.repositories.rows.columns import json_object, text
from job_orchestra.repositories.rows.result_keys import KeyState, ResultKey, result_key_from_row, result_key_to_row
from job_orchestra.storage.port import (
    Batch,
    Condition,
    Delete,
    Find,
    Insert,
    Operation,
    Operator,
    Order,
    Storage,
    Update,
)
from job_orchestra.storage.schema import RESULT_KEYS, RUN_VALUES, RUNS

SETTLING = 60.0
"""Seconds after which every master and service knows what became of a key, however long its last look took."""
_MOST_AGE = 20.0
"""Seconds for which a master relies on the keys that it knows."""
_NAMED_EVERY = timedelta(minutes=1)
_NAMED_NO_MORE = timedelta(minutes=10)
"""Longer than any master takes to be restarted, and than the clocks of hosts disagree."""
_RUNS_AT_ONCE = 200
_ROWS_AT_ONCE = 500


class ResultIndex:
    """`named` are the keys of the settings."""

    def __init__(self, storage: Storage, clock: Clock, named: Sequence[str] = (), settling: float = SETTLING) -> None:
        self._storage = storage
        self._clock = clock
        self._named = {path.key: path for path in map(parse_result_key, named)}
        self._settling = settling
        self._written: Mapping[str, Path] = self._named
        self._looked_at: float | None = None
        self._first_seen: dict[tuple[str, KeyState], float] = {}

    # ---------- of runs that are saved

    async def rows_of(self, before: Run, after: Run) -> list[Insert]:
        """To be written before the run: after them it may be found by its new results."""
        if after.results is before.results:
            return []
        if self._looked_at is None or _now() - self._looked_at > _MOST_AGE:
            await self._load()
        return list(_rows(after.identifier, after.results, self._written))

    async def _load(self) -> list[ResultKey]:
        started_at = _now()
        found = await find_everything(self._storage, Find(RESULT_KEYS.name, (), (Order("path"),)))
        keys = [result_key_from_row(row) for row in found]
        in_use = {key.path: parse_result_key(key.path) for key in keys if key.state is not KeyState.REMOVING}
        self._written = {**in_use, **self._named}
        self._looked_at = started_at
        seen = {(key.path, key.state) for key in keys}
        self._first_seen = {one: self._first_seen.get(one, started_at) for one in seen}
        return keys

    # ---------- of runs of before, in small steps

    async def look(self) -> bool:
        """Notes which keys are named, and does one step of filling or removing; whether there may be another one.

        Whoever dies in it, or does it at the same time, leaves a step that can be done again.
        """
        keys = await self._load()
        changes = [*self._new(keys), *self._changed(keys)]
        if changes:
            await self._storage.write(Batch(tuple(changes)))
            keys = await self._load()
        settled = [key for key in keys if self._is_settled(key)]
        return await self._fill(settled) or await self._remove(settled)

    def _new(self, keys: Sequence[ResultKey]) -> Iterable[Operation]:
        now = self._clock.now()
        for path in self._named.keys() - {key.path for key in keys}:
            row = result_key_to_row(ResultKey(path, KeyState.FILLING, "", now))
            yield Insert(RESULT_KEYS.name, row, ignore_duplicate=True)

    def _changed(self, keys: Sequence[ResultKey]) -> Iterable[Operation]:
        now = self._clock.now()
        for key in keys:
            if key.state is KeyState.REMOVING:
                continue  # to its end, also if it is named again: then it begins anew
            if key.path in self._named and now - key.named_at > _NAMED_EVERY:
                yield Update(RESULT_KEYS.name, (equal("path", key.path),), {"named_at": to_microseconds(now)}, True)
            elif key.path not in self._named and now - key.named_at > _NAMED_NO_MORE:
                where = (*_as_seen(key), equal("named_at", to_microseconds(key.named_at)))
                yield Update(RESULT_KEYS.name, where, {"state": KeyState.REMOVING.value}, optional=True)

    def _is_settled(self, key: ResultKey) -> bool:
        return _now() - self._first_seen[key.path, key.state] >= self._settling

    async def _fill(self, keys: Sequence[ResultKey]) -> bool:
        filling = [key for key in keys if key.state is KeyState.FILLING]
        if not filling:
            return False
        position = min(key.position for key in filling)
        together = [key for key in filling if key.position == position]
        behind = Condition("identifier", Operator.GREATER, position)
        runs = await self._storage.find(Find(RUNS.name, (behind,), (Order("identifier"),), limit=_RUNS_AT_ONCE))
        paths = {key.path: parse_result_key(key.path) for key in together}
        rows = [row for run in runs for row in _rows(text(run, "identifier"), json_object(run, "results"), paths)]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            await self._storage.write(Batch(tuple(rows[start : start + _ROWS_AT_ONCE])))
        # Only now: were the mark to come first, a death in between would leave runs out.
        is_end = len(runs) < _RUNS_AT_ONCE
        change = {"state": KeyState.COMPLETE.value} if is_end else {"position": text(runs[-1], "identifier")}
        marks = (Update(RESULT_KEYS.name, _as_seen(key), change, optional=True) for key in together)
        await self._storage.write(Batch(tuple(marks)))
        return True

    async def _remove(self, keys: Sequence[ResultKey]) -> bool:
        key = next((key for key in keys if key.state is KeyState.REMOVING), None)
        if key is None:
            return False
        path = equal("path", key.path)
        order = (Order("run"), Order("value"))
        rows = await self._storage.find(Find(RUN_VALUES.name, (path,), order, limit=_ROWS_AT_ONCE))
        if rows:
            some = (path, Condition("run", Operator.LESS_EQUAL, text(rows[-1], "run")))
            await self._storage.write(Batch((Delete(RUN_VALUES.name, some),)))
        else:
            await self._storage.write(Batch((Delete(RESULT_KEYS.name, _as_seen(key)),)))
        return True


def _rows(run: str, results: JsonObject, paths: Mapping[str, Path]) -> Iterable[Insert]:
    for name, path in paths.items():
        value = look_up(results, path.steps)
        if not isinstance(value, Missing):
            row = {"path": name, "value": key_of(value), "run": run}
            yield Insert(RUN_VALUES.name, row, ignore_duplicate=True)


def _as_seen(key: ResultKey) -> tuple[Condition, ...]:
    """Compare and set: of two masters that do the same step, one moves the mark."""
    return (equal("path", key.path), equal("state", key.state.value), equal("position", key.position))


def _now() -> float:
    return asyncio.get_running_loop().time()
