"""The port between repositories and databases: rows of plain values in collections, and what every database can do.

A unit of work is one `Batch`. Its operations are applied in order; the first that does not match (an update whose
conditions find no row or whose changes are taken, an insert whose key is taken) ends the batch. SQL databases then undo
what came before it, and what a dying process had not committed. MongoDB does neither: so the deciding operation comes
first, what follows can be repeated, and records that it must not lack are inserted with `ignore_duplicate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

from job_orchestra.domain.errors import Unavailable
from job_orchestra.domain.json import JsonObject, JsonValue

Value: TypeAlias = "None | bool | int | float | str | JsonObject | list[JsonValue]"
Row: TypeAlias = Mapping[str, Value]
"""Column to value, every column of the collection. Dates are integers: microseconds since 1970, UTC."""


class StorageUnavailable(Unavailable):
    """The database does not answer or does not take the write now; nothing of the batch was committed for certain.

    What was sent may have been committed all the same when the connection broke during the commit: repeat it only as
    compare-and-set or insert under a unique key.
    """


class Operator(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    IN = "in"
    """The value is a list; an empty list matches nothing."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one column. EQUAL and NOT_EQUAL take None as a value like any other."""

    column: str
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class Order:
    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Find:
    """Rows by key order: those `after` the values of the `order` columns, at most `limit`."""

    collection: str
    where: tuple[Condition, ...] = ()
    order: tuple[Order, ...] = ()
    """Ends with columns that make it total. No column in it is ever None."""
    after: tuple[Value, ...] | None = None
    """One value for each column of `order`; the page begins behind them."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows match, counted no further than `at_most`."""

    collection: str
    where: tuple[Condition, ...] = ()
    at_most: int = 10_000


@dataclass(frozen=True, slots=True)
class Insert:
    collection: str
    row: Row
    """Columns left out take their default (None, or that of the schema)."""
    ignore_duplicate: bool = False
    """A taken key counts as a match and changes nothing: for inserts that are repeated.

    They are harmless also if another operation ends the batch: a database that undoes nothing begins with them.
    """


@dataclass(frozen=True, slots=True)
class Update:
    """Compare and set: changes all rows that match, and does not match where there is none.

    Nor where another row has what a change would give it, and a unique index keeps that to one.
    """

    collection: str
    where: tuple[Condition, ...]
    changes: Row
    optional: bool = False
    """Matching nothing does not end the batch."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Deletes all rows that match; never ends a batch."""

    collection: str
    where: tuple[Condition, ...]


Operation: TypeAlias = Insert | Update | Delete


@dataclass(frozen=True, slots=True)
class Batch:
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a batch: how many rows each operation changed (applied or not), and which one ended it, if any."""

    rows: tuple[int, ...] = field(default=())
    failed_at: int | None = None

    @property
    def is_applied(self) -> bool:
        return self.failed_at is None


class Storage(Protocol):
    """What a database has to do. Every method raises StorageUnavailable while the database cannot be used.

    All may be called concurrently from one event loop. A call that is cancelled may still be carried out.
    """

    @property
    def commits_batches_whole(self) -> bool:
        """A batch is one commit. Where it is not, another operation in it is another wait, and is undone by nobody."""
        ...

    async def find(self, query: Find) -> list[Row]: ...

    async def find_all(self, queries: Sequence[Find]) -> list[list[Row]]:
        """Several queries in one go to the database's thread, in one snapshot where the database has such."""
        ...

    async def count(self, query: Count) -> int: ...

    async def write(self, batch: Batch) -> Outcome:
        """Durable when it returns. Batches written at the same time are committed together."""
        ...

    async def close(self) -> None:
        """Waits for what was begun; may be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class DatabaseDescription:
    product: str
    """With its version: `SQLite 3.45.1`."""
    size: int | None
    """Bytes that it takes on disk, as far as that is known at once."""


class SchemaState(StrEnum):
    MISSING = "missing"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    INCOMPLETE = "incomplete"
    """A load has begun and is not complete; no storage opens on it."""


class Snapshot(Protocol):
    """The rows of all collections as they were at one moment, whatever is written meanwhile."""

    def rows(self, collection: str) -> Iterator[Row]:
        """All, by the collection's key, fetched a few at a time; one collection after the other, not two at once."""
        ...


class Load(Protocol):
    """An empty database that is being filled."""

    def insert(self, collection: str, rows: Sequence[Row]) -> None:
        """Durable when it returns. Columns left out take their default.

        Conflict if one of them is there already by its key or a unique index, or if another load has begun meanwhile.
        """
        ...


class StorageAdministration(Protocol):
    """What `orchestra database` does; synchronous, for a process that does nothing else."""

    def create(self) -> None:
        """Creates the schema in an empty database; Conflict if there is one already."""
        ...

    def upgrade(self, tell: Callable[[str], None] = lambda _: None) -> Sequence[str]:
        """Carries out the missing migrations, and names them; Conflict if the schema is newer than the program.

        `tell` is given a line before each step. After an interruption, at whichever step, it is to be called again.
        """
        ...

    def state(self) -> SchemaState: ...

    def versions(self) -> tuple[str | None, str]:
        """Version of the schema in the database (None: there is none) and of the program."""
        ...

    def describe(self) -> DatabaseDescription:
        """Cheap, however much is in it."""
        ...

    def warnings(self) -> Sequence[str]:
        """Sentences about how the server is set up, if what was answered may be lost with it."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Conflict unless the schema is current.

        A server without snapshots (MongoDB that is no replica set) is watched instead: Conflict at the end if anything
        was written meanwhile, for rows of two moments are no export.
        """
        ...

    def check_loadable(self) -> None:
        """Conflict unless `load` would begin: names the first collection that has rows."""
        ...

    def load(self) -> AbstractContextManager[Load]:
        """Fills an empty database, which is created where there is none yet; Conflict as `check_loadable` has it.

        From before the first row until the end the database is marked INCOMPLETE, durably, with something that is this
        load's own. If the body fails or the process dies, it stays so, and the next load empties it and starts over;
        a load whose mark is replaced by another one's inserts nothing more. At the end the mark goes, and all is there.
        """
        ...
