"""Slots of concurrency groups: held by no two runs, whoever assigns, ends and loses them at the same time."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from job_orchestra.composition.databases import open_storage
from job_orchestra.domain.concurrency import ConcurrencyGroup, free_number, split_slot
from job_orchestra.domain.json import JsonValue
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import LogFacts, Run
from job_orchestra.domain.statuses import RunStatus
from tests.repositories.records import Records, configuration, play

_GROUP = ConcurrencyGroup("p", "deploy")
_DONE = Reason(ReasonCode.COMPLETED, "It went well.")


async def _assigned(records: Records, number: int) -> Run | None:
    run = await records.trigger(concurrency="deploy")
    return await records.queue.assign(run, "w", _GROUP.slot(number))


async def _end(records: Records, run: Run) -> None:
    running = replace(run, status=RunStatus.RUNNING, journal_sequence=1)
    ended = replace(running, status=RunStatus.SUCCEEDED, reason=_DONE, log=LogFacts(0, "0" * 64), journal_sequence=2)
    assert await records.progress.save(run, running, ())
    assert await records.progress.save(running, ended, ())


def test_a_slot_is_held_from_the_assignment_to_the_end(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        first = await _assigned(records, 1)
        assert first is not None
        assert await _assigned(records, 1) is None
        second = await _assigned(records, 2)
        assert second is not None
        assert (await records.runs.get("p", second.identifier)).slot == _GROUP.slot(2)
        await _end(records, first)
        assert (await records.runs.get("p", first.identifier)).slot is None
        assert await _assigned(records, 1) is not None
        waiting = await records.queue.unassign(second)
        assert waiting is not None
        assert waiting.slot is None
        assert await records.queue.assign(waiting, "w", _GROUP.slot(2)) is not None

    play(database_url, scenario)


def test_groups_and_their_holders_are_found(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        jobs: list[JsonValue] = [
            {"identifier": name, "commands": [["true"]], "concurrency": name} for name in ("deploy", "deploy-x")
        ]
        await records.projects.apply(configuration({"identifier": "p", "jobs": jobs, "concurrency": {"deploy": 12}}))
        assert (await records.concurrency.of(_GROUP)).holders == ()
        held = [await _assigned(records, number) for number in (1, 2, 10)]
        for other in (
            ConcurrencyGroup("p", "deploy-x"),
            ConcurrencyGroup("p", "deploy0"),
            ConcurrencyGroup("q", "deploy"),
        ):
            assert await records.queue.assign(await records.trigger(), "w", other.slot(1)) is not None
        found = await records.concurrency.of(_GROUP)
        assert found.limit == 12
        assert {run.identifier for run in found.holders} == {run.identifier for run in held if run is not None}
        assert not found.is_full
        assert (await records.concurrency.of(ConcurrencyGroup("p", "deploy-x"))).limit == 1
        in_use = await records.concurrency.in_use()
        assert in_use.limits == {_GROUP: 12}
        assert len(in_use.holders) == 6
        await records.projects.apply(())
        assert (await records.concurrency.of(_GROUP)).limit == 12

    play(database_url, scenario)


class _Master:
    """Does to the runs of a group what masters do, on a storage of its own, each step by what it found just before."""

    def __init__(self, records: Records, limit: int, chance: random.Random) -> None:
        self._records = records
        self._concurrency = records.concurrency
        self._limit = limit
        self._chance = chance
        self.assigned = 0

    async def act(self, identifier: str) -> None:
        run = await self._records.queue.load(identifier)
        assert run is not None
        if run.status.is_terminal:
            return
        if run.worker is None:
            await self._assign(run)
        elif self._chance.random() < 0.3:
            await self._records.queue.unassign(run)
        elif run.status is RunStatus.PENDING:
            await self._records.progress.save(run, replace(run, status=RunStatus.RUNNING, journal_sequence=1), ())
        else:
            ended = replace(run, status=RunStatus.SUCCEEDED, reason=_DONE, journal_sequence=2)
            await self._records.progress.save(run, ended, ())

    async def _assign(self, run: Run) -> None:
        holders = (await self._concurrency.in_use()).holders
        number = free_number((split_slot(slot)[1] for slot in holders), self._limit)
        if number is not None and await self._records.queue.assign(run, "w", _GROUP.slot(number)) is not None:
            self.assigned += 1


@pytest.mark.parametrize("seed", range(2))
def test_there_are_never_more_than_the_limit_whoever_acts_meanwhile(database_url: str, seed: int) -> None:
    chance, limit = random.Random(seed), 2

    async def scenario(records: Records) -> None:
        storages = [open_storage(database_url) for _ in range(2)]
        masters = [_Master(Records(storage), limit, chance) for storage in storages]
        runs = [(await records.trigger(concurrency="deploy")).identifier for _ in range(12)]
        while unfinished := [
            run.identifier for run in await records.queue.load_many(runs) if not run.status.is_terminal
        ]:
            acts = [chance.choice(masters).act(chance.choice(unfinished)) for _ in range(8)]
            await asyncio.gather(*acts)
            holding = [run for run in await records.queue.load_many(runs) if run.worker and not run.status.is_terminal]
            assert len(holding) <= limit, f"seed {seed}"
            assert all(run.slot is not None for run in holding), f"seed {seed}"
            assert len((await records.concurrency.of(_GROUP)).holders) == len(holding), f"seed {seed}"
        assert sum(master.assigned for master in masters) >= len(runs)
        assert (await records.concurrency.of(_GROUP)).holders == ()
        for storage in storages:
            await storage.close()

    play(database_url, scenario)
