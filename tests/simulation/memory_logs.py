"""The port for log bytes in memory, held to what `storage.files` does by `tests/storage`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256

from job_orchestra.domain.log_places import BEGINNING, LogFold, LogPlace
from job_orchestra.storage.log_port import Compression, LogEnded, LogKey, LogPiece, LogRoom
from job_orchestra.storage.port import StorageUnavailable
from tests.simulation.memory_storage import Passage, Straight


class LogBytes:
    """What outlives every process."""

    def __init__(self) -> None:
        self.logs: dict[LogKey, bytearray] = {}
        self.sealed: set[LogKey] = set()
        self.compression_position = ""
        self.on_change: Callable[[LogKey, bytearray], None] = lambda _key, _log: None

    def append(self, pieces: Sequence[LogPiece]) -> None:
        """All pieces, or none where one would leave a gap."""
        ends: dict[LogKey, int] = {}
        for piece in pieces:
            end = ends.get(piece.key, len(self.logs.get(piece.key, b"")))
            if piece.key in self.sealed and piece.offset + len(piece.data) > end:
                raise LogEnded(f"The log of {piece.key} has ended with {end} bytes.")
            if piece.offset > end:
                raise ValueError(f"the log of {piece.key} has {end} bytes, the piece begins at {piece.offset}")
            ends[piece.key] = max(end, piece.offset + len(piece.data))
        for piece in pieces:
            if piece.key in self.sealed:
                continue
            log = self.logs.setdefault(piece.key, bytearray())
            log[piece.offset : piece.offset + len(piece.data)] = piece.data
            self.on_change(piece.key, log)

    def truncate(self, key: LogKey) -> None:
        self.sealed.discard(key)
        if key in self.logs:
            self.logs[key] = bytearray()

    def seal(self, key: LogKey) -> None:
        if key in self.logs:
            self.sealed.add(key)


class MemoryLogs:
    """Implements `LogStore` and `LogPulse` of `storage.log_port` for one process."""

    place = "memory"

    def __init__(self, contents: LogBytes, passage: Passage | None = None) -> None:
        self._contents = contents
        self._passage = passage or Straight()

    async def room(self) -> LogRoom | None:
        return None

    async def append(self, pieces: Sequence[LogPiece]) -> None:
        if pieces:
            await self._passage.carry(lambda: self._contents.append(pieces), "append to logs")

    async def size(self, key: LogKey) -> int:
        return await self._passage.carry(lambda: len(self._log(key)), "size of a log")

    async def sizes(self, keys: Sequence[LogKey]) -> list[int]:
        return await self._passage.carry(lambda: [len(self._log(key)) for key in keys], "sizes of logs")

    async def read(self, key: LogKey, offset: int, limit: int) -> bytes:
        if offset < 0 or limit < 0:
            raise ValueError(f"neither offset nor limit is negative: {offset}, {limit}")
        return await self._passage.carry(lambda: bytes(self._log(key)[offset : offset + limit]), "read a log")

    async def sha256(self, key: LogKey) -> tuple[int, str]:
        def work() -> tuple[int, str]:
            log = self._log(key)
            return len(log), sha256(log).hexdigest()

        return await self._passage.carry(work, "hash of a log")

    async def seal(self, key: LogKey) -> None:
        await self._passage.carry(lambda: self._contents.seal(key), "seal a log")

    async def reopen(self, keys: Sequence[LogKey]) -> None:
        await self._passage.carry(lambda: self._contents.sealed.difference_update(keys), "reopen logs")

    async def place_at(self, key: LogKey, offset: int, *, is_patient: bool = True) -> LogPlace | None:
        return await self._passage.carry(lambda: _place(self._log(key)[:offset]), "place in a log")

    async def place_of_line(self, key: LogKey, line: int) -> LogPlace | None:
        def work() -> LogPlace:
            lines = self._log(key).split(b"\n")[: line - 1]
            return _place(b"".join(one + b"\n" for one in lines)) if line <= self._log(key).count(b"\n") + 1 else last()

        def last() -> LogPlace:
            return _place(self._log(key)[: self._log(key).rfind(b"\n") + 1])

        return await self._passage.carry(work, "line of a log")

    async def places(self, key: LogKey, start: int, end: int, limit: int) -> list[LogPlace]:
        return []

    async def truncate(self, key: LogKey) -> None:
        await self._passage.carry(lambda: self._contents.truncate(key), "truncate a log")

    async def compress(self, key: LogKey, size: int, sha256: str) -> Compression:
        """There is no smaller form in memory."""
        is_right = await self.sha256(key) == (size, sha256)
        return Compression.NOTHING_TO_GAIN if is_right else Compression.DIFFERENT

    async def compression_position(self) -> str:
        return await self._passage.carry(lambda: self._contents.compression_position, "position of compression")

    async def store_compression_position(self, position: str) -> None:
        def work() -> None:
            self._contents.compression_position = position

        await self._passage.carry(work, "store the position of compression")

    async def occupied(self, keys: Sequence[LogKey]) -> list[int]:
        return await self.sizes(keys)

    async def delete(self, key: LogKey) -> None:
        def work() -> None:
            self._contents.logs.pop(key, None)
            self._contents.sealed.discard(key)

        await self._passage.carry(work, "delete a log")

    async def beat(self) -> None:
        with suppress(StorageUnavailable):  # it is an answer
            await self._passage.carry(lambda: None, "beat of the logs")

    async def close(self) -> None:
        pass

    def _log(self, key: LogKey) -> bytearray:
        return self._contents.logs.get(key, bytearray())


def _place(data: bytes | bytearray) -> LogPlace:
    fold = LogFold(BEGINNING)
    fold.feed(bytes(data))
    return fold.place
