"""The command `git`, as a program inside of a run uses it. Imports nothing but the standard library."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


class GitFailed(Exception):
    """It ended with another exit code than 0; what it said is in the log."""


class TookTooLong(Exception):
    """The time is over."""


@dataclass(frozen=True, slots=True)
class Git:
    """In such an environment; all of its commands end before `deadline`, by the monotonic clock."""

    environment: Mapping[str, str]
    deadline: float

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()

    def run(self, *arguments: str, of: Path | None = None, tree: Path | None = None, is_quiet: bool = False) -> str:
        """Its standard output. `of` is the repository, `tree` its working tree; errors go to the log unless quiet."""
        place = [f"--git-dir={of}"] if of is not None else []
        place += [f"--work-tree={tree}"] if tree is not None else []
        sys.stdout.flush()  # so that the log has everything in its order
        process = subprocess.Popen(
            ["git", *place, *arguments],
            env=self.environment,
            cwd=tree,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if is_quiet else None,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=max(self.seconds_left, 0.1))
        except subprocess.TimeoutExpired:
            raise TookTooLong from None
        finally:
            # With what it has started itself.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode != 0:
            raise GitFailed(f"git {arguments[0]} failed")
        return output.decode(errors="replace").strip()

    def says(self, *arguments: str, of: Path) -> str | None:
        """Its standard output, or None where it fails, which is an answer, too."""
        try:
            return self.run(*arguments, of=of, is_quiet=True)
        except GitFailed:
            return None
