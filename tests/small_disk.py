"""A real file system of a few pages, in a mount namespace of its own, which goes with the process that holds it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.services import missing

_HOLD = 'mount -t tmpfs -o size="$1" none "$2" && echo ready && exec cat'


@dataclass(frozen=True)
class SmallDisk:
    path: Path
    """Its root, as any process may write it: the kernel follows it into the namespace."""

    def fill(self) -> None:
        """To the last byte."""
        with (self.path / "ballast").open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 10, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue

    def fill_with_files(self, leave: int) -> None:
        """So that there is room for no more than `leave` files and directories."""
        fillers = self.path / "fillers"
        fillers.mkdir()
        with suppress(OSError):
            for number in count():
                (fillers / str(number)).touch()
        for _, path in zip(range(leave), list(fillers.iterdir()), strict=False):
            path.unlink()

    def make_room_for_files(self) -> None:
        shutil.rmtree(self.path / "fillers")

    def make_room(self, size: int | None = None) -> None:
        """So many bytes of what `fill` took, by default all."""
        ballast = self.path / "ballast"
        os.truncate(ballast, 0 if size is None else ballast.stat().st_size - size)


@contextmanager
def small_disk(directory: Path, size: str = "2m") -> Generator[SmallDisk]:
    """`size` may name more options of a tmpfs behind a comma."""
    directory.mkdir()
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _HOLD, "sh", size, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        if holder.stdout.readline() != b"ready\n":
            missing("A file system of one's own (unshare, user namespaces)")
        try:
            yield SmallDisk(Path(f"/proc/{holder.pid}/root{directory}"))
        finally:
            holder.stdin.close()
