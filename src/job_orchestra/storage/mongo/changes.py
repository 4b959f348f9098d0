"""Batches carried out, one command for each step."""

from __future__ import annotations

from collections.abc import Sequence

from bson.raw_bson import RawBSONDocument
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError

from job_orchestra.storage.mongo.clients import Document
from job_orchestra.storage.mongo.outages import is_duplicate
from job_orchestra.storage.mongo.statements import Changes, Deletion, Inserts, PreparedBatch, Step
from job_orchestra.storage.port import Outcome

_BY_KEY = "_id_"
"""Else the server would try the indexes of all that is compared besides, whenever it forgot which one was best."""


def insert_all(database: Database[Document], inserts: Sequence[Inserts]) -> list[Outcome]:
    """Lone inserts of several batches into one collection, all of one kind, in one command."""
    documents = [each.documents[0] for each in inserts]
    counts = _insert_side_by_side(database, inserts[0].collection, documents)
    return [
        Outcome((count,), failed_at=None if count or each.ignore_duplicates else 0)
        for count, each in zip(counts, inserts, strict=True)
    ]


def carry_out(database: Database[Document], batch: PreparedBatch) -> Outcome:
    """Step by step, each durable before the next; no transaction, which a process that is killed would leave open."""
    # First what is harmless by itself: wherever the process dies, nothing is decided without it.
    begun = {
        place: _insert_side_by_side(database, step.collection, step.documents)
        for place, step in enumerate(batch.steps)
        if isinstance(step, Inserts) and step.ignore_duplicates
    }
    rows: list[int] = []
    for place, step in enumerate(batch.steps):
        rows += begun[place] if place in begun else _carry_out(database, step)
        if rows[-1] == 0 and step.may_fail:
            return Outcome(tuple(rows), failed_at=len(rows) - 1)
    return Outcome(tuple(rows))


def _carry_out(database: Database[Document], step: Step) -> list[int]:
    """How many rows each operation changed, up to the first that ends the batch."""
    match step:
        case Inserts():
            return _insert(database, step)
        case Changes():
            return [_change(database, step)]
        case Deletion():
            return [_delete(database, step)]


def _insert(database: Database[Document], step: Inserts) -> list[int]:
    """How many rows each of them made, up to the first whose key is taken."""
    try:
        database[step.collection].insert_many(step.documents)
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


def _change(database: Database[Document], step: Changes) -> int:
    collection = database[step.collection]
    try:
        if step.is_by_key:
            return collection.update_one(step.filter, step.changes, hint=_BY_KEY).matched_count
        return collection.update_many(step.filter, step.changes).matched_count
    except DuplicateKeyError:
        return 0


def _delete(database: Database[Document], step: Deletion) -> int:
    collection = database[step.collection]
    if step.is_by_key:
        return collection.delete_one(step.filter, hint=_BY_KEY).deleted_count
    return collection.delete_many(step.filter).deleted_count


def _duplicates(error: BulkWriteError) -> set[int]:
    """The places of what was there already; raises the error where it says anything else."""
    if not is_duplicate(error):
        raise error
    return {each["index"] for each in error.details["writeErrors"]}
