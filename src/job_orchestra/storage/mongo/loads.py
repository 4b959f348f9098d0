"""Filling an empty database: some rows at a time, with a mark beside the version until all are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pymongo.database import Database
from pymongo.errors import BulkWriteError, WriteError

from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.mongo.clients import Document
from job_orchestra.storage.mongo.forms import forms_of
from job_orchestra.storage.mongo.outages import is_duplicate
from job_orchestra.storage.mongo.versions import read_version, replace_mark
from job_orchestra.storage.port import Row
from job_orchestra.storage.schema import COLLECTIONS
from job_orchestra.storage.schema_versions import StoredVersion

_NO_KEY = frozenset({2, 53})
"""What servers say of a document whose key cannot be one: BadValue, or InvalidIdField."""


class MongoLoad:
    """Implements `storage.port.Load`.

    Nothing of it is a transaction: rows of a load that was ended may still arrive when the next one has begun. So the
    mark is looked at before each insert, and all rows are counted before it goes.
    """

    def __init__(self, name: str, database: Database[Document], mark: StoredVersion) -> None:
        self._name = name
        self._database = database
        self._mark = mark
        self._forms = forms_of()
        self._inserted = Counter[str]()

    def insert(self, collection: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        form = self._forms[collection]
        try:
            documents = [form.document(row) for row in rows]
        except ValueError as error:
            raise Conflict(f"{self._name} cannot take all rows: {error}.") from None
        self._check_mark()
        try:
            self._database[collection].insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not is_duplicate(error):
                raise
            raise Conflict(f"Two rows of {collection} have values that only one of them may have.") from None
        self._inserted[collection] += len(documents)

    def complete(self) -> None:
        self._check_mark()
        for collection in COLLECTIONS:
            there, inserted = self._database[collection.name].count_documents({}), self._inserted[collection.name]
            if there != inserted:
                raise Conflict(
                    f"{self._name} has {there} rows of {collection.name} where {inserted} were loaded: somebody else "
                    "has written to it meanwhile."
                )
        if not replace_mark(self._database, self._mark, None):
            self._check_mark()

    def _check_mark(self) -> None:
        if read_version(self._database) != self._mark:
            raise Conflict(f"{self._name} is being loaded by somebody else, who began later.")


def prove_insertable(database: Database[Document]) -> None:
    """Raises what the server says to who may not insert; nothing changes.

    It looks at the rights before it looks at the document, and refuses this one whatever they are.
    """
    for collection in COLLECTIONS:
        try:
            database[collection.name].insert_one({"_id": ["no list can be a key"]})
        except WriteError as error:
            if error.code not in _NO_KEY:
                raise


def collection_with_rows(database: Database[Document]) -> str | None:
    """The first one."""
    names = (collection.name for collection in COLLECTIONS)
    return next((name for name in names if database[name].find_one({}, {"_id": True}) is not None), None)


def delete_everything(database: Database[Document]) -> None:
    for collection in COLLECTIONS:
        database[collection.name].delete_many({})
