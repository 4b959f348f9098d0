"""How the index of results comes to be complete, stays so, and goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from job_orchestra.domain.json import JsonValue
from job_orchestra.repositories.conditions import find_everything
from job_orchestra.repositories.result_index import ResultIndex
from job_orchestra.repositories.rows.runs import run_to_row
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.repositories.run_search import Budget, RunSearch
from job_orchestra.storage.port import Batch, Count, Find, Insert, Order, Outcome, Row, Storage
from tests.repositories.records import Records, play
from tests.repositories.test_run_search import identifiers, index, save

_TEN_MINUTES = 601


async def _states(records: Records) -> dict[str, str]:
    rows = await records.storage.find(Find("result_keys", (), (Order("path"),)))
    return {str(row["path"]): str(row["state"]) for row in rows}


async def _rows(records: Records) -> list[tuple[str, str]]:
    query = Find("run_values", (), (Order("path"), Order("value"), Order("run")))
    return [(str(row["path"]), str(row["value"])) for row in await find_everything(records.storage, query)]


async def _history(records: Records, count: int) -> list[str]:
    """Runs of before, the last of them the only one with n = 1."""
    runs = [await records.trigger() for _ in range(3)]
    rows = [
        run_to_row(replace(runs[0], identifier=f"{number:018}", results={"n": int(number == count - 1)}))
        for number in range(count)
    ]
    await records.storage.write(Batch(tuple(Insert("runs", row) for row in rows)))
    return [str(row["identifier"]) for row in rows]


class Died(BaseException):
    pass


class Dying:
    """A storage whose process dies at its n-th write: before it is carried out, or before it is told."""

    def __init__(self, storage: Storage, writes: int, is_carried_out: bool) -> None:
        self._storage = storage
        self._writes = writes
        self._is_carried_out = is_carried_out
        self.commits_batches_whole = storage.commits_batches_whole

    async def find(self, query: Find) -> list[Row]:
        return await self._storage.find(query)

    async def find_all(self, queries: Sequence[Find]) -> list[list[Row]]:
        return await self._storage.find_all(queries)

    async def count(self, query: Count) -> int:
        return await self._storage.count(query)

    async def write(self, batch: Batch) -> Outcome:
        self._writes -= 1
        if self._writes < 0:
            if self._is_carried_out:
                await self._storage.write(batch)
            raise Died
        return await self._storage.write(batch)

    async def close(self) -> None:
        await self._storage.close()


@pytest.mark.parametrize("is_carried_out", [False, True], ids=["lost", "untold"])
def test_whoever_dies_in_filling_leaves_it_to_be_gone_on_with(database_url: str, is_carried_out: bool) -> None:
    async def scenario(records: Records) -> None:
        history = await _history(records, 450)
        search = RunSearch(records.storage, Budget(few=0))
        for writes in range(12):
            dying = ResultIndex(Dying(records.storage, writes, is_carried_out), records.clock, ["n"], settling=0)
            with pytest.raises(Died):
                while await dying.look():
                    pass
                raise Died
            assert await identifiers(search, "results.n = 1") == [history[-1]]
        await index(records, "n")
        assert await _states(records) == {"n": "complete"}
        assert len(await _rows(records)) == 450
        assert await identifiers(search, "results.n = 1") == [history[-1]]

    play(database_url, scenario)


def test_nothing_is_filled_before_every_master_knows_the_key(sqlite_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _history(records, 3)
        assert not await ResultIndex(records.storage, records.clock, ["n"]).look()
        assert (await _states(records), await _rows(records)) == ({"n": "filling"}, [])
        # One that does not name it knows it from the database, and writes its rows.
        other = RunProgress(records.storage, records.clock, ResultIndex(records.storage, records.clock))
        run = await records.trigger()
        assert await other.save(run, replace(run, results={"n": 5}), [])
        assert len(await _rows(records)) == 1

    play(sqlite_url, scenario)


def test_a_run_is_found_by_what_it_says_last(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await index(records, "n")
        search = RunSearch(records.storage, Budget(few=0))
        run = await records.trigger()
        values: list[JsonValue] = [1, True, "x" * 500, 1.5, None, [1], 1]
        for value in values:
            run = await save(records, run, {"n": value})
        assert await identifiers(search, "results.n = 1") == [run.identifier]
        for text in ("results.n = true", "results.n > 1", "results.n starts with 'x'", "results.n = null"):
            assert await identifiers(search, text) == []
        assert (await records.runs.get("p", run.identifier)).results == {"n": 1}

    play(database_url, scenario)


def test_what_only_looks_equal_is_saved(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await save(records, await records.trigger(), {"n": 1})
        await save(records, run, {"n": True})
        assert (await records.runs.get("p", run.identifier)).results["n"] is True

    play(database_url, scenario)


def test_a_save_that_comes_too_late_leaves_the_run_to_be_found(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await index(records, "n")
        run = await records.trigger()
        after = await save(records, run, {"n": 1})
        assert not await records.progress.save(run, replace(run, results={"n": 2}), [])
        search = RunSearch(records.storage, Budget(few=0))
        assert await identifiers(search, "results.n = 1") == [after.identifier]
        assert await identifiers(search, "results.n = 2") == []

    play(database_url, scenario)


def test_a_key_that_nobody_names_any_more_goes(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        history = await _history(records, 700)
        await index(records, "n", '"a.b".c')
        search = RunSearch(records.storage, Budget(few=0))
        await index(records, "n")
        assert await _states(records) == {"n": "complete", '"a.b".c': "complete"}
        records.clock.advance(_TEN_MINUTES)
        await index(records, '"a.b".c')
        assert (await _states(records), await _rows(records)) == ({'"a.b".c': "complete"}, [])
        assert await identifiers(search, "results.n = 1") == [history[-1]]
        # Named again, it begins anew.
        await index(records, "n")
        assert (await _states(records))["n"] == "complete"
        assert len(await _rows(records)) == 700

    play(database_url, scenario)


def test_rows_go_only_when_nobody_may_still_rely_on_them(sqlite_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _history(records, 3)
        await index(records, "n")
        records.clock.advance(_TEN_MINUTES)
        assert not await ResultIndex(records.storage, records.clock).look()
        assert (await _states(records), len(await _rows(records))) == ({"n": "removing"}, 3)

    play(sqlite_url, scenario)


def test_a_key_that_is_named_stays(sqlite_url: str) -> None:
    async def scenario(records: Records) -> None:
        for _ in range(3):
            await index(records, "n")
            records.clock.advance(_TEN_MINUTES - 300)
            await index(records)
            assert await _states(records) == {"n": "complete"}

    play(sqlite_url, scenario)
