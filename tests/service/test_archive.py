from __future__ import annotations

import asyncio
import io
import json
import random
import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

from job_orchestra.domain.event_records import EventRecord
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import Run
from job_orchestra.service.transformers.revision_links import RevisionLinks
from tests.service.serving import DEADLINE, Play, Served, serving

_RESULTS: JsonObject = {"tests": {"failed": 0}, "revision_control": {"revision": "0123abc"}}
_LOG = random.Random(7).randbytes(2_000_000)


async def _run(served: Served) -> Run:
    run = await served.started()
    events = [EventRecord(number, "started", number, {"é": number}) for number in range(1, 1201)]
    after = replace(run, journal_sequence=1200, results=_RESULTS)
    assert await served.progress.save(run, after, events)
    return await served.ended(await served.wrote(after, _LOG))


def _path(run: Run) -> str:
    return f"/projects/example/runs/{run.identifier}/archive"


def test_an_archive_has_everything(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await _run(served)
        response = await client.get(_path(run))
        assert response.headers["content-type"] == "application/zip"
        name = f"example-hello-{run.identifier}"
        assert response.headers["content-disposition"] == f'attachment; filename="{name}.zip"'
        with ZipFile(io.BytesIO(response.content)) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == [
                f"{name}/{file}" for file in ("run.json", "results.json", "events.json", "log")
            ]
            assert sha256(archive.read(f"{name}/log")).digest() == sha256(_LOG).digest()
            assert json.loads(archive.read(f"{name}/run.json"))["identifier"] == run.identifier
            assert json.loads(archive.read(f"{name}/results.json")) == _RESULTS
            events = json.loads(archive.read(f"{name}/events.json"))
            assert [event["sequence"] for event in events] == list(range(1, 1201))

    play(scenario)


def test_an_archive_of_an_ended_run_has_the_same_bytes_each_time(sqlite_url: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(sqlite_url, tmp_path / "first") as served:
            path = _path(await _run(served))
            first = (await (await served.user(Role.VIEWER)).get(path)).content
        links = RevisionLinks("https://git.example/{revision}")
        shutil.copytree(tmp_path / "first", tmp_path / "second")
        async with serving(sqlite_url, tmp_path / "second", transformers=(links,)) as served:
            served.clock.advance(1000)
            again = (await (await served.user(Role.VIEWER, name="another")).get(path)).content
        assert first == again

    asyncio.run(main())


def test_an_archive_of_a_run_that_has_nothing(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await served.trigger("hello", "example")
        with ZipFile(io.BytesIO((await client.get(_path(run))).content)) as archive:
            assert [json.loads(archive.read(name)) for name in archive.namelist()[1:3]] == [{}, []]
            assert archive.read(archive.namelist()[3]) == b""
        assert (await client.head(_path(run))).status_code == 200

    play(scenario)


def test_many_downloads_at_once(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await _run(served)
        responses = await asyncio.wait_for(asyncio.gather(*(client.get(_path(run)) for _ in range(12))), 3 * DEADLINE)
        assert len({sha256(response.content).digest() for response in responses}) == 1

    play_on_sqlite(scenario)


def test_a_reader_that_leaves_stops_the_work(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await _run(served)
        for _ in range(10):
            async with client.stream("GET", _path(run)) as response:
                await anext(response.aiter_raw())
        assert (await client.get(f"/projects/example/runs/{run.identifier}")).status_code == 200

    play_on_sqlite(scenario)
