"""Conditions and pages of the port as clauses of SQL, and their values in the order of the clauses' parameters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeAlias

from sqlalchemy import BindParameter, ColumnElement, Table, and_, bindparam, false, or_, true, tuple_
from sqlalchemy import Column as SqlColumn

from job_orchestra.storage.port import Condition, Operator, Order, Value
from job_orchestra.storage.schema import Column, ColumnType
from job_orchestra.storage.values import PlainValue, encode_compared

Clause: TypeAlias = ColumnElement[bool]

GIVEN = "given_"


class Parameters:
    """Makes the parameters of one statement; the number in the name is the place of the value among the given ones."""

    def __init__(self) -> None:
        self._count = 0

    def next(self, column: SqlColumn[object]) -> BindParameter[object]:
        parameter = bindparam(f"{GIVEN}{self._count}", type_=column.type)
        self._count += 1
        return parameter

    def next_number(self) -> BindParameter[int]:
        parameter: BindParameter[int] = bindparam(f"{GIVEN}{self._count}", value=0)
        self._count += 1
        return parameter


def conditions_form(conditions: Sequence[Condition]) -> Hashable:
    """Conditions with the same form have the same clause."""
    return tuple((each.column, each.operator, _value_form(each)) for each in conditions)


def encode_condition(column: Column, condition: Condition) -> list[PlainValue]:
    if column.type is ColumnType.JSON:
        raise TypeError(f"column {column.name} is JSON and cannot be in a condition")
    value, operator = condition.value, condition.operator
    if operator is Operator.IN:
        if not isinstance(value, list):
            raise TypeError(f"the condition on {column.name} takes a list for {operator.value!r}")
        return [encode_compared(column, each) for each in value if each is not None]
    if value is None and operator in (Operator.EQUAL, Operator.NOT_EQUAL):
        return []
    if value is None:
        raise TypeError(f"the condition on {column.name} compares None with {operator.value!r}")
    return [encode_compared(column, value)]


def clauses(table: Table, where: Sequence[Condition], parameters: Parameters) -> list[Clause]:
    """One for each condition.

    Where the key is given, the row is found by it, and what else is compared is written so that no index serves it:
    PostgreSQL would, for a table that it has no statistics of, walk through all rows with that status.
    """
    given = {each.column for each in where if each.operator is Operator.EQUAL and each.value is not None}
    key = {column.name for column in table.primary_key}
    return [
        _compared_only(table.c[each.column], each.value, parameters)
        if key <= given and each.column not in key and each.operator is Operator.EQUAL
        else _clause(table, each, parameters)
        for each in where
    ]


def _compared_only(column: SqlColumn[object], value: Value, parameters: Parameters) -> Clause:
    compared = column.is_(None) if value is None else column.is_not_distinct_from(parameters.next(column))
    return compared.is_(true())  # MariaDB and MySQL would use an index for the comparison itself


def _clause(table: Table, condition: Condition, parameters: Parameters) -> Clause:
    column = table.c[condition.column]
    match condition.operator:
        case Operator.EQUAL:
            return column.is_(None) if condition.value is None else column == parameters.next(column)
        case Operator.NOT_EQUAL if condition.value is None:
            return column.is_not(None)
        case Operator.NOT_EQUAL:
            wanted = column != parameters.next(column)
            return or_(wanted, column.is_(None)) if column.nullable else wanted
        case Operator.LESS:
            return column < parameters.next(column)
        case Operator.LESS_EQUAL:
            return column <= parameters.next(column)
        case Operator.GREATER:
            return column > parameters.next(column)
        case Operator.GREATER_EQUAL:
            return column >= parameters.next(column)
        case Operator.IN:
            return _one_of(column, condition.value, parameters)


def page_clause(table: Table, order: Sequence[Order], parameters: Parameters, compares_rows: bool) -> Clause:
    """Rows behind the given values; one comparison of rows where all columns go the same way, which an index serves.

    Not so in MariaDB and MySQL (`compares_rows`), where indexes serve comparisons of single columns only.
    """
    columns = [table.c[each.column] for each in order]
    given = [parameters.next(column) for column in columns]
    descending = {each.descending for each in order}
    if len(columns) == 1:
        return _behind(order[0], columns[0], given[0])
    if compares_rows and len(descending) == 1:
        row, place = tuple_(*columns), tuple_(*given)
        return row < place if descending.pop() else row > place
    branches: list[Clause] = []
    for depth, each in enumerate(order):
        equal = [column == value for column, value in zip(columns[:depth], given[:depth], strict=True)]
        branches.append(and_(*equal, _behind(each, columns[depth], given[depth])))
    # The first comparison says nothing new; it lets an index begin at the page.
    first = columns[0] <= given[0] if order[0].descending else columns[0] >= given[0]
    return and_(first, or_(*branches))


def _behind(order: Order, column: SqlColumn[object], value: BindParameter[object]) -> Clause:
    return column < value if order.descending else column > value


def _one_of(column: SqlColumn[object], value: Value, parameters: Parameters) -> Clause:
    assert isinstance(value, list)
    given = [parameters.next(column) for each in value if each is not None]
    one_of: Clause = column.in_(given) if given else false()
    return or_(one_of, column.is_(None)) if len(given) < len(value) else one_of


def _value_form(condition: Condition) -> Hashable:
    value = condition.value
    if isinstance(value, list) and condition.operator is Operator.IN:
        return (len(value), sum(each is None for each in value))
    return value is None
