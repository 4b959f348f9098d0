"""What migrations do, each so that doing it twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import ASCENDING
from pymongo.database import Database
from pymongo.errors import OperationFailure

_EXISTS = 48


def create_collection(database: Database[dict[str, Any]], name: str) -> None:
    """Text in it is compared byte by byte, as MongoDB does where nobody says otherwise."""
    try:
        database.create_collection(name, check_exists=False)
    except OperationFailure as error:
        if error.code != _EXISTS:
            raise


def create_index(database: Database[dict[str, Any]], collection: str, name: str, paths: Sequence[str]) -> None:
    database[collection].create_index([(path, ASCENDING) for path in paths], name=name)


def create_unique_index(
    database: Database[dict[str, Any]], collection: str, name: str, paths: Sequence[str], *, nullable: str | None = None
) -> None:
    """Documents whose text at `nullable` is None are not held to it."""
    options: dict[str, Any] = {"unique": True}
    if nullable is not None:
        # Every text, and nothing else; the server sees that whoever looks for a text is served by it.
        options["partialFilterExpression"] = {nullable: {"$gte": ""}}
    database[collection].create_index([(path, ASCENDING) for path in paths], name=name, **options)


def set_default(database: Database[dict[str, Any]], collection: str, field: str, value: bool | int | str) -> None:
    """Where documents are older than the field, which without it would read as None."""
    database[collection].update_many({field: {"$exists": False}}, {"$set": {field: value}})
