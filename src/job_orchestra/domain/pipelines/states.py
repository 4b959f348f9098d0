"""How far each element of a pipeline is: a pure function of the pipeline's run and of those of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from job_orchestra.domain.definitions import After, ElementDefinition, PipelineDefinition
from job_orchestra.domain.events import PartRefused
from job_orchestra.domain.formatting import FormatError
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.pipelines.parts import PartKey
from job_orchestra.domain.pipelines.values import PipelineValues, fill, items_of
from job_orchestra.domain.queries.evaluation import matches
from job_orchestra.domain.queries.parsing import parse_expression
from job_orchestra.domain.queries.paths import OF_PIPELINES
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import ElementStatus

_GRAVITY = (
    ElementStatus.RUNNING,
    ElementStatus.PENDING,
    ElementStatus.EXCEPTION,
    ElementStatus.FAILED,
    ElementStatus.ABORTED,
    ElementStatus.CANCELLED,
    ElementStatus.SUCCEEDED,
)
"""An element with a list is what the first of these is that any of its parts is."""


@dataclass(frozen=True, slots=True)
class PipelineSnapshot:
    run: Run
    """The pipeline's."""
    runs: Mapping[PartKey, Run] = field(default_factory=dict[PartKey, Run])
    """Of its parts, those kept from an earlier run of it included."""
    refusals: Mapping[PartKey, PartRefused] = field(default_factory=dict[PartKey, PartRefused])
    """Parts of which the journal tells that they get no run."""

    @property
    def elements(self) -> tuple[ElementDefinition, ...]:
        definition = self.run.request.definition
        assert isinstance(definition, PipelineDefinition)
        return definition.elements


@dataclass(frozen=True, slots=True)
class PartState:
    key: PartKey
    status: ElementStatus
    sentence: str = ""
    """Why it is so, where its run does not tell."""
    run: Run | None = None
    item: JsonValue = None
    parameters: JsonObject = field(default_factory=dict[str, JsonValue])
    """Of the run that it is to have."""
    is_stopped: bool = False
    """Without a run because the pipeline is to be aborted."""

    @property
    def is_to_be_triggered(self) -> bool:
        return self.run is None and self.status is ElementStatus.PENDING


@dataclass(frozen=True, slots=True)
class ElementState:
    definition: ElementDefinition
    status: ElementStatus
    sentence: str = ""
    """What it waits for, or why it is skipped or has no run."""
    parts: tuple[PartState, ...] = ()
    """Empty unless its conditions are met."""
    is_stopped: bool = False
    """Skipped because the pipeline is to be aborted."""

    @property
    def counts_as_succeeded(self) -> bool:
        """Whether who waits for its success goes on."""
        is_excused = self.definition.allow_failure and self.status.is_final and self.status is not ElementStatus.SKIPPED
        return self.status is ElementStatus.SUCCEEDED or is_excused


def element_states(snapshot: PipelineSnapshot) -> list[ElementState]:
    """In the order of the definition."""
    run = snapshot.run
    by_name = {element.identifier: element for element in snapshot.elements}
    order = TopologicalSorter({name: [after.element for after in one.after] for name, one in by_name.items()})
    # What has begun had its conditions met, whatever has become of those before it since: by an abort, say.
    begun = {key.element for key in (*snapshot.runs, *snapshot.refusals)}
    plain = {"project": run.request.project, "job": run.request.job, "run": run.identifier}
    ended: JsonObject = {}
    values = PipelineValues(run.request.parameters, ended, plain)
    states: dict[str, ElementState] = {}
    for name in order.static_order():
        element = by_name[name]
        held_back = None if name in begun else _held_back(element, states, values, run)
        state = states[name] = held_back or _begun(element, values, snapshot)
        if state.status.is_final:
            ended[name] = _told(state)
    return [states[element.identifier] for element in snapshot.elements]


def refused_part(key: PartKey, refusal: PartRefused, item: JsonValue = None) -> PartState:
    status = ElementStatus.CANCELLED if refusal.is_stopped else ElementStatus.EXCEPTION
    return PartState(key, status, refusal.sentence, item=item, is_stopped=refusal.is_stopped)


def _held_back(
    element: ElementDefinition, before: Mapping[str, ElementState], values: PipelineValues, run: Run
) -> ElementState | None:
    for after in element.after:
        state = before[after.element]
        if state.status.is_final and not _is_met(after, state):
            return ElementState(element, ElementStatus.SKIPPED, _unmet(after, state))
    awaited = [after.element for after in element.after if not before[after.element].status.is_final]
    if not awaited and element.when and not matches(parse_expression(element.when, OF_PIPELINES), values):
        return ElementState(element, ElementStatus.SKIPPED, f"Its condition does not hold: {element.when}")
    if run.should_abort:
        return ElementState(element, ElementStatus.SKIPPED, _stopped(run), is_stopped=True)
    if awaited:
        return ElementState(element, ElementStatus.WAITING, f"It waits for {', '.join(awaited)}.")
    return None


def _begun(element: ElementDefinition, values: PipelineValues, snapshot: PipelineSnapshot) -> ElementState:
    items: Sequence[tuple[int | None, JsonValue]] = [(None, None)]
    if element.for_each is not None:
        try:
            items = list(enumerate(items_of(element.for_each, values.fields())))
        except FormatError as error:
            return ElementState(element, ElementStatus.EXCEPTION, f"Its list cannot be told: {error}.")
    parts = tuple(_part(element, index, item, values, snapshot) for index, item in items)
    if not parts:
        return ElementState(element, ElementStatus.SUCCEEDED, "Its list is empty.")
    status = min((part.status for part in parts), key=_GRAVITY.index)
    return ElementState(element, status, parts[0].sentence if element.for_each is None else "", parts)


def _part(
    element: ElementDefinition, index: int | None, item: JsonValue, values: PipelineValues, snapshot: PipelineSnapshot
) -> PartState:
    key = PartKey(element.identifier, index)
    run = snapshot.runs.get(key)
    if run is not None:
        return PartState(key, ElementStatus(run.status.value), run=run, item=item)
    refusal = snapshot.refusals.get(key)
    if refusal is not None:
        return refused_part(key, refusal, item)
    if snapshot.run.should_abort:
        return PartState(key, ElementStatus.CANCELLED, _stopped(snapshot.run), item=item, is_stopped=True)
    try:
        parameters = fill(element.parameters, values.fields(item, index))
    except FormatError as error:
        return PartState(key, ElementStatus.EXCEPTION, f"Its parameters cannot be told: {error}.", item=item)
    assert isinstance(parameters, dict)
    return PartState(key, ElementStatus.PENDING, item=item, parameters=parameters)


def _stopped(run: Run) -> str:
    return f"{run.wished_by} asked to abort the pipeline."


def _is_met(after: After, state: ElementState) -> bool:
    is_excused = ElementStatus.SUCCEEDED in after.statuses and state.counts_as_succeeded
    return state.status in after.statuses or is_excused


def _unmet(after: After, state: ElementState) -> str:
    return f"It needs {after.element} to end as {' or '.join(after.statuses)}, and that is {state.status}."


def _told(state: ElementState) -> JsonObject:
    status = state.status.value
    if state.definition.for_each is None:
        part = state.parts[0] if state.parts else None
        return {"status": status, **_run_told(None if part is None else part.run)}
    items: list[JsonValue] = [
        {"item": part.item, "status": part.status.value, **_run_told(part.run)} for part in state.parts
    ]
    return {"status": status, "items": items}


def _run_told(run: Run | None) -> JsonObject:
    return {"run": None, "results": {}} if run is None else {"run": run.identifier, "results": run.results}
