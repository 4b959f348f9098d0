"""Batches carried out: whole or not at all where the database has transactions, else step by step."""

from __future__ import annotations

from collections.abc import Sequence

from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from job_orchestra.storage.mongo.clients import DURABLE, Client, Document
from job_orchestra.storage.mongo.forms import ID
from job_orchestra.storage.mongo.outages import is_duplicate
from job_orchestra.storage.mongo.statements import Changes, Deletion, Inserts, PreparedBatch, Step
from job_orchestra.storage.port import Outcome

_BY_KEY = "_id_"
"""Else the server would try the indexes of all that is compared besides, whenever it forgot which one was best."""


class _Taken(Exception):
    """A duplicate that is to be ignored has ended the transaction."""

    def __init__(self, place: int) -> None:
        self.place = place


def insert_all(database: Database[Document], inserts: Sequence[Inserts]) -> list[Outcome]:
    """Lone inserts of several batches into one collection, all of one kind, in one command."""
    documents = [each.documents[0] for each in inserts]
    counts = _insert_side_by_side(database, inserts[0].collection, documents)
    return [
        Outcome((count,), failed_at=None if count or each.ignore_duplicates else 0)
        for count, each in zip(counts, inserts, strict=True)
    ]


def carry_out(client: Client, database: Database[Document], batch: PreparedBatch, *, in_transaction: bool) -> Outcome:
    if batch.is_one_document or not in_transaction:
        return _one_by_one(database, batch.steps, None, set())
    taken: set[int] = set()
    with client.start_session() as session:
        while True:
            try:
                return session.with_transaction(
                    lambda within: _whole(database, batch.steps, within, taken), write_concern=DURABLE
                )
            except _Taken as found:
                taken.add(found.place)


def _whole(database: Database[Document], steps: Sequence[Step], session: ClientSession, taken: set[int]) -> Outcome:
    outcome = _one_by_one(database, steps, session, taken)
    if not outcome.is_applied and session.in_transaction:
        session.abort_transaction()
    return outcome


def _one_by_one(
    database: Database[Document], steps: Sequence[Step], session: ClientSession | None, taken: set[int]
) -> Outcome:
    """`taken` are places of inserts that are known to be there already."""
    rows: list[int] = []
    for step in steps:
        match step:
            case Inserts(ignore_duplicates=True):
                rows += _insert_what_is_missing(database, step, session, taken, len(rows))
            case Inserts():
                rows += _insert(database, step, session)
                if rows[-1] == 0:
                    return Outcome(tuple(rows), failed_at=len(rows) - 1)
            case Changes():
                rows.append(_change(database, step, session))
                if rows[-1] == 0 and not step.optional:
                    return Outcome(tuple(rows), failed_at=len(rows) - 1)
            case Deletion():
                rows.append(_delete(database, step, session))
    return Outcome(tuple(rows))


def _insert(database: Database[Document], step: Inserts, session: ClientSession | None) -> list[int]:
    """How many rows each of them made, up to the first whose key is taken."""
    try:
        database[step.collection].insert_many(step.documents, session=session)
    except BulkWriteError as error:
        (place,) = _duplicates(error)
        return [1] * place + [0]
    return [1] * len(step.documents)


def _insert_side_by_side(
    database: Database[Document], collection: str, documents: Sequence[RawBSONDocument]
) -> list[int]:
    try:
        database[collection].insert_many(documents, ordered=False)
    except BulkWriteError as error:
        taken = _duplicates(error)
        return [0 if place in taken else 1 for place in range(len(documents))]
    return [1] * len(documents)


def _insert_what_is_missing(
    database: Database[Document], step: Inserts, session: ClientSession | None, taken: set[int], start: int
) -> list[int]:
    if session is None:
        return _insert_side_by_side(database, step.collection, step.documents)
    # A duplicate would end the transaction; to find the document there is no error.
    wanted = [place for place in range(len(step.documents)) if start + place not in taken]
    upserts = [
        UpdateOne({ID: step.documents[place][ID]}, {"$setOnInsert": step.documents[place]}, upsert=True)
        for place in wanted
    ]
    if not upserts:
        return [0] * len(step.documents)
    try:
        made = database[step.collection].bulk_write(upserts, session=session).upserted_ids or {}
    except BulkWriteError as error:  # the key of another index
        (found,) = _duplicates(error)
        raise _Taken(start + wanted[found]) from None
    inserted = {wanted[number] for number in made}
    return [1 if place in inserted else 0 for place in range(len(step.documents))]


def _change(database: Database[Document], step: Changes, session: ClientSession | None) -> int:
    collection = database[step.collection]
    if step.is_by_key:
        return collection.update_one(step.filter, step.changes, hint=_BY_KEY, session=session).matched_count
    return collection.update_many(step.filter, step.changes, session=session).matched_count


def _delete(database: Database[Document], step: Deletion, session: ClientSession | None) -> int:
    collection = database[step.collection]
    if step.is_by_key:
        return collection.delete_one(step.filter, hint=_BY_KEY, session=session).deleted_count
    return collection.delete_many(step.filter, session=session).deleted_count


def _duplicates(error: BulkWriteError) -> set[int]:
    """The places of what was there already; raises the error where it says anything else."""
    if not is_duplicate(error):
        raise error
    return {each["index"] for each in error.details["writeErrors"]}
