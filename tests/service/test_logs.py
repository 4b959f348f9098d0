from __future__ import annotations

import asyncio
import random
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest

from job_orchestra.domain.attempts import next_attempt
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import LogFacts, PastAttempt, Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.storage.log_port import Compression, LogKey, LogPiece
from tests.service.serving import DEADLINE, Play, Served

_LOG = bytes(range(256)) * 4


def _path(run: Run) -> str:
    return f"/projects/example/runs/{run.identifier}/log"


async def _with_log(served: Served, data: bytes = _LOG) -> tuple[httpx2.AsyncClient, Run]:
    client = await served.user(Role.VIEWER)
    return client, await served.wrote(await served.started(), data)


def test_the_bytes_come_as_they_are_stored(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client, run = await _with_log(served)
        response = await client.get(_path(run))
        assert (response.status_code, response.content) == (200, _LOG)
        assert response.headers["accept-ranges"] == "bytes"
        assert "repr-digest" not in response.headers
        await served.ended(run)
        response = await client.get(_path(run))
        assert response.headers["repr-digest"] == f"sha-256=:{b64encode(sha256(_LOG).digest()).decode()}:"

    play(scenario)


@pytest.mark.parametrize(
    ("header", "expected", "content_range"),
    [
        ("bytes=0-0", _LOG[:1], "bytes 0-0/1024"),
        ("bytes=10-19", _LOG[10:20], "bytes 10-19/1024"),
        ("bytes=1000-", _LOG[1000:], "bytes 1000-1023/1024"),
        ("bytes=1000-99999", _LOG[1000:], "bytes 1000-1023/1024"),
        ("bytes=-24", _LOG[-24:], "bytes 1000-1023/1024"),
        ("bytes=-5000", _LOG, "bytes 0-1023/1024"),
        ("bytes=0-" + "9" * 30, _LOG, "bytes 0-1023/1024"),
        ("bytes=-" + "9" * 5000, _LOG, "bytes 0-1023/1024"),
        ("bytes=" + "0" * 30 + "10-19", _LOG[10:20], "bytes 10-19/1024"),
        ("Bytes=, 10-19\t,", _LOG[10:20], "bytes 10-19/1024"),
    ],
)
def test_ranges(play_on_sqlite: Play, header: str, expected: bytes, content_range: str) -> None:
    async def scenario(served: Served) -> None:
        client, run = await _with_log(served)
        response = await client.get(_path(run), headers={"Range": header})
        assert (response.status_code, response.content) == (206, expected)
        assert response.headers["content-range"] == content_range
        assert int(response.headers["content-length"]) == len(expected)

    play_on_sqlite(scenario)


@pytest.mark.parametrize(
    "header",
    [
        "bytes=",
        "bytes=-",
        "lines=1-2",
        "bytes=5-2",
        "bytes=0-1,5-6",
        "nonsense",
        "bytes=a-b",
        "bytes=0-1\tx",
        "bytes=" + "x" * 3000,
        "bytes= =",
        "bytes=1-2-3",
        "bytes=+1-2",
        "bytes=,",
        "bytes 0-1",
    ],
)
def test_a_range_that_is_none_is_ignored(play_on_sqlite: Play, header: str) -> None:
    async def scenario(served: Served) -> None:
        client, run = await _with_log(served)
        response = await client.get(_path(run), headers={"Range": header})
        assert (response.status_code, response.content) == (200, _LOG)

    play_on_sqlite(scenario)


@pytest.mark.parametrize(
    "header", ["bytes=1024-", "bytes=5000-6000", "bytes=-0", "bytes=" + "9" * 23 + "-", "bytes=" + "9" * 5000 + "-"]
)
def test_a_range_beyond_the_end(play_on_sqlite: Play, header: str) -> None:
    async def scenario(served: Served) -> None:
        client, run = await _with_log(served)
        response = await client.get(_path(run), headers={"Range": header})
        assert response.status_code == 416
        assert response.headers["content-range"] == "bytes */1024"
        assert response.json()["detail"] == "The log has 1024 bytes."

    play_on_sqlite(scenario)


@pytest.mark.parametrize("validator", ['"unknown"', 'W/"unknown"', "Wed, 25 Nov 2026 00:00:00 GMT", "nonsense", ""])
def test_a_range_of_a_log_that_nobody_can_compare_is_ignored(play_on_sqlite: Play, validator: str) -> None:
    async def scenario(served: Served) -> None:
        client, run = await _with_log(served)
        await served.ended(run)
        headers = {"Range": "bytes=10-19", "If-Range": validator}
        for query in ({}, {"follow": "true"}):
            response = await client.get(_path(run), params=query, headers=headers)
            assert (response.status_code, response.content) == (200, _LOG)
            assert "content-range" not in response.headers

    play_on_sqlite(scenario)


def test_head_tells_the_size_and_nothing_else(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client, run = await _with_log(served)
        response = await client.head(_path(run))
        assert (response.status_code, response.headers["content-length"], response.content) == (200, "1024", b"")
        response = await client.head(_path(run), headers={"Range": "bytes=9999-"})  # only GET knows ranges
        assert (response.status_code, response.headers["content-length"]) == (200, "1024")
        for headers in ({}, {"Range": "bytes=5-"}):
            response = await client.head(_path(run), params={"follow": "true"}, headers=headers)
            assert (response.status_code, response.content) == (200, b"")
        assert (await client.head("/projects")).status_code == 200

    play(scenario)


def test_a_compressed_log_is_for_its_readers_what_it_was(play_on_sqlite: Play) -> None:
    log = _LOG * 3000  # of several frames

    async def scenario(served: Served) -> None:
        client, run = await _with_log(served, log)
        run = await served.ended(run)
        before = await client.get(_path(run).removesuffix("log") + "archive")
        key = LogKey("example", run.identifier, run.attempt)
        assert await served.log_store.compress(key, len(log), sha256(log).hexdigest()) is Compression.DONE
        for parameters in ({}, {"follow": "true"}):
            assert (await client.get(_path(run), params=parameters)).content == log
        assert (await client.head(_path(run))).headers["content-length"] == str(len(log))
        for start, end in ((0, 0), (262_140, 262_150), (1000, 2_000_000), (len(log) - 10, len(log) - 1)):
            response = await client.get(_path(run), headers={"Range": f"bytes={start}-{end}"})
            assert (response.status_code, response.content) == (206, log[start : end + 1])
            assert response.headers["content-range"] == f"bytes {start}-{end}/{len(log)}"
        response = await client.get(_path(run), params={"follow": "true"}, headers={"Range": "bytes=2000000-"})
        assert response.content == log[2_000_000:]
        assert (await client.get(_path(run).removesuffix("log") + "archive")).content == before.content

    play_on_sqlite(scenario)


def _damage(directory: Path) -> None:
    (file,) = directory.rglob("*.zst")
    file.write_bytes(file.read_bytes()[:-1])


def _damage_within(directory: Path) -> None:
    (file,) = directory.rglob("*.zst")
    file.write_bytes(b"?" + file.read_bytes()[1:])


@pytest.mark.parametrize("follow", [False, True])
def test_a_damaged_log_is_an_error_that_ends(play_on_sqlite: Play, tmp_path: Path, follow: bool) -> None:
    log = _LOG * 3000

    async def scenario(served: Served) -> None:
        client, run = await _with_log(served, log)
        run = await served.ended(run)
        await served.log_store.compress(LogKey("example", run.identifier, 1), len(log), sha256(log).hexdigest())
        _damage(tmp_path)
        response = await client.get(_path(run), params={"follow": "true"} if follow else {})
        assert response.status_code == 503
        assert "is damaged: it does not end with a seek table" in response.json()["detail"]

    play_on_sqlite(scenario)


def test_an_answer_that_is_cut_off_is_told_in_the_output(
    play_on_sqlite: Play, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = _LOG * 3000

    async def scenario(served: Served) -> None:
        client, run = await _with_log(served, log)
        run = await served.ended(run)
        await served.log_store.compress(LogKey("example", run.identifier, 1), len(log), sha256(log).hexdigest())
        _damage_within(tmp_path)
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get(_path(run))

    play_on_sqlite(scenario)
    assert "is cut off: The compressed log" in caplog.text


def test_a_run_without_a_log_has_an_empty_one(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await served.trigger("hello", "example")
        response = await client.get(_path(run))
        assert (response.status_code, response.content) == (200, b"")
        assert (await client.get(_path(run), headers={"Range": "bytes=0-"})).status_code == 416
        assert (await client.get(_path(run), headers={"Range": "bytes=-0"})).status_code == 416
        assert (await client.get(_path(run), headers={"Range": "bytes=-5"})).status_code == 200
        assert (await client.get(_path(run), params={"attempt": 2})).status_code == 404

    play(scenario)


def test_logs_of_earlier_attempts_stay_readable(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await served.assigned()
        await served.log_store.append([LogPiece(LogKey("example", run.identifier, 1), 0, b"first")])
        again = await served.queue.unassign(run)
        assert again is not None
        await served.log_store.append([LogPiece(LogKey("example", run.identifier, 2), 0, b"second")])
        assert (await client.get(_path(run))).content == b"second"
        assert (await client.get(_path(run), params={"attempt": 1})).content == b"first"
        # It will not grow any more, so there is nothing to wait for.
        assert (await client.get(_path(run), params={"attempt": 1, "follow": "true"})).content == b"first"

    play(scenario)


def test_the_log_of_a_past_attempt_has_its_own_digest(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await served.assigned()
        await served.log_store.append([LogPiece(LogKey("example", run.identifier, 1), 0, b"first")])
        reason = Reason(ReasonCode.COMMAND_FAILED, "It failed.")
        date = run.created_at
        first = LogFacts(5, sha256(b"first").hexdigest())
        past = PastAttempt(1, RunStatus.FAILED, reason, run.worker, date, date, date, 0.5, first)
        assert await served.progress.save(run, next_attempt(run, past), [])
        answer = await client.get(_path(run), params={"attempt": 1})
        assert answer.content == b"first"
        assert answer.headers["Repr-Digest"] == f"sha-256=:{b64encode(sha256(b'first').digest()).decode()}:"
        assert "Repr-Digest" not in (await client.get(_path(run))).headers
        shown = (await client.get(f"/projects/example/runs/{run.identifier}")).json()
        assert [one["log"]["size"] for one in shown["past_attempts"]] == [5]

    play(scenario)


# ---------- following


class _Follower:
    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.received = b""

    async def until(self, expected: bytes) -> None:
        async with asyncio.timeout(DEADLINE):
            while self.received != expected:
                self.received += await anext(self._chunks)
                assert expected.startswith(self.received)

    async def end(self) -> bytes:
        async with asyncio.timeout(DEADLINE):
            async for chunk in self._chunks:
                self.received += chunk
        return self.received


@pytest.mark.parametrize("is_hinting", [True, False])
def test_a_follower_gets_each_piece_and_the_end(play_on_sqlite: Play, is_hinting: bool) -> None:
    async def scenario(served: Served) -> None:
        served.is_hinting = is_hinting
        client, run = await _with_log(served, b"one\n")
        async with client.stream("GET", _path(run), params={"follow": "true"}) as response:
            follower = _Follower(response.aiter_raw())
            await follower.until(b"one\n")
            run = await served.wrote(run, b"\xff\x00")
            await follower.until(b"one\n\xff\x00")
            run = await served.wrote(run, b"end")
            await served.ended(run)
            assert await follower.end() == b"one\n\xff\x00end"

    play_on_sqlite(scenario)


def test_a_follower_may_begin_anywhere_even_where_nothing_is_yet(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client, run = await _with_log(served, b"0123456789")
        streams = [
            asyncio.create_task(client.get(_path(run), params={"follow": "true"}, headers={"Range": f"bytes={wanted}"}))
            for wanted in ("4-", "10-", "0-")
        ]
        run = await served.wrote(run, b"abc")
        await served.ended(run)
        responses = await asyncio.wait_for(asyncio.gather(*streams), DEADLINE)
        assert [response.content for response in responses] == [b"456789abc", b"abc", b"0123456789abc"]
        assert [response.status_code for response in responses] == [206, 206, 200]

    play(scenario)


def test_a_follower_may_begin_before_the_present_end(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await served.started()
        # The record of a run at work knows nothing of its log yet.
        await served.log_store.append([LogPiece(LogKey("example", run.identifier, 1), 0, b"0123456789")])
        headers = {"Range": "bytes=-3"}
        async with client.stream("GET", _path(run), params={"follow": "true"}, headers=headers) as response:
            assert response.status_code == 206
            follower = _Follower(response.aiter_raw())
            await follower.until(b"789")
            await served.ended(run)
            assert await follower.end() == b"789"

    play_on_sqlite(scenario)


def test_a_follower_of_a_waiting_run_sees_the_attempt_that_is_executed(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await served.assigned()
        async with client.stream("GET", _path(run), params={"follow": "true"}) as response:
            again = await served.queue.unassign(run)
            assert again is not None
            assigned = await served.queue.assign(again, "w")
            assert assigned is not None
            follower = _Follower(response.aiter_raw())
            written = await served.wrote(assigned, b"second")
            await follower.until(b"second")
            await served.ended(written)
            assert await follower.end() == b"second"

    play(scenario)


def test_many_followers_of_a_large_log_get_it_whole(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        data = random.Random(seed).randbytes(3_000_000)
        client, run = await _with_log(served, data[:100_000])
        following = [asyncio.create_task(client.get(_path(run), params={"follow": "true"})) for _ in range(5)]
        for start in range(100_000, len(data), 290_000):
            run = await served.wrote(run, data[start : start + 290_000])
        await served.ended(run)
        for response in await asyncio.wait_for(asyncio.gather(*following), DEADLINE):
            assert sha256(response.content).digest() == sha256(data).digest()

    play_on_sqlite(scenario)


def test_a_follower_that_leaves_is_forgotten(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client, run = await _with_log(served)
        followers = served.followers
        async with client.stream("GET", _path(run), params={"follow": "true"}) as response:
            await _Follower(response.aiter_raw()).until(_LOG)
            assert followers.count == 1
        async with asyncio.timeout(DEADLINE):
            while followers.count:
                await asyncio.sleep(0.01)

    play_on_sqlite(scenario)
