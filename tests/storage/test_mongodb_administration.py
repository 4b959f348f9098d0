"""The schema of MongoDB: its version, its indexes, and what an interruption or a stranger left there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import pymongo
import pytest
from pymongo.database import Database

from job_orchestra.composition.databases import open_administration
from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.mongo.forms import Form
from job_orchestra.storage.mongo.migrations import MIGRATIONS, migrate
from job_orchestra.storage.mongo.versions import create_version
from job_orchestra.storage.port import Find, SchemaState, Storage, StorageUnavailable
from job_orchestra.storage.schema import COLLECTIONS, VERSION, Collection, Index
from job_orchestra.storage.schema_versions import version_of
from tests.storage.scenario import batch, identifiers, insert, play

_MIGRATIONS: Sequence[str] = MIGRATIONS.after(None) or ()


@pytest.fixture
def url(new_mongodb_url: Callable[[], str]) -> str:
    return new_mongodb_url()


@contextmanager
def opened(url: str) -> Generator[Database[dict[str, Any]]]:
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        yield client.get_default_database()


def test_migrations_make_what_the_program_expects(mongodb_url: str) -> None:
    with opened(mongodb_url) as database:
        assert set(database.list_collection_names()) == {"schema", *(each.name for each in COLLECTIONS)}
        for collection in COLLECTIONS:
            found = {name: _described(index) for name, index in database[collection.name].index_information().items()}
            assert found == {"_id_": ([("_id", 1)], False, None), **_expected(collection)}
            assert "collation" not in database[collection.name].options()


def test_a_newer_schema_is_left_alone(url: str) -> None:
    administration = open_administration(url)
    administration.create()
    with opened(url) as database:
        database["schema"].update_one({}, {"$set": {"version": "9999"}})
    assert administration.state() is SchemaState.NEWER
    with pytest.raises(Conflict, match="9999"):
        administration.upgrade()

    async def scenario(storage: Storage) -> None:
        with pytest.raises(StorageUnavailable, match="has schema 9999, this program knows none above"):
            await storage.find(Find("users"))

    play(url, scenario)


@pytest.mark.parametrize("collection", ["something", "users"])
def test_a_database_of_something_else_is_left_alone(url: str, collection: str) -> None:
    with opened(url) as database:
        database[collection].insert_one({"x": 1})
        administration = open_administration(url)
        assert administration.state() is SchemaState.MISSING
        with pytest.raises(Conflict, match=f"the collection '{collection}' of something else"):
            administration.create()
        assert database.list_collection_names() == [collection]


def test_an_interrupted_creation_is_gone_on_with(url: str) -> None:
    with opened(url) as database:
        database.create_collection("users")
        database["runs"].create_index([("project", 1), ("_id", 1)], name="runs_by_project_identifier")
    administration = open_administration(url)
    assert administration.state() is SchemaState.MISSING
    administration.create()
    assert administration.state() is SchemaState.CURRENT

    async def scenario(storage: Storage) -> None:
        assert (await storage.write(batch(insert("a")))).is_applied
        assert await identifiers(storage) == ["a"]

    play(url, scenario)


def test_every_step_of_the_migrations_can_be_repeated(mongodb_url: str) -> None:
    """As it is after an interruption behind it, or by two who do it at once."""
    with opened(mongodb_url) as database:
        before = {each.name: database[each.name].index_information() for each in COLLECTIONS}
        told: list[str] = []
        for name in _MIGRATIONS:
            migrate(database, name, told.append)
        assert told == []
        assert {each.name: database[each.name].index_information() for each in COLLECTIONS} == before
    assert open_administration(mongodb_url).state() is SchemaState.CURRENT


def test_the_schema_has_the_version_of_its_migrations() -> None:
    assert int(MIGRATIONS.newest) == VERSION


@pytest.mark.parametrize("name", _MIGRATIONS[:-1])
def test_every_earlier_schema_is_brought_up(url: str, mongodb_url: str, name: str) -> None:
    with opened(url) as database:
        _create_schema(database, name, {"_id": "old", "project": "p", "job": "j", "status": "succeeded"})
        administration = open_administration(url)
        assert administration.state() is SchemaState.OLDER
        assert administration.versions() == (version_of(name), MIGRATIONS.newest)
        play(url, _is_refused)
        assert administration.upgrade() == MIGRATIONS.after(version_of(name))
        assert administration.state() is SchemaState.CURRENT
        assert administration.upgrade() == ()
        with opened(mongodb_url) as fresh:
            assert _schema_of(database) == _schema_of(fresh)
            assert database["runs"].find_one({}, {"_id": False, "is_pinned": True}) == {"is_pinned": False}


def test_an_upgrade_that_was_interrupted_is_gone_on_with(url: str) -> None:
    """In the middle of a step, and between one that was carried out and the version."""
    first, second, *_ = _MIGRATIONS
    with opened(url) as database:
        _create_schema(database, first, {"_id": "a"}, {"_id": "b", "is_pinned": True})
        migrate(database, second, lambda _: None)
        database["schema"].update_one({}, {"$set": {"version": version_of(first)}})
        database["runs"].update_one({"_id": "a"}, {"$unset": {"is_pinned": ""}})
        database["removals"].drop()
        administration = open_administration(url)
        assert administration.state() is SchemaState.OLDER
        told: list[str] = []
        assert administration.upgrade(told.append) == MIGRATIONS.after(version_of(first))
        assert told[:2] == [
            f"{second}: adding the field is_pinned to runs (2 rows)",
            f"{second}: creating the collection removals",
        ]
        assert {each["_id"]: each["is_pinned"] for each in database["runs"].find()} == {"a": False, "b": True}
        assert "removals" in database.list_collection_names()


def test_places_that_cannot_be_used() -> None:
    for host in ("127.0.0.1:1", "nowhere.invalid"):
        administration = open_administration(f"mongodb://u:geheim@{host}/x?timeoutMS=300")
        for ask in (administration.state, administration.create, administration.upgrade):
            with pytest.raises(StorageUnavailable, match="cannot be used") as caught:
                ask()
            assert "geheim" not in f"{caught.value!r} {caught.value}"


def _create_schema(database: Database[dict[str, Any]], last: str, *runs: dict[str, Any]) -> None:
    """As the program left it whose last migration that was; the runs are as old as the first schema."""
    first, *others = _MIGRATIONS
    migrate(database, first, lambda _: None)
    database["runs"].insert_many(runs)
    for name in others:
        if name <= last:
            migrate(database, name, lambda _: None)
    assert create_version(database, version_of(last))


async def _is_refused(storage: Storage) -> None:
    with pytest.raises(StorageUnavailable, match="`orchestra database upgrade` brings it there"):
        await storage.find(Find("users"))


def _schema_of(database: Database[dict[str, Any]]) -> dict[str, object]:
    return {name: database[name].index_information() for name in database.list_collection_names()}


def _expected(collection: Collection) -> dict[str, tuple[object, ...]]:
    form = Form(collection)
    return {
        f"{collection.name}_by_{'_'.join(index.columns)}": (
            [(form.path(column), 1) for column in index.columns],
            index.is_unique,
            _only_texts(collection, index),
        )
        for index in collection.indexes
    }


def _only_texts(collection: Collection, index: Index) -> dict[str, object] | None:
    """What a unique index is limited to, so that it holds nobody with None to it."""
    nullable = [name for name in index.columns if collection.column(name).is_nullable]
    return {name: {"$gte": ""} for name in nullable} if index.is_unique and nullable else None


def _described(index: Any) -> tuple[object, ...]:
    return list(index["key"]), index.get("unique", False), index.get("partialFilterExpression")
