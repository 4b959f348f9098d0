"""Where a log's file is: `<project>/<first characters of the run>/<the next ones>/<run>.<attempt>.log`.

That of a late report ends with `.late.log`. A compressed log has `.zst` behind its name, until it is whole `.zst.part`.
The index of a log, whichever its form, has `.index` behind the name of the plain one.
"""

from __future__ import annotations

import re
from pathlib import Path

from job_orchestra.domain.identifiers import NAME
from job_orchestra.storage.log_port import LogKey

POSITION = ".compression"
"""Beside the projects, whose names begin otherwise: how far compression has come."""
COMPRESSED = ".zst"
PART = ".zst.part"
INDEX = ".index"

_RUN = re.compile(r"[A-Za-z0-9_-]{7,64}")
_FILE = re.compile(
    rf"(?P<run>{_RUN.pattern})\.(?P<attempt>0|[1-9][0-9]{{0,8}})(?P<late>\.late)?\.log"
    r"(?P<form>\.zst(?:\.part)?|\.index)?"
)


def log_path(directory: Path, key: LogKey) -> Path:
    """ValueError for a key that could lead elsewhere. The folders divide the runs by time: some days, some hours."""
    if not NAME.fullmatch(key.project) or not _RUN.fullmatch(key.run) or key.attempt < 0:
        raise ValueError(f"this is no key of a log: {key}")
    name = f"{key.run}.{key.attempt}{'.late' if key.is_late else ''}.log"
    return directory / key.project / key.run[:4] / key.run[4:6] / name


def compressed_path(path: Path) -> Path:
    """Of the log whose plain file is, or would be, at `path`."""
    return path.with_name(path.name + COMPRESSED)


def part_path(path: Path) -> Path:
    """Likewise, of one that is being compressed."""
    return path.with_name(path.name + PART)


def index_path(path: Path) -> Path:
    """Likewise, of its index."""
    return path.with_name(path.name + INDEX)


def all_paths(path: Path) -> tuple[Path, Path, Path, Path]:
    """Whatever there may be of that log, in the order in which it has to be deleted."""
    return path, compressed_path(path), part_path(path), index_path(path)


def read_path(project: str, folders: tuple[str, str], name: str) -> tuple[LogKey, str] | None:
    """Whose file that is, and what stands behind the name of the plain one; None for what is no file of a log."""
    found = _FILE.fullmatch(name)
    if found is None or folders != (found["run"][:4], found["run"][4:6]):
        return None
    key = LogKey(project, found["run"], int(found["attempt"]), is_late=found["late"] is not None)
    return key, found["form"] or ""
