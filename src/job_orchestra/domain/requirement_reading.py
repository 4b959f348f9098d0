"""Properties as a projects file writes them: conditions that mean nothing, or that nobody could meet, are mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from job_orchestra.domain.checking import Reader, Table, shown
from job_orchestra.domain.json import JsonObject, JsonValue, is_same
from job_orchestra.domain.requirements import COMPARISONS, Comparable, Operator, comparable

_LOWER = (Operator.AT_LEAST, Operator.MORE_THAN)
_UPPER = (Operator.AT_MOST, Operator.LESS_THAN)


def read_requirements(reader: Reader) -> JsonObject:
    """What a job requires, by the names of properties."""
    requirements = reader.json_object()
    for name, wanted in requirements.items():
        _check(wanted, Reader(wanted, reader.mistakes, reader.place.field(name)))
    return requirements


def _check(wanted: JsonValue, reader: Reader) -> None:
    if wanted == []:
        reader.wrong("is an empty list, which no worker could ever match")
    elif isinstance(wanted, list):
        _check_values(reader)
    elif wanted == {}:
        reader.wrong(f"is an empty table; conditions are {', '.join(Operator)}")
    elif isinstance(wanted, dict):
        table = reader.table((), tuple(Operator), "a table of conditions")
        _check_lists(table)
        _check_presence(reader, table)
        _check_bounds(reader, table)


def _check_lists(table: Table) -> None:
    for operator in (Operator.ONE_OF, Operator.NONE_OF):
        field = table.field(operator)
        if field and not field.items("a list of values") and field.value == []:
            field.wrong("is an empty list; it has at least one value")
        elif field and isinstance(field.value, (list, tuple)):
            _check_values(field)
    allowed, excluded = table.field(Operator.ONE_OF), table.field(Operator.NONE_OF)
    if allowed and excluded and _excludes(excluded.value, allowed.value):
        excluded.wrong("excludes all that one_of allows")


def _excludes(excluded: object, allowed: object) -> bool:
    """False where nothing is allowed, or one of the two is no list, which is told by itself."""
    if not isinstance(excluded, list) or not isinstance(allowed, list) or not allowed:
        return False
    values, others = cast("list[JsonValue]", excluded), cast("list[JsonValue]", allowed)
    return all(any(is_same(one, other) for other in values) for one in others)


def _check_values(reader: Reader) -> None:
    for item in reader.items():
        value: object = item.value
        if isinstance(value, Mapping) and set(cast("Mapping[object, object]", value)) & set(Operator):
            item.wrong("is a table of conditions, which in a list would be a value that no worker has")


def _check_presence(reader: Reader, table: Table) -> None:
    present = table.field(Operator.PRESENT)
    others = [operator for operator in Operator if operator in table and operator is not Operator.PRESENT]
    if present and not present.flag() and present.value is False and others:
        reader.wrong(f"asks for a worker without it, and for {', '.join(others)}")


def _check_bounds(reader: Reader, table: Table) -> None:
    bounds = {operator: table.read(operator, _read_bound, None) for operator in (*_LOWER, *_UPPER)}
    known = {operator: bound for operator, bound in bounds.items() if bound is not None}
    if len({isinstance(bound, tuple) for bound in known.values()}) > 1:
        reader.wrong(f"compares with a number and with a version: {', '.join(known)}")
        return
    for lower in _LOWER:
        for upper in _UPPER:
            if lower in known and upper in known and not _leaves_room(lower, known[lower], upper, known[upper]):
                reader.wrong(f"{lower} and {upper} leave no value that a worker could have")


def _leaves_room(lower: Operator, low: Comparable, upper: Operator, high: Comparable) -> bool:
    is_one_enough = lower is Operator.AT_LEAST and upper is Operator.AT_MOST
    return COMPARISONS[Operator.AT_MOST if is_one_enough else Operator.LESS_THAN].holds(low, high)


def _read_bound(reader: Reader) -> Comparable | None:
    value: JsonValue = reader.json()
    bound = comparable(value)
    if bound is None:
        reader.wrong(f"expected a number, or a version as a text such as '3.11', got {shown(reader.value)}")
    return bound
