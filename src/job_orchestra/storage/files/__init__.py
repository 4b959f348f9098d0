"""Log bytes in files. Only composition comes here."""

from __future__ import annotations

from pathlib import Path

from job_orchestra.storage.files.inventory import LogFileInventory
from job_orchestra.storage.files.log_files import LogFiles
from job_orchestra.storage.files.pulse import LogFilePulse
from job_orchestra.storage.log_port import LogInventory, LogPulse, LogStore


def open_log_store(directory: Path) -> LogStore:
    """Nothing is created before the first byte is stored."""
    return LogFiles(directory)


def open_log_inventory(directory: Path) -> LogInventory:
    return LogFileInventory(directory)


def open_log_pulse(directory: Path) -> LogPulse:
    return LogFilePulse(directory)
