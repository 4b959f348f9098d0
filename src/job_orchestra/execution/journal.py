"""The journal of a run directory: one event on each line, only ever appended to, by one process at a time.

Nothing is synchronised to the disk event by event: what a process has written survives its death, and after the death
of the host itself nothing of the journal is relied upon (a run of another boot is never gone on with).
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.execution.process_identity import ProcessIdentity, identity_from_data
from job_orchestra.execution.run_files import open_run_file

_PIECE = 1 << 20


def encode_line(record: EventRecord) -> bytes:
    data = {"sequence": record.sequence, "kind": record.kind, "date": record.date, "data": record.data}
    return json.dumps(data, separators=(",", ":")).encode() + b"\n"


def decode_line(line: bytes) -> EventRecord:
    """Invalid if that is no line of a journal."""
    try:
        data: dict[str, Any] = json.loads(line)
        return EventRecord(int(data["sequence"]), str(data["kind"]), int(data["date"]), dict(data["data"]))
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid.at("journal", f"{type(error).__name__}: {error}") from None


def decode_next(line: bytes, sequence: int) -> EventRecord | None:
    """The event of a line without its end, if it is the one behind the event numbered `sequence`."""
    try:
        record = decode_line(line)
    except Invalid:
        return None
    return record if record.sequence == sequence + 1 else None


class JournalReader:
    """Follows a journal by byte offset, up to what is no event: the last line may be on its way, or damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ends: list[int] = []
        """Where each event's line ends."""
        self.is_claimed = False
        """Whether the journal exists: a host has taken the run up."""
        self.is_ended = False
        self.final_log_size: int | None = None
        """Of the log that the run ended with: what anybody appends to the file later is not the run's."""
        self.host: ProcessIdentity | None = None
        """The executor host that has taken the run up, once it said so."""

    @property
    def sequence(self) -> int:
        """Of the last complete event."""
        return len(self._ends)

    @property
    def size(self) -> int:
        """Of all complete lines."""
        return self._ends[-1] if self._ends else 0

    def size_between(self, after: int, last: int) -> int:
        """Of the lines of the events behind the one numbered `after`, up to `last`, as far as they were looked at."""
        behind = min(last, len(self._ends))
        if behind <= after:
            return 0
        return self._ends[behind - 1] - (self._ends[after - 1] if after else 0)

    def look(self) -> bool:
        """Reads what was appended since; whether there was anything new. Raises what `open_run_file` does."""
        before = (self.is_claimed, self.sequence)
        try:
            descriptor = open_run_file(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            self.is_claimed = True
            self._read_on(descriptor)
        finally:
            os.close(descriptor)
        return before != (self.is_claimed, self.sequence)

    def read(self, after: int, limit: int, size: int = _PIECE) -> list[EventRecord]:
        """At most `limit` of the events behind the one numbered `after` that were looked at.

        Fewer if they have more than `size` bytes, but at least one; OSError or Invalid if the journal was damaged.
        """
        ends = self._ends[after : after + limit]
        if not ends:
            return []
        first = self._ends[after - 1] if after else 0
        last = max(ends[0], *(end for end in ends if end - first <= size), 0)
        descriptor = open_run_file(self._path, os.O_RDONLY)
        try:
            content = read_range(descriptor, first, last - first)
        finally:
            os.close(descriptor)
        return [decode_line(line) for line in content.split(b"\n")[:-1]]

    def _read_on(self, descriptor: int) -> None:
        position = self.size
        rest = b""
        while piece := os.pread(descriptor, _PIECE, position + len(rest)):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                record = decode_next(line, self.sequence)
                if record is None:
                    return
                position += len(line) + 1
                self._ends.append(position)
                self._learn(record)

    def _learn(self, record: EventRecord) -> None:
        if record.kind == "started":
            with suppress(Invalid):
                self.host = identity_from_data(record.data.get("host"))
        elif record.kind == "ended":
            self.is_ended = True
            size = record.data.get("log_size")
            self.final_log_size = size if isinstance(size, int) else None


def read_range(descriptor: int, offset: int, size: int) -> bytes:
    """Less than `size` only where the file ends."""
    pieces: list[bytes] = []
    while size > 0 and (piece := os.pread(descriptor, size, offset)):
        pieces.append(piece)
        offset += len(piece)
        size -= len(piece)
    return b"".join(pieces)


def write_all(descriptor: int, content: bytes) -> None:
    """All of it, in one write unless the kernel takes less; OSError may leave a part of it written."""
    while content:
        content = content[os.write(descriptor, content) :]
