"""Places in logs and text in them, through the API."""

from __future__ import annotations

import asyncio
import random

import httpx2
import pytest

from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import Run
from job_orchestra.service import log_search
from job_orchestra.storage.log_port import Compression, LogKey
from tests.service.serving import DEADLINE, Play, Served


def _path(run: Run, what: str) -> str:
    return f"/projects/example/runs/{run.identifier}/log/{what}"


async def _with_log(served: Served, data: bytes) -> tuple[httpx2.AsyncClient, Run]:
    client = await served.user(Role.VIEWER)
    return client, await served.wrote(await served.started(), data)


def test_places(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client, run = await _with_log(served, b"one\n\x1b[1;31mtwo\nthree\x1b[0m\n\x1b[3")
        answer = (await client.get(_path(run, "places"), params={"offset": 0})).json()
        assert answer == {"size": 28, "places": [{"offset": 0, "line": 1, "style": "", "date": None}]}
        for query, offset, line, style in [
            ({"offset": 5}, 4, 2, ""),
            ({"offset": 14}, 14, 2, "1;31"),
            ({"line": 3}, 15, 3, "1;31"),
            ({"line": 4}, 25, 4, ""),
            ({"line": 1000}, 25, 4, ""),
            ({"offset": 1000}, 25, 4, ""),
            ({"line": 2, "attempt": 1}, 4, 2, ""),
        ]:
            (place,) = (await client.get(_path(run, "places"), params=query)).json()["places"]
            assert (place["offset"], place["line"], place["style"]) == (offset, line, style), query

    play_on_sqlite(scenario)


@pytest.mark.parametrize("is_compressed", [False, True])
def test_any_line_of_a_large_log(play_on_sqlite: Play, is_compressed: bool) -> None:
    async def scenario(served: Served) -> None:
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        lines = [b"x" * chance.choice((0, 10, 100, 5000)) for _ in range(2000)]
        log = b"\n".join(lines)
        client, run = await _with_log(served, log)
        if is_compressed:
            key = LogKey("example", run.identifier, 1)
            compressed = await served.log_store.compress(key, *await served.log_store.sha256(key))
            assert compressed is Compression.DONE
        for line in [1, 2000, *chance.sample(range(1, 2001), 30)]:
            (place,) = (await client.get(_path(run, "places"), params={"line": line})).json()["places"]
            offset = sum(len(one) + 1 for one in lines[: line - 1])
            assert (place["line"], place["offset"]) == (line, offset)
            (place,) = (await client.get(_path(run, "places"), params={"offset": offset})).json()["places"]
            assert (place["line"], place["offset"]) == (line, offset)

    play_on_sqlite(scenario)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "Either `offset` or `line`"),
        ({"offset": "1", "line": "1"}, "Either `offset` or `line`"),
        ({"line": "0"}, "is not an integer from 1"),
        ({"offset": "-1"}, "is not an integer from 0"),
        ({"offset": "0", "until": "x"}, "is not an integer from 0"),
    ],
)
def test_questions_that_make_no_sense(play_on_sqlite: Play, query: dict[str, str], message: str) -> None:
    async def scenario(served: Served) -> None:
        client, run = await _with_log(served, b"x")
        response = await client.get(_path(run, "places"), params=query)
        assert response.status_code == 422
        assert message in response.text

    play_on_sqlite(scenario)


def test_text_is_found_with_what_surrounds_it(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        log = b"first\n\x1b[31mAn error: \xff <b> is here\x1b[0m\r\nERROR again error\nlast"
        client, run = await _with_log(served, log)
        answer = (await client.get(_path(run, "search"), params={"text": "error"})).json()
        assert answer == {
            "hits": [
                {"offset": 14, "line": 2, "before": "An ", "text": "error", "after": ": \ufffd <b> is here"},
                {"offset": 52, "line": 3, "before": "ERROR again ", "text": "error", "after": ""},
            ],
            "next": None,
        }
        answer = (await client.get(_path(run, "search"), params={"text": "eRROR", "ignore_case": "true"})).json()
        assert [(hit["offset"], hit["text"]) for hit in answer["hits"]] == [(14, "error"), (40, "ERROR")]
        answer = (await client.get(_path(run, "search"), params={"text": "nothing", "attempt": 1})).json()
        assert answer == {"hits": [], "next": None}

    play_on_sqlite(scenario)


def test_a_search_goes_on_where_an_answer_ended(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        lines = [b"needle" if chance.random() < 0.02 else b"." * chance.randrange(3000) for _ in range(2000)]
        client, run = await _with_log(served, b"\n".join(lines))
        found: list[int] = []
        offset: int | None = 0
        while offset is not None:
            query: dict[str, str | int] = {"text": "needle", "offset": offset, "limit": 7}
            answer = (await client.get(_path(run, "search"), params=query)).json()
            found += [hit["line"] for hit in answer["hits"]]
            assert len(answer["hits"]) <= 7
            offset = answer["next"]
        assert found == [number for number, line in enumerate(lines, 1) if line == b"needle"]

    play_on_sqlite(scenario)


def test_each_answer_of_a_search_gets_on_however_slow_it_is(
    play_on_sqlite: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "_MOST_SECONDS", -1.0)

    async def scenario(served: Served) -> None:
        log = b"." * 1_000_000 + b"needle\n" + b"." * 1_000_000 + b"\nneedle"
        client, run = await _with_log(served, log)
        offsets, found = [0], list[int]()
        while True:
            query: dict[str, str | int] = {"text": "needle", "offset": offsets[-1], "limit": 7}
            answer = (await client.get(_path(run, "search"), params=query)).json()
            found += [hit["offset"] for hit in answer["hits"]]
            if answer["next"] is None:
                break
            assert answer["next"] > offsets[-1]
            offsets.append(answer["next"])
        assert found == [1_000_000, len(log) - 6]
        assert len(offsets) < 12

    play_on_sqlite(scenario)


def test_a_very_long_line_has_more_than_one_hit(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client, run = await _with_log(served, b"\n" + (b"x" * 99_994 + b"needle") * 5 + b"\nneedle")
        hits = (await client.get(_path(run, "search"), params={"text": "needle"})).json()["hits"]
        assert [hit["line"] for hit in hits] == [2, 2, 2, 2, 2, 3]
        assert all(len(hit["before"]) <= 160 and len(hit["after"]) <= 240 for hit in hits)

    play_on_sqlite(scenario)


@pytest.mark.parametrize(
    "query", [{}, {"text": ""}, {"text": "a\nb"}, {"text": "x" * 201}, {"text": "x", "limit": "0"}]
)
def test_searches_that_make_no_sense(play_on_sqlite: Play, query: dict[str, str]) -> None:
    async def scenario(served: Served) -> None:
        client, run = await _with_log(served, b"x")
        assert (await client.get(_path(run, "search"), params=query)).status_code == 422

    play_on_sqlite(scenario)


def test_who_waits_for_a_run_hears_of_it_at_once(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await served.started()
        address = f"/projects/example/runs/{run.identifier}/wait"
        assert (await client.get(address)).json()["status"] == "running"
        assert (await client.get(address, params={"while": "pending"})).json()["status"] == "running"
        waiting = asyncio.create_task(client.get(address, params={"while": "running", "attempt": 1}))
        async with asyncio.timeout(DEADLINE):
            while not served.followers.count:
                await asyncio.sleep(0.01)
            await served.ended(run)
            assert (await waiting).json()["status"] != "running"
        assert served.followers.count == 0

    play(scenario)
