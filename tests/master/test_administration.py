"""What a master tells of itself and of the installation, and what it clears away of the audit trail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from job_orchestra.domain.audit import DEFAULT_AUDIT_DAYS, AuditEntry, AuditOrigin, new_audit_identifier
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.measures import Measure, minute_of
from job_orchestra.master import presence
from job_orchestra.repositories.audit import Audit
from job_orchestra.repositories.masters import KnownMasters
from job_orchestra.repositories.measures import Measures
from job_orchestra.version import __version__
from tests.master.peers import DEADLINE, Scenario, Surroundings


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await condition():
            await asyncio.sleep(0.01)


def test_a_master_says_that_it_is_there_and_that_it_goes(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        masters = KnownMasters(parts.storage, parts.clock)
        before = parts.clock.now()

        async def is_told() -> bool:
            return any(master.configured_at is not None for master in await masters.list())

        async with parts.serving():
            await _until(is_told)
            (master,) = await masters.list()
            assert (master.identifier, master.version, master.url) == ("m", __version__, "ws://master.test")
            assert master.is_at_work(parts.clock.now())
            assert master.configured_at is not None
            assert before <= master.configured_at <= master.seen_at
        (gone,) = await masters.list()
        assert gone.stopped_at is not None
        assert not gone.is_at_work(parts.clock.now())

    play(scenario)


def test_a_master_tells_what_is_wrong_with_its_configuration(
    play: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "_INTERVAL", 0.05)

    async def scenario(parts: Surroundings) -> None:
        masters = KnownMasters(parts.storage, parts.clock)

        async def is_told() -> bool:
            return any("is wrong" in master.configuration_trouble for master in await masters.list())

        async with parts.serving() as master:
            parts.mistake = Invalid.at("projects.py:3", "is wrong")
            master.apply_configuration()
            await _until(is_told)

    play(scenario)


def test_a_master_looks_how_much_there_is_to_do(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        await parts.trigger(properties={"nobody": "has this"})
        measures = Measures(parts.storage, parts.clock)
        begun = minute_of(parts.clock.now())

        async def is_measured() -> bool:
            return await measures.has(minute_of(parts.clock.now())) or await measures.has(begun)

        async with parts.serving():
            await _until(is_measured)
        first = (await measures.since(begun))[0]
        assert first == Measure(first.minute, waiting=1, running=0, workers=0, executors=0, in_use=0)

    play(scenario)


def test_old_entries_of_the_trail_go(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        audit, now = Audit(parts.storage), parts.clock.now()
        dates = (now - timedelta(days=DEFAULT_AUDIT_DAYS, minutes=1), now - timedelta(days=DEFAULT_AUDIT_DAYS - 1))
        old, young = (
            AuditEntry(new_audit_identifier(date, 0), date, AuditOrigin.HOST, "user.create", "root") for date in dates
        )
        await audit.add(old)
        await audit.add(young)

        async def is_gone() -> bool:
            return len((await audit.list()).items) == 1

        async with parts.serving():
            await _until(is_gone)
        (left,) = (await audit.list()).items
        assert left.identifier == young.identifier

    play(scenario)
