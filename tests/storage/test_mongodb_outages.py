"""MongoDB that goes away, hangs, elects or refuses, and what callers are told until it is back."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import pymongo
import pytest

from job_orchestra.composition.databases import open_administration
from job_orchestra.storage.mongo import parse_mongo_url
from job_orchestra.storage.mongo.clients import Clients
from job_orchestra.storage.mongo.storage import MongoStorage
from job_orchestra.storage.port import Find, SchemaState, Storage, StorageUnavailable
from tests.mongodb_server import MongodbServer
from tests.services import needed
from tests.storage.scenario import batch, identifiers, insert, play, rename

T = TypeVar("T")

_IMPATIENT = "timeoutMS=500"


@pytest.fixture(scope="module", params=[0, 1], ids=["single node", "replica set"])
def mortal_server(request: pytest.FixtureRequest) -> Iterator[MongodbServer]:
    """A server that tests may kill, if they start it again."""
    server = MongodbServer(needed("MongoDB"), members=request.param)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def url(mortal_server: MongodbServer) -> str:
    url = mortal_server.new_database_url()
    open_administration(url).create()
    return url


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_mongodb_goes_and_comes_back(mortal_server: MongodbServer, url: str, way: str) -> None:
    async def scenario(storage: Storage) -> None:
        await _patiently(lambda: storage.write(batch(insert("before"))))
        await asyncio.gather(*(_patiently(lambda: identifiers(storage)) for _ in range(20)))
        getattr(mortal_server, way)()
        with pytest.raises(StorageUnavailable):
            await storage.write(batch(insert("lost")))
        with pytest.raises(StorageUnavailable, match="refused"):
            await storage.find(Find("users"))
        mortal_server.start()
        assert await _patiently(lambda: identifiers(storage)) == ["before"]
        await _patiently(lambda: storage.write(batch(insert("after"))))

    play(_with(url, _IMPATIENT), scenario)


def test_a_restart_between_two_calls_is_not_noticed(mortal_server: MongodbServer, url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("before")))
        assert await identifiers(storage) == ["before"]
        mortal_server.kill()
        mortal_server.start()
        assert (await storage.write(batch(insert("after")))).is_applied
        assert await identifiers(storage) == ["after", "before"]

    play(url, scenario)


def test_what_was_answered_survives_a_kill_in_the_middle(mortal_server: MongodbServer, url: str) -> None:
    answered: set[str] = set()

    async def scenario(storage: Storage) -> None:
        async def write(name: str) -> None:
            for number in range(10_000):
                await storage.write(batch(insert(f"{name}{number}"), rename(f"{name}{number}", "", "x")))
                answered.add(f"{name}{number}")

        writers = [asyncio.create_task(write(name)) for name in ("a", "b", "c", "d")]
        while len(answered) < 100:
            await asyncio.sleep(0)
        await asyncio.to_thread(mortal_server.kill)
        outcomes = await asyncio.gather(*writers, return_exceptions=True)
        assert all(isinstance(outcome, StorageUnavailable) for outcome in outcomes), outcomes
        mortal_server.start()
        found = await _patiently(lambda: storage.find(Find("users", limit=20_000)))
        assert answered <= {str(row["identifier"]) for row in found if row["display_name"] == "x"}

    play(_with(url, "timeoutMS=2000"), scenario)


@pytest.mark.parametrize("way", ["answer", "queue"])
def test_a_server_that_hangs_is_not_waited_for_for_ever(mortal_server: MongodbServer, url: str, way: str) -> None:
    # Whichever of both limits comes first: that of one unit of work, or that of the whole call.
    answer_timeout, patience = (0.5, 60.0) if way == "answer" else (3.0, 0.5)

    async def scenario() -> None:
        storage = MongoStorage(Clients(parse_mongo_url(url), answer_timeout), patience)
        await _patiently(lambda: storage.write(batch(insert("before"))))
        await _patiently(lambda: identifiers(storage))
        mortal_server.pause()
        try:
            calls: list[Awaitable[object]] = [storage.find(Find("users")) for _ in range(3)]
            calls += [storage.write(batch(insert(f"lost{number}"))) for number in range(3)]
            async with asyncio.timeout(20):
                outcomes = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(outcome, StorageUnavailable) for outcome in outcomes), outcomes
            assert any("has not answered for 0.5 seconds" in str(outcome) for outcome in outcomes), outcomes
        finally:
            mortal_server.resume()
        await _patiently(lambda: storage.write(batch(insert("after"))))
        assert {"before", "after"} <= set(await _patiently(lambda: identifiers(storage)))
        await storage.close()

    asyncio.run(scenario())


@pytest.fixture
def three_members() -> Iterator[MongodbServer]:
    server = MongodbServer(needed("MongoDB"), members=3)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def test_the_loss_of_a_primary_costs_time_only(three_members: MongodbServer) -> None:
    """Those who write meanwhile wait for the next one, and nobody is told anything of it."""
    # However long the members take for an election.
    url = f"{three_members.new_database_url()}&timeoutMS=40000"
    open_administration(url).create()

    async def scenario(storage: Storage) -> None:
        answered: list[str] = []
        is_lost = asyncio.Event()

        async def write(name: str) -> None:
            number = 0
            while not is_lost.is_set() or number < 20:
                identifier = f"{name}{number}"
                operations = [insert(identifier)] if number % 2 else [insert(identifier), rename(identifier, "", "x")]
                assert (await storage.write(batch(*operations))).is_applied
                answered.append(identifier)
                number += 1

        writers = [asyncio.create_task(write(name)) for name in ("a", "b", "c")]
        while len(answered) < 20:
            await asyncio.sleep(0)
        lost = await asyncio.to_thread(three_members.primary)
        await asyncio.to_thread(lost.end, signal.SIGKILL)
        await asyncio.to_thread(three_members.primary)
        is_lost.set()
        await asyncio.gather(*writers)
        rows = await storage.find(Find("users", limit=100_000))
        assert sorted(str(row["identifier"]) for row in rows) == sorted(answered)

    play(url, scenario)


def test_threads_end_with_their_storage(mongodb_url: str) -> None:
    before = set(threading.enumerate())

    async def scenario(storage: Storage) -> None:
        await asyncio.gather(*(storage.write(batch(insert(f"u{number}"))) for number in range(20)))
        assert len(await identifiers(storage)) == 20

    play(mongodb_url, scenario)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(threading.enumerate()) <= before


def test_a_database_without_a_schema_gets_none_by_writing(mongodb: MongodbServer) -> None:
    url = mongodb.new_database_url()

    async def scenario(storage: Storage) -> None:
        for _ in range(2):
            with pytest.raises(StorageUnavailable, match="no schema yet"):
                await storage.write(batch(insert("a")))
        with pymongo.MongoClient[dict[str, Any]](url) as client:
            assert client.get_default_database().list_collection_names() == []
        open_administration(url).create()
        assert (await storage.write(batch(insert("a")))).is_applied

    play(url, scenario)


@pytest.fixture(scope="module")
def guarded() -> Iterator[MongodbServer]:
    """A server that asks who one is, with a user who may do everything."""
    server = MongodbServer(needed("MongoDB"), "--auth", members=0)
    try:
        server.start()
        with pymongo.MongoClient[dict[str, Any]](server.url("admin")) as client:
            client["admin"].command("createUser", "root", pwd="sesame", roles=["root"])
        yield server
    finally:
        server.remove()


def test_what_operating_says_of_rights_is_enough(guarded: MongodbServer) -> None:
    """`readWrite` for everything; less for those who only work with what is there."""
    as_root = guarded.url("admin").replace("://", "://root:sesame@")
    may = [{"resource": {"db": "orchestra", "collection": ""}, "actions": ["find", "insert", "update", "remove"]}]
    with pymongo.MongoClient[dict[str, Any]](as_root) as client:
        database = client["orchestra"]
        database.command("createUser", "orchestra", pwd="p@ss/word", roles=["readWrite"])
        database.command("createRole", "orchestraWork", privileges=may, roles=[])
        database.command("createUser", "worker", pwd="secret", roles=["orchestraWork"])
        database.command("createUser", "reader", pwd="secret", roles=["read"])
    owner, worker, reader, stranger = (
        guarded.url("orchestra").replace("://", f"://{who}@")
        for who in ("orchestra:p%40ss%2Fword", "worker:secret", "reader:secret", "worker:wrong-one")
    )
    with pytest.raises(StorageUnavailable, match="does not allow this user what is needed"):
        open_administration(worker).create()
    open_administration(owner).create()
    assert list(open_administration(owner).upgrade()) == []
    with pytest.raises(StorageUnavailable, match="does not allow this user"), open_administration(reader).load():
        pass
    assert open_administration(reader).state() is SchemaState.CURRENT
    with open_administration(owner).load() as load:
        load.insert("users", [])

    async def work(storage: Storage) -> None:
        assert (await storage.write(batch(insert("a"), rename("a", "", "x")))).is_applied
        assert await identifiers(storage) == ["a"]

    async def be_refused(storage: Storage) -> None:
        assert await identifiers(storage) == ["a"]
        with pytest.raises(StorageUnavailable, match="does not allow this user what is needed"):
            await storage.write(batch(insert("b")))

    async def be_unknown(storage: Storage) -> None:
        with pytest.raises(StorageUnavailable, match="refuses the user or the password") as caught:
            await storage.find(Find("users"))
        assert "wrong-one" not in f"{caught.value!r}"

    play(worker, work)
    play(reader, be_refused)
    play(stranger, be_unknown)
    with open_administration(reader).snapshot() as snapshot:
        assert [row["identifier"] for row in snapshot.rows("users")] == ["a"]


def test_who_may_not_insert_leaves_the_database_as_it_was(guarded: MongodbServer) -> None:
    as_root = guarded.url("admin").replace("://", "://root:sesame@")
    may = [{"resource": {"db": "untouched", "collection": ""}, "actions": ["find", "update", "remove"]}]
    with pymongo.MongoClient[dict[str, Any]](as_root) as client:
        client["untouched"].command("createUser", "owner", pwd="secret", roles=["readWrite"])
        client["untouched"].command("createRole", "unable", privileges=may, roles=[])
        client["untouched"].command("createUser", "unable", pwd="secret", roles=["unable"])
    url = guarded.url("untouched")
    open_administration(url.replace("://", "://owner:secret@")).create()
    unable = open_administration(url.replace("://", "://unable:secret@"))
    with pytest.raises(StorageUnavailable, match="does not allow this user what is needed"), unable.load():
        pytest.fail("what cannot be loaded was begun")
    assert unable.state() is SchemaState.CURRENT
    with open_administration(url.replace("://", "://owner:secret@")).load():
        assert unable.state() is SchemaState.INCOMPLETE


async def _patiently(call: Callable[[], Awaitable[T]]) -> T:
    """What has little time to answer may need more of it on a busy machine."""
    async with asyncio.timeout(30):
        while True:
            with suppress(StorageUnavailable):
                return await call()


def _with(url: str, option: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{option}"
