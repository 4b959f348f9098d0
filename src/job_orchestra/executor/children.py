"""The processes that this one has started, or adopted because their parents are gone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from job_orchestra.executor.inheritance import DescriptorLimit
from job_orchestra.fail_points import FailPoint, reach

_UNSETTABLE = {signal.SIGKILL, signal.SIGSTOP}
_DEFAULT_SIGNALS = signal.valid_signals() - _UNSETTABLE


class Children:
    """Starts commands and hears of their exits; whatever else ends below this process is reaped."""

    def __init__(self) -> None:
        self._exits: dict[int, asyncio.Future[int]] = {}
        self._limit = DescriptorLimit()
        self._home = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], directory: Path, output: int
    ) -> tuple[int, asyncio.Future[int]]:
        """Pid and future exit code (negative: by that signal) of a command in a session of its own.

        OSError if the program cannot be executed, ValueError if arguments cannot be passed to programs at all.
        """
        # posix_spawn costs the same whatever the size of this process, but cannot change the directory; a process has
        # only one, and this one uses no relative path.
        os.chdir(directory)
        try:
            with self._limit.as_given():
                pid = os.posix_spawnp(
                    arguments[0],
                    tuple(arguments),
                    environment,
                    file_actions=(
                        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                        (os.POSIX_SPAWN_DUP2, output, 1),
                        (os.POSIX_SPAWN_DUP2, output, 2),
                    ),
                    setsid=True,
                    setsigmask=(),
                    setsigdef=_DEFAULT_SIGNALS,
                )
        finally:
            os.fchdir(self._home)
        reach(FailPoint.HOST_COMMAND_SPAWNED)
        exit_code = self._exits[pid] = asyncio.get_running_loop().create_future()
        return pid, exit_code

    def reap(self) -> int:
        """To be called at each SIGCHLD. How many of those that have ended were not started here."""
        orphans = 0
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return orphans
            if pid == 0:
                return orphans
            exit_code = self._exits.pop(pid, None)
            orphans += exit_code is None
            if exit_code is not None:
                reach(FailPoint.HOST_COMMAND_REAPED)
                exit_code.set_result(os.waitstatus_to_exitcode(status))

    def has_orphans(self) -> bool:
        """Whether there are children that were not started here: descendants whose parents are gone."""
        return bool(self.orphans())

    def orphans(self) -> list[int]:
        return [pid for pid in self._pids() if pid not in self._exits]

    def is_command(self, pid: int) -> bool:
        return pid in self._exits

    def _pids(self) -> list[int]:
        pid = os.getpid()
        with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123 -- on the way of every run
            return [int(word) for word in file.read().split()]
