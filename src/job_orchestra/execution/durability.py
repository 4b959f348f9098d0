"""Names that outlast a power failure."""

from __future__ import annotations

import os
from pathlib import Path


def make_durable(folder: Path) -> None:
    """What was created, renamed or removed in the folder before is so for good when it returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
