"""The port for log bytes. A log belongs to one attempt of one run, and only ever grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogKey:
    project: str
    run: str
    attempt: int
    is_late: bool = False
    """Of a late report, beside what was stored of the attempt when it counted still."""


@dataclass(frozen=True, slots=True)
class LogPiece:
    """Bytes at their place in the log."""

    key: LogKey
    offset: int
    data: bytes


class LogStore(Protocol):
    """Raises StorageUnavailable when the disk is full or out of reach; then nothing of the call counts as stored.

    Reading needs no lock: what `size` covers never changes.
    """

    async def append(self, pieces: Sequence[LogPiece]) -> None:
        """Durable when it returns. A piece may overlap what is stored (it is the same bytes).

        One that would leave a gap is a ValueError.
        """
        ...

    async def size(self, key: LogKey) -> int:
        """0 if there is none."""
        ...

    async def sizes(self, keys: Sequence[LogKey]) -> list[int]:
        """Of many at once, in their order."""
        ...

    async def read(self, key: LogKey, offset: int, limit: int) -> bytes:
        """At most `limit` bytes; empty at the end and where there is no log."""
        ...

    async def sha256(self, key: LogKey) -> tuple[int, str]:
        """Size and hexadecimal digest of what is stored."""
        ...

    async def truncate(self, key: LogKey) -> None:
        """Empties the log, for one that did not match what the worker has and is sent again."""
        ...

    async def delete(self, key: LogKey) -> None:
        """In whatever form it is kept, durably; harmless where there is none."""
        ...

    async def close(self) -> None: ...
