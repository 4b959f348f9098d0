"""A file that holds one word, and always the whole of it: how far something has come."""

from __future__ import annotations

import os
from pathlib import Path

from job_orchestra.storage.files.descriptors import make_durable

_LONGEST = 100


def read_position(path: Path) -> str:
    """Empty where there is none."""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            return file.read(_LONGEST).strip()
    except FileNotFoundError:
        return ""


def write_position(path: Path, position: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{position}\n")
        file.flush()
        os.fsync(descriptor)
    part.rename(path)
    make_durable(path.parent)
