from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime

from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import Event
from job_orchestra.execution.journal import encode_line
from job_orchestra.execution.room import when_there_is_room
from job_orchestra.execution.run_directory import RunDirectory
from job_orchestra.executor.appending import append, open_file
from job_orchestra.fail_points import FailPoint, reach

MakeEvent = Callable[[int, datetime], Event]
"""The event from its sequence and date."""


class JournalWriter:
    """The one writer of a run's journal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._sequence = 1

    @classmethod
    async def claim(cls, directory: RunDirectory, first: MakeEvent) -> JournalWriter | None:
        """Takes the run up by creating its journal, with the first event in it; None if someone has done that before.

        Journal and event appear in one step (a link never replaces), so that a journal always tells who has claimed it.
        """
        draft = directory.path / f".journal.{os.getpid()}"
        descriptor = await open_file(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            await append(descriptor, _line(first, 1))
            reach(FailPoint.HOST_JOURNAL_DRAFTED)
            await when_there_is_room(lambda: os.link(draft, directory.journal))
            reach(FailPoint.HOST_RUN_CLAIMED)
        except FileExistsError:
            return None
        finally:
            os.close(descriptor)
            draft.unlink()
        # Opened by its name, because notices of changes carry the name by which a file was opened.
        return cls(await open_file(directory.journal, os.O_WRONLY | os.O_APPEND))

    async def append(self, make: MakeEvent) -> None:
        # Not synchronised to the disk: a run is gone on with only within the same boot, and until the host goes down
        # every process sees what was written.
        self._sequence += 1
        await append(self._descriptor, _line(make, self._sequence))

    def close(self) -> None:
        os.close(self._descriptor)


def _line(make: MakeEvent, sequence: int) -> bytes:
    return encode_line(event_to_record(make(sequence, datetime.now(UTC))))
