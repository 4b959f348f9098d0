"""What migrations do: each step looks whether it is done already, so that a migration may be carried out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymongo import ASCENDING
from pymongo.database import Database
from pymongo.errors import OperationFailure

_EXISTS = 48


class SchemaChange:
    """`tell` is given a line before each step that is carried out."""

    def __init__(self, database: Database[dict[str, Any]], tell: Callable[[str], None]) -> None:
        self._database = database
        self._tell = tell

    def create_collection(self, name: str) -> None:
        """Text in it is compared byte by byte, as MongoDB does where nobody says otherwise."""
        if name in self._database.list_collection_names(filter={"name": name}):
            return
        self._tell(f"creating the collection {name}")
        try:
            self._database.create_collection(name, check_exists=False)
        except OperationFailure as error:
            if error.code != _EXISTS:  # by somebody else, meanwhile
                raise

    def create_index(self, collection: str, name: str, *paths: str) -> None:
        self._create_index(collection, name, paths, {})

    def create_unique_index(self, collection: str, name: str, *paths: str, nullable: str | None = None) -> None:
        """Documents whose text at `nullable` is None are not held to it."""
        options: dict[str, Any] = {"unique": True}
        if nullable is not None:
            # Every text, and nothing else; the server sees that whoever looks for a text is served by it.
            options["partialFilterExpression"] = {nullable: {"$gte": ""}}
        self._create_index(collection, name, paths, options)

    def set_default(self, collection: str, field: str, value: bool | int | str) -> None:
        """In documents that are older than the field, which without it would read as None."""
        missing = {field: {"$exists": False}}
        if self._database[collection].find_one(missing, {"_id": True}) is not None:
            self._tell(f"adding the field {field} to {collection}{self._size(collection)}")
            self._database[collection].update_many(missing, {"$set": {field: value}})

    def _create_index(self, collection: str, name: str, paths: tuple[str, ...], options: dict[str, Any]) -> None:
        if name not in self._database[collection].index_information():
            self._tell(f"creating the index {name}{self._size(collection)}")
            self._database[collection].create_index([(path, ASCENDING) for path in paths], name=name, **options)

    def _size(self, collection: str) -> str:
        count = self._database[collection].estimated_document_count()
        return f" ({count} row{'' if count == 1 else 's'})"
