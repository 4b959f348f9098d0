"""Indexes of logs: whatever becomes of a log and its index, any place is found, and is that of the whole log."""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import re
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from job_orchestra.domain.log_places import BEGINNING, LogFold, LogPlace
from job_orchestra.domain.text_styles import Style, apply_sgr, sgr_of
from job_orchestra.storage.files import log_indexes, open_log_inventory, open_log_store
from job_orchestra.storage.files.index_growth import STEP
from job_orchestra.storage.files.index_records import RECORD_SIZE
from job_orchestra.storage.files.log_files import LogFiles
from job_orchestra.storage.files.place_finding import FARTHEST
from job_orchestra.storage.log_port import Compression, LogEntry, LogKey, LogPiece, LogStore

KEY = LogKey("example", "01m85kb309z79grqvh", 1)
LATE = LogKey("example", "01m85kb309z79grqvh", 1, is_late=True)
INDEX = Path("example", "01m8", "5k", "01m85kb309z79grqvh.1.log.index")
PLAIN = INDEX.with_suffix("")

_PIECES = (
    b"text", b" ", b"\n", b"\n\n", b"\r", b"\x1b[31m", b"\x1b[0m", b"\x1b[m", b"\x1b[1;4;38;5;200m",
    b"\x1b[48;2;1;2;3m", b"\x1b]0;title\x07", b"\x1b]8;;link\x1b\\", b"\x1b", b"\x1b[", b"\x1b[3", b"m", b"\xff\x00",
    "€".encode(), b"x" * 500, b"\x1b]" + b"y" * 300, b"z" * 3000 + b"\n",
)  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.date = datetime(2026, 11, 26, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.date

    def pass_by(self, seconds: float) -> None:
        self.date += timedelta(seconds=seconds)


def play(directory: Path, scenario: Callable[[LogStore], Awaitable[None]], clock: Clock | None = None) -> None:
    async def main() -> None:
        store = LogFiles(directory, (clock or Clock()).now)
        try:
            async with asyncio.timeout(120):
                await scenario(store)
        finally:
            await store.close()

    asyncio.run(main())


def random_log(chance: random.Random, size: int) -> bytes:
    made = bytearray()
    while len(made) < size:
        made += b"".join(chance.choices(_PIECES, k=50))
    return bytes(made[:size])


def expected(log: bytes, offset: int) -> LogPlace:
    fold = LogFold(BEGINNING)
    fold.feed(log[:offset])
    return fold.place


async def check(store: LogStore, log: bytes, chance: random.Random, key: LogKey = KEY) -> None:
    for offset in [0, len(log), len(log) + 100, *(chance.randrange(len(log) + 1) for _ in range(40))]:
        found = await store.place_at(key, offset)
        assert found is not None
        right = expected(log, offset)
        assert (found.offset, found.newlines, found.style) == (right.offset, right.newlines, right.style)
    starts = [0, *(found.end() for found in re.finditer(b"\n", log))]
    for line in [
        1,
        len(starts),
        len(starts) + 1,
        len(starts) + 10**9,
        *(chance.randint(1, len(starts)) for _ in range(40)),
    ]:
        found = await store.place_of_line(key, line)
        assert found is not None
        number = min(line, len(starts))
        assert (found.offset, found.line) == (starts[number - 1], number)


async def append_in_pieces(store: LogStore, log: bytes, chance: random.Random, clock: Clock, key: LogKey = KEY) -> None:
    offset = await store.size(key)
    while offset < len(log):
        clock.pass_by(chance.choice((0, 0, 0.01, 0.6, 100)))
        end = min(len(log), offset + chance.choice((1, 30, 5000, STEP, 3 * STEP, 1 << 20)))
        start = max(0, offset - chance.choice((0, 0, 7)))
        middle = chance.randint(start, end)
        await store.append([LogPiece(key, start, log[start:middle]), LogPiece(key, middle, log[middle:end])])
        offset = end


@pytest.mark.parametrize("key", [KEY, LATE])
def test_however_a_log_is_stored_its_places_are_those_of_the_whole(tmp_path: Path, key: LogKey) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, clock = random.Random(seed), Clock()
    log = random_log(chance, chance.choice((1000, STEP, 500_000, 3_000_000)))

    async def scenario(store: LogStore) -> None:
        # Read by the service, while the master stores.
        reader = open_log_store(tmp_path)
        for end in [*sorted(chance.randrange(1, len(log)) for _ in range(3)), len(log)]:
            await append_in_pieces(store, log[:end], chance, clock, key)
            await check(reader, log[:end], chance, key)
        await reader.close()

    play(tmp_path, scenario, clock)


def test_a_log_is_gone_on_with_by_others_and_after_deaths(tmp_path: Path) -> None:
    """The index misses what a process that died had not written yet, or has half of a record."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, clock = random.Random(seed), Clock()
    log = random_log(chance, 2_000_000)
    for end in [*sorted(chance.randrange(1, len(log)) for _ in range(6)), len(log)]:

        async def scenario(store: LogStore, end: int = end) -> None:
            await append_in_pieces(store, log[:end], chance, clock)
            await check(store, log[:end], chance)

        play(tmp_path, scenario, clock)
        index = tmp_path / INDEX
        if index.exists():
            os.truncate(index, max(0, index.stat().st_size - chance.choice((0, 1, 31, 32, 33, 500))))


def test_two_masters_at_one_log_make_one_index(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, clock = random.Random(seed), Clock()
    log = random_log(chance, 2_000_000)

    async def scenario(store: LogStore) -> None:
        other = LogFiles(tmp_path, clock.now)
        for end in range(100_000, len(log) + 1, 100_000):
            await append_in_pieces(chance.choice((store, other)), log[:end], chance, clock)
        await check(store, log, chance)
        await other.close()

    play(tmp_path, scenario, clock)


@pytest.mark.parametrize("damage", ["missing", "foreign", "zeros", "a bit"])
def test_an_index_that_is_not_right_is_made_again(tmp_path: Path, damage: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    log = random_log(chance, 2 * FARTHEST)
    play(tmp_path, lambda store: append_in_pieces(store, log, chance, Clock()))
    index = tmp_path / INDEX
    content = bytearray(index.read_bytes())
    assert len(content) >= len(log) // STEP * RECORD_SIZE
    if damage == "missing":
        index.unlink()
    elif damage == "foreign":
        index.write_bytes(b"This is no index of a log. " * 1000)
    elif damage == "zeros":
        content[4096:8192] = bytes(4096)
        index.write_bytes(content)
    else:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        index.write_bytes(content)

    async def scenario(store: LogStore) -> None:
        await check(store, log, chance)

    play(tmp_path, scenario)
    if damage != "a bit":  # that may be in a record at which nobody looked
        play(tmp_path, scenario)
        assert len(log) // STEP * RECORD_SIZE * 0.9 <= index.stat().st_size < len(log) // 8


def test_an_old_log_that_grows_still_gets_an_index(tmp_path: Path) -> None:
    chance, clock = random.Random(1), Clock()
    log = random_log(chance, 2 * FARTHEST)
    (tmp_path / PLAIN).parent.mkdir(parents=True)
    (tmp_path / PLAIN).write_bytes(log[:-1000])

    async def scenario(store: LogStore) -> None:
        await append_in_pieces(store, log[:-500], chance, clock)
        clock.pass_by(5)
        await append_in_pieces(store, log, chance, clock)
        await check(store, log, chance)

    play(tmp_path, scenario, clock)
    assert (tmp_path / INDEX).exists()


def test_a_log_that_is_sent_again_has_nothing_of_the_old_index(tmp_path: Path) -> None:
    chance, clock = random.Random(2), Clock()
    wrong, log = b"wrong\n" * 100_000, random_log(chance, 600_000)

    async def scenario(store: LogStore) -> None:
        await append_in_pieces(store, wrong, chance, clock)
        await store.seal(KEY)
        assert (tmp_path / INDEX).stat().st_size > 0
        await store.truncate(KEY)
        assert (tmp_path / INDEX).stat().st_size == 0
        place = await store.place_at(KEY, 1000)
        assert place == LogPlace(0, 0)
        await append_in_pieces(store, log, chance, clock)
        await check(store, log, chance)

    play(tmp_path, scenario, clock)


def test_a_compressed_log_keeps_its_index_and_gets_one(tmp_path: Path) -> None:
    chance, clock = random.Random(3), Clock()
    log = random_log(chance, FARTHEST + 1_000_000)

    async def scenario(store: LogStore) -> None:
        await append_in_pieces(store, log, chance, clock)
        assert await store.compress(KEY, *await store.sha256(KEY)) is Compression.DONE
        await check(store, log, chance)
        (tmp_path / INDEX).unlink()
        await check(store, log, chance)
        assert (tmp_path / INDEX).exists()

    play(tmp_path, scenario, clock)


def test_an_index_goes_with_its_log(tmp_path: Path) -> None:
    log = b"line\n" * 100_000

    async def scenario(store: LogStore) -> None:
        await append_in_pieces(store, log, random.Random(4), Clock())
        await store.seal(KEY)
        occupied = (tmp_path / INDEX).stat().st_size + len(log)
        assert await store.occupied([KEY]) == [occupied]
        await store.delete(KEY)

    play(tmp_path, scenario)
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_of_an_index_is_found(tmp_path: Path) -> None:
    """A deletion that was interrupted behind the log."""
    play(tmp_path, lambda store: append_in_pieces(store, b"line\n" * 100_000, random.Random(5), Clock()))

    async def scenario() -> None:
        found = open_log_inventory(tmp_path)
        entries = [entry async for batch in found.entries() for entry in batch]
        assert entries == [LogEntry(str(PLAIN), KEY), LogEntry(str(INDEX), KEY)]
        (tmp_path / PLAIN).unlink()
        (left,) = [entry async for batch in found.entries() for entry in batch]
        assert left == LogEntry(str(INDEX), KEY, is_left_over=True)
        assert await found.remove_left_over(left)

    asyncio.run(scenario())
    assert list(tmp_path.iterdir()) == []


def test_dates_are_those_at_which_lines_were_stored(tmp_path: Path) -> None:
    clock = Clock()
    began = clock.date

    async def scenario(store: LogStore) -> None:
        log = b""
        for number in range(20):
            line = b"line %d\n" % number
            await store.append([LogPiece(KEY, len(log), line)])
            log += line
            clock.pass_by(60)
        for number in range(1, 21):
            place = await store.place_of_line(KEY, number)
            assert place is not None
            assert place.date == began + timedelta(minutes=number - 1)
        places = await store.places(KEY, 0, len(log), 100)
        assert [place.line for place in places] == [*range(2, 21)]
        assert [place.line for place in await store.places(KEY, 0, len(log), 3)] == [2, 3, 4]
        assert [place.line for place in await store.places(KEY, places[4].offset, places[7].offset, 9)] == [7, 8]

    play(tmp_path, scenario, clock)


def test_the_index_of_a_slow_log_stays_small(tmp_path: Path) -> None:
    clock = Clock()

    async def scenario(store: LogStore) -> None:
        for number in range(2000):
            await store.append([LogPiece(KEY, 2 * number, b".\n")])
            clock.pass_by(2)

    play(tmp_path, scenario, clock)
    assert (tmp_path / INDEX).stat().st_size <= 4096 + 4000 // 8 + RECORD_SIZE


def test_a_small_log_that_is_written_at_once_has_no_index(tmp_path: Path) -> None:
    async def scenario(store: LogStore) -> None:
        for number in range(100):
            await store.append([LogPiece(KEY, 2 * number, b".\n")])

    play(tmp_path, scenario)
    assert not (tmp_path / INDEX).exists()


def test_an_index_that_cannot_be_written_harms_no_log(tmp_path: Path) -> None:
    chance, clock = random.Random(6), Clock()
    log = random_log(chance, 2 * FARTHEST)
    (tmp_path / INDEX).mkdir(parents=True)

    async def scenario(store: LogStore) -> None:
        await append_in_pieces(store, log, chance, clock)
        assert await store.size(KEY) == len(log)

    play(tmp_path, scenario, clock)
    (tmp_path / INDEX).rmdir()
    play(tmp_path, lambda store: check(store, log, chance))


@contextmanager
def held(index: Path) -> Generator[None]:
    """Nobody can catch up with it meanwhile."""
    with index.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_who_is_not_patient_does_not_wait_for_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_indexes, "_PATIENCE", 3600.0)
    log = b"line\n" * 2_000_000

    async def scenario(store: LogStore) -> None:
        await append_in_pieces(store, log, random.Random(8), Clock())
        os.truncate(tmp_path / INDEX, 0)
        with held(tmp_path / INDEX):
            assert await store.place_at(KEY, len(log), is_patient=False) is None
        place = await store.place_at(KEY, len(log))
        assert place is not None
        assert (place.offset, place.newlines) == (len(log), 2_000_000)

    play(tmp_path, scenario)


@pytest.mark.parametrize("damaged", [0, 1, 5])
def test_who_goes_on_with_a_log_looks_at_the_end_of_its_index(
    damaged: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, clock = random.Random(9), Clock()
    log = random_log(chance, 2 * FARTHEST)
    play(tmp_path, lambda store: append_in_pieces(store, log[:-1000], chance, clock), clock)
    index = tmp_path / INDEX
    records = index.read_bytes()
    assert len(records) > 100 * RECORD_SIZE
    wrong = len(records) - damaged * RECORD_SIZE
    index.write_bytes(records[:wrong] + bytes(len(records) - wrong))
    read: list[int] = []
    pread = os.pread

    def counted(descriptor: int, size: int, offset: int) -> bytes:
        if Path(f"/proc/self/fd/{descriptor}").readlink() == index:
            read.append(size)
        return pread(descriptor, size, offset)

    async def scenario(store: LogStore) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "pread", counted)
            for end in (-500, -300, len(log)):
                await append_in_pieces(store, log[:end], chance, clock)
                clock.pass_by(5)
        assert read == [RECORD_SIZE] * (1 + damaged)
        await check(store, log, chance)

    play(tmp_path, scenario, clock)
    assert index.read_bytes().startswith(records[:wrong])
    assert index.stat().st_size > wrong


def test_who_stores_does_not_wait_for_an_index_that_catches_up(tmp_path: Path) -> None:
    clock = Clock()
    log = b"line\n" * 100_000

    async def scenario(store: LogStore) -> None:
        await append_in_pieces(store, log, random.Random(10), clock)
        (tmp_path / INDEX).write_bytes(b"wrong" * 100)
        other = LogFiles(tmp_path, clock.now)
        with held(tmp_path / INDEX):
            async with asyncio.timeout(20):
                assert await other.place_at(KEY, 5, is_patient=False) is None
                for number in range(3):
                    await other.append([LogPiece(KEY, len(log) + number, b"x")])
                    clock.pass_by(5)
        await check(other, log + b"xxx", random.Random(11))
        await other.close()

    play(tmp_path, scenario, clock)


def test_few_indexes_wait_to_catch_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_indexes, "_MOST_BEHIND", 3)
    keys = [LogKey("example", "01m85kb309z79grqvh", attempt) for attempt in range(1, 7)]
    indexes = [tmp_path / INDEX.with_name(f"{key.run}.{key.attempt}.log.index") for key in keys]

    async def scenario(store: LogStore) -> None:
        for key, index in zip(keys, indexes, strict=True):
            await store.append([LogPiece(key, 0, b"line\n")])
            index.write_bytes(b"wrong" * 100)
        with held(indexes[0]):
            for key in keys:
                assert await store.place_at(key, 5, is_patient=False) is None

    play(tmp_path, scenario)
    assert [index.stat().st_size for index in indexes] == [0, 0, 0, 500, 500, 500]


@pytest.mark.parametrize("obstacle", ["a link", "a folder", "a pipe"])
def test_an_index_that_cannot_be_emptied_keeps_no_log_from_being(tmp_path: Path, obstacle: str) -> None:
    chance, clock = random.Random(12), Clock()
    wrong, log = b"wrong\n" * 100_000, random_log(chance, 600_000)
    index, other = tmp_path / INDEX, tmp_path / "other"
    other.write_bytes(b"something else")

    async def scenario(store: LogStore) -> None:
        await append_in_pieces(store, wrong, chance, clock)
        index.unlink()
        if obstacle == "a link":
            index.symlink_to(other)
        elif obstacle == "a folder":
            index.mkdir()
        else:
            os.mkfifo(index)
        await store.truncate(KEY)
        assert await store.size(KEY) == 0
        assert index.exists() == (obstacle == "a folder")
        await append_in_pieces(store, log, chance, clock)
        assert await store.size(KEY) == len(log)
        if obstacle != "a folder":
            await check(store, log, chance)

    play(tmp_path, scenario, clock)
    assert other.read_bytes() == b"something else"


def test_styles_survive_being_written_down() -> None:
    chance = random.Random(7)
    for _ in range(500):
        foreground, background = (chance.choice((None, *range(16))) for _ in range(2))
        style = Style(foreground, background, *(chance.random() < 0.5 for _ in range(6)))
        assert apply_sgr(Style(), sgr_of(style)) == style
