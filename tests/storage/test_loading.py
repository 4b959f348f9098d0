"""All rows out of a database in one snapshot, and into an empty one: on every kind of database."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from job_orchestra.domain.errors import Conflict, Unavailable
from job_orchestra.storage.port import Find, Row, SchemaState, StorageAdministration
from job_orchestra.storage.schema import COLLECTIONS
from tests.storage.content import records_at, rows_at
from tests.storage.scenario import batch, insert


class Stopped(Exception):
    pass


def users(*numbers: int) -> list[Row]:
    return [{"identifier": f"u{number:04}", "roles": [], "created_at": number} for number in numbers]


def administration_at(url: str, directory: Path) -> StorageAdministration:
    return records_at(url, directory).administration


def stop_in_the_middle(administration: StorageAdministration) -> None:
    with pytest.raises(Stopped), administration.load() as load:
        load.insert("users", users(*range(10)))
        raise Stopped


def test_what_is_loaded_is_all_there_at_the_end(new_url: Callable[[], str], tmp_path: Path) -> None:
    administration = administration_at(new_url(), tmp_path)
    administration.check_loadable()
    with administration.load() as load:
        load.insert("users", users(*range(0, 500, 2)))
        load.insert("users", users(*range(499, 0, -2)))
        load.insert("users", [])
        assert administration.state() is SchemaState.INCOMPLETE
        assert administration.versions()[0] == administration.versions()[1]
    assert administration.state() is SchemaState.CURRENT
    rows = rows_at(administration)
    assert [row["identifier"] for row in rows["users"]] == [f"u{number:04}" for number in range(500)]
    assert rows["users"][7] == {
        "identifier": "u0007",
        "display_name": "",
        "roles": [],
        "password": None,
        "is_enabled": True,
        "created_at": 7,
        "revision": 0,
    }
    assert all(not rows[collection.name] for collection in COLLECTIONS if collection.name != "users")


def test_a_snapshot_sees_one_moment(database_url: str, tmp_path: Path) -> None:
    records = records_at(database_url, tmp_path)

    async def write(*numbers: int) -> None:
        async with records_at(database_url, tmp_path) as others:
            await others.storage.write(batch(*(insert(f"u{number:04}") for number in numbers)))

    asyncio.run(write(*range(0, 1000, 2)))
    with records.administration.snapshot() as snapshot:
        rows: Iterator[Row] = snapshot.rows("users")
        first = list(itertools.islice(rows, 10))
        asyncio.run(write(*range(1, 1000, 2)))
        assert len(first) + len(list(rows)) == 500
        assert len(list(snapshot.rows("users"))) == 500
        assert list(snapshot.rows("runs")) == []
    assert len(rows_at(records.administration)["users"]) == 1000


def test_only_an_empty_database_is_filled(database_url: str, tmp_path: Path) -> None:
    records = records_at(database_url, tmp_path)
    records.administration.check_loadable()

    async def write() -> None:
        async with records_at(database_url, tmp_path) as others:
            await others.storage.write(batch(insert("there")))

    asyncio.run(write())
    with pytest.raises(Conflict, match="not empty: there are rows in users"):
        records.administration.check_loadable()
    with pytest.raises(Conflict, match="not empty"), records.administration.load():
        pass
    assert records.administration.state() is SchemaState.CURRENT


def test_nothing_works_on_what_is_not_complete(new_url: Callable[[], str], tmp_path: Path) -> None:
    url = new_url()
    administration = administration_at(url, tmp_path)
    stop_in_the_middle(administration)
    assert administration.state() is SchemaState.INCOMPLETE
    for work in (administration.upgrade, lambda: administration.snapshot().__enter__()):
        with pytest.raises(Conflict, match="import"):
            work()
    with pytest.raises(Conflict):
        administration.create()

    async def use() -> None:
        async with records_at(url, tmp_path) as records:
            for _ in range(2):
                with pytest.raises(Unavailable, match="import"):
                    await records.storage.find(Find("users"))
                with pytest.raises(Unavailable, match="import"):
                    await records.storage.write(batch(insert("a")))
            with administration.load() as load:
                load.insert("users", users(1))
            # What waited for it goes on by itself.
            assert len(await records.storage.find(Find("users"))) == 1
            assert (await records.storage.write(batch(insert("a")))).is_applied

    asyncio.run(use())


def test_the_next_load_starts_over(new_url: Callable[[], str], tmp_path: Path) -> None:
    administration = administration_at(new_url(), tmp_path)
    stop_in_the_middle(administration)
    administration.check_loadable()
    with administration.load() as load:
        load.insert("users", users(3))
    assert [row["identifier"] for row in rows_at(administration)["users"]] == ["u0003"]


def test_of_two_loads_the_later_one_counts(new_url: Callable[[], str], tmp_path: Path) -> None:
    url = new_url()
    administration = administration_at(url, tmp_path)
    with pytest.raises(Conflict, match="began later"), administration.load() as first:
        first.insert("users", users(1))
        with administration_at(url, tmp_path).load() as second:
            second.insert("users", users(2))
            with pytest.raises(Conflict, match="began later"):
                first.insert("users", users(3))
    assert administration.state() is SchemaState.CURRENT
    assert [row["identifier"] for row in rows_at(administration)["users"]] == ["u0002"]


def test_a_row_that_is_there_twice_ends_the_load(new_url: Callable[[], str], tmp_path: Path) -> None:
    administration = administration_at(new_url(), tmp_path)
    token: Row = {"user": "u", "kind": "personal", "sha256": "same", "created_at": 0}
    with pytest.raises(Conflict, match="tokens"), administration.load() as load:
        load.insert("tokens", [{"identifier": "a", **token}, {"identifier": "b", **token}])
    assert administration.state() is SchemaState.INCOMPLETE
