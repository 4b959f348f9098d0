"""Who holds the worker's directory: its lock, in which stands which process that is."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from job_orchestra.execution.process_identity import (
    ProcessIdentity,
    identity_from_data,
    identity_to_data,
    is_alive,
    own_identity,
)


def lock_of_worker(worker_directory: Path) -> Path:
    return worker_directory / "lock"


def write_worker_identity(lock: int) -> None:
    """By who has got the lock. On a full disk nothing is written: the worker can do without."""
    os.ftruncate(lock, 0)
    with suppress(OSError):
        os.pwrite(lock, json.dumps(identity_to_data(own_identity())).encode(), 0)


def read_worker_identity(worker_directory: Path) -> ProcessIdentity | None:
    """The worker of the directory; None if none lives there."""
    try:
        identity = identity_from_data(json.loads(lock_of_worker(worker_directory).read_bytes()))
    except (OSError, ValueError):
        return None
    return identity if identity is not None and is_alive(identity) else None
