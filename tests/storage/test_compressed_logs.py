"""Compressed logs: for whoever reads them the same bytes, whatever happens while they become compressed."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import random
import resource
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import zstandard

from job_orchestra.fail_points import VARIABLE, FailPoint
from job_orchestra.storage.files import open_log_inventory, open_log_store
from job_orchestra.storage.files.compressing import FRAME
from job_orchestra.storage.log_port import Compression, LogDamaged, LogEnded, LogEntry, LogKey, LogPiece, LogStore
from job_orchestra.storage.port import StorageUnavailable

KEY = LogKey("example", "01m85kb309z79grqvh", 1)
FOLDER = Path("example", "01m8", "5k")
PLAIN = FOLDER / "01m85kb309z79grqvh.1.log"
COMPRESSED = FOLDER / "01m85kb309z79grqvh.1.log.zst"
PART = FOLDER / "01m85kb309z79grqvh.1.log.zst.part"
INDEX = FOLDER / "01m85kb309z79grqvh.1.log.index"
_MIBIBYTE = 1 << 20


def play(directory: Path, scenario: Callable[[LogStore], Awaitable[None]]) -> None:
    async def main() -> None:
        store = open_log_store(directory)
        try:
            async with asyncio.timeout(60):
                await scenario(store)
        finally:
            await store.close()

    asyncio.run(main())


def lines(size: int, seed: int = 1) -> bytes:
    """Of a log that compresses as logs do."""
    rng = random.Random(seed)
    words = [b"compiling", b"linking", b"ok", b"warning:", b"\x1b[31merror\x1b[0m", b"\xff\x00", b"\r\n"]
    made = bytearray()
    while len(made) < size:
        made += b" ".join(rng.choices(words, k=8)) + b" %d\n" % rng.randrange(10**6)
    return bytes(made[:size])


def digest_of(log: bytes) -> str:
    return hashlib.sha256(log).hexdigest()


async def store_log(store: LogStore, log: bytes, key: LogKey = KEY) -> None:
    for start in range(0, len(log), _MIBIBYTE):
        await store.append([LogPiece(key, start, log[start : start + _MIBIBYTE])])


async def compress(store: LogStore, log: bytes, key: LogKey = KEY) -> Compression:
    return await store.compress(key, len(log), digest_of(log))


async def read_all(store: LogStore, offset: int = 0, limit: int = 1 << 18, key: LogKey = KEY) -> bytes:
    found = bytearray()
    while piece := await store.read(key, offset + len(found), limit):
        assert len(piece) <= limit
        found += piece
    return bytes(found)


def elsewhere(function: Callable[[], None], **environment: str) -> subprocess.CompletedProcess[str]:
    """A function of this module, in a process of its own."""
    root = Path(__file__).parent.parent.parent
    script = f"from tests.storage.test_compressed_logs import {function.__name__} as work; work()"
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(root), **environment},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


async def inventory(directory: Path) -> list[LogEntry]:
    """Without the indexes, which stay what they are when a log is compressed."""
    entries = [entry async for batch in open_log_inventory(directory).entries() for entry in batch]
    return [entry for entry in entries if not entry.file.endswith(".index")]


@pytest.mark.parametrize("size", [1, FRAME - 1, FRAME, FRAME + 1, 5 * FRAME, 5 * FRAME + 4711])
def test_any_piece_of_it_is_what_it_was(tmp_path: Path, size: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng, log = random.Random(seed), b"\n" * 100 + lines(size)

    async def scenario(store: LogStore) -> None:
        await store_log(store, log)
        assert await compress(store, log) is Compression.DONE
        assert await store.size(KEY) == len(log)
        assert await store.sizes([KEY, KEY]) == [len(log), len(log)]
        assert await store.sha256(KEY) == (len(log), digest_of(log))
        assert await read_all(store) == log
        assert await store.read(KEY, len(log), 10) == await store.read(KEY, len(log) + FRAME, 10) == b""
        for _ in range(50):
            offset = rng.randrange(len(log))
            assert await read_all(store, offset, rng.randint(1, 2 * FRAME) + len(log) // 10) == log[offset:]
        assert await compress(store, log) is Compression.NOTHING_TO_GAIN

    play(tmp_path, scenario)
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()} - {INDEX} == {COMPRESSED}
    assert (tmp_path / COMPRESSED).stat().st_size < len(log)


def test_other_programs_read_it(tmp_path: Path) -> None:
    log = lines(3 * FRAME)

    async def scenario(store: LogStore) -> None:
        await store_log(store, log)
        await compress(store, log)

    play(tmp_path, scenario)
    with (tmp_path / COMPRESSED).open("rb") as file:
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        assert reader.read(len(log) + 1) == log


def test_what_it_cannot_make_smaller_stays_as_it_is(tmp_path: Path) -> None:
    log = random.Random(1).randbytes(2 * FRAME)

    async def scenario(store: LogStore) -> None:
        assert await compress(store, log) is Compression.NOTHING_TO_GAIN
        await store_log(store, log)
        assert await compress(store, log) is Compression.NOTHING_TO_GAIN
        assert await read_all(store) == log

    play(tmp_path, scenario)
    assert [entry.file for entry in asyncio.run(inventory(tmp_path))] == [str(PLAIN)]


@pytest.mark.parametrize("other", [b"x", b""], ids=["another byte", "a byte less"])
def test_a_log_that_is_not_the_one_that_ended_stays_as_it_is(tmp_path: Path, other: bytes) -> None:
    log = lines(FRAME + 10)
    stored = log[:-1] + other

    async def scenario(store: LogStore) -> None:
        await store_log(store, stored)
        assert await compress(store, log) is Compression.DIFFERENT
        assert await read_all(store) == stored

    play(tmp_path, scenario)
    assert [entry.file for entry in asyncio.run(inventory(tmp_path))] == [str(PLAIN)]


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    log = lines(FRAME) * 128

    async def scenario(store: LogStore) -> None:
        await store_log(store, log)
        tracemalloc.start()
        try:
            assert await compress(store, log) is Compression.DONE
            assert await store.sha256(KEY) == (len(log), digest_of(log))
            for offset in range(0, len(log), FRAME):
                await store.read(KEY, offset, FRAME)
            assert tracemalloc.get_traced_memory()[1] < 16 * FRAME
        finally:
            tracemalloc.stop()

    play(tmp_path, scenario)


def test_what_is_told_again_of_a_compressed_log_changes_nothing(tmp_path: Path) -> None:
    log = lines(FRAME + 10)

    async def scenario(store: LogStore) -> None:
        await store_log(store, log)
        await compress(store, log)
        await store.append([LogPiece(KEY, 0, log)])
        with pytest.raises(LogEnded):
            await store.append([LogPiece(KEY, len(log), b"more")])
        assert await read_all(store) == log

    play(tmp_path, scenario)
    assert [entry.file for entry in asyncio.run(inventory(tmp_path))] == [str(COMPRESSED)]


def test_it_is_emptied_and_deleted_as_any_other(tmp_path: Path) -> None:
    log = lines(FRAME)

    async def scenario(store: LogStore) -> None:
        for _ in range(2):
            await store_log(store, log)
            await compress(store, log)
            assert await store.occupied([KEY]) == [sum(file.stat().st_size for file in (tmp_path / FOLDER).iterdir())]
            assert (tmp_path / COMPRESSED).exists()
            await store.truncate(KEY)
            assert await store.size(KEY) == 0
        await store_log(store, log)
        (tmp_path / PART).write_bytes(b"begun")
        assert await store.occupied([KEY]) == [sum(file.stat().st_size for file in (tmp_path / FOLDER).iterdir())]
        await store.delete(KEY)
        assert await store.occupied([KEY]) == [0]

    play(tmp_path, scenario)
    assert list(tmp_path.iterdir()) == []


def test_readers_see_the_same_bytes_all_the_time(tmp_path: Path) -> None:
    """Others read, by themselves, while one log after the other is compressed."""
    logs = {LogKey("p", f"01m85kb3{number:010}", 1): lines(FRAME + number, number) for number in range(40)}

    async def scenario(store: LogStore) -> None:
        for key, log in logs.items():
            await store_log(store, log, key)
        other = open_log_store(tmp_path)
        is_over = False

        async def read(rng: random.Random) -> int:
            reads = 0
            while not is_over:
                key = rng.choice(list(logs))
                assert await other.size(key) == len(logs[key])
                assert await other.read(key, FRAME - 5, 5) == logs[key][FRAME - 5 : FRAME]
                reads += 1
            return reads

        readers = [asyncio.create_task(read(random.Random(number))) for number in range(3)]
        for key, log in logs.items():
            assert await compress(store, log, key) is Compression.DONE
        is_over = True
        assert all(reads > 0 for reads in await asyncio.gather(*readers))
        await other.close()

    play(tmp_path, scenario)


def test_only_one_compresses_a_log(tmp_path: Path) -> None:
    log = lines(20 * FRAME)

    async def scenario(store: LogStore) -> None:
        await store_log(store, log)
        others = [open_log_store(tmp_path) for _ in range(3)]
        results = await asyncio.gather(*(compress(one, log) for one in others))
        assert results.count(Compression.DONE) == 1
        assert set(results) <= {Compression.DONE, Compression.BUSY, Compression.NOTHING_TO_GAIN}
        assert await read_all(store) == log
        for one in others:
            await one.close()

    play(tmp_path, scenario)


def test_one_that_is_deleted_meanwhile_is_gone(tmp_path: Path) -> None:
    """By another process, at any moment of it."""
    log = lines(4 * FRAME)

    async def scenario(store: LogStore) -> None:
        other = open_log_store(tmp_path)
        for _ in range(30):
            await store_log(store, log)
            compressing = asyncio.create_task(compress(other, log))
            reads = 0
            while (tmp_path / PART).exists() or not reads:
                await store.read(KEY, 0, 1)
                reads += 1
            await store.delete(KEY)
            assert await _settled(compressing) in {Compression.DONE, Compression.NOTHING_TO_GAIN, None}
            assert await store.size(KEY) == 0
        await other.close()

    play(tmp_path, scenario)
    assert asyncio.run(inventory(tmp_path)) == []


async def _settled(task: asyncio.Task[Compression]) -> Compression | None:
    try:
        return await task
    except StorageUnavailable:
        return None


def test_closing_waits_for_no_large_log(tmp_path: Path) -> None:
    log = lines(FRAME) * 400

    async def scenario(store: LogStore) -> None:
        await store_log(store, log)
        compressing = asyncio.create_task(compress(store, log))
        while not (tmp_path / PART).exists():
            await store.size(KEY)
        await store.close()
        with pytest.raises(StorageUnavailable, match="closed"):
            await compressing

    play(tmp_path, scenario)
    assert [entry.file for entry in asyncio.run(inventory(tmp_path))] == [str(PLAIN)]


@pytest.mark.parametrize("point", [FailPoint.STORAGE_LOG_COMPRESSED, FailPoint.STORAGE_LOG_DOUBLED], ids=str)
def test_a_death_in_the_middle_loses_nothing(tmp_path: Path, point: FailPoint) -> None:
    log = lines(3 * FRAME)
    play(tmp_path, lambda store: store_log(store, log))
    done = elsewhere(die, LOGS=str(tmp_path), **{VARIABLE: point.value})
    assert f"Fail point {point} is reached" in done.stderr
    left = COMPRESSED if point is FailPoint.STORAGE_LOG_DOUBLED else PART
    assert asyncio.run(inventory(tmp_path)) == [LogEntry(str(PLAIN), KEY), LogEntry(str(left), KEY, is_left_over=True)]

    async def scenario(store: LogStore) -> None:
        assert await read_all(store) == log
        assert await compress(store, log) is Compression.DONE
        assert await read_all(store) == log

    play(tmp_path, scenario)
    assert asyncio.run(inventory(tmp_path)) == [LogEntry(str(COMPRESSED), KEY)]


def die() -> None:
    from job_orchestra.fail_points import arm

    arm(os.environ[VARIABLE])
    log = lines(3 * FRAME)

    async def scenario(store: LogStore) -> None:
        await compress(store, log)

    play(Path(os.environ["LOGS"]), scenario)


def test_a_disk_that_is_full_keeps_the_log_as_it_is(tmp_path: Path) -> None:
    """The limit of a file's size stands for a full disk, in a process of its own."""
    done = elsewhere(fill, LOGS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert [entry.file for entry in asyncio.run(inventory(tmp_path))] == [str(PLAIN)]


def fill() -> None:
    log = lines(4 * FRAME)

    async def scenario(store: LogStore) -> None:
        await store_log(store, log)
        resource.setrlimit(resource.RLIMIT_FSIZE, (FRAME // 10, resource.RLIM_INFINITY))
        with pytest.raises(StorageUnavailable, match="too large"):
            await compress(store, log)
        assert await read_all(store) == log

    play(Path(os.environ["LOGS"]), scenario)


def _cut(content: bytes) -> bytes:
    return content[:-1]


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _empty(content: bytes) -> bytes:
    return b""


def _without_a_frame(content: bytes) -> bytes:
    return content[100:]


def _many_frames(content: bytes) -> bytes:
    return content[:-9] + b"\xff\xff\xff\x07" + content[-5:]


@pytest.mark.parametrize("damage", [_cut, _half, _empty, _without_a_frame, _many_frames])
def test_a_damaged_table_is_told(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    log = lines(3 * FRAME)

    async def scenario(store: LogStore) -> None:
        await store_log(store, log)
        await compress(store, log)
        file = tmp_path / COMPRESSED
        file.write_bytes(damage(file.read_bytes()))
        for call in (store.size(KEY), store.read(KEY, 0, 1), store.sha256(KEY), store.sizes([KEY])):
            with pytest.raises(LogDamaged, match=f"{COMPRESSED.name} is damaged: "):
                await call
        await store.delete(KEY)

    play(tmp_path, scenario)


def test_a_changed_byte_is_told_by_who_reads_its_frame(tmp_path: Path) -> None:
    log = lines(3 * FRAME)

    async def scenario(store: LogStore) -> None:
        await store_log(store, log)
        await compress(store, log)
        content = bytearray((tmp_path / COMPRESSED).read_bytes())
        content[len(content) // 2] ^= 1
        (tmp_path / COMPRESSED).write_bytes(content)
        assert await store.read(KEY, 0, 10) == log[:10]
        with pytest.raises(LogDamaged, match="frame at byte"):
            await store.read(KEY, FRAME, 10)
        with pytest.raises(LogDamaged, match="frame at byte"):
            await store.sha256(KEY)

    play(tmp_path, scenario)


def test_what_is_left_over_is_told_from_what_is_at_work(tmp_path: Path) -> None:
    log = lines(FRAME)
    play(tmp_path, lambda store: store_log(store, log))
    (tmp_path / PART).write_bytes(b"begun")
    found = open_log_inventory(tmp_path)
    left = LogEntry(str(PART), KEY, is_left_over=True)

    async def scenario() -> None:
        assert left in await inventory(tmp_path)
        with (tmp_path / PLAIN).open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # as who compresses it
            assert LogEntry(str(PART), KEY) in await inventory(tmp_path)
            assert not await found.remove_left_over(left)
        assert await found.remove_left_over(left)
        assert not await found.remove_left_over(left)
        assert await inventory(tmp_path) == [LogEntry(str(PLAIN), KEY)]
        with pytest.raises(ValueError, match="not left"):
            await found.remove_left_over(LogEntry(str(PLAIN), KEY))

    asyncio.run(scenario())


def test_everything_is_found(tmp_path: Path) -> None:
    assert asyncio.run(inventory(tmp_path / "none")) == []
    late = LogKey("other", "01m9aaaaaaaaaaaaaa", 2, is_late=True)

    async def scenario(store: LogStore) -> None:
        await store.append([LogPiece(KEY, 0, b"x"), LogPiece(late, 0, b"x")])
        await store.store_compression_position("01m85kb309z79grqvh")
        assert await store.compression_position() == "01m85kb309z79grqvh"

    play(tmp_path, scenario)
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "README").touch()
    strangers = ["example/01m8/5k/notes", "example/01m8/5k/01m9aaaaaaaaaaaaaa.1.log", "example/file"]
    for name in strangers:
        (tmp_path / name).touch()
    (tmp_path / FOLDER / "01m85kb309z79grqvh.2.log").symlink_to("elsewhere")
    strangers.append("example/01m8/5k/01m85kb309z79grqvh.2.log")
    found = asyncio.run(inventory(tmp_path))
    assert {entry.file for entry in found if entry.key is None} == set(strangers)
    assert [entry.key for entry in found if entry.key is not None] == [KEY, late]


def test_the_position_survives(tmp_path: Path) -> None:
    async def scenario(store: LogStore) -> None:
        assert await store.compression_position() == ""
        for position in ("01m85kb309z79grqvh", "01m8"):
            await store.store_compression_position(position)
            assert await store.compression_position() == position

    play(tmp_path / "not" / "there" / "yet", scenario)


def test_threads_read_at_once(tmp_path: Path) -> None:
    """More logs than tables are remembered, each by several."""
    logs = {LogKey("p", f"01m85kb3{number:010}", 1): lines(FRAME + number, number) for number in range(20)}

    async def scenario(store: LogStore) -> None:
        for key, log in logs.items():
            await store_log(store, log, key)
            assert await compress(store, log, key) is Compression.DONE
        assert threading.active_count() > 1
        found = await asyncio.gather(*(read_all(store, key=key) for key in [*logs] * 3))
        assert found == [*logs.values()] * 3

    play(tmp_path, scenario)
