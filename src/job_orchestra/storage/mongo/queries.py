"""Rows that are looked for."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo.client_session import ClientSession
from pymongo.database import Database

from job_orchestra.storage.mongo.clients import Document
from job_orchestra.storage.mongo.sessions import Found
from job_orchestra.storage.mongo.statements import PreparedCount, PreparedFind
from job_orchestra.storage.port import Row


def find(database: Database[Document], query: PreparedFind, session: ClientSession | None = None) -> list[Row]:
    if not query.limit:  # which means all, to MongoDB
        return []
    cursor = database[query.form.name].find(
        query.filter, sort=query.sort or None, limit=query.limit, batch_size=query.limit, session=session
    )
    return [query.form.row(document) for document in cursor]


def find_all(found: Found, queries: Sequence[PreparedFind]) -> list[list[Row]]:
    """In one snapshot where there are such, else one behind the other."""
    if len(queries) == 1 or not found.has_snapshots:
        return [find(found.database, query) for query in queries]
    with found.client.start_session(snapshot=True) as snapshot:
        return [find(found.database, query, snapshot) for query in queries]


def count(database: Database[Document], query: PreparedCount) -> int:
    if not query.at_most:
        return 0
    return database[query.collection].count_documents(query.filter, limit=query.at_most)
