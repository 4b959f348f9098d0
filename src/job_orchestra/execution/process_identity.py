"""Which process is meant: a pid alone is reused, and means nothing after a restart of the host."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from job_orchestra.domain.json import JsonObject
from job_orchestra.execution.room import SHORTAGES

_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """Safe against reuse of pids (by the time of start) and against reboots (by the boot)."""

    pid: int
    start: int
    """In clock ticks since the boot."""
    boot: str


@dataclass(frozen=True, slots=True)
class Process:
    """A line of /proc: what is known of a process without asking it."""

    pid: int
    parent: int
    session: int
    start: int
    is_zombie: bool


@cache
def boot_identifier() -> str:
    return _BOOT.read_text().strip()


def read_process(pid: int) -> Process | None:
    """None if there is no such process (any more)."""
    text = read_facts(pid, "stat")
    if text is None:
        return None
    # The name in parentheses may contain anything, parentheses and spaces included.
    fields = text[text.rindex(b")") + 2 :].split()
    return Process(
        pid=pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        start=int(fields[19]),
        # That is the state of its first thread alone, which may exit before the others.
        is_zombie=fields[0] in {b"Z", b"X"} and int(fields[17]) <= 1,
    )


def read_facts(pid: int, name: str) -> bytes | None:
    """A file of the process below /proc; None if the process is gone, or shows that to others only.

    OSError for want of descriptors or memory, which says nothing about the process.
    """
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError as error:
        if error.errno in SHORTAGES:
            raise
        return None


def own_identity() -> ProcessIdentity:
    process = read_process(os.getpid())
    assert process is not None
    return ProcessIdentity(process.pid, process.start, boot_identifier())


def is_alive(identity: ProcessIdentity) -> bool:
    """Whether this very process still executes; a zombie does not."""
    if identity.boot != boot_identifier():
        return False
    process = read_process(identity.pid)
    return process is not None and process.start == identity.start and not process.is_zombie


def identity_to_data(identity: ProcessIdentity) -> JsonObject:
    return {"pid": identity.pid, "start": identity.start, "boot": identity.boot}


def identity_from_data(data: Any) -> ProcessIdentity | None:
    """None if that is no identity."""
    match data:
        case {"pid": int(pid), "start": int(start), "boot": str(boot)}:
            return ProcessIdentity(pid, start, boot)
        case _:
            return None
