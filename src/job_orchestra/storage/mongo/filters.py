"""Conditions, orders and pages of the port as filters and sorts of MongoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from job_orchestra.storage.mongo.clients import Document
from job_orchestra.storage.mongo.forms import ID, Form
from job_orchestra.storage.mongo.key_ranges import is_found_best_by_key, key_filter
from job_orchestra.storage.port import Condition, Operator, Order, Value
from job_orchestra.storage.schema import ColumnType

Sort: TypeAlias = list[tuple[str, int]]

_OPERATORS = {
    Operator.NOT_EQUAL: "$ne",
    Operator.LESS: "$lt",
    Operator.LESS_EQUAL: "$lte",
    Operator.GREATER: "$gt",
    Operator.GREATER_EQUAL: "$gte",
    Operator.IN: "$in",
}
_NOTHING: Document = {ID: {"$in": []}}


def conditions_filter(form: Form, where: Sequence[Condition], order: Sequence[Order] = ()) -> Document:
    """A field that is missing compares as None does, in MongoDB as here."""
    compared = [_condition(form, each) for each in where]
    if len(form.key) == 1 or not _is_along_key(form, where, order):
        return _all_of(compared)
    searched, left = key_filter(form, where)
    return _all_of([searched, *(_condition(form, each) for each in left)])


def is_by_key(form: Form, where: Sequence[Condition]) -> bool:
    """Whether it can be one row only, found by its key."""
    return len(_fixed(form, where)) == len(form.key)


def sort_of(form: Form, where: Sequence[Condition], order: Sequence[Order]) -> Sort:
    fixed = _fixed(form, where)
    if _is_order_of_key(form, fixed, order):
        directions = [each.descending for each in order if each.column not in fixed]
        return [(ID, _direction(directions[0]))] if directions else []
    return [(form.path(each.column), _direction(each.descending)) for each in order]


def page_filter(form: Form, where: Sequence[Condition], order: Sequence[Order], after: Sequence[Value]) -> Document:
    """Rows that match and come behind the given values."""
    matching, fixed = conditions_filter(form, where, order), _fixed(form, where)
    place = _place(form, order, after)
    if len(form.key) > 1 and _is_order_of_key(form, fixed, order):
        moving = [each for each in order if each.column not in fixed] or order
        return _all_of([matching, {ID: {_behind(moving[0]): form.identity({**fixed, **place})}}])
    equal = {each.column: each.value for each in where if each.operator is Operator.EQUAL}
    branches: list[Document] = []
    before: list[Document] = []
    for each in order:
        value = place[each.column]
        if equal.get(each.column) == value:
            continue  # all that match have this value
        # Each branch with all conditions: so each is a range of an index, and their results are merged in its order.
        branches.append(_all_of([matching, *before, {form.path(each.column): {_behind(each): value}}]))
        before.append({form.path(each.column): value})
    return branches[0] if len(branches) == 1 else {"$or": branches or [_NOTHING]}


def _place(form: Form, order: Sequence[Order], after: Sequence[Value]) -> Mapping[str, Any]:
    if not order or len(after) != len(order):
        raise ValueError(f"a page of {form.name} takes one value for each column of its order")
    if None in after:
        raise TypeError(f"a page of {form.name} takes no None as its place")
    return {each.column: form.encode_compared(each.column, value) for each, value in zip(order, after, strict=True)}


def check_order(form: Form, order: Sequence[Order]) -> None:
    for each in order:
        if form.column(each.column).type is ColumnType.JSON:
            raise TypeError(f"column {each.column} is JSON and cannot be in an order")


def _condition(form: Form, condition: Condition) -> Document:
    column, operator, value = form.column(condition.column), condition.operator, condition.value
    if column.type is ColumnType.JSON:
        raise TypeError(f"column {column.name} is JSON and cannot be in a condition")
    path = form.path(column.name)
    if operator is Operator.IN:
        if not isinstance(value, list):
            raise TypeError(f"the condition on {column.name} takes a list for {operator.value!r}")
        return {path: {"$in": [_compared(form, column.name, each) for each in value]}}
    if value is None and operator not in (Operator.EQUAL, Operator.NOT_EQUAL):
        raise TypeError(f"the condition on {column.name} compares None with {operator.value!r}")
    compared = _compared(form, column.name, value)
    return {path: compared if operator is Operator.EQUAL else {_OPERATORS[operator]: compared}}


def _compared(form: Form, column: str, value: Any) -> Any:
    return None if value is None else form.encode_compared(column, value)


def _fixed(form: Form, where: Sequence[Condition]) -> dict[str, Any]:
    """Columns of the key that the conditions give one value, encoded."""
    return {
        each.column: form.encode_compared(each.column, each.value)
        for each in where
        if each.column in form.key and each.operator is Operator.EQUAL and each.value is not None
    }


def _is_along_key(form: Form, where: Sequence[Condition], order: Sequence[Order]) -> bool:
    """Whether the index on `_id` is the one to be searched, rather than one on columns of the key."""
    if order:
        return _is_order_of_key(form, _fixed(form, where), order)
    return is_found_best_by_key(form, where)


def _is_order_of_key(form: Form, fixed: Mapping[str, Any], order: Sequence[Order]) -> bool:
    """Whether the index on `_id` has the rows in this order; columns with one value do not matter to it."""
    moving = [each for each in order if each.column not in fixed]
    columns = [name for name in form.key if name not in fixed]
    return [each.column for each in moving] == columns and len({each.descending for each in moving}) <= 1


def _all_of(parts: Sequence[Document]) -> Document:
    there = [part for part in parts if part]
    if len(there) > 1:
        return {"$and": there}
    return there[0] if there else {}


def _behind(order: Order) -> str:
    return "$lt" if order.descending else "$gt"


def _direction(descending: bool) -> int:
    return -1 if descending else 1
