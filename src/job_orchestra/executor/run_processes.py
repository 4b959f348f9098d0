"""What a run has left executing, found below this process, which adopts every orphan."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from job_orchestra.execution.process_end import end_processes
from job_orchestra.execution.process_identity import Process
from job_orchestra.execution.process_tree import LogFile, all_processes, read_run_marker, with_descendants, writes_to
from job_orchestra.execution.run_directory import run_name
from job_orchestra.executor.children import Children
from job_orchestra.protocol.run_key import RunKey


class RunProcesses:
    """All processes of one run: its commands, and what they have begotten, whatever those did to get away."""

    def __init__(self, key: RunKey, log: LogFile, children: Children, active: Callable[[], Sequence[str]]) -> None:
        self._key = key
        self._log = log
        self._children = children
        self._active = active
        self._commands: set[int] = set()
        self._known: set[tuple[int, int]] = set()
        """Pid and start of what was found once: it stays found when its parents are gone."""

    def add(self, command: int) -> None:
        self._commands.add(command)

    def are_left(self) -> bool:
        """Whether anything may be left; sure if it says no, and cheap."""
        return any(map(self._children.is_command, self._commands)) or self._children.has_orphans()

    async def end(self, grace: float) -> Sequence[Process]:
        """Returns what could not be ended (see `end_processes`)."""
        self._children.reap()
        if not self.are_left():
            return ()
        return await end_processes(self.find, grace)

    def find(self) -> list[Process]:
        self._children.reap()
        processes = all_processes()
        host = os.getpid()
        seeds = {pid for pid, one in processes.items() if one.parent == host and self._is_own(one)}
        seeds |= {pid for pid, one in processes.items() if (pid, one.start) in self._known}
        found = [processes[pid] for pid in sorted(with_descendants(seeds, processes))]
        self._known.update((one.pid, one.start) for one in found)
        return [one for one in found if not one.is_zombie]

    def _is_own(self, child: Process) -> bool:
        """Of a child of this process."""
        if self._children.is_command(child.pid):
            return child.pid in self._commands
        active = self._active()
        marker = read_run_marker(child.pid)
        if marker == self._key:
            return True
        if marker is not None and run_name(marker) in active:
            return False
        if child.session in self._commands or writes_to(child.pid, {self._log}):
            return True
        # It has shed everything that it could be known by: it is ended with the last of the runs that it may be of.
        return tuple(active) == (run_name(self._key),)
