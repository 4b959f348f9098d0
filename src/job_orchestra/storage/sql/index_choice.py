"""Which index has a page of rows in its order: for databases that guess, and sort a whole history where they err."""

from __future__ import annotations

from collections.abc import Iterable

from job_orchestra.storage.port import Find, Operator
from job_orchestra.storage.schema import Collection
from job_orchestra.storage.sql.tables import index_name

PRIMARY = "PRIMARY"
"""How MariaDB and MySQL call the key."""


def index_in_order(collection: Collection, query: Find) -> str | None:
    """The one that begins with all that is equal and goes on with the order; None where there is none, or no need."""
    if not query.order or len({each.descending for each in query.order}) > 1:
        return None
    if any(each.operator is Operator.IN for each in query.where):
        return None
    equal = {each.column for each in query.where if each.operator is Operator.EQUAL and each.value is not None}
    order = tuple(each.column for each in query.order)
    for name, columns in _indexes(collection):
        if set(columns[: len(equal)]) == equal and columns[len(equal) :][: len(order)] == order:
            return name
    return None


def _indexes(collection: Collection) -> Iterable[tuple[str, tuple[str, ...]]]:
    """The key stands at the end of every other index."""
    yield PRIMARY, collection.key
    for index in collection.indexes:
        columns = tuple(dict.fromkeys((*index.columns, *collection.key)))
        yield index_name(collection.name, index.columns), columns
