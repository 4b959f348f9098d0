"""Exports and imports of MongoDB: what a single node cannot show, and what no transaction keeps away."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymongo
import pytest

from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.port import Delete, Operation, Row, SchemaState, StorageUnavailable
from tests.mongodb_server import MongodbServer
from tests.services import needed
from tests.storage.content import records_at, rows_at
from tests.storage.scenario import batch, equal, insert, rename

_MOST_WRITES = 2000


@pytest.fixture(params=["mongodb", "mongodb_node"])
def new_url(request: pytest.FixtureRequest) -> Callable[[], str]:
    made: Callable[[], str] = request.getfixturevalue(f"new_{request.param}_url")
    return made


def users(*numbers: int) -> list[Row]:
    return [{"identifier": f"u{number:04}", "roles": [], "created_at": number} for number in numbers]


async def write(url: str, directory: Path, *operations: Operation) -> None:
    async with records_at(url, directory) as records:
        assert (await records.storage.write(batch(*operations))).is_applied


def test_a_single_node_is_exported_while_nothing_is_written(mongodb_node_url: str, tmp_path: Path) -> None:
    asyncio.run(write(mongodb_node_url, tmp_path, *(insert(f"u{number:04}") for number in range(500))))
    assert len(rows_at(records_at(mongodb_node_url, tmp_path).administration)["users"]) == 500


@pytest.mark.parametrize("what", ["new", "changed", "gone"])
def test_what_is_written_behind_the_export_of_a_single_node_ends_it(
    mongodb_node_url: str, tmp_path: Path, what: str
) -> None:
    changes: dict[str, Operation] = {
        "new": insert("u0001"),
        "changed": rename("u0002", "", "Somebody"),
        "gone": Delete("users", (equal("identifier", "u0002"),)),
    }
    asyncio.run(write(mongodb_node_url, tmp_path, *(insert(f"u{number:04}") for number in range(0, 1000, 2))))
    administration = records_at(mongodb_node_url, tmp_path).administration
    with (
        pytest.raises(Conflict, match=r"written to while it was read \(users\)"),
        administration.snapshot() as snapshot,
    ):
        rows = snapshot.rows("users")
        list(itertools.islice(rows, 10))
        asyncio.run(write(mongodb_node_url, tmp_path, changes[what]))
        list(rows)


def test_a_snapshot_that_the_server_keeps_no_longer(tmp_path: Path) -> None:
    server = MongodbServer(needed("MongoDB"), "--setParameter", "minSnapshotHistoryWindowInSeconds=0")
    try:
        server.start()
        url = server.new_database_url()
        administration = records_at(url, tmp_path).administration
        administration.create()
        with (
            pytest.raises(StorageUnavailable, match="minSnapshotHistoryWindowInSeconds"),
            administration.snapshot() as snapshot,
        ):
            for number in itertools.count():
                assert list(snapshot.rows("users")) == []
                asyncio.run(write(url, tmp_path, insert(f"u{number:04}")))
                assert number < _MOST_WRITES, "the server goes on showing what was"
    finally:
        server.remove()


def test_a_snapshot_that_is_older_than_its_collection(new_mongodb_url: Callable[[], str], tmp_path: Path) -> None:
    """As one is that was taken when the server had just been started."""
    url = new_mongodb_url()
    administration = records_at(url, tmp_path).administration
    administration.create()
    with (
        pytest.raises(StorageUnavailable, match="no snapshot of them yet"),
        administration.snapshot() as snapshot,
        pymongo.MongoClient[dict[str, Any]](url) as client,
    ):
        database = client.get_default_database()
        database["users"].drop()
        database.create_collection("users")
        list(snapshot.rows("users"))


def test_what_others_write_during_a_load_is_noticed(new_url: Callable[[], str], tmp_path: Path) -> None:
    """As the last rows of a load may that was ended when this one began."""
    url = new_url()
    administration = records_at(url, tmp_path).administration
    with pytest.raises(Conflict, match="3 rows of users where 2 were loaded"), administration.load() as load:
        load.insert("users", users(1, 2))
        with pymongo.MongoClient[dict[str, Any]](url) as client:
            client.get_default_database()["users"].insert_one({"_id": "late"})
    assert administration.state() is SchemaState.INCOMPLETE
    with administration.load() as load:
        load.insert("users", users(1))
    assert [row["identifier"] for row in rows_at(administration)["users"]] == ["u0001"]


def test_a_row_that_no_document_holds_ends_the_load(new_url: Callable[[], str], tmp_path: Path) -> None:
    administration = records_at(new_url(), tmp_path).administration
    with (
        pytest.raises(Conflict, match=r"a row of users would have 16,\d+,\d+ bytes; MongoDB takes 16,777,216 at most"),
        administration.load() as load,
    ):
        load.insert("users", [{"identifier": "u", "roles": ["x" * (16 << 20)], "created_at": 0}])
    assert administration.state() is SchemaState.INCOMPLETE


def test_an_older_schema_whose_load_was_ended_is_upgraded_by_the_next_one(
    new_url: Callable[[], str], tmp_path: Path
) -> None:
    url = new_url()
    administration = records_at(url, tmp_path).administration
    administration.create()
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        database["schema"].update_one({}, {"$set": {"version": "0004", "load": "of before"}})
        database["run_values"].drop()
        database["users"].insert_one({"_id": "of before"})
        with administration.load() as load:
            load.insert("users", users(1))
        assert "run_values" in database.list_collection_names()
    assert administration.state() is SchemaState.CURRENT
    assert [row["identifier"] for row in rows_at(administration)["users"]] == ["u0001"]
