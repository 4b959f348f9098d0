"""Log bytes: exactly those that were stored, at every moment, whatever happens to the disk."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import resource
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from job_orchestra.storage.files import open_log_store
from job_orchestra.storage.files.paths import log_path
from job_orchestra.storage.files.sealing import is_sealed, writing
from job_orchestra.storage.log_port import Compression, LogEnded, LogKey, LogPiece, LogStore
from job_orchestra.storage.port import StorageUnavailable
from tests.simulation.memory_logs import LogBytes, MemoryLogs

KEY = LogKey("example", "01m85kb309z79grqvh", 1)
OTHER = LogKey("example", "01m85kb309z79grqvh", 2)


Open = Callable[[Path], LogStore]


@pytest.fixture(params=["files", "memory"])
def opened(request: pytest.FixtureRequest) -> Open:
    return open_log_store if request.param == "files" else lambda _: MemoryLogs(LogBytes())


def play(directory: Path, scenario: Callable[[LogStore], Awaitable[None]], opened: Open = open_log_store) -> None:
    async def main() -> None:
        store = opened(directory)
        try:
            async with asyncio.timeout(60):
                await scenario(store)
        finally:
            await store.close()
            await store.close()

    asyncio.run(main())


def test_a_sealed_log_does_not_grow(tmp_path: Path, opened: Open) -> None:
    async def scenario(store: LogStore) -> None:
        await store.seal(OTHER)  # there is none
        await store.append([LogPiece(KEY, 0, b"whole")])
        await store.seal(KEY)
        await store.seal(KEY)
        await store.append([LogPiece(KEY, 1, b"hol"), LogPiece(OTHER, 0, b"other")])
        with pytest.raises(LogEnded):
            await store.append([LogPiece(KEY, 4, b"e and more")])
        with pytest.raises(LogEnded):
            await store.append([LogPiece(KEY, 0, b"something else")])
        assert await store.read(KEY, 0, 100) == b"whole"
        await store.reopen([OTHER, KEY, LogKey("example", "01m85kb309z79grqvh", 3)])
        await store.append([LogPiece(KEY, 5, b" again")])
        assert await store.read(KEY, 0, 100) == b"whole again"
        await store.seal(KEY)
        await store.truncate(KEY)
        await store.append([LogPiece(KEY, 0, b"anew")])
        assert await store.read(KEY, 0, 100) == b"anew"
        await store.seal(KEY)
        await store.delete(KEY)
        await store.append([LogPiece(KEY, 0, b"another")])

    play(tmp_path, scenario, opened)


def test_a_seal_counts_for_every_process(tmp_path: Path) -> None:
    async def scenario(store: LogStore) -> None:
        late = open_log_store(tmp_path)
        await late.append([LogPiece(KEY, 0, b"begin")])
        await store.append([LogPiece(KEY, 5, b" end")])
        await store.seal(KEY)
        with pytest.raises(LogEnded):
            await late.append([LogPiece(OTHER, 0, b"nothing of this either"), LogPiece(KEY, 9, b" late")])
        assert await store.size(OTHER) == 0
        assert await store.read(KEY, 0, 100) == b"begin end"
        assert await store.compress(KEY, *await store.sha256(KEY)) is Compression.NOTHING_TO_GAIN
        await late.close()

    play(tmp_path, scenario)


def test_nobody_seals_a_log_that_another_process_is_writing(tmp_path: Path) -> None:
    """It may have been stopped, and would go on behind the seal."""

    async def scenario(store: LogStore) -> None:
        await store.append([LogPiece(KEY, 0, b"begin")])
        with log_path(tmp_path, KEY).open("r+b") as file:
            with writing(file.fileno()):
                await store.append([LogPiece(KEY, 5, b" end")])
                for attempt in (store.seal, store.truncate):
                    with pytest.raises(StorageUnavailable, match="being written by another master"):
                        await attempt(KEY)
            await store.seal(KEY)
            with writing(file.fileno()) as facts:
                assert is_sealed(facts)

    play(tmp_path, scenario)


def test_pieces_become_a_log(tmp_path: Path, opened: Open) -> None:
    async def scenario(store: LogStore) -> None:
        assert await store.size(KEY) == 0
        assert await store.read(KEY, 0, 10) == b""
        assert await store.sha256(KEY) == (0, hashlib.sha256().hexdigest())
        await store.append([])
        await store.append([LogPiece(KEY, 0, b"\x00\xff"), LogPiece(OTHER, 0, b"other"), LogPiece(KEY, 2, b"\r\nend")])
        assert await store.size(KEY) == 7
        assert await store.sizes([OTHER, LogKey("example", "01m85kb309z79grqvh", 3), KEY]) == [5, 0, 7]
        assert await store.read(KEY, 0, 100) == b"\x00\xff\r\nend"
        assert await store.read(KEY, 2, 3) == b"\r\ne"
        assert await store.read(KEY, 7, 1) == b""
        assert await store.read(KEY, 100, 1) == b""
        assert await store.sha256(KEY) == (7, hashlib.sha256(b"\x00\xff\r\nend").hexdigest())
        assert await store.read(OTHER, 0, 100) == b"other"

    play(tmp_path, scenario, opened)


def test_where_a_log_is(tmp_path: Path) -> None:
    async def scenario(store: LogStore) -> None:
        await store.append([LogPiece(KEY, 0, b"\x00\xff\r\nend")])

    play(tmp_path / "deep" / "logs", scenario)
    path = tmp_path / "deep" / "logs" / "example" / "01m8" / "5k" / "01m85kb309z79grqvh.1.log"
    assert path.read_bytes() == b"\x00\xff\r\nend"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_overlap_is_taken_and_a_gap_is_not(tmp_path: Path, opened: Open) -> None:
    async def scenario(store: LogStore) -> None:
        await store.append([LogPiece(KEY, 0, b"0123")])
        await store.append([LogPiece(KEY, 2, b"2345"), LogPiece(KEY, 0, b"01"), LogPiece(KEY, 6, b"")])
        assert await store.read(KEY, 0, 100) == b"012345"
        with pytest.raises(ValueError, match="begins at 9"):
            await store.append([LogPiece(OTHER, 0, b"x"), LogPiece(KEY, 6, b"67"), LogPiece(KEY, 9, b"9")])
        assert await store.size(KEY) == 6
        assert await store.size(OTHER) == 0
        await store.append([LogPiece(KEY, 6, b"67")])
        assert await store.read(KEY, 0, 100) == b"01234567"

    play(tmp_path, scenario, opened)


def test_a_log_is_emptied_and_deleted(tmp_path: Path, opened: Open) -> None:
    async def scenario(store: LogStore) -> None:
        await store.truncate(KEY)
        await store.delete(KEY)
        await store.append([LogPiece(KEY, 0, b"wrong")])
        await store.truncate(KEY)
        assert await store.size(KEY) == 0
        await store.append([LogPiece(KEY, 0, b"right")])
        assert await store.read(KEY, 0, 100) == b"right"
        await store.delete(KEY)
        await store.delete(KEY)
        assert await store.size(KEY) == 0
        await store.append([LogPiece(KEY, 0, b"new")])
        assert await store.read(KEY, 0, 100) == b"new"

    play(tmp_path, scenario, opened)


def test_folders_go_with_their_last_log(tmp_path: Path) -> None:
    directory = tmp_path / "logs"
    same_folder, same_day = LogKey("example", "01m85k0000000000aa", 1), LogKey("example", "01m8zz0000000000aa", 1)

    async def scenario(store: LogStore) -> None:
        await store.append([LogPiece(key, 0, b"x") for key in (KEY, same_folder, same_day)])
        await store.delete(same_folder)
        assert {folder.name for folder in (directory / "example" / "01m8").iterdir()} == {"5k", "zz"}
        await store.delete(KEY)
        assert [folder.name for folder in (directory / "example" / "01m8").iterdir()] == ["zz"]
        await store.delete(same_day)
        assert list(directory.iterdir()) == []
        # Where an earlier process died between the file and its folder.
        (directory / "example" / "01m8" / "5k").mkdir(parents=True)
        await store.delete(KEY)
        assert list(directory.iterdir()) == []

    play(directory, scenario)


def test_folders_that_another_process_removes_all_the_time_hinder_no_log(tmp_path: Path) -> None:
    """As far as the folders are empty."""
    keys = [LogKey("p", f"01m85kb3{number:010}", 1) for number in range(200)]

    async def scenario(store: LogStore) -> None:
        other = open_log_store(tmp_path)
        is_over = False

        async def remove() -> None:
            while not is_over:
                await other.delete(LogKey("p", "01m85kb3zzzzzzzzzz", 1))

        removing = asyncio.create_task(remove())
        for key in keys:
            await store.append([LogPiece(key, 0, b"x")])
            assert await store.size(key) == 1
            await store.delete(key)
        is_over = True
        await removing
        await other.close()

    play(tmp_path, scenario)


def test_random_pieces_of_more_logs_than_files_are_kept_open(tmp_path: Path, opened: Open) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    logs = {LogKey("p", f"01m85kb3{number:010}", 1): rng.randbytes(rng.randrange(3000)) for number in range(400)}

    async def scenario(store: LogStore) -> None:
        sizes = dict.fromkeys(logs, 0)
        while unfinished := [key for key, size in sizes.items() if size < len(logs[key])]:
            pieces: list[LogPiece] = []
            for key in unfinished:
                offset = rng.randint(max(0, sizes[key] - 50), sizes[key])
                sizes[key] = min(len(logs[key]), sizes[key] + rng.randint(1, 1500))
                pieces.append(LogPiece(key, offset, logs[key][offset : sizes[key]]))
            await store.append(pieces)
        for key, content in logs.items():
            assert await store.sha256(key) == (len(content), hashlib.sha256(content).hexdigest())

    play(tmp_path, scenario, opened)


@pytest.mark.parametrize(
    "key",
    [
        LogKey("..", "01m85kb309z79grqvh", 1),
        LogKey("a/b", "01m85kb309z79grqvh", 1),
        LogKey("", "01m85kb309z79grqvh", 1),
        LogKey("p", "../../../etc/passwd", 1),
        LogKey("p", "01m8\0kb309z79grqvh", 1),
        LogKey("p", "01m85kb309z79grqvh\n", 1),
        LogKey("p", "", 1),
        LogKey("p", "01m85kb309z79grqvh", -1),
    ],
    ids=range(8),
)
def test_no_key_leads_elsewhere(tmp_path: Path, key: LogKey) -> None:
    async def scenario(store: LogStore) -> None:
        for call in (store.size(key), store.read(key, 0, 1), store.append([LogPiece(key, 0, b"x")]), store.delete(key)):
            with pytest.raises(ValueError, match="no key"):
                await call

    play(tmp_path, scenario)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_created(tmp_path: Path) -> None:
    (tmp_path / "example").touch()

    async def scenario(store: LogStore) -> None:
        with pytest.raises(StorageUnavailable, match="cannot be used"):
            await store.append([LogPiece(KEY, 0, b"x")])
        (tmp_path / "example").unlink()
        await store.append([LogPiece(KEY, 0, b"x")])

    play(tmp_path, scenario)


def test_what_a_full_disk_did_not_take_does_not_count(tmp_path: Path) -> None:
    """The limit of a file's size stands for a full disk, in a process of its own."""
    script = "from tests.storage.test_log_files import fill; fill()"
    root = Path(__file__).parent.parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root), "LOGS": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def fill() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))

    async def scenario(store: LogStore) -> None:
        await store.append([LogPiece(KEY, 0, b"a" * 90_000)])
        with pytest.raises(StorageUnavailable, match="too large"):
            await store.append([LogPiece(OTHER, 0, b"b" * 10), LogPiece(KEY, 90_000, b"a" * 20_000)])
        assert (await store.size(KEY), await store.size(OTHER)) == (90_000, 0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await store.append([LogPiece(KEY, 90_000, b"a" * 20_000)])
        assert await store.sha256(KEY) == (110_000, hashlib.sha256(b"a" * 110_000).hexdigest())

    play(Path(os.environ["LOGS"]), scenario)
