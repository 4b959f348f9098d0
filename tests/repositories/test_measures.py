"""How much there is to do, counted over the whole installation; and which masters there are."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from job_orchestra.domain.masters import SILENCE, Master
from job_orchestra.domain.measures import Measure, coarser, minute_of
from job_orchestra.domain.workers import WorkerDescription
from job_orchestra.repositories.measures import KEPT
from job_orchestra.storage.port import Find, Order
from job_orchestra.storage.schema import MEASURES
from tests.connecting import connect_worker
from tests.repositories.records import Records, play


def test_a_measure_is_of_the_whole_installation(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        minute = minute_of(records.clock.now())
        assert not await records.measures.has(minute)
        for name, master, limit in (("w1", "m1", 2), ("w2", "m2", 3), ("away", "m1", 8)):
            worker = await connect_worker(
                records.workers, name, "u", "i", WorkerDescription("1", executor_limit=limit), 0.0, master
            )
        await records.workers.disconnect(worker)
        await records.trigger()
        for name in ("w1", "w2", "away"):
            assert await records.queue.assign(await records.trigger(), name)
        await records.measures.take()
        assert await records.measures.has(minute)
        expected = Measure(minute, waiting=4, running=0, workers=2, executors=5, in_use=2)
        assert await records.measures.since(minute) == [expected]
        # Another master in the same minute changes nothing.
        await records.trigger()
        await asyncio.gather(records.measures.take(), records.measures.take())
        assert await records.measures.since(minute) == [expected]

    play(database_url, scenario)


def test_measures_are_kept_for_two_days(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        first = minute_of(records.clock.now())
        await records.measures.take()
        records.clock.advance(KEPT.total_seconds())
        await records.measures.take()
        assert len(await records.measures.since(first)) == 2
        records.clock.advance(60)
        await records.measures.take()
        rows = await records.storage.find(Find(MEASURES.name, (), (Order("minute"),)))
        assert len(rows) == 2
        assert [one.minute for one in await records.measures.since(first)] == [
            first + KEPT, first + KEPT + timedelta(minutes=1)
        ]  # fmt: skip

    play(database_url, scenario)


def test_coarser_measures_have_the_highest_of_each_number() -> None:
    start = datetime.fromisoformat("2026-11-23T10:08:00+00:00")
    measures = [
        Measure(start + timedelta(minutes=minute), minute, 9 - minute, 1, 4, minute % 2) for minute in (0, 1, 2, 3, 14)
    ]
    assert list(coarser(measures, timedelta(minutes=10))) == [
        Measure(start - timedelta(minutes=8), 1, 9, 1, 4, 1),
        Measure(start + timedelta(minutes=2), 3, 7, 1, 4, 1),
        Measure(start + timedelta(minutes=12), 14, -5, 1, 4, 0),
    ]
    assert list(coarser([], timedelta(minutes=10))) == []


def test_masters_say_that_they_are_there(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        begun, masters = records.clock.now(), records.known_masters
        await masters.announce("m1", "1.0", "ws://one")
        await masters.announce("m2", "1.1", "ws://two")
        records.clock.advance(10)
        await masters.renew("m1", begun, "Not applied.")
        await masters.retire("m2")
        later = records.clock.now()
        first = Master("m1", "1.0", "ws://one", begun, later, None, begun, "Not applied.")
        second = Master("m2", "1.1", "ws://two", begun, later, later)
        assert await masters.list() == [first, second]
        assert (first.is_at_work(later), second.is_at_work(later)) == (True, False)
        assert not first.is_at_work(later + SILENCE)
        records.clock.advance(31 * 24 * 3600)
        await masters.announce("m2", "2.0", "ws://two")
        (again,) = await masters.list()
        assert again == Master("m2", "2.0", "ws://two", records.clock.now(), records.clock.now())

    play(database_url, scenario)
