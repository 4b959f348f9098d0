"""Operations of the port as SQL statements, compiled once for each form that occurs and kept.

SQLAlchemy writes the statements and the drivers execute them: its own way of executing costs several times what SQLite
itself takes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Dialect,
    Integer,
    Table,
    and_,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from job_orchestra.storage.port import Condition, Count, Delete, Find, Insert, Operation, Row, Update, Value
from job_orchestra.storage.schema import COLLECTIONS, Collection, Column, ColumnType
from job_orchestra.storage.sql import conditions
from job_orchestra.storage.sql.index_choice import index_in_order
from job_orchestra.storage.sql.tables import metadata_of
from job_orchestra.storage.values import Decoder, PlainValue, decoder, encode, encode_compared

SqlRow: TypeAlias = tuple[PlainValue, ...]

_KEPT = 2_000
_MOST_ROWS = 2**31 - 1


class RowDecoder:
    """Makes rows of the port from what a cursor fetched."""

    def __init__(self, columns: Iterable[Column]) -> None:
        columns = tuple(columns)
        self._names = tuple(column.name for column in columns)
        decoders = ((place, decoder(column)) for place, column in enumerate(columns))
        self._decoders: tuple[tuple[int, Decoder], ...] = tuple((place, it) for place, it in decoders if it)

    def __call__(self, fetched: Iterable[SqlRow]) -> list[Row]:
        rows: list[Row] = []
        for found in fetched:
            row: list[Value] = [*found]
            for place, decode in self._decoders:
                row[place] = decode(found[place])
            rows.append(dict(zip(self._names, row, strict=True)))
        return rows


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement with its values, ready for a cursor."""

    text: str
    arguments: SqlRow


@dataclass(frozen=True, slots=True)
class PreparedRows:
    """New rows of one collection, with the statement that inserts one of them."""

    collection: str
    columns: tuple[str, ...]
    text: str
    rows: Sequence[SqlRow]
    """In the order of the columns, and of the places in the statement."""


@dataclass(frozen=True, slots=True)
class PreparedFind:
    statement: Prepared
    decode: RowDecoder


@dataclass(frozen=True, slots=True)
class PreparedOperation:
    statement: Prepared
    may_fail: bool
    """Changing no row ends the batch."""
    may_collide: bool = False
    """It may be refused by a unique index, which not every database survives without a savepoint before it."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """Text with places, and for each place the number of a given value, or else a constant."""

    text: str
    places: tuple[tuple[int | None, PlainValue], ...]

    def with_values(self, given: Sequence[PlainValue]) -> Prepared:
        return Prepared(
            self.text, tuple(constant if number is None else given[number] for number, constant in self.places)
        )


class _Form:
    """What is known of a collection."""

    def __init__(self, collection: Collection, table: Table) -> None:
        self.name = collection.name
        self.collection = collection
        self.table = table
        self.columns = {column.name: column for column in collection.columns}
        self.unique_columns = collection.unique_columns
        self.decode = RowDecoder(collection.columns)

    def column(self, name: str) -> Column:
        try:
            return self.columns[name]
        except KeyError:
            raise KeyError(f"collection {self.name} has no column {name}") from None

    def new_row(self, row: Row) -> SqlRow:
        for name in row:
            self.column(name)
        return tuple([encode(column, row.get(name, column.default)) for name, column in self.columns.items()])

    def encode(self, where: Sequence[Condition]) -> list[PlainValue]:
        return [value for each in where for value in conditions.encode_condition(self.column(each.column), each)]

    def where(self, where: Sequence[Condition], parameters: conditions.Parameters) -> ColumnElement[bool]:
        return and_(True, *conditions.clauses(self.table, where, parameters))


class Statements:
    """Raises KeyError, TypeError or ValueError for what the schema does not allow. For one thread."""

    def __init__(self, dialect: Dialect, collections: Iterable[Collection] = COLLECTIONS) -> None:
        self._dialect = dialect
        collections = tuple(collections)
        tables = metadata_of(collections).tables
        self._forms = {collection.name: _Form(collection, tables[collection.name]) for collection in collections}
        self._statements: dict[Hashable, _Statement] = {}

    def find(self, query: Find) -> PreparedFind:
        form = self._form(query.collection)
        given = form.encode(query.where)
        for order in query.order:
            if form.column(order.column).type is ColumnType.JSON:
                raise TypeError(f"column {order.column} is JSON and cannot be in an order")
        if query.after is not None:
            if not query.order or len(query.after) != len(query.order):
                raise ValueError(f"a page of {form.name} takes one value for each column of its order")
            for order, value in zip(query.order, query.after, strict=True):
                if value is None:
                    raise TypeError(f"column {order.column} takes no None as the place of a page")
                given.append(encode_compared(form.column(order.column), value))
        given.append(_limit(query.limit))
        key = ("find", form.name, conditions.conditions_form(query.where), query.order, query.after is None)
        statement = self._statement(key, lambda: _find(form, query, compares_rows=self._dialect.name != "mysql"))
        return PreparedFind(statement.with_values(given), form.decode)

    def all_rows(self, collection: str) -> PreparedFind:
        """By the key, without a limit."""
        form = self._form(collection)
        statement = self._statement(("all", form.name), lambda: select(form.table).order_by(*form.table.primary_key))
        return PreparedFind(statement.with_values(()), form.decode)

    def count(self, query: Count) -> Prepared:
        form = self._form(query.collection)
        given = [*form.encode(query.where), _limit(query.at_most)]
        key = ("count", form.name, conditions.conditions_form(query.where))
        return self._statement(key, lambda: _count(form, query)).with_values(given)

    def operation(self, operation: Operation) -> PreparedOperation:
        match operation:
            case Insert():
                return PreparedOperation(self._insert(operation), may_fail=not operation.ignore_duplicate)
            case Update():
                update = self._update(operation)
                return PreparedOperation(
                    update, may_fail=not operation.optional, may_collide=self._may_collide(operation)
                )
            case Delete():
                return PreparedOperation(self._delete(operation), may_fail=False)

    def rows(self, collection: str, rows: Iterable[Row]) -> PreparedRows:
        form = self._form(collection)
        return PreparedRows(form.name, tuple(form.columns), self._insertion(form).text, [*map(form.new_row, rows)])

    def _insert(self, operation: Insert) -> Prepared:
        form = self._form(operation.collection)
        return Prepared(self._insertion(form).text, form.new_row(operation.row))

    def _insertion(self, form: _Form) -> _Statement:
        """Its places are the columns in their order."""
        return self._statement(("insert", form.name), lambda: _insert(form, self._dialect))

    def _update(self, operation: Update) -> Prepared:
        form = self._form(operation.collection)
        if not operation.changes:
            raise ValueError(f"an update of {form.name} changes at least one column")
        given = [encode(form.column(name), value) for name, value in operation.changes.items()]
        given += form.encode(operation.where)
        key = ("update", form.name, tuple(operation.changes), conditions.conditions_form(operation.where))
        return self._statement(key, lambda: _update(form, operation)).with_values(given)

    def _may_collide(self, operation: Update) -> bool:
        unique = self._form(operation.collection).unique_columns
        return any(value is not None and name in unique for name, value in operation.changes.items())

    def _delete(self, operation: Delete) -> Prepared:
        form = self._form(operation.collection)
        given = form.encode(operation.where)
        key = ("delete", form.name, conditions.conditions_form(operation.where))
        return self._statement(key, lambda: _delete(form, operation)).with_values(given)

    def _form(self, collection: str) -> _Form:
        try:
            return self._forms[collection]
        except KeyError:
            raise KeyError(f"there is no collection {collection}") from None

    def _statement(self, key: Hashable, clause: Callable[[], ClauseElement]) -> _Statement:
        statement = self._statements.get(key)
        if statement is None:
            if len(self._statements) >= _KEPT:  # lists of many lengths; hardly ever
                self._statements.clear()
            statement = self._statements[key] = _compile(clause(), self._dialect)
        return statement


def _compile(clause: ClauseElement, dialect: Dialect) -> _Statement:
    compiled: Any = clause.compile(dialect=dialect)
    constants: Mapping[str, PlainValue] = compiled.params
    names: Sequence[str] = compiled.positiontup or ()
    return _Statement(str(compiled), tuple(_place(name, constants) for name in names))


def _place(name: str, constants: Mapping[str, PlainValue]) -> tuple[int | None, PlainValue]:
    if name.startswith(conditions.GIVEN):
        return int(name.removeprefix(conditions.GIVEN)), None
    return None, constants[name]


def _find(form: _Form, query: Find, compares_rows: bool) -> ClauseElement:
    parameters = conditions.Parameters()
    clause = form.where(query.where, parameters)
    if query.after is not None:
        clause = and_(clause, conditions.page_clause(form.table, query.order, parameters, compares_rows))
    columns = [(form.table.c[each.column], each.descending) for each in query.order]
    order = [column.desc() if descending else column.asc() for column, descending in columns]
    rows = select(form.table)
    if (index := index_in_order(form.collection, query)) is not None:
        # The others find it by themselves.
        rows = rows.with_hint(form.table, f"FORCE INDEX ({index})", "mysql")
    return rows.where(clause).order_by(*order).limit(parameters.next_number())


def _count(form: _Form, query: Count) -> ClauseElement:
    parameters = conditions.Parameters()
    rows = select(literal_column("1", Integer)).select_from(form.table).where(form.where(query.where, parameters))
    return select(func.count()).select_from(rows.limit(parameters.next_number()).subquery())


def _insert(form: _Form, dialect: Dialect) -> ClauseElement:
    parameters = conditions.Parameters()
    row = {column.name: parameters.next(column) for column in form.table.columns}
    if isinstance(dialect, postgresql.dialect):
        return postgresql.insert(form.table).values(row).on_conflict_do_nothing()
    if isinstance(dialect, sqlite.dialect):
        return sqlite.insert(form.table).values(row).on_conflict_do_nothing()
    return insert(form.table).values(row)  # MariaDB and MySQL: their connection knows when the key is taken


def _update(form: _Form, operation: Update) -> ClauseElement:
    parameters = conditions.Parameters()
    changes = {name: parameters.next(form.table.c[name]) for name in operation.changes}
    return update(form.table).values(changes).where(form.where(operation.where, parameters))


def _delete(form: _Form, operation: Delete) -> ClauseElement:
    return delete(form.table).where(form.where(operation.where, conditions.Parameters()))


def _limit(limit: int) -> int:
    if limit < 0:
        raise ValueError(f"a limit is not negative: {limit}")
    return min(limit, _MOST_ROWS)
