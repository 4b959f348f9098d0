"""Operations of the port as commands of MongoDB, ready for a thread that carries them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from bson.raw_bson import RawBSONDocument

from job_orchestra.storage.mongo.clients import Document
from job_orchestra.storage.mongo.filters import Sort, check_order, conditions_filter, is_by_key, page_filter, sort_of
from job_orchestra.storage.mongo.forms import Form, forms_of
from job_orchestra.storage.port import Batch, Count, Delete, Find, Insert, Operation, Update

_MOST_ROWS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PreparedFind:
    form: Form
    filter: Document
    sort: Sort
    limit: int


@dataclass(frozen=True, slots=True)
class PreparedCount:
    collection: str
    filter: Document
    at_most: int


@dataclass(frozen=True, slots=True)
class Inserts:
    """One behind the other into the same collection: one command."""

    collection: str
    documents: tuple[RawBSONDocument, ...]
    ignore_duplicates: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """Of all documents that match, or of the one with that key."""

    collection: str
    filter: Document
    changes: Document
    is_by_key: bool
    optional: bool


@dataclass(frozen=True, slots=True)
class Deletion:
    collection: str
    filter: Document
    is_by_key: bool


Step: TypeAlias = Inserts | Changes | Deletion


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    steps: tuple[Step, ...]

    @property
    def lone_insert(self) -> Inserts | None:
        """It may go out with others of its kind."""
        step, *others = self.steps
        return step if isinstance(step, Inserts) and len(step.documents) == 1 and not others else None


class Statements:
    """Raises KeyError, TypeError or ValueError for what the schema does not allow."""

    def __init__(self) -> None:
        self._forms = forms_of()

    def find(self, query: Find) -> PreparedFind:
        form = self._form(query.collection)
        check_order(form, query.order)
        if query.after is None:
            found = conditions_filter(form, query.where, query.order)
        else:
            found = page_filter(form, query.where, query.order, query.after)
        return PreparedFind(form, found, sort_of(form, query.where, query.order), _limit(query.limit))

    def count(self, query: Count) -> PreparedCount:
        form = self._form(query.collection)
        return PreparedCount(form.name, conditions_filter(form, query.where), _limit(query.at_most))

    def batch(self, batch: Batch) -> PreparedBatch:
        return PreparedBatch(tuple(self._steps(batch.operations)))

    def _steps(self, operations: Sequence[Operation]) -> Iterator[Step]:
        inserts: list[Insert] = []
        for operation in operations:
            if inserts and not _goes_with(operation, inserts[-1]):
                yield self._inserts(inserts)
                inserts = []
            match operation:
                case Insert():
                    inserts.append(operation)
                case Update():
                    yield self._changes(operation)
                case Delete():
                    yield self._deletion(operation)
        if inserts:
            yield self._inserts(inserts)

    def _inserts(self, inserts: Sequence[Insert]) -> Inserts:
        form = self._form(inserts[0].collection)
        documents = tuple(form.document(each.row) for each in inserts)
        return Inserts(form.name, documents, inserts[0].ignore_duplicate)

    def _changes(self, operation: Update) -> Changes:
        form = self._form(operation.collection)
        if not operation.changes:
            raise ValueError(f"an update of {form.name} changes at least one column")
        changed: dict[str, Any] = {}
        for name, value in operation.changes.items():
            if name in form.key:
                raise ValueError(f"column {name} is of the key of {form.name} and cannot be changed")
            changed[name] = form.encode(name, value)
        found = conditions_filter(form, operation.where)
        return Changes(form.name, found, {"$set": changed}, is_by_key(form, operation.where), operation.optional)

    def _deletion(self, operation: Delete) -> Deletion:
        form = self._form(operation.collection)
        found = conditions_filter(form, operation.where)
        return Deletion(form.name, found, is_by_key(form, operation.where))

    def _form(self, collection: str) -> Form:
        try:
            return self._forms[collection]
        except KeyError:
            raise KeyError(f"there is no collection {collection}") from None


def _goes_with(operation: Operation, before: Insert) -> bool:
    return (
        isinstance(operation, Insert)
        and operation.collection == before.collection
        and operation.ignore_duplicate == before.ignore_duplicate
    )


def _limit(limit: int) -> int:
    if limit < 0:
        raise ValueError(f"a limit is not negative: {limit}")
    return min(limit, _MOST_ROWS)
