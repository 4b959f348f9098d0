"""What is to be done for a pipeline now: runs to trigger, runs to stop, or its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.pipelines.states import ElementState, PartState
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import ElementStatus, RunStatus


@dataclass(frozen=True, slots=True)
class PipelineEnd:
    """Follows from what is final of the parts: whoever decides it, and whenever, comes to the same."""

    status: RunStatus
    reason: Reason
    results: JsonObject


def parts_to_trigger(states: Iterable[ElementState]) -> list[PartState]:
    return [part for state in states for part in state.parts if part.is_to_be_triggered]


def runs_to_stop(run: Run, states: Iterable[ElementState]) -> list[Run]:
    """The runs to which an abort of the pipeline has to be passed on still."""
    if not run.should_abort:
        return []
    runs = [part.run for state in states for part in state.parts if part.run is not None]
    return [one for one in runs if not one.status.is_terminal and not one.should_abort]


def end_of(run: Run, states: Sequence[ElementState]) -> PipelineEnd | None:
    """None while any of its elements has not ended."""
    if not all(state.status.is_final for state in states):
        return None
    status, reason = _judge(run, states)
    return PipelineEnd(status, reason, {"elements": {one.definition.identifier: _result(one) for one in states}})


def _judge(run: Run, states: Sequence[ElementState]) -> tuple[RunStatus, Reason]:
    failures = [state for state in states if not _is_well(state)]
    if run.should_abort and _is_cut_short(states):
        return RunStatus.ABORTED, Reason(ReasonCode.ABORT_REQUESTED, f"Aborted by {run.wished_by}.")
    for status, found in (
        (RunStatus.EXCEPTION, ElementStatus.EXCEPTION),
        (RunStatus.FAILED, ElementStatus.FAILED),
        (RunStatus.ABORTED, ElementStatus.ABORTED),
        (RunStatus.ABORTED, ElementStatus.CANCELLED),
    ):
        if named := [state for state in failures if state.status is found]:
            return status, Reason(ReasonCode.ELEMENT_FAILED, _sentence(named))
    return RunStatus.SUCCEEDED, Reason(ReasonCode.COMPLETED, "All elements have ended as they should.")


def _is_well(state: ElementState) -> bool:
    return state.counts_as_succeeded or state.status is ElementStatus.SKIPPED


def _is_cut_short(states: Iterable[ElementState]) -> bool:
    """Whether an abort has left anything undone."""
    stopped = (ElementStatus.ABORTED, ElementStatus.CANCELLED)
    return any(
        state.is_stopped or any(part.is_stopped or part.status in stopped for part in state.parts) for state in states
    )


def _sentence(states: Sequence[ElementState]) -> str:
    first = states[0]
    more = f", and so did {len(states) - 1} more" if len(states) > 1 else ""
    label, why = _worst(first)
    return f"Element {label} ended as {first.status}{more}: {why}"


def _worst(state: ElementState) -> tuple[str, str]:
    """The label of the part that made the element what it is, and what is known of why."""
    part = next((part for part in state.parts if part.status is state.status), None)
    if part is None:
        return state.definition.identifier, state.sentence
    reason = part.run.reason.sentence if part.run is not None and part.run.reason is not None else part.sentence
    return part.key.label, reason


def _result(state: ElementState) -> JsonObject:
    """Of one size for lists of any length: their runs are found by their source."""
    result: JsonObject = {"status": state.status.value}
    if state.sentence:
        result["reason"] = state.sentence
    if state.definition.for_each is None:
        run = state.parts[0].run if state.parts else None
        return {**result, "run": None if run is None else run.identifier}
    numbers = Counter(part.status.value for part in state.parts)
    return {**result, "items": dict[str, JsonValue](sorted(numbers.items()))}
