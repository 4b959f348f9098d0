"""Making a compressed log of a plain one, so that whoever is killed meanwhile has lost nothing.

The compressed file is written beside under another name, made durable, read again and compared with what the run ended
with; then it gets its name, and then the plain file goes. Done again from the beginning, it comes to the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path

import zstandard

from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.storage.files.compressed import CompressedLogs
from job_orchestra.storage.files.descriptors import make_durable
from job_orchestra.storage.files.holding import held
from job_orchestra.storage.files.paths import compressed_path, part_path
from job_orchestra.storage.files.seek_table import new_sizes, write_seek_table
from job_orchestra.storage.log_port import Compression, LogDamaged

FRAME = 256 << 10
"""Plain bytes that are read at once, whatever is asked for: larger frames compress little better."""
_LEVEL = 3


def compress(
    path: Path, size: int, sha256: str, go_on: Callable[[], None], before_removal: Callable[[], None]
) -> Compression:
    """`go_on` is called for each frame and raises what ends it, `before_removal` when the plain file is about to go."""
    with held(path) as plain:
        if plain is None:
            return Compression.BUSY if path.exists() else Compression.NOTHING_TO_GAIN
        if os.fstat(plain.fileno()).st_size != size:
            return Compression.DIFFERENT
        part, compressed = part_path(path), compressed_path(path)
        try:
            _write(plain, part, go_on)
            if part.stat().st_size >= size:
                return Compression.NOTHING_TO_GAIN
            if not _has(part, size, sha256, go_on):
                return Compression.DIFFERENT
            reach(FailPoint.STORAGE_LOG_COMPRESSED)
            part.rename(compressed)
        finally:
            part.unlink(missing_ok=True)
        make_durable(path.parent)
        reach(FailPoint.STORAGE_LOG_DOUBLED)
        before_removal()
        return _remove_plain(path, compressed)


def _write(plain: FileIO, part: Path, go_on: Callable[[], None]) -> None:
    """Durable under that name, in place of what an earlier one may have left there."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    sizes = new_sizes()
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while frame := _next_frame(plain):
            go_on()
            packed = compressor.compress(frame)
            file.write(packed)
            sizes.extend((len(packed), len(frame)))
        file.write(write_seek_table(sizes))
        file.flush()
        os.fsync(descriptor)


def _next_frame(plain: FileIO) -> bytes:
    """Whole, but for the last one; empty at the end."""
    frame = bytearray()
    while len(frame) < FRAME and (piece := plain.read(FRAME - len(frame))):
        frame += piece
    return bytes(frame)


def _has(part: Path, size: int, sha256: str, go_on: Callable[[], None]) -> bool:
    """As whoever reads it will."""
    with suppress(LogDamaged):
        return CompressedLogs().sha256(part, go_on) == (size, sha256)
    return False


def _remove_plain(path: Path, compressed: Path) -> Compression:
    result = Compression.DONE
    try:
        path.unlink()
    except FileNotFoundError:
        # The log was deleted in the meantime, perhaps before its compressed file had a name.
        compressed.unlink(missing_ok=True)
        result = Compression.NOTHING_TO_GAIN
    with suppress(FileNotFoundError):  # the folder, with its last log
        make_durable(path.parent)
    return result
