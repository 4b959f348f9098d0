"""Conditions on a key of several columns as bounds of `_id`: whole keys, or ranges of keys that begin alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bson import MaxKey, MinKey

from job_orchestra.storage.mongo.clients import Document
from job_orchestra.storage.mongo.forms import ID, Form
from job_orchestra.storage.port import Condition, Operator

_RANGES = frozenset({Operator.LESS, Operator.LESS_EQUAL, Operator.GREATER, Operator.GREATER_EQUAL})


def key_filter(form: Form, where: Sequence[Condition]) -> tuple[Document, list[Condition]]:
    """What the index on `_id` is searched for, and the conditions that are left to be compared."""
    left = list(where)
    beginnings: list[Document] = [{}]
    for name in form.key:
        of_column = [each for each in left if each.column == name]
        naming = next((each for each in of_column if _names_values(each)), None)
        if naming is None:
            ranges = [each for each in of_column if each.operator in _RANGES]
            if beginnings == [{}] and not ranges:
                return {}, left
            found = [_range(form, beginning, name, ranges) for beginning in beginnings]
            return _any_of(found), [each for each in left if each not in ranges]
        left.remove(naming)
        values = _values(form, naming)
        beginnings = [beginning | {name: value} for beginning in beginnings for value in values]
    return ({ID: beginnings[0]} if len(beginnings) == 1 else {ID: {"$in": beginnings}}), left


def is_found_best_by_key(form: Form, where: Sequence[Condition]) -> bool:
    """Whether no other index has more of the columns that are compared at its beginning."""
    return all(_reach(form.key, where) >= _reach(columns, where) for columns in form.indexes)


def _reach(columns: Sequence[str], where: Sequence[Condition]) -> int:
    """How many of the first columns an index serves: those with known values, and one with a range behind them."""
    known = {each.column for each in where if _names_values(each)}
    ranged = {each.column for each in where if each.operator in _RANGES}
    for place, name in enumerate(columns):
        if name not in known:
            return place + (name in ranged)
    return len(columns)


def _names_values(condition: Condition) -> bool:
    if condition.operator is Operator.IN:
        return True
    return condition.operator is Operator.EQUAL and condition.value is not None


def _values(form: Form, condition: Condition) -> list[Any]:
    named = condition.value if isinstance(condition.value, list) else [condition.value]
    return [form.encode_compared(condition.column, each) for each in named if each is not None]


def _range(form: Form, beginning: Document, name: str, ranges: Sequence[Condition]) -> Document:
    """Keys that begin so, and whose next column is within the ranges."""
    bounds = [{ID: {"$gte": beginning | {name: MinKey()}, "$lte": beginning | {name: MaxKey()}}}]
    later = form.key[form.key.index(name) + 1 :]
    for each in ranges:
        # A key with this value and more behind it comes later than the value alone.
        first = beginning | {name: form.encode_compared(name, each.value)}
        last = first | ({later[0]: MaxKey()} if later else {})
        match each.operator:
            case Operator.GREATER:
                bounds.append({ID: {"$gt": last}})
            case Operator.GREATER_EQUAL:
                bounds.append({ID: {"$gte": first}})
            case Operator.LESS:
                bounds.append({ID: {"$lt": first}})
            case _:
                bounds.append({ID: {"$lte": last}})
    return bounds[0] if len(bounds) == 1 else {"$and": bounds}


def _any_of(parts: Sequence[Document]) -> Document:
    if len(parts) == 1:
        return parts[0]
    return {"$or": list(parts)} if parts else {ID: {"$in": []}}
