"""What is found: conditions, pages, counts, and values that come back as they were."""

from __future__ import annotations

import asyncio
import math
import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from job_orchestra.domain.json import JsonValue
from job_orchestra.storage.port import Condition, Count, Find, Insert, Operator, Order, Row, Storage, Value
from tests.storage.scenario import WORKER, batch, equal, get, identifiers, insert, play

_UNUSUAL_TEXTS = [
    "",
    " ",
    "'",
    '"; DROP TABLE users; --',
    "%s ? :x \\",
    "Ünïcödé",
    "\U0001f600",
    "\u202e",
    "a\nb\r\t\x01",
    # Each pair is one text to databases that compare as people do.
    "a",
    "a ",
    "A",
    "\u00e1",
    "a\u0301",
    "ss",
    "\u00df",
    "\t",
]
_UNUSUAL_JSON: list[JsonValue] = [
    None,
    True,
    [],
    {},
    "",
    "\0",
    "\ud800",
    {"": {"\0": ["\u2028", "😀"]}},
    [0, -0.0, 1.0, 0.1 + 0.2, 1e308, 5e-324, 2**53 + 1, -(2**63), 10**40],
    {"b": 1, "a": 2},
    "x" * 300_000,
]

_COMPARISONS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: lambda left, right: left == right,
    Operator.NOT_EQUAL: lambda left, right: left != right,
    Operator.LESS: lambda left, right: left is not None and left < right,
    Operator.LESS_EQUAL: lambda left, right: left is not None and left <= right,
    Operator.GREATER: lambda left, right: left is not None and left > right,
    Operator.GREATER_EQUAL: lambda left, right: left is not None and left >= right,
    Operator.IN: lambda left, right: left in right,
}


def test_columns_left_out_take_their_defaults(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("a", created_at=7)))
        assert await get(storage, "a") == {
            "identifier": "a",
            "display_name": "",
            "roles": [],
            "password": None,
            "is_enabled": True,
            "created_at": 7,
            "revision": 0,
        }

    play(storage_url, scenario)


@pytest.mark.parametrize("value", _UNUSUAL_JSON, ids=range(len(_UNUSUAL_JSON)))
def test_json_comes_back_as_it_was(storage_url: str, value: JsonValue) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("a", roles=value)))
        found = (await get(storage, "a"))["roles"]
        assert repr(found) == repr(value)  # tells 1 from 1.0 and True, and sees the order of keys

    play(storage_url, scenario)


def test_texts_come_back_and_are_found_as_they_were(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        for number, text in enumerate(_UNUSUAL_TEXTS):
            await storage.write(batch(insert(f"{number}", display_name=text)))
        for number, text in enumerate(_UNUSUAL_TEXTS):
            assert await identifiers(storage, equal("display_name", text)) == [f"{number}"]
            assert (await get(storage, f"{number}"))["display_name"] == text

    play(storage_url, scenario)


def test_integers_and_numbers_keep_their_kind(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        for number in (-(2**63), 2**63 - 1):
            worker = {**WORKER, "identifier": f"w{number}", "registered_at": number, "skew": 3}
            await storage.write(batch(Insert("workers", worker)))
            (found,) = await storage.find(Find("workers", (equal("registered_at", number),)))
            assert (found["registered_at"], repr(found["skew"]), found["is_connected"]) == (number, "3.0", False)

    play(storage_url, scenario)


def test_keys_differ_by_every_byte(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        for text in _UNUSUAL_TEXTS:
            assert (await storage.write(batch(insert(text)))).is_applied, text
            assert not (await storage.write(batch(insert(text)))).is_applied
        assert await identifiers(storage) == sorted(_UNUSUAL_TEXTS, key=str.encode)

    play(storage_url, scenario)


def test_numbers_come_back_to_the_last_bit(storage_url: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    numbers = [0.1, 1 / 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -(2.0**53) - 2, 1e22, -0.0]
    numbers += [value for _ in range(40) if math.isfinite(value := struct.unpack("d", rng.randbytes(8))[0])]

    async def scenario(storage: Storage) -> None:
        for place, number in enumerate(numbers):
            await storage.write(batch(Insert("workers", {**WORKER, "identifier": f"w{place}", "skew": number})))
            (found,) = await storage.find(Find("workers", (equal("identifier", f"w{place}"),)))
            assert repr(found["skew"]) == repr(number or 0.0)  # there is one zero

    play(storage_url, scenario)


def test_what_is_too_long_to_be_there_is_not_there(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("a" * 64)))
        assert await identifiers(storage, equal("identifier", "a" * 65)) == []
        assert await identifiers(storage, Condition("identifier", Operator.LESS, "a" * 65)) == ["a" * 64]
        assert await identifiers(storage, Condition("identifier", Operator.IN, ["b" * 5000, "a" * 64])) == ["a" * 64]

    play(storage_url, scenario)


def test_text_is_ordered_byte_by_byte(storage_url: str) -> None:
    names = ["B", "a", "A", "b", "_", "Z", "-", "ä", "z", "~", "\U0001f600", "\uffff", "aa", "a_", "a-"]

    async def scenario(storage: Storage) -> None:
        await storage.write(batch(*map(insert, names)))
        assert await identifiers(storage) == sorted(names, key=str.encode)
        behind = await identifiers(storage, Condition("identifier", Operator.GREATER, "a"))
        assert behind == sorted((name for name in names if name.encode() > b"a"), key=str.encode)

    play(storage_url, scenario)


def test_a_count_stops_where_it_is_told(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.write(batch(*(insert(f"u{number}", is_enabled=number % 2 == 0) for number in range(10))))
        assert await storage.count(Count("users")) == 10
        assert await storage.count(Count("users", (equal("is_enabled", True),))) == 5
        assert await storage.count(Count("users", at_most=3)) == 3

    play(storage_url, scenario)


def test_several_queries_see_one_snapshot(transactional_url: str) -> None:
    """Two rows are written together; whoever reads both in one go sees both or none."""

    async def scenario(storage: Storage) -> None:
        assert await storage.find_all([]) == []

        async def write() -> None:
            for number in range(100):
                await storage.write(batch(insert(f"a{number}"), insert(f"b{number}")))

        writing = asyncio.create_task(write())
        queries = [
            Find("users", (Condition("identifier", Operator.GREATER, "b"),), limit=1000),
            Find("users", (Condition("identifier", Operator.LESS, "b"),), limit=1000),
        ]
        while not writing.done():
            behind, before = await storage.find_all(queries)
            assert len(behind) == len(before)
        await writing

    play(transactional_url, scenario)


def test_mistakes_in_queries_are_raised_at_once(storage_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        order = (Order("created_at"), Order("identifier"))
        for query, error in (
            (Find("nothing"), KeyError),
            (Find("users", (equal("name", "x"),)), KeyError),
            (Find("users", order=(Order("roles"),)), TypeError),
            (Find("users", order=order, after=(1,)), ValueError),
            (Find("users", after=()), ValueError),
            (Find("users", order=order, after=("1", "a")), TypeError),
            (Find("users", order=order, after=(None, "a")), TypeError),
            (Find("users", limit=-1), ValueError),
        ):
            with pytest.raises(error):
                await storage.find(query)

    play(storage_url, scenario)


def test_random_queries_find_what_a_model_finds(storage_url: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    rows = [_random_user(rng, number) for number in range(60)]

    async def scenario(storage: Storage) -> None:
        await storage.write(batch(*(Insert("users", row) for row in rows)))
        for _ in range(80):
            await _compare(storage, rows, _random_query(rng))

    play(storage_url, scenario)


async def _compare(storage: Storage, rows: Sequence[Row], query: Find) -> None:
    """Page by page, to the end."""
    expected = [row for row in rows if all(_matches(row, condition) for condition in query.where)]
    for order in reversed(query.order):
        expected.sort(key=lambda row: _sortable(row[order.column]), reverse=order.descending)
    found: list[Row] = []
    after: tuple[Value, ...] | None = None
    while True:
        page = await storage.find(Find(query.collection, query.where, query.order, after, query.limit))
        found += page
        if len(page) < query.limit:
            break
        after = tuple(page[-1][order.column] for order in query.order)
    assert found == expected, query
    assert await storage.count(Count("users", query.where)) == len(expected), query


def _matches(row: Row, condition: Condition) -> bool:
    left, right = row[condition.column], condition.value
    if condition.operator is Operator.IN:
        return _COMPARISONS[condition.operator](left, right)
    if isinstance(left, str) and isinstance(right, str):
        return _COMPARISONS[condition.operator](left.encode(), right.encode())
    return _COMPARISONS[condition.operator](left, right)


def _sortable(value: Value) -> Any:
    return value.encode() if isinstance(value, str) else value


def _random_user(rng: random.Random, number: int) -> Row:
    return {
        "identifier": f"{rng.choice('aäZ_')}{number}",
        "display_name": rng.choice(["", "a", "b", "é"]),
        "roles": [number],
        "password": rng.choice([None, "x", "y"]),
        "is_enabled": rng.random() < 0.5,
        "created_at": rng.randrange(5),
        "revision": 0,
    }


def _random_query(rng: random.Random) -> Find:
    order = [Order(column, rng.random() < 0.5) for column in ("display_name", "created_at", "is_enabled")]
    rng.shuffle(order)
    chosen = (*order[: rng.randrange(3)], Order("identifier", rng.random() < 0.5))
    where = tuple(_random_condition(rng) for _ in range(rng.randrange(3)))
    return Find("users", where, chosen, limit=rng.randint(1, 20))


def _random_condition(rng: random.Random) -> Condition:
    column = rng.choice(["display_name", "created_at", "password"])
    values: list[JsonValue] = [0, 1, 4, 9] if column == "created_at" else ["", "a", "é", "x", "zz"]
    operator = rng.choice(list(Operator))
    if operator is Operator.IN:
        nothing: list[JsonValue] = [None] if column == "password" and rng.random() < 0.5 else []
        return Condition(column, operator, rng.sample(values, rng.randrange(3)) + nothing)
    if column == "password" and operator in (Operator.EQUAL, Operator.NOT_EQUAL) and rng.random() < 0.5:
        return Condition(column, operator, None)
    return Condition(column, operator, rng.choice(values))
