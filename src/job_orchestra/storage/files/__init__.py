"""Log bytes in plain files. Only composition comes here."""

from __future__ import annotations

from pathlib import Path

from job_orchestra.storage.files.log_files import LogFiles
from job_orchestra.storage.log_port import LogStore


def open_log_store(directory: Path) -> LogStore:
    """Nothing is created before the first byte is stored."""
    return LogFiles(directory)
