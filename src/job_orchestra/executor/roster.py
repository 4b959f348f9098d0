"""The runs that an executor host carries out now, and which of its children carry their tags."""

from __future__ import annotations

from job_orchestra.execution.process_identity import Process
from job_orchestra.execution.run_directory import parse_run_name
from job_orchestra.execution.run_tag import read_tag, tag_of

_MOST_REMEMBERED = 20_000


class Roster:
    """A look costs the same however many runs there are: hundreds may end at once, each with processes left."""

    def __init__(self) -> None:
        self._tags: dict[int, str] = {}
        self._names: set[str] = set()
        self._ending: set[str] = set()
        self._read: dict[tuple[int, int], int | None] = {}
        """Pid and start of processes whose tag was read: it is inherited, and so has always been theirs."""

    def enter(self, name: str) -> None:
        key = parse_run_name(name)
        assert key is not None
        self._names.add(name)
        self._tags[tag_of(key)] = name

    def end(self, name: str) -> None:
        """That run starts nothing any more: whatever may be its is to be ended."""
        self._ending.add(name)

    def leave(self, name: str) -> None:
        key = parse_run_name(name)
        assert key is not None
        self._names.discard(name)
        self._ending.discard(name)
        self._tags.pop(tag_of(key), None)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def is_alone(self, name: str) -> bool:
        """Whether that run is the only one that is not at its end."""
        return not self._names - self._ending - {name}

    def tag_of_child(self, process: Process) -> int | None:
        """None if it has none, or has shed it before it was seen first."""
        key = (process.pid, process.start)
        if key not in self._read:
            if len(self._read) >= _MOST_REMEMBERED:
                self._read.clear()
            self._read[key] = read_tag(process.pid)
        return self._read[key]

    def knows(self, tag: int) -> bool:
        return tag in self._tags
