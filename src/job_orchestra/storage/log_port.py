"""The port for log bytes. A log belongs to one attempt of one run, and only ever grows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from job_orchestra.domain.errors import OrchestraError
from job_orchestra.domain.log_places import LogPlace
from job_orchestra.storage.port import StorageUnavailable


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


class LogEnded(OrchestraError):
    """What was to be appended goes beyond a log that is sealed."""


class LogDamaged(StorageUnavailable):
    """What is stored of a log cannot be read, and waiting will not help."""


class Compression(Enum):
    """What came of compressing a log."""

    DONE = auto()
    NOTHING_TO_GAIN = auto()
    """It is compressed already, would not become smaller, or is gone."""
    BUSY = auto()
    """Somebody else is at it."""
    DIFFERENT = auto()
    """It is not the log that it should be, and was left as it is."""


class LogStore(Protocol):
    """Raises StorageUnavailable when the disk is full or out of reach; then nothing of the call counts as stored.

    Reading needs no lock: what `size` covers never changes, in whatever form it is kept.
    """

    async def append(self, pieces: Sequence[LogPiece]) -> None:
        """Durable when it returns. A piece may overlap what is stored (it is the same bytes).

        One that would leave a gap is a ValueError, one beyond the end of a sealed log is LogEnded.
        """
        ...

    async def seal(self, key: LogKey) -> None:
        """From now on nothing is appended to what there is of it, by whatever process: what `sha256` says stays."""
        ...

    async def reopen(self, keys: Sequence[LogKey]) -> None:
        """Takes the seals away again, where there are any: those logs have not ended after all."""
        ...

    async def size(self, key: LogKey) -> int:
        """0 if there is none."""
        ...

    async def sizes(self, keys: Sequence[LogKey]) -> list[int]:
        """Of many at once, in their order."""
        ...

    async def read(self, key: LogKey, offset: int, limit: int) -> bytes:
        """At most `limit` bytes, and at least one unless it is the end or there is no log."""
        ...

    async def sha256(self, key: LogKey) -> tuple[int, str]:
        """Size and hexadecimal digest of what is stored."""
        ...

    async def place_at(self, key: LogKey, offset: int, *, is_patient: bool = True) -> LogPlace | None:
        """At the offset or the end of the log, or shortly before, where an escape sequence begins that goes on there.

        None as long as the lines of a large log are not counted; asking for it has them counted, where that can be.
        Who is patient waits for that a moment.
        """
        ...

    async def place_of_line(self, key: LogKey, line: int) -> LogPlace | None:
        """Likewise, the beginning of the line with this number, or of the last one if there are not so many."""
        ...

    async def places(self, key: LogKey, start: int, end: int, limit: int) -> list[LogPlace]:
        """Some places behind `start` and before `end`, in order, about where something was stored later than before."""
        ...

    async def truncate(self, key: LogKey) -> None:
        """Empties and reopens the log, for one that did not match what the worker has and is sent again."""
        ...

    async def compress(self, key: LogKey, size: int, sha256: str) -> Compression:
        """Keeps a log that has ended, with this size and digest, in less room; for readers it stays what it is."""
        ...

    async def compression_position(self) -> str:
        """As it was stored last; empty at first."""
        ...

    async def store_compression_position(self, position: str) -> None:
        """How far compression has come, durably, for whoever goes on with it. It stands beside the logs themselves."""
        ...

    async def occupied(self, keys: Sequence[LogKey]) -> list[int]:
        """The bytes that deleting each of them frees."""
        ...

    async def delete(self, key: LogKey) -> None:
        """In whatever form it is kept, durably; harmless where there is none."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A file among those of the logs."""

    file: str
    key: LogKey | None
    """None for one that is no log."""
    is_left_over: bool = False
    """Of a compression or deletion that was interrupted: nobody reads it, or writes it any more."""


class LogInventory(Protocol):
    """Raises StorageUnavailable when the disk is out of reach."""

    def entries(self) -> AsyncGenerator[list[LogEntry]]:
        """All that there are, a few at a time; what comes or goes meanwhile may be missing."""
        ...

    async def has(self, entry: LogEntry) -> bool:
        """Whether the file is still there."""
        ...

    async def remove_left_over(self, entry: LogEntry) -> bool:
        """Whether it is still that, and gone now."""
        ...


@dataclass(frozen=True, slots=True)
class LogRoom:
    """Of the disk of the logs, in bytes."""

    free: int
    """For the account of the applications."""
    total: int


class LogPulse(Protocol):
    @property
    def place(self) -> str:
        """Where the logs are, in words."""
        ...

    async def beat(self) -> None:
        """Returns when the disk of the logs has carried out a small change, or has refused it: it lives, in any case.

        What it refuses is the matter of those who store.
        """
        ...

    async def room(self) -> LogRoom | None:
        """None if the disk does not say."""
        ...

    async def close(self) -> None: ...
