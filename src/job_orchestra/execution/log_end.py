"""What is known of a log when its run has ended."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class LogEnd:
    size: int
    sha256: str


def read_log_end(path: Path) -> LogEnd:
    """Reads the whole log: in a thread, if it is a large one. A log that does not exist is an empty one."""
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                size += len(piece)
    except FileNotFoundError:
        pass
    return LogEnd(size, digest.hexdigest())
