from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import cast

from job_orchestra.domain.definitions import ElementDefinition
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.pipelines.states import PartState, PipelineSnapshot, element_states, refused_part
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import ElementStatus
from job_orchestra.protocol.resources.runs import ElementAnswer, PartAnswer
from job_orchestra.service.answers.runs import run_summary_answer

_MOST_PARTS = 100
_INTEREST = {
    **dict.fromkeys((ElementStatus.SUCCEEDED, ElementStatus.SKIPPED, ElementStatus.WAITING, ElementStatus.PENDING), 2),
    ElementStatus.RUNNING: 1,
}
"""The smaller, the more; of all others the most."""


def element_answers(snapshot: PipelineSnapshot) -> list[ElementAnswer]:
    """Of one that has not ended."""
    return [
        _element_answer(snapshot.run, state.definition, state.status.value, state.sentence, state.parts)
        for state in element_states(snapshot)
    ]


def ended_element_answers(snapshot: PipelineSnapshot) -> list[ElementAnswer]:
    """As the end of the pipeline tells it: of its runs, some may be no longer kept."""
    told = cast("JsonObject", snapshot.run.results.get("elements", {}))
    parts = _parts_left(snapshot)
    answers: list[ElementAnswer] = []
    for element in snapshot.elements:
        name = element.identifier
        entry = cast("JsonObject", told.get(name, {}))
        status, sentence = str(entry.get("status", ElementStatus.SKIPPED)), str(entry.get("reason", ""))
        # What is told of the whole of an element with a list, is told by `sentence`.
        own = [part for part in parts.get(name, ()) if (part.key.index is None) == (element.for_each is None)]
        answers.append(_element_answer(snapshot.run, element, status, sentence, own))
    return answers


def _parts_left(snapshot: PipelineSnapshot) -> dict[str, list[PartState]]:
    """Of each element of a pipeline that has ended: the parts whose runs are kept still, and those that got none."""
    found = {key: refused_part(key, refusal) for key, refusal in snapshot.refusals.items()}
    found |= {key: PartState(key, ElementStatus(run.status.value), run=run) for key, run in snapshot.runs.items()}
    parts: dict[str, list[PartState]] = {}
    for key in sorted(found, key=lambda key: key.index or 0):
        parts.setdefault(key.element, []).append(found[key])
    return parts


def _element_answer(
    pipeline: Run, element: ElementDefinition, status: str, sentence: str, parts: Sequence[PartState]
) -> ElementAnswer:
    return ElementAnswer(
        identifier=element.identifier,
        project=element.project or pipeline.request.project,
        job=element.job,
        after=[after.element for after in element.after],
        status=status,
        reason=sentence,
        parts=[_part_answer(pipeline, part) for part in _told(parts)],
        numbers=dict(sorted(Counter(part.status.value for part in parts).items())),
    )


def _told(parts: Sequence[PartState]) -> Sequence[PartState]:
    """Of many not all, but those that went wrong rather than those that go on, and these rather than the others."""
    if len(parts) <= _MOST_PARTS:
        return parts
    chosen = set(sorted(range(len(parts)), key=lambda place: _INTEREST.get(parts[place].status, 0))[:_MOST_PARTS])
    return [part for place, part in enumerate(parts) if place in chosen]


def _part_answer(pipeline: Run, part: PartState) -> PartAnswer:
    run = part.run
    reason = part.sentence if run is None or run.reason is None else run.reason.sentence
    return PartAnswer(
        label=part.key.label,
        status=part.status.value,
        reason=reason,
        run=None if run is None else run_summary_answer(run),
        is_kept=run is not None and run.source.identifier != pipeline.identifier,
    )
