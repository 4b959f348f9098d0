"""Reading everything, in constant memory: in one snapshot, or watching that nothing was written meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from bson import encode
from pymongo import ASCENDING
from pymongo.client_session import ClientSession
from pymongo.database import Database

from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.mongo.clients import Document
from job_orchestra.storage.mongo.forms import ID, forms_of
from job_orchestra.storage.port import Row


class MongoSnapshot:
    """Implements `storage.port.Snapshot`, in a session that reads what was there at its first look."""

    def __init__(self, database: Database[Document], session: ClientSession | None) -> None:
        self._database = database
        self._session = session
        self._forms = forms_of()

    def rows(self, collection: str) -> Iterator[Row]:
        return map(self._forms[collection].row, self._documents(collection))

    def _documents(self, collection: str) -> Iterator[Document]:
        """In the order of the key."""
        with self._database[collection].find(sort=[(ID, ASCENDING)], session=self._session) as cursor:
            yield from cursor


class WatchedSnapshot(MongoSnapshot):
    """For a server without snapshots: what is the same when it is read once more was so when it had all been read."""

    def __init__(self, name: str, database: Database[Document]) -> None:
        super().__init__(database, None)
        self._name = name
        self._digests: dict[str, bytes] = {}

    def rows(self, collection: str) -> Iterator[Row]:
        digest = hashlib.sha256()
        row = self._forms[collection].row
        for document in self._documents(collection):
            digest.update(encode(document))
            yield row(document)
        self._digests[collection] = digest.digest()

    def check_unmoved(self) -> None:
        """Conflict if a collection that was read to its end is not as it was read."""
        for collection, read in self._digests.items():
            digest = hashlib.sha256()
            for document in self._documents(collection):
                digest.update(encode(document))
            if digest.digest() != read:
                raise Conflict(
                    f"{self._name} was written to while it was read ({collection}), and only a replica set shows one "
                    "moment of it: stop master and service, or make this node a replica set of one."
                )
