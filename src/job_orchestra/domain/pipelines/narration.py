"""What a pipeline's journal and log tell: what was triggered when, how it ended, and what was left out.

The journal is first. A line of the log is made of its event alone, so whichever master writes it writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from job_orchestra.domain.events import (
    Concluded,
    ElementSkipped,
    Event,
    PartEnded,
    PartRefused,
    PartTriggered,
    ResultsChanged,
    Started,
)
from job_orchestra.domain.pipelines.parts import PartKey, part_key
from job_orchestra.domain.pipelines.states import ElementState, PartState
from job_orchestra.domain.pipelines.steps import PipelineEnd
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import ElementStatus

Told: TypeAlias = frozenset[tuple[type[Event], str]]
"""Of what the journal tells already: the kind of the event, and the label of its part or the name of its element."""


def told_by(events: Iterable[Event]) -> Told:
    return frozenset(
        (type(event), event.element if isinstance(event, ElementSkipped) else event.part)
        for event in events
        if isinstance(event, (PartTriggered, PartEnded, PartRefused, ElementSkipped))
    )


def refusals_in(events: Iterable[Event]) -> dict[PartKey, PartRefused]:
    return {part_key(event.part): event for event in events if isinstance(event, PartRefused)}


def conclusion_in(events: Iterable[Event]) -> Concluded | None:
    return next((event for event in events if isinstance(event, Concluded)), None)


def news_of(
    states: Sequence[ElementState], told: Told, run: Run, now: datetime, ended: Mapping[PartKey, datetime]
) -> list[Event]:
    """The events that the journal of the pipeline's run lacks, in the order of what they tell.

    `ended` is when the ends of parts were heard of, as far as that is known; by the clock of the master, as all is.
    """
    news = [
        event
        for event in _all_there_is(states, run, now, ended)
        if (type(event), event.element if isinstance(event, ElementSkipped) else event.part) not in told
    ]
    ordered = sorted(news, key=lambda event: event.date)
    return [replace(event, sequence=run.journal_sequence + place) for place, event in enumerate(ordered, 1)]


def _all_there_is(
    states: Sequence[ElementState], run: Run, now: datetime, ended: Mapping[PartKey, datetime]
) -> Iterator[PartTriggered | PartEnded | PartRefused | ElementSkipped]:
    for state in states:
        if state.status is ElementStatus.SKIPPED:
            yield ElementSkipped(0, now, state.definition.identifier, state.sentence)
        elif state.status is ElementStatus.EXCEPTION and not state.parts:
            yield PartRefused(0, now, state.definition.identifier, state.sentence)
        for part in state.parts:
            yield from _of_part(part, run, now, ended.get(part.key, now))


def _of_part(
    part: PartState, run: Run, now: datetime, ended: datetime
) -> Iterator[PartTriggered | PartEnded | PartRefused]:
    label = part.key.label
    if part.run is None:
        if part.status.is_final:
            yield PartRefused(0, now, label, part.sentence, part.is_stopped)
        return
    is_kept = part.run.source.identifier != run.identifier
    begun = run.started_at if is_kept and run.started_at is not None else part.run.created_at
    request = part.run.request
    yield PartTriggered(0, begun, label, request.project, request.job, part.run.identifier, is_kept)
    if part.run.status.is_terminal and not is_kept:
        sentence = part.run.reason.sentence if part.run.reason is not None else ""
        yield PartEnded(0, ended, label, part.run.identifier, part.run.status, sentence)


def conclusion_of(end: PipelineEnd, run: Run, now: datetime) -> list[Event]:
    """The events with which the end is decided."""
    sequence = run.journal_sequence
    return [
        ResultsChanged(sequence + 1, now, end.results),
        Concluded(sequence + 2, now, end.status, end.reason),
    ]


# ---------- the log


def lines_of(event: Event, run: Run) -> bytes:
    """What the event adds to the log of the pipeline's run."""
    match event:
        case Started():
            text = f"Pipeline {run.request.project}/{run.request.job}, run {run.identifier}"
        case PartTriggered() if event.is_kept:
            text = f"{event.part}: run {event.run} of {event.project}/{event.job} succeeded before, and is kept"
        case PartTriggered():
            text = f"{event.part}: run {event.run} of {event.project}/{event.job} is triggered"
        case PartEnded():
            text = f"{event.part}: {event.end}: {event.sentence}"
        case PartRefused():
            text = f"{event.part}: has no run: {event.sentence}"
        case ElementSkipped():
            text = f"{event.element}: skipped: {event.sentence}"
        case Concluded():
            text = f"{event.status}: {event.reason.sentence}"
        case _:
            return b""
    date, one = event.date, " ".join(text.split())
    return f"{date:%Y-%m-%d %H:%M:%S}.{date.microsecond // 1000:03} {one}\n".encode()
