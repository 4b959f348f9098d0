"""What is particular to MongoDB: batches without transactions, what it cannot take, and how values are kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pymongo
import pytest
from bson import Int64

from job_orchestra.storage.port import Condition, Find, Insert, Operator, Order, Outcome, Storage, Update, Value
from tests.storage.scenario import batch, equal, get, identifiers, insert, play, rename

_TOO_LARGE = "x" * (17 << 20)


@pytest.fixture(params=["mongodb", "mongodb_node"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


def test_a_batch_that_ends_early_keeps_what_came_before(url: str) -> None:
    """So the deciding operation comes first, and what follows can be repeated."""

    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("taken")))
        outcome = await storage.write(batch(insert("a"), rename("taken", "", "x"), insert("taken"), insert("b")))
        assert outcome == Outcome((1, 1, 0), failed_at=2)
        assert await identifiers(storage) == ["a", "taken"]
        outcome = await storage.write(batch(rename("nobody", "", "x"), insert("b")))
        assert outcome == Outcome((0,), failed_at=0)
        assert await identifiers(storage) == ["a", "taken"]

    play(url, scenario)


def test_several_queries_on_a_single_node_see_what_was_answered(mongodb_node_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("a"), insert("b")))
        pages = await storage.find_all([Find("users", (equal("identifier", name),)) for name in ("a", "b", "c")])
        assert [len(page) for page in pages] == [1, 1, 0]

    play(mongodb_node_url, scenario)


def test_several_queries_on_a_replica_set_see_one_snapshot(mongodb_url: str) -> None:
    """Of two rows the second is written behind the first: nobody sees it alone, whichever is looked for first."""

    async def scenario(storage: Storage) -> None:
        async def write() -> None:
            for number in range(100):
                await storage.write(batch(insert(f"a{number}"), insert(f"b{number}")))

        writing = asyncio.create_task(write())
        queries = [
            Find("users", (Condition("identifier", Operator.LESS, "b"),), limit=1000),
            Find("users", (Condition("identifier", Operator.GREATER, "b"),), limit=1000),
        ]
        while not writing.done():
            first, second = await storage.find_all(queries)
            assert len(second) <= len(first)
        await writing

    play(mongodb_url, scenario)


def test_duplicates_that_are_ignored_leave_the_rest_of_the_batch(url: str) -> None:
    """Those of the key, and those of another index."""

    async def scenario(storage: Storage) -> None:
        await storage.write(batch(_token("a", "1"), _token("b", "2")))
        tokens = [_token("a", "9"), _token("c", "1"), _token("d", "4"), _token("e", "2"), _token("f", "6")]
        assert await storage.write(batch(insert("first"), *tokens)) == Outcome((1, 0, 0, 1, 0, 1))
        rows = await storage.find(Find("tokens", (), (Order("identifier"),)))
        assert [(row["identifier"], row["sha256"]) for row in rows] == [("a", "1"), ("b", "2"), ("d", "4"), ("f", "6")]
        together = await asyncio.gather(*(storage.write(batch(token)) for token in [*tokens, _token("g", "7")]))
        assert [outcome.rows for outcome in together] == [(0,), (0,), (0,), (0,), (0,), (1,)]

    play(url, scenario)


def test_lone_inserts_that_wait_together_fail_each_for_itself(mongodb_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("u7")))
        writes = [storage.write(batch(insert(f"u{number % 50}"))) for number in range(100)]
        outcomes = await asyncio.gather(*writes)
        applied = [number % 50 for number, outcome in enumerate(outcomes) if outcome.is_applied]
        assert sorted(applied) == [number for number in range(50) if number != 7]
        assert {outcome.failed_at for outcome in outcomes if not outcome.is_applied} == {0}

    play(mongodb_url, scenario)


def test_what_is_too_large_is_refused_with_a_sentence(mongodb_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        with pytest.raises(ValueError, match=r"row of users would have 17,.* bytes; MongoDB takes 16,777,216"):
            await storage.write(batch(insert("a", roles=_TOO_LARGE)))
        half = _TOO_LARGE[: 9 << 20]
        await storage.write(batch(insert("b", display_name=half)))
        for changes in ({"roles": half}, {"roles": _TOO_LARGE}):
            for more in ((), (insert("c"),)):
                with pytest.raises(ValueError, match="no row of more than 16 MiB"):
                    await storage.write(batch(Update("users", (equal("identifier", "b"),), changes), *more))
        assert await identifiers(storage) == ["b"]
        assert (await get(storage, "b"))["roles"] == []

    play(mongodb_url, scenario)


def test_a_key_does_not_change(mongodb_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        with pytest.raises(ValueError, match="identifier is of the key"):
            await storage.write(batch(Update("users", (), {"identifier": "x"})))

    play(mongodb_url, scenario)


def test_keys_of_several_columns(mongodb_url: str) -> None:
    """Found whole, by their beginning, by any other part, and in their order from both ends."""
    keys: list[tuple[str, int, int]] = [(r, a, s) for r in ("", "r", "ä") for a in (1, 2) for s in (-(2**63), 0, 5)]
    columns = ("run", "attempt", "sequence")

    async def scenario(storage: Storage) -> None:
        await storage.write(batch(*(_event(key) for key in reversed(keys))))

        async def find(*where: Any, descending: bool = False, after: tuple[Value, ...] | None = None) -> list[Any]:
            order = tuple(Order(column, descending) for column in columns)
            rows = await storage.find(Find("run_events", where, order, after))
            return [tuple(row[column] for column in columns) for row in rows]

        assert await find() == keys
        assert await find(descending=True) == keys[::-1]
        assert await find(equal("run", "r")) == [key for key in keys if key[0] == "r"]
        assert await find(equal("sequence", 5)) == [key for key in keys if key[2] == 5]
        assert await find(equal("run", "r"), equal("sequence", 5)) == [("r", 1, 5), ("r", 2, 5)]
        assert await find(equal("run", "r"), equal("run", "ä")) == []
        for place, key in enumerate(keys):
            assert await find(after=key) == keys[place + 1 :]
            assert await find(after=key, descending=True) == keys[:place][::-1]
            run, attempt, sequence = key
            assert await find(equal("attempt", attempt), equal("run", run), equal("sequence", sequence)) == [key]

    play(mongodb_url, scenario)


def test_documents_are_as_the_decision_says(mongodb_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("a", roles={"$set": {"a.b": 10**40}}), _event(("r", 1, 2))))

    play(mongodb_url, scenario)
    with pymongo.MongoClient[dict[str, Any]](mongodb_url) as client:
        database = client.get_default_database()
        user, event = database["users"].find_one(), database["run_events"].find_one()
    assert user is not None
    assert user == {
        "_id": "a",
        "display_name": "",
        "roles": '{"$set":{"a.b":10000000000000000000000000000000000000000}}',
        "password": None,
        "is_enabled": True,
        "created_at": 0,
        "revision": 0,
    }
    assert isinstance(user["revision"], Int64)
    assert event is not None
    assert event["_id"] == {"run": "r", "attempt": 1, "sequence": 2}
    assert "run" not in event


def _token(identifier: str, sha256: str) -> Insert:
    row: dict[str, Value] = {"identifier": identifier, "user": "u", "kind": "k", "sha256": sha256, "created_at": 0}
    return Insert("tokens", row, ignore_duplicate=True)


def _event(key: tuple[str, int, int]) -> Insert:
    run, attempt, sequence = key
    row: dict[str, Value] = {"run": run, "attempt": attempt, "sequence": sequence, "kind": "k", "date": 0, "data": None}
    return Insert("run_events", row)
