"""A storage for the length of a scenario, and rows for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from job_orchestra.composition.databases import open_storage
from job_orchestra.storage.port import (
    Batch,
    Condition,
    Find,
    Insert,
    Operation,
    Operator,
    Order,
    Row,
    Storage,
    Update,
    Value,
)
from tests.simulation.memory_storage import MemoryDatabase, MemoryStorage

WORKER: Row = {"identifier": "w", "owner": "o", "instance": "i", "description": {}, "registered_at": 0}

_in_memory: dict[str, MemoryDatabase] = {}


def open_at(url: str) -> Storage:
    """`memory:NAME` is the database of that name in this process, which the simulation uses."""
    if url.startswith("memory:"):
        return MemoryStorage(_in_memory.setdefault(url, MemoryDatabase()))
    return open_storage(url)


def play(url: str, scenario: Callable[[Storage], Awaitable[None]]) -> None:
    async def main() -> None:
        storage = open_at(url)
        try:
            async with asyncio.timeout(60):
                await scenario(storage)
        finally:
            await storage.close()

    asyncio.run(main())


def insert(identifier: str, **columns: Value) -> Insert:
    return Insert("users", {"identifier": identifier, "roles": [], "created_at": 0, **columns})


def rename(identifier: str, old: str, new: str) -> Update:
    """Compare and set."""
    return Update("users", (equal("identifier", identifier), equal("display_name", old)), {"display_name": new})


def equal(column: str, value: str | int | bool | None) -> Condition:
    return Condition(column, Operator.EQUAL, value)


def batch(*operations: Operation) -> Batch:
    return Batch(operations)


async def identifiers(storage: Storage, *where: Condition) -> list[str]:
    rows = await storage.find(Find("users", where, (Order("identifier"),), limit=1000))
    return [str(row["identifier"]) for row in rows]


async def get(storage: Storage, identifier: str) -> Row:
    (row,) = await storage.find(Find("users", (equal("identifier", identifier),)))
    return row
