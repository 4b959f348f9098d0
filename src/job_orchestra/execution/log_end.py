"""What is known of a log when its run has ended."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from job_orchestra.execution.run_files import open_run_file

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class LogEnd:
    size: int
    sha256: str


def read_log_end(path: Path) -> LogEnd:
    """Reads the whole log: in a thread, if it is a large one. A log that does not exist is an empty one."""
    try:
        descriptor = open_run_file(path, os.O_RDONLY)
    except FileNotFoundError:
        return LogEnd(0, hashlib.sha256().hexdigest())
    try:
        return measure_log(descriptor)
    finally:
        os.close(descriptor)


def measure_log(descriptor: int) -> LogEnd:
    """As `read_log_end`, of a log that is open."""
    digest = hashlib.sha256()
    size = 0
    while piece := os.pread(descriptor, _PIECE, size):
        digest.update(piece)
        size += len(piece)
    return LogEnd(size, digest.hexdigest())
