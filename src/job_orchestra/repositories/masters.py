"""The masters that there are and were: each says so of itself, now and then."""

from __future__ import annotations

import builtins
from datetime import datetime, timedelta

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.masters import Master
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.repositories.conditions import equal, find_everything
from job_orchestra.repositories.rows.columns import moment, optional_microseconds, optional_moment, text
from job_orchestra.storage.port import Batch, Condition, Delete, Find, Insert, Operator, Order, Row, Storage, Update
from job_orchestra.storage.schema import MASTERS

_FORGOTTEN_AFTER = timedelta(days=30)
"""Of silence: one that was given another name, say."""


class KnownMasters:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def announce(self, identifier: str, version: str, url: str) -> None:
        """A master begins to work; whatever was known of it is of an earlier life."""
        now = self._clock.now()
        row: Row = {
            "version": version,
            "url": url,
            "started_at": to_microseconds(now),
            "seen_at": to_microseconds(now),
            "stopped_at": None,
            "configured_at": None,
            "configuration_trouble": "",
        }
        silent = Condition("seen_at", Operator.LESS, to_microseconds(now - _FORGOTTEN_AFTER))
        await self._storage.write(
            Batch(
                (
                    Insert(MASTERS.name, {"identifier": identifier, **row}, ignore_duplicate=True),
                    Update(MASTERS.name, (equal("identifier", identifier),), row),
                    Delete(MASTERS.name, (silent,)),
                )
            )
        )

    async def renew(self, identifier: str, configured_at: datetime | None, configuration_trouble: str) -> None:
        """It is still there, and this is what it has to say of its configuration."""
        facts: Row = {
            "seen_at": to_microseconds(self._clock.now()),
            "configured_at": optional_microseconds(configured_at),
            "configuration_trouble": configuration_trouble,
        }
        await self._change(identifier, facts)

    async def retire(self, identifier: str) -> None:
        """It stops in order."""
        now = to_microseconds(self._clock.now())
        await self._change(identifier, {"seen_at": now, "stopped_at": now})

    async def list(self) -> builtins.list[Master]:
        rows = await find_everything(self._storage, Find(MASTERS.name, (), (Order("identifier"),)))
        return [_master(row) for row in rows]

    async def _change(self, identifier: str, facts: Row) -> None:
        where = (equal("identifier", identifier),)
        await self._storage.write(Batch((Update(MASTERS.name, where, facts, optional=True),)))


def _master(row: Row) -> Master:
    return Master(
        identifier=text(row, "identifier"),
        version=text(row, "version"),
        url=text(row, "url"),
        started_at=moment(row, "started_at"),
        seen_at=moment(row, "seen_at"),
        stopped_at=optional_moment(row, "stopped_at"),
        configured_at=optional_moment(row, "configured_at"),
        configuration_trouble=text(row, "configuration_trouble"),
    )
