from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.ticks import Ledger, Tick, TickState
from job_orchestra.repositories import ticks as ticks_module
from tests.repositories.records import Records, play, request_of


def tick(records: Records, number: int, state: TickState = TickState.MISSED, schedule: str = "s") -> Tick:
    """Due so many minutes from now."""
    due = records.clock.date.replace(second=0, microsecond=0) + timedelta(minutes=number)
    request = request_of() if state is TickState.DUE else None
    return Tick("p", schedule, due, number, state, "j", records.clock.date, request, detail="Why. 😀")


def hours_from_now(records: Records, hours: int) -> datetime:
    return records.clock.date + timedelta(hours=hours)


def test_a_ledger_tells_what_matters_to_the_next_tick(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        later = hours_from_now(records, 1)
        assert await records.ticks.ledger("p", "s", later) == Ledger()
        states = (TickState.TRIGGERED, TickState.MISSED, TickState.WAITING, TickState.WAITING, TickState.DUE)
        ticks = [tick(records, number, state) for number, state in enumerate(states, 1)]
        run = await records.trigger()
        ticks[0] = replace(ticks[0], run=run.identifier)
        assert await records.ticks.add(ticks)
        assert await records.ticks.add([tick(records, 9, TickState.DUE, "other")])
        assert await records.ticks.ledger("p", "s", later) == Ledger(
            last_number=5,
            latest_due=ticks[4].due,
            waiting=ticks[2],
            due=ticks[4],
            triggered=ticks[0],
            has_unended_run=True,
            last_waiting_number=4,
        )
        in_between = await records.ticks.ledger("p", "s", ticks[2].due)
        assert (in_between.latest_due, in_between.has_some_ahead) == (ticks[2].due, True)
        assert await records.ticks.open() == {("p", "s"), ("p", "other")}
        assert await records.queue.cancel(run, Reason(ReasonCode.CANCEL_REQUESTED, "."))
        ended = await records.ticks.ledger("p", "s", later)
        assert (ended.has_unended_run, ended.run_ended_at) == (False, records.clock.date)

    play(database_url, scenario)


def test_of_two_masters_one_decides_on_the_next_tick(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        first, second = tick(records, 1), replace(tick(records, 1), detail="By somebody else.")
        added = await asyncio.gather(*(records.ticks.add([each]) for each in (first, second)))
        assert sorted(added) == [False, True]
        # Neither the same number for another moment, nor the same moment with another number.
        assert not await records.ticks.add([replace(tick(records, 2), number=1)])
        assert not await records.ticks.add([replace(tick(records, 1), number=2)])
        assert (await records.ticks.list("p", "s")).items == [first if added[0] else second]

    play(database_url, scenario)


def test_a_tick_changes_from_the_state_that_was_seen(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        waiting = tick(records, 1, TickState.WAITING)
        assert await records.ticks.add([waiting, tick(records, 2, TickState.WAITING)])
        due = replace(waiting, state=TickState.DUE, request=request_of(), detail="")
        assert await records.ticks.change(waiting, due)
        assert not await records.ticks.change(waiting, replace(waiting, state=TickState.MISSED))
        triggered = replace(due, state=TickState.TRIGGERED, request=None, run="r")
        assert await records.ticks.change(due, triggered)
        assert (await records.ticks.list("p", "s", newest_first=False)).items == [
            triggered,
            tick(records, 2, TickState.WAITING),
        ]

    play(database_url, scenario)


def test_old_ticks_go_but_none_that_still_matters(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticks_module, "KEPT", 3)

    async def scenario(records: Records) -> None:
        states = [TickState.WAITING, TickState.BUSY, TickState.TRIGGERED, *[TickState.REFUSED] * 7]
        assert await records.ticks.add([tick(records, number, state) for number, state in enumerate(states, 1)])
        assert await records.ticks.add([tick(records, 1, schedule="other")])
        later = hours_from_now(records, 1)
        for triggered, numbers in ((TickState.TRIGGERED, [1, *range(3, 11)]), (TickState.REFUSED, [1, 8, 9, 10])):
            if triggered is TickState.REFUSED:
                await records.ticks.change(
                    tick(records, 3, TickState.TRIGGERED), replace(tick(records, 3), state=triggered)
                )
            await records.ticks.prune("p", "s", await records.ticks.ledger("p", "s", later))
            kept = await records.ticks.list("p", "s", newest_first=False)
            assert [one.number for one in kept.items] == numbers
        assert len((await records.ticks.list("p", "other")).items) == 1

    play(database_url, scenario)


def test_what_a_clock_that_was_ahead_has_decided_is_forgotten_but_its_runs(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        states = (*TickState, TickState.MISSED)
        assert await records.ticks.add([tick(records, number, state) for number, state in enumerate(states)])
        now = tick(records, 0).due - timedelta(seconds=30)
        await records.ticks.forget_ahead("p", "s", await records.ticks.ledger("p", "s", now), now)
        kept = await records.ticks.list("p", "s", newest_first=False)
        # The first one may be that of a clock which is right; the last number is taken for ever.
        assert [(one.number, one.state) for one in kept.items] == [
            (0, "waiting"), (1, "due"), (2, "triggered"), (6, "missed"),
        ]  # fmt: skip

    play(database_url, scenario)


def test_lists_come_in_pages_newest_first(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        assert await records.ticks.add([tick(records, number) for number in range(1, 6)])
        page = await records.ticks.list("p", "s", limit=3)
        assert [one.number for one in page.items] == [5, 4, 3]
        page = await records.ticks.list("p", "s", limit=3, cursor=page.next)
        assert [one.number for one in page.items] == [2, 1]
        assert page.next is None

    play(database_url, scenario)
