"""What a master knows of one pipeline that is running."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

from job_orchestra.domain.events import Concluded, Event, PartRefused
from job_orchestra.domain.pipelines.narration import Told, conclusion_in, lines_of, refusals_in, told_by
from job_orchestra.domain.pipelines.parts import PartKey, part_key
from job_orchestra.domain.pipelines.states import PipelineSnapshot
from job_orchestra.domain.runs import Run


class PipelineWatch:
    """A copy of what is stored, which may lag behind it: whatever is done by it is a compare-and-set."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.runs: dict[PartKey, Run] = {}
        self.told: Told = frozenset()
        self.log = b""
        """All that the log has to tell so far."""
        self.conclusion: Concluded | None = None
        self.ended: dict[PartKey, datetime] = {}
        """When this master heard of the ends of parts."""
        self.is_loaded = False
        self.changed = asyncio.Event()
        self._refusals: dict[PartKey, PartRefused] = {}

    @property
    def snapshot(self) -> PipelineSnapshot:
        return PipelineSnapshot(self.run, self.runs, self._refusals)

    @property
    def unfinished(self) -> list[str]:
        return [run.identifier for run in self.runs.values() if not run.status.is_terminal]

    def load(self, run: Run, parts: dict[PartKey, Run], events: Sequence[Event]) -> None:
        """Everything anew; but an end that was heard of while this was read stays."""
        heard = {key: one for key, one in self.runs.items() if one.status.is_terminal}
        self.run, self.runs, self.log = run, parts | heard, b""
        self.told, self._refusals, self.conclusion = frozenset(), {}, None
        self.note_events(run, events)
        self.is_loaded = True

    def note_events(self, run: Run, events: Iterable[Event]) -> None:
        """The journal has grown by these, and the run is now so."""
        events = list(events)
        self.run = run
        self.told |= told_by(events)
        self._refusals |= refusals_in(events)
        self.log += b"".join(lines_of(event, run) for event in events)
        self.conclusion = self.conclusion or conclusion_in(events)

    def note_triggered(self, run: Run) -> None:
        """By this master, or before; what was heard of it meanwhile is newer."""
        self.runs.setdefault(part_key(run.request.part), run)

    def note_part(self, run: Run, now: datetime) -> None:
        """The run of a part is so now."""
        key = part_key(run.request.part)
        known = self.runs.get(key)
        if known is not None and known.status.is_terminal:
            return
        self.runs[key] = run
        if run.status.is_terminal:
            self.ended[key] = now
        if known is None or run.status.is_terminal:
            # Nothing follows from what is in between, and a look costs the more, the more parts there are.
            self.changed.set()

    def note_run(self, run: Run) -> None:
        """The pipeline's run was seen so: wishes, the end, or what another master did show."""
        if run.journal_sequence > self.run.journal_sequence or run.status is not self.run.status:
            self.is_loaded = False
            self.changed.set()
        elif run.should_abort and not self.run.should_abort:
            # A part may have been triggered elsewhere just before: everything is looked at anew.
            self.is_loaded = False
            self.changed.set()
