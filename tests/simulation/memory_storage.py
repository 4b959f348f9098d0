"""The storage port in memory. The suite in `tests/storage` holds it to what the real databases do."""

from __future__ import annotations

import asyncio
import json
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

from job_orchestra.storage.port import (
    Batch,
    Condition,
    Count,
    Delete,
    Find,
    Insert,
    Operation,
    Operator,
    Outcome,
    Row,
    StorageUnavailable,
    Update,
    Value,
)
from job_orchestra.storage.schema import COLLECTIONS, RUNS, Collection, Column, ColumnType

T = TypeVar("T")

Key: TypeAlias = tuple[Value, ...]
Stored: TypeAlias = dict[str, Any]
"""A row as it is kept: never changed, only replaced; JSON as text."""

_to_json = json.JSONEncoder(allow_nan=False).encode

_COMPARISONS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.LESS: lambda left, right: left is not None and left < right,
    Operator.LESS_EQUAL: lambda left, right: left is not None and left <= right,
    Operator.GREATER: lambda left, right: left is not None and left > right,
    Operator.GREATER_EQUAL: lambda left, right: left is not None and left >= right,
    Operator.IN: lambda left, right: left in right,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One row that a batch has changed; None where there was, or is, none."""

    collection: str
    before: Stored | None
    after: Stored | None


@dataclass(slots=True)
class _Table:
    collection: Collection
    columns: dict[str, Column]
    json_columns: tuple[str, ...]
    rows: dict[Key, Stored] = field(default_factory=dict[Key, Stored])

    @classmethod
    def of(cls, collection: Collection) -> _Table:
        columns = {column.name: column for column in collection.columns}
        return cls(collection, columns, tuple(c.name for c in collection.columns if c.type is ColumnType.JSON))

    def column(self, name: str) -> Column:
        try:
            return self.columns[name]
        except KeyError:
            raise KeyError(f"collection {self.collection.name} has no column {name}") from None

    def key_of(self, row: Stored) -> Key:
        return tuple(row[name] for name in self.collection.key)

    def decoded(self, row: Stored) -> Row:
        decoded = dict(row)
        for name in self.json_columns:
            if decoded[name] is not None:
                decoded[name] = json.loads(decoded[name])
        return decoded


class MemoryDatabase:
    """What outlives every process. Each call is carried out at once and whole."""

    def __init__(self) -> None:
        self._tables = {collection.name: _Table.of(collection) for collection in COLLECTIONS}
        self.on_changes: Callable[[Sequence[Change]], None] = lambda _: None
        """Hears of what each batch that was applied has changed."""

    def copy(self) -> MemoryDatabase:
        """Another database with the same rows."""
        copied = MemoryDatabase()
        for name, table in self._tables.items():
            copied.table(name).rows.update(table.rows)
        return copied

    def table(self, name: str) -> _Table:
        try:
            return self._tables[name]
        except KeyError:
            raise KeyError(f"there is no collection {name}") from None

    def find(self, query: Find) -> list[Row]:
        table = self.table(query.collection)
        _check_find(table, query)
        found = self._matching(table, query.where)
        for order in reversed(query.order):
            found.sort(key=operator.itemgetter(order.column), reverse=order.descending)
        if query.after is not None:
            found = [row for row in found if _is_behind(row, query)]
        return [table.decoded(row) for row in found[: query.limit]]

    def count(self, query: Count) -> int:
        table = self.table(query.collection)
        _check_conditions(table, query.where)
        return min(len(self._matching(table, query.where)), query.at_most)

    def write(self, batch: Batch) -> Outcome:
        """All of it or nothing."""
        changes: list[Change] = []
        counts: list[int] = []
        # All are looked at before the first is carried out: a mistake of the program changes nothing.
        encoded = [_encoded_operation(self.table(one.collection), one) for one in batch.operations]
        for place, operation in enumerate(batch.operations):
            made = self._change(self.table(operation.collection), operation, encoded[place])
            if made is None:
                for change in reversed(changes):
                    self._replace(Change(change.collection, change.after, change.before))
                return Outcome((*counts, 0), failed_at=place)
            for change in made:
                self._replace(change)
            changes += made
            counts.append(len(made))
        if changes:
            self.on_changes(changes)
        return Outcome(tuple(counts))

    def _matching(self, table: _Table, where: Sequence[Condition]) -> list[Stored]:
        tests = [(each.column, _COMPARISONS[each.operator], each.value) for each in where]
        by_name = {each.column: each.value for each in where if each.operator is Operator.EQUAL}
        rows = table.rows
        if by_name and all(name in by_name for name in table.collection.key):
            row = rows.get(tuple(by_name[name] for name in table.collection.key))
            candidates = [] if row is None else [row]
        else:
            candidates = list(rows.values())
        return [row for row in candidates if all(compare(row[name], value) for name, compare, value in tests)]

    def _change(self, table: _Table, operation: Operation, encoded: Stored) -> list[Change] | None:
        """None if it does not match, which ends the batch."""
        name = operation.collection
        match operation:
            case Insert():
                if self._is_taken(table, encoded):
                    return [] if operation.ignore_duplicate else None
                return [Change(name, None, encoded)]
            case Update():
                matching = self._matching(table, operation.where)
                if not matching and not operation.optional:
                    return None
                if any(self._is_taken(table, {**row, **encoded}, row) for row in matching):
                    return None
                return [Change(name, row, {**row, **encoded}) for row in matching]
            case Delete():
                return [Change(name, row, None) for row in self._matching(table, operation.where)]

    def _is_taken(self, table: _Table, row: Stored, before: Stored | None = None) -> bool:
        """Whether a new row, or what becomes of the one `before`, has a key of another."""
        if before is None and table.key_of(row) in table.rows:
            return True
        for index in table.collection.indexes:
            values = tuple(row[name] for name in index.columns)
            is_kept = before is not None and all(row[name] == before[name] for name in index.columns)
            if index.is_unique and not is_kept and None not in values and values in _values(table, index.columns):
                return True
        return False

    def _replace(self, change: Change) -> None:
        table = self.table(change.collection)
        if change.before is not None:
            del table.rows[table.key_of(change.before)]
        if change.after is not None:
            table.rows[table.key_of(change.after)] = change.after


def _values(table: _Table, columns: Sequence[str]) -> Iterator[Key]:
    return (tuple(row[name] for name in columns) for row in table.rows.values())


class Passage(Protocol):
    """The way from a process to its storage and back: how long it takes, and what becomes of it."""

    async def carry(self, work: Callable[[], T], what: str) -> T: ...


class Straight:
    """Nothing ever happens on the way."""

    async def carry(self, work: Callable[[], T], what: str) -> T:
        await asyncio.sleep(0)
        return work()


class MemoryStorage:
    """Implements `storage.port.Storage` for one process; several may share a database."""

    def __init__(self, database: MemoryDatabase, passage: Passage | None = None) -> None:
        self._database = database
        self._passage = passage or Straight()
        self._under_way = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._is_closed = False

    @property
    def commits_batches_whole(self) -> bool:
        return True

    async def find(self, query: Find) -> list[Row]:
        return await self._carry(lambda: self._database.find(query), f"find {query.collection}")

    async def find_all(self, queries: Sequence[Find]) -> list[list[Row]]:
        if not queries:
            return []
        return await self._carry(lambda: [self._database.find(query) for query in queries], "find all")

    async def count(self, query: Count) -> int:
        return await self._carry(lambda: self._database.count(query), f"count {query.collection}")

    async def write(self, batch: Batch) -> Outcome:
        if not batch.operations:
            return Outcome()
        written = [operation.collection for operation in batch.operations]
        # Named by what it does to runs, if anything, whatever that is provided with.
        name = RUNS.name if RUNS.name in written else written[0]
        return await self._carry(lambda: self._database.write(batch), f"write {name}")

    async def close(self) -> None:
        self._is_closed = True
        await self._is_idle.wait()

    async def _carry(self, work: Callable[[], T], what: str) -> T:
        if self._is_closed:
            raise StorageUnavailable("The database in memory was closed: this process is ending.")
        self._under_way += 1
        self._is_idle.clear()
        try:
            return await self._passage.carry(work, what)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._is_idle.set()


def _check_find(table: _Table, query: Find) -> None:
    _check_conditions(table, query.where)
    for order in query.order:
        if table.column(order.column).type is ColumnType.JSON:
            raise TypeError(f"column {order.column} is JSON and cannot be in an order")
    if query.after is not None:
        if not query.order or len(query.after) != len(query.order):
            raise ValueError(f"a page of {query.collection} takes one value for each column of its order")
        for order, value in zip(query.order, query.after, strict=True):
            if value is None:
                raise TypeError(f"column {order.column} takes no None as the place of a page")
            _encode(table.column(order.column), value)
    if query.limit < 0:
        raise ValueError(f"a limit is not negative: {query.limit}")


def _is_behind(row: Stored, query: Find) -> bool:
    assert query.after is not None
    for order, place in zip(query.order, query.after, strict=True):
        if row[order.column] != place:
            return bool((row[order.column] < place) == order.descending)
    return False


def _encoded_operation(table: _Table, operation: Operation) -> Stored:
    """The new row, or the new values of the rows that match."""
    match operation:
        case Insert():
            for name in operation.row:
                table.column(name)
            return _encoded(table, {n: operation.row.get(n, c.default) for n, c in table.columns.items()})
        case Update():
            if not operation.changes:
                raise ValueError(f"an update of {operation.collection} changes at least one column")
            _check_conditions(table, operation.where)
            return _encoded(table, operation.changes)
        case Delete():
            _check_conditions(table, operation.where)
            return {}


def _check_conditions(table: _Table, where: Sequence[Condition]) -> None:
    for each in where:
        column = table.column(each.column)
        if column.type is ColumnType.JSON:
            raise TypeError(f"column {column.name} is JSON and cannot be in a condition")
        if each.operator is Operator.IN:
            if not isinstance(each.value, list):
                raise TypeError(f"the condition on {column.name} takes a list for {each.operator.value!r}")
            for value in each.value:
                if value is not None:
                    _encode(column, value)
        elif each.value is not None:
            _encode(column, each.value)
        elif each.operator not in (Operator.EQUAL, Operator.NOT_EQUAL):
            raise TypeError(f"the condition on {column.name} compares None with {each.operator.value!r}")


def _encoded(table: _Table, row: Row) -> Stored:
    encoded = {name: _encode(table.column(name), value) for name, value in row.items()}
    for name, value in encoded.items():
        longest = table.columns[name].longest
        if longest is not None and isinstance(value, str) and len(value) > longest:
            raise ValueError(f"column {name} takes at most {longest} characters, not {len(value)}")
    return encoded


_TYPES: Mapping[ColumnType, tuple[type, ...]] = {
    ColumnType.TEXT: (str,),
    ColumnType.INTEGER: (int,),
    ColumnType.NUMBER: (int, float),
    ColumnType.BOOLEAN: (bool,),
}


def _encode(column: Column, value: Value) -> Any:
    """What is kept; TypeError or ValueError for what does not belong there."""
    kind = column.type
    if value is None and (column.is_nullable or kind is not ColumnType.JSON):
        if not column.is_nullable:
            raise TypeError(f"column {column.name} takes no None")
        return None
    if kind is ColumnType.JSON:
        try:
            return _to_json(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"column {column.name} takes JSON data only: {error}") from error
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind is not ColumnType.BOOLEAN):
        raise TypeError(f"column {column.name} takes {kind.value}, not {type(value).__name__}")
    if kind is ColumnType.NUMBER:
        number = float(value) + 0.0  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        if not math.isfinite(number):
            raise ValueError(f"column {column.name} takes no {number}")
        return number
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError(f"column {column.name} takes no text with the character NUL")
        value.encode()
        return str.__str__(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"column {column.name} takes no integer of more than 64 bits")
    return value
