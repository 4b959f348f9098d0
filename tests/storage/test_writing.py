"""Batches: what matches, what ends them, what is undone, and what happens when many are written at once."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from job_orchestra.storage.port import (
    Batch,
    Condition,
    Delete,
    Find,
    Insert,
    Operator,
    Order,
    Outcome,
    Storage,
    Update,
    Value,
)
from tests.storage.scenario import WORKER, batch, equal, get, identifiers, insert, open_at, play, rename


def test_an_insert_takes_its_key_once(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        assert await storage.write(batch(insert("a", display_name="first"))) == Outcome((1,))
        assert await storage.write(batch(insert("a", display_name="second"))) == Outcome((0,), failed_at=0)
        again = Insert("users", insert("a", display_name="third").row, ignore_duplicate=True)
        assert await storage.write(batch(again, insert("b"))) == Outcome((0, 1))
        assert (await get(storage, "a"))["display_name"] == "first"

    play(storage_url, scenario)


def test_an_update_tells_whether_it_matched(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("a"), insert("b")))
        assert (await storage.write(batch(rename("a", "", "x")))).is_applied
        assert await storage.write(batch(rename("a", "", "y"))) == Outcome((0,), failed_at=0)
        everyone = Update("users", (), {"is_enabled": False})
        assert await storage.write(batch(everyone)) == Outcome((2,))
        unmatched = Update("users", (equal("identifier", "c"),), {"is_enabled": True}, optional=True)
        assert await storage.write(batch(unmatched, rename("b", "", "z"))) == Outcome((0, 1))
        assert await storage.write(batch(Delete("users", (equal("identifier", "c"),)))) == Outcome((0,))
        assert await storage.write(batch(Delete("users", (equal("identifier", "a"),)))) == Outcome((1,))
        assert await identifiers(storage) == ["b"]
        assert await storage.write(Batch(())) == Outcome()

    play(storage_url, scenario)


def test_a_batch_that_ends_early_leaves_nothing(transactional_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("taken")))
        outcome = await storage.write(batch(insert("a"), rename("taken", "", "x"), insert("taken"), insert("b")))
        assert outcome == Outcome((1, 1, 0), failed_at=2)
        assert await identifiers(storage) == ["taken"]
        assert (await get(storage, "taken"))["display_name"] == ""

    play(transactional_url, scenario)


def test_batches_written_at_once_fail_each_for_itself(transactional_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("taken")))
        outcomes = await asyncio.gather(
            storage.write(batch(insert("a1"), insert("a2"))),
            storage.write(batch(insert("b1"), insert("taken"))),
            storage.write(batch(insert("c1"))),
            storage.write(batch(rename("nobody", "", "x"), insert("d1"))),
            storage.write(batch(rename("taken", "", "x"), Insert("users", insert("e1").row, ignore_duplicate=True))),
        )
        assert [outcome.failed_at for outcome in outcomes] == [None, 1, None, 0, None]
        assert await identifiers(storage) == ["a1", "a2", "c1", "e1", "taken"]

    play(transactional_url, scenario)


def test_of_many_who_compare_and_set_one_wins(storage_url: str) -> None:
    """From two storages, as a service and a master are."""

    async def scenario(storage: Storage) -> None:
        other = open_at(storage_url)
        for number in range(20):
            await storage.write(batch(insert(f"u{number}")))
        attempts = [
            (number, each.write(batch(rename(f"u{number}", "", f"{number}-{name}"))))
            for number in range(20)
            for name, each in (("a", storage), ("b", other), ("c", storage), ("d", other))
        ]
        outcomes = await asyncio.gather(*(attempt for _, attempt in attempts))
        winners = [number for (number, _), outcome in zip(attempts, outcomes, strict=True) if outcome.is_applied]
        assert sorted(winners) == list(range(20))
        await other.close()

    play(storage_url, scenario)


def test_two_storages_that_write_the_same_rows_in_opposite_orders_both_succeed(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        other = open_at(storage_url)
        names = [f"u{number}" for number in range(30)]
        await storage.write(batch(*map(insert, names)))

        def touch(order: list[str]) -> Batch:
            return batch(*(Update("users", (equal("identifier", name),), {"created_at": 1}) for name in order))

        for _ in range(10):
            outcomes = await asyncio.gather(storage.write(touch(names)), other.write(touch(names[::-1])))
            assert all(outcome.is_applied for outcome in outcomes)
        await other.close()

    play(storage_url, scenario)


def _run(identifier: str, key: str | None = None) -> Insert:
    row: dict[str, Value] = dict.fromkeys(("project", "job", "queue_key", "source_kind", "source_identifier"), "x")
    row |= {"identifier": identifier, "request": {}, "created_at": 0, "status": "pending", "idempotency_key": key}
    return Insert("runs", row)


def _hold(run: str, slot: str | None) -> Update:
    return Update("runs", (equal("identifier", run),), {"concurrency_slot": slot, "attempt": 2})


def test_a_unique_index_holds_and_lets_none_through(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        assert (await storage.write(batch(_run("a", "k")))).is_applied
        assert not (await storage.write(batch(_run("b", "k")))).is_applied
        assert (await storage.write(batch(_run("c"), _run("d")))).is_applied

    play(storage_url, scenario)


def test_an_update_does_not_match_where_what_it_gives_is_taken(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.write(batch(_run("a"), _run("b"), _run("c")))
        assert (await storage.write(batch(_hold("a", "s1")))).is_applied
        assert await storage.write(batch(_hold("b", "s1"))) == Outcome((0,), failed_at=0)
        assert (await storage.write(batch(_hold("a", "s1")))).is_applied  # it is its own
        assert await storage.write(batch(_hold("b", "s1"), insert("u"))) == Outcome((0,), failed_at=0)
        found = await storage.find(Find("runs", (), (Order("identifier"),)))
        assert [(row["concurrency_slot"], row["attempt"]) for row in found] == [("s1", 2), (None, 1), (None, 1)]
        assert (await storage.write(batch(_hold("a", None)))).is_applied
        assert (await storage.write(batch(_hold("b", "s1")))).is_applied
        assert (await storage.write(batch(_hold("a", None), _hold("c", None)))).is_applied

    play(storage_url, scenario)


def test_of_many_updates_that_want_the_same_one_wins_and_disturbs_nobody(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        other = open_at(storage_url)
        runs = [f"r{number:02}" for number in range(24)]
        await storage.write(batch(*map(_run, runs)))
        wanted = [
            each.write(batch(_hold(run, f"s{place % 4}")))
            for place, run in enumerate(runs)
            for each in (storage, other)
        ]
        beside = [storage.write(batch(insert(f"u{number}"))) for number in range(10)]
        outcomes = await asyncio.gather(*wanted, *beside)
        assert all(outcome.is_applied for outcome in outcomes[len(wanted) :])
        found = await storage.find(Find("runs", (), (Order("identifier"),)))
        held = [str(row["concurrency_slot"]) for row in found if row["concurrency_slot"] is not None]
        assert sorted(held) == ["s0", "s1", "s2", "s3"]
        await other.close()

    play(storage_url, scenario)


def test_mistakes_of_the_program_are_raised_at_once(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        for wrong, error in (
            (Insert("nothing", {}), KeyError),
            (Insert("users", {"name": "x"}), KeyError),
            (Insert("users", {"identifier": "x"}), TypeError),  # created_at is missing
            (insert("x", created_at="0"), TypeError),
            (insert("x", created_at=True), TypeError),
            (insert("x", created_at=2**63), ValueError),
            (insert("x", is_enabled=1), TypeError),
            (insert("x", display_name=None), TypeError),
            (insert("x\0y"), ValueError),
            (insert("x\ud800"), ValueError),
            (insert("x" * 65), ValueError),
            (Update("users", (), {"identifier": "x" * 65}), ValueError),
            (insert("x", roles=[float("nan")]), ValueError),
            (Insert("workers", {**WORKER, "skew": float("inf")}), ValueError),
            (Update("users", (), {}), ValueError),
            (Update("users", (Condition("created_at", Operator.LESS, None),), {"created_at": 1}), TypeError),
            (Update("users", (Condition("roles", Operator.EQUAL, []),), {"created_at": 1}), TypeError),
            (Delete("users", (Condition("identifier", Operator.IN, "x"),)), TypeError),
        ):
            with pytest.raises(error):
                await storage.write(batch(wrong))
        assert await identifiers(storage) == []

    play(storage_url, scenario)


def test_a_call_that_is_cancelled_disturbs_nobody(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        calls = [asyncio.create_task(storage.write(batch(insert(f"u{number}")))) for number in range(20)]
        await asyncio.sleep(0)
        for call in calls[::2]:
            call.cancel()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(outcome, Outcome) and outcome.is_applied for outcome in outcomes[1::2])
        assert set(await identifiers(storage)) >= {f"u{number}" for number in range(1, 20, 2)}

    play(storage_url, scenario)


def test_batches_that_wait_together_are_committed_together(postgresql_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await asyncio.gather(*(storage.write(batch(insert(f"u{number}"))) for number in range(400)))

    play(postgresql_url, scenario)
    with psycopg.connect(postgresql_url) as connection:
        found = connection.execute("SELECT count(*), count(DISTINCT xmin::text) FROM users").fetchone()
    assert found is not None
    rows, transactions = found
    assert rows == 400
    assert transactions <= 40


def test_closing_waits_for_what_was_begun(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        call = asyncio.create_task(storage.write(batch(insert("a"))))
        await asyncio.sleep(0)
        await asyncio.gather(storage.close(), storage.close())
        assert (await call).is_applied
        reopened = open_at(storage_url)
        assert await identifiers(reopened) == ["a"]
        await reopened.close()

    play(storage_url, scenario)
