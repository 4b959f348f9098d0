"""Where a worker's directory is: what the directory keeps when it is renamed, and a copy of it does not have.

Two workers that took themselves for the same one would take each other's place at the master for ever, and carry out
the same requests.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from job_orchestra.execution.process_identity import boot_identifier

_MACHINE = Path("/etc/machine-id")
_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Place:
    machine: str
    """Stays the same over reboots, and is another one after a fresh installation; empty where there is none."""
    inode: int
    device: int
    """0 where its number means nothing: that of a file system without a disk of its own, or above volumes."""
    boot: str
    """In another one the same device may have another number."""

    @classmethod
    def of(cls, directory: Path) -> Self:
        facts = directory.stat()
        device = facts.st_dev if os.major(facts.st_dev) else 0
        return cls(_machine_identifier(), facts.st_ino, device, boot_identifier())

    def is_that_of(self, other: Place) -> bool:
        """Whether it may be the same directory; only what is known on both sides counts."""
        if self.machine and other.machine and self.machine != other.machine:
            return False
        if self.device and other.device and self.boot == other.boot and self.device != other.device:
            return False
        return self.inode == other.inode


def read_place(file: Path) -> Place | None:
    """None if it was never written, or was removed: the directory belongs where it is."""
    try:
        data = json.loads(file.read_bytes())
        return Place(str(data["machine"]), int(data["inode"]), int(data["device"]), str(data["boot"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_place(file: Path, place: Place) -> None:
    draft = file.with_name(f".{file.name}")
    draft.write_text(json.dumps(asdict(place)))
    draft.rename(file)


def _machine_identifier() -> str:
    """Not the number itself, which is meant to be kept secret."""
    try:
        number = _MACHINE.read_text().strip()
    except OSError:
        return ""
    # Without a number, systemd says so in a word.
    return sha256(f"job-orchestra {number}".encode()).hexdigest()[:32] if len(number) == _LENGTH else ""
