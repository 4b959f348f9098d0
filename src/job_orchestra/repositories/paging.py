"""Pages by key: a cursor is where the last page ended, opaque to whoever carries it."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from job_orchestra.domain.errors import Invalid
from job_orchestra.storage.port import Find, Row, Storage, Value
from job_orchestra.storage.schema import COLLECTIONS, ColumnType

Item = TypeVar("Item")

LIMIT = 100
"""Items of a page, where nothing else is said."""

_LONGEST_CURSOR = 1024
_INTEGERS = range(-(1 << 63), 1 << 63)
_COLLECTIONS = {collection.name: collection for collection in COLLECTIONS}


@dataclass(frozen=True, slots=True)
class Listed(Generic[Item]):
    items: list[Item]
    next: str | None
    """Cursor of the following page; None on the last."""


async def list_page(storage: Storage, query: Find, cursor: str | None, read: Callable[[Row], Item]) -> Listed[Item]:
    """One page of `query.limit` items behind `cursor`; Invalid at `cursor` if no list like this made it."""
    after = None if cursor is None else decode_cursor(cursor, query)
    # One more than asked for tells whether there is a following page.
    rows = await storage.find(replace(query, after=after, limit=query.limit + 1))
    return page_of(rows, query, read)


def page_of(rows: Sequence[Row], query: Find, read: Callable[[Row], Item]) -> Listed[Item]:
    """`rows` are those of the page and, if there are more, the first one of the next."""
    page = rows[: query.limit]
    has_more = len(rows) > query.limit
    following = encode_cursor([page[-1][order.column] for order in query.order]) if has_more and page else None
    return Listed([read(row) for row in page], following)


def encode_cursor(values: Sequence[Value]) -> str:
    """Of the values of the order's columns where the page ends."""
    return urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, query: Find) -> tuple[Value, ...]:
    """Invalid at `cursor` if no list in this order made it."""
    mistake = Invalid.at("cursor", f"{cursor[:40]!r} is not a cursor that this list answered with")
    if len(cursor) > _LONGEST_CURSOR:
        raise mistake
    try:
        values: Any = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        raise mistake from None
    if not isinstance(values, list) or len(values) != len(query.order):  # pyright: ignore[reportUnknownArgumentType]
        raise mistake
    columns = [_COLLECTIONS[query.collection].column(order.column) for order in query.order]
    if not all(_fits(value, column.type) for value, column in zip(values, columns, strict=True)):  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
        raise mistake
    return tuple(values)  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]


def _fits(value: object, kind: ColumnType) -> bool:
    if kind is ColumnType.INTEGER:
        return isinstance(value, int) and not isinstance(value, bool) and value in _INTEGERS
    return isinstance(value, str) and "\0" not in value and value.isprintable()
