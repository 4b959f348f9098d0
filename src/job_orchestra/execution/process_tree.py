"""All processes of a run, also those that left its process group, its session or their parents.

Every command starts a session of its own, carries the run's tag (see `run_tag`), has the run in its environment and the
run's log as its output. A descendant may shed each of these, so what is found by one of them is followed by descent and
by session to the rest.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from job_orchestra.execution.process_identity import Process, read_facts, read_process
from job_orchestra.execution.room import SHORTAGES
from job_orchestra.execution.run_tag import read_tag, tag_of
from job_orchestra.protocol.run_key import RunKey

_PROC = Path("/proc")
_WRITING = os.O_WRONLY | os.O_RDWR


@dataclass(frozen=True, slots=True)
class LogFile:
    """A run's log, as the file system knows it whatever its name."""

    device: int
    inode: int

    @classmethod
    def at(cls, path: Path) -> LogFile | None:
        try:
            facts = path.lstat()
        except OSError:
            return None
        return cls(facts.st_dev, facts.st_ino)


def all_processes() -> dict[int, Process]:
    """Every living process of the host (as far as this one sees it)."""
    found: dict[int, Process] = {}
    with os.scandir(_PROC) as entries:
        for entry in entries:
            if entry.name.isdigit():
                process = read_process(int(entry.name))
                if process is not None:
                    found[process.pid] = process
    return found


def read_run_marker(pid: int) -> RunKey | None:
    """The run and attempt in the environment that the process was started with, if it can be read and has them."""
    environment = read_facts(pid, "environ")
    if environment is None or b"ORCHESTRA_RUN=" not in environment:
        return None
    variables = dict(entry.split(b"=", 1) for entry in environment.split(b"\0") if b"=" in entry)
    try:
        return RunKey(variables[b"ORCHESTRA_RUN"].decode(), int(variables[b"ORCHESTRA_ATTEMPT"]))
    except (KeyError, ValueError):
        return None


def writes_to(pid: int, logs: Collection[LogFile]) -> bool:
    """Whether standard output or error of the process is one of these files; who only reads it does not count."""
    for descriptor in ("1", "2"):
        try:
            facts = (_PROC / str(pid) / "fd" / descriptor).stat()
            if LogFile(facts.st_dev, facts.st_ino) not in logs:
                continue
        except OSError as error:
            if error.errno in SHORTAGES:
                raise
            continue  # gone, or on a file system that does not answer
        text = read_facts(pid, f"fdinfo/{descriptor}") or b""
        flags = next((line.split()[1] for line in text.splitlines() if line.startswith(b"flags:")), b"0")
        if int(flags, 8) & _WRITING:
            return True
    return False


def children_of(processes: Iterable[Process]) -> dict[int, list[int]]:
    children: dict[int, list[int]] = defaultdict(list)
    for process in processes:
        children[process.parent].append(process.pid)
    return children


def with_descendants(seeds: Iterable[int], processes: dict[int, Process]) -> set[int]:
    """The seeds and everything below them."""
    children = children_of(processes.values())
    found: set[int] = set()
    remaining = [pid for pid in seeds if pid in processes]
    while remaining:
        pid = remaining.pop()
        if pid not in found:
            found.add(pid)
            remaining.extend(children.get(pid, ()))
    return found


def find_marked(runs: Collection[RunKey], logs: Collection[LogFile], spared: Collection[int]) -> list[Process]:
    """Living processes of these attempts with these logs, wherever they are in the tree, but for the `spared` pids.

    For runs whose executor host is gone: their processes have been handed to whoever adopts orphans here.
    """
    processes = {pid: one for pid, one in all_processes().items() if pid not in spared}
    tags = set(map(tag_of, runs))
    seeds = {pid for pid in processes if read_tag(pid) in tags or read_run_marker(pid) in runs or writes_to(pid, logs)}
    found = with_descendants(seeds, processes)
    # Sessions were made within the run, so whoever is in one of them belongs to it.
    sessions = {processes[pid].session for pid in seeds} - {os.getsid(0)}
    found |= with_descendants((pid for pid, one in processes.items() if one.session in sessions), processes)
    return [processes[pid] for pid in sorted(found) if not processes[pid].is_zombie]
