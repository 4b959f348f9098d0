"""After the storm: has each part of a pipeline one run, does the pipeline end as they did, and does its log tell it?"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from job_orchestra.client.calls import runs
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.resources.runs import EventAnswer, PartAnswer, RunAnswer
from tests.faults.deeds import PROJECT, Deed
from tests.faults.findings import Findings
from tests.faults.lines import SKIPPED, Line
from tests.faults.patience import PatientClient

_GRAVITY = (RunStatus.EXCEPTION, RunStatus.FAILED, RunStatus.ABORTED, RunStatus.SUCCEEDED)


class LineAudit:
    def __init__(self, client: PatientClient, findings: Findings) -> None:
        self._client = client
        self._findings = findings

    async def look(self, identifier: str, line: Line) -> dict[str, Deed]:
        """The deeds of the runs that it has triggered; what is wrong with itself is added to the findings."""
        run = await self._client.send(runs.get(PROJECT, identifier))
        elements = (await self._client.send(runs.elements(PROJECT, identifier))).items
        events = (await self._client.send(runs.events(PROJECT, identifier, limit=200))).items
        log = await self._client.log(PROJECT, identifier)
        parts = [part for element in elements for part in element.parts]
        for flaw in [*_flaws_of_end(run, parts, line), *_flaws_of_log(run, events, log)]:
            self._findings.add(f"Pipeline {identifier} ({line.name}): {flaw}.")
        return {part.run.identifier: line.deeds[part.label] for part in parts if part.run is not None}


def _flaws_of_end(run: RunAnswer, parts: Sequence[PartAnswer], line: Line) -> Iterator[str]:
    triggered = sorted(part.label for part in parts if part.run is not None)
    if triggered != sorted(line.deeds):
        yield f"{triggered} have runs, and not {sorted(line.deeds)}"
    statuses = {part.status for part in parts}
    expected = next((status for status in _GRAVITY if status in statuses), None)
    if run.status != expected:
        yield f"it ended as {run.status}, and its parts as {sorted(statuses)}"


def _flaws_of_log(run: RunAnswer, events: Sequence[EventAnswer], log: bytes) -> Iterator[str]:
    if (run.log.size, run.log.sha256) != (len(log), hashlib.sha256(log).hexdigest()):
        yield f"its log has {len(log)} bytes, and is said to be {run.log}"
    if [event.sequence for event in events] != list(range(1, len(events) + 1)):
        yield f"its events are numbered {[event.sequence for event in events]}"
    told = Counter(_beginning_of(event) for event in events if event.kind not in {"results_changed", "ended"})
    written = Counter(line.split(" ", 2)[2] for line in log.decode().splitlines())
    for beginning, number in told.items():
        if number != 1 or sum(line.startswith(beginning) for line in written) != 1:
            yield f"its journal tells {beginning!r} {number} times, and its log is {sorted(written)}"
    if len(told) != written.total():
        yield f"its log has {written.total()} lines, and its journal {len(told)}"
    if log and not log.startswith(_moment(events[0]).encode()):
        yield "its log does not begin when it started"


def _beginning_of(event: EventAnswer) -> str:
    """Of the line that tells it."""
    data = event.data
    match event.kind:
        case "started":
            return "Pipeline storm/line, run "
        case "part_triggered":
            return f"{data['part']}: run {data['run']} of "
        case "part_ended":
            return f"{data['part']}: {data['end']}: "
        case "element_skipped":
            return f"{SKIPPED}: skipped: " if data["element"] == SKIPPED else "an element that has to have runs"
        case "concluded":
            return f"{data['status']}: "
        case _:
            return f"{event.kind}, which is not expected"


def _moment(event: EventAnswer) -> str:
    date = datetime.fromisoformat(event.date)
    return f"{date:%Y-%m-%d %H:%M:%S}.{date.microsecond // 1000:03} "
