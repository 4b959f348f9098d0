"""Where a log's file is: `<project>/<first characters of the run>/<the next ones>/<run>.<attempt>.log`.

That of a late report ends with `.late.log`.
"""

from __future__ import annotations

import re
from pathlib import Path

from job_orchestra.domain.identifiers import NAME
from job_orchestra.storage.log_port import LogKey

_RUN = re.compile(r"[A-Za-z0-9_-]{7,64}")


def log_path(directory: Path, key: LogKey) -> Path:
    """ValueError for a key that could lead elsewhere. The folders divide the runs by time: some days, some hours."""
    if not NAME.fullmatch(key.project) or not _RUN.fullmatch(key.run) or key.attempt < 0:
        raise ValueError(f"this is no key of a log: {key}")
    name = f"{key.run}.{key.attempt}{'.late' if key.is_late else ''}.log"
    return directory / key.project / key.run[:4] / key.run[4:6] / name
