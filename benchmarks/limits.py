"""What the machine does at best, measured in the same run as what is compared with it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path


def spawn_rate(seconds: float = 2.0) -> float:
    """Bare posix_spawn and wait of /bin/true, one after the other: processes per second."""
    count = 0
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        os.waitpid(os.posix_spawn("/bin/true", ["/bin/true"], {}), 0)
        count += 1
    return count / (time.perf_counter() - begin)


def write_seconds(directory: Path, data: bytes) -> float:
    """Writing the bytes to a new file and making them durable."""
    path = directory / "sequential"
    begin = time.perf_counter()
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fdatasync(file.fileno())
    elapsed = time.perf_counter() - begin
    path.unlink()
    return elapsed


def start_seconds() -> float:
    """The start and the end of an interpreter that does nothing."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", ""], check=True)
    return time.perf_counter() - begin
