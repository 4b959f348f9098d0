"""What a run has left executing, found below this process, which adopts every orphan."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from job_orchestra.execution.process_end import end_processes
from job_orchestra.execution.process_identity import Process, read_process
from job_orchestra.execution.process_tree import LogFile, all_processes, read_run_marker, with_descendants, writes_to
from job_orchestra.execution.room import when_there_is_room
from job_orchestra.execution.run_directory import run_name
from job_orchestra.execution.run_tag import tag_of, tagging
from job_orchestra.executor.children import Children
from job_orchestra.executor.roster import Roster
from job_orchestra.protocol.run_key import RunKey

_QUICK_LOOKS = 1000


class RunProcesses:
    """All processes of one run: its commands, and what they have begotten, whatever those did to get away."""

    def __init__(self, key: RunKey, log: LogFile, children: Children, roster: Roster) -> None:
        self._key = key
        self._tag = tag_of(key)
        self._log = log
        self._children = children
        self._roster = roster
        self._commands: set[int] = set()
        self._known: set[tuple[int, int]] = set()
        """Pid and start of what was found once: it stays found when its parents are gone."""

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], directory: Path, output: int
    ) -> tuple[int, asyncio.Future[int]]:
        """As `Children.start`."""
        with tagging(self._tag):
            pid, exit_code = self._children.start(arguments, environment, directory, output)
        self._commands.add(pid)
        return pid, exit_code

    def are_left(self) -> bool:
        """Whether anything may be left; sure if it says no, and cheap."""
        return any(map(self._children.is_command, self._commands)) or self._children.has_orphans()

    async def end_finally(self, grace: float) -> Sequence[Process]:
        """As `end`, when the run starts nothing any more."""
        self._roster.end(run_name(self._key))
        return await self.end(grace)

    async def end(self, grace: float) -> Sequence[Process]:
        """Returns what could not be ended (see `end_processes`)."""
        self._children.reap()
        if not await when_there_is_room(self.are_left):
            return ()
        return await end_processes(self.find, grace)

    def find(self) -> list[Process]:
        """Those first that are hardest to catch."""
        self._children.reap()
        found = self._look()
        # A process that goes on in a child and leaves may slip through a look at all processes, but not without leaving
        # an orphan to be reaped here. Looking at nothing but orphans is quick enough to meet it.
        for _ in range(_QUICK_LOOKS):
            if not self._children.reap():
                break
            if met := self._meet():
                return [*met, *(one for one in found if one not in met)]
        return found

    def _look(self) -> list[Process]:
        processes = all_processes()
        host = os.getpid()
        seeds = {pid for pid, one in processes.items() if one.parent == host and self._is_own(one)}
        seeds |= {pid for pid, one in processes.items() if (pid, one.start) in self._known}
        found = [processes[pid] for pid in sorted(with_descendants(seeds, processes))]
        self._known.update((one.pid, one.start) for one in found)
        return [one for one in found if not one.is_zombie]

    def _meet(self) -> list[Process]:
        """Orphans of this run that are here in this moment."""
        here = (read_process(pid) for pid in self._children.orphans())
        return [one for one in here if one is not None and not one.is_zombie and self._is_own(one)]

    def _is_own(self, child: Process) -> bool:
        """Of a child of this process."""
        if self._children.is_command(child.pid):
            return child.pid in self._commands
        tag = self._roster.tag_of_child(child)
        if tag == self._tag:
            return True
        if tag is not None and self._roster.knows(tag):
            return False
        marker = read_run_marker(child.pid)
        if marker == self._key:
            return True
        if marker is not None and run_name(marker) in self._roster:
            return False
        if child.session in self._commands or writes_to(child.pid, {self._log}):
            return True
        # It has shed everything that it could be known by: it is ended with the last of the runs that it may be of.
        return self._roster.is_alone(run_name(self._key))
