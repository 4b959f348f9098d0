"""`python -m benchmarks.compressed_logs`: reading a large compressed log, beside the same log as a plain file.

Pieces anywhere in it, as a page of the website needs them, and the whole from beginning to end, both through the log
store. Compressing it stands beside a bare durable write of the plain bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.limits import write_seconds
from job_orchestra.storage.files import open_log_store
from job_orchestra.storage.log_port import Compression, LogKey, LogPiece, LogStore

_KEY = LogKey("example", "01m85kb309z79grqvh", 1)
_PIECE = 64 << 10
_WHOLE = 256 << 10
_BLOCK = 16 << 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compressed_logs", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the log")
    parser.add_argument("--pieces", type=int, default=1000, help="how many pieces of 64 KiB are read")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orchestra-benchmark-") as temporary:
        asyncio.run(_measure(Path(temporary), arguments.megabytes * 1_000_000, arguments.pieces))


async def _measure(directory: Path, size: int, pieces: int) -> None:
    store = open_log_store(directory / "logs")
    block = _lines(_BLOCK)
    for offset in range(0, size, _BLOCK):
        await store.append([LogPiece(_KEY, offset, block[: size - offset])])
    _, digest = await store.sha256(_KEY)
    places = [random.Random(1).randrange(size - _PIECE) for _ in range(pieces)]
    plain_pieces, plain_whole = await _timed(store, size, places)
    bare = await asyncio.to_thread(write_seconds, directory, block) * size / _BLOCK
    begin = time.perf_counter()
    assert await store.compress(_KEY, size, digest) is Compression.DONE
    compressing = time.perf_counter() - begin
    (occupied,) = await store.occupied([_KEY])
    packed_pieces, packed_whole = await _timed(store, size, places)
    await store.close()
    print(f"{os.cpu_count()} cores. A log of {size / 1e6:.0f} MB, {occupied / 1e6:.0f} MB compressed.")
    print(
        f"  compressed and compared    {compressing:.2f} s, {compressing / bare:.1f} times a bare durable write of it"
    )
    print(f"  a piece of 64 KiB          {_ratio(packed_pieces / pieces * 1000, plain_pieces / pieces * 1000, 'ms')}")
    print(f"  the whole of it            {_ratio(packed_whole, plain_whole, 's')}")


async def _timed(store: LogStore, size: int, places: list[int]) -> tuple[float, float]:
    """Seconds of reading the pieces, and of reading everything."""

    async def read_pieces() -> None:
        for place in places:
            await _read(store, place, place + _PIECE, _PIECE)

    return await _seconds(read_pieces), await _seconds(lambda: _read(store, 0, size, _WHOLE))


async def _read(store: LogStore, start: int, end: int, at_once: int) -> None:
    while start < end:
        start += len(await store.read(_KEY, start, min(at_once, end - start)))


async def _seconds(work: Callable[[], Awaitable[None]]) -> float:
    begin = time.perf_counter()
    await work()
    return time.perf_counter() - begin


def _ratio(packed: float, plain: float, unit: str) -> str:
    return f"{packed:.2f} {unit}, {packed / plain:.1f} times that of a plain file ({plain:.2f} {unit})"


def _lines(size: int) -> bytes:
    """Like the output of a build: names that come again, numbers that do not."""
    rng = random.Random(1)
    names = [f"src/module_{number}/part_{number % 7}.c" for number in range(200)]
    lines = bytearray()
    while len(lines) < size:
        took = rng.random()
        lines += f"[{rng.randrange(10**6):06}] compiling {rng.choice(names)} took {took:.4f} s, 0 warnings\n".encode()
    return bytes(lines[:size])


if __name__ == "__main__":
    main()
