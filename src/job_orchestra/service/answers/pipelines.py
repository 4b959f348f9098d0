from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import cast

from job_orchestra.domain.definitions import ElementDefinition
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.pipelines.parts import PartKey
from job_orchestra.domain.pipelines.states import ElementState, PartState
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import ElementStatus
from job_orchestra.protocol.resources import ElementAnswer, PartAnswer
from job_orchestra.service.answers.runs import run_summary_answer

_MOST_PARTS = 100


def element_answers(pipeline: Run, states: Sequence[ElementState]) -> list[ElementAnswer]:
    """Of one that has not ended."""
    return [
        _element_answer(pipeline, state.definition, state.status.value, state.sentence, state.parts) for state in states
    ]


def ended_element_answers(
    pipeline: Run, elements: Sequence[ElementDefinition], runs: Mapping[PartKey, Run]
) -> list[ElementAnswer]:
    """As the end of the pipeline tells it: of its runs, some may be no longer kept."""
    told = cast("JsonObject", pipeline.results.get("elements", {}))
    answers: list[ElementAnswer] = []
    for element in elements:
        entry = cast("JsonObject", told.get(element.identifier, {}))
        own = sorted((key for key in runs if key.element == element.identifier), key=lambda key: key.index or 0)
        parts = [PartState(key, ElementStatus(runs[key].status.value), run=runs[key]) for key in own]
        status, sentence = str(entry.get("status", ElementStatus.SKIPPED)), str(entry.get("reason", ""))
        answers.append(_element_answer(pipeline, element, status, sentence, parts))
    return answers


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
        parts=[_part_answer(pipeline, part) for part in parts[:_MOST_PARTS]],
        numbers=dict(sorted(Counter(part.status.value for part in parts).items())),
    )


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
