from __future__ import annotations

from dataclasses import replace

from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.pipelines.narration import refusals_in
from job_orchestra.domain.pipelines.retrying import kept_runs
from job_orchestra.domain.pipelines.states import ElementState, PipelineSnapshot, element_states
from job_orchestra.domain.runs import Run, RunRequest
from job_orchestra.protocol.resources.runs import ElementsAnswer
from job_orchestra.service.answers.pipelines import element_answers, ended_element_answers
from job_orchestra.service.call import Call
from job_orchestra.service.parts import ServiceParts


async def elements(parts: ServiceParts, call: Call) -> ElementsAnswer:
    run = await parts.runs.get(call.path["project"], call.path["run"])
    if not isinstance(run.request.definition, PipelineDefinition):
        raise Conflict(f"Run {run.identifier!r} has no elements: its job {run.request.job!r} is no pipeline.")
    snapshot = await _snapshot_of(parts, run)
    answers = ended_element_answers if run.status.is_terminal else element_answers
    return ElementsAnswer(answers(snapshot))


async def states_of(parts: ServiceParts, pipeline: Run) -> list[ElementState]:
    """Of one that has not ended."""
    return element_states(await _snapshot_of(parts, pipeline))


async def _snapshot_of(parts: ServiceParts, pipeline: Run) -> PipelineSnapshot:
    refusals = refusals_in(await parts.pipeline_runs.events_of(pipeline))
    return PipelineSnapshot(pipeline, await parts.pipeline_runs.parts_of(pipeline), refusals)


async def keeping_what_succeeded(parts: ServiceParts, earlier: Run, request: RunRequest) -> RunRequest:
    """Conflict unless both are of a pipeline."""
    definitions = (earlier.request.definition, request.definition)
    if not all(isinstance(one, PipelineDefinition) for one in definitions):
        raise Conflict(f"Run {earlier.identifier!r} has nothing that could be kept: its job is no pipeline.")
    assert isinstance(request.definition, PipelineDefinition)
    return replace(request, kept=kept_runs(await _snapshot_of(parts, earlier), request.definition))
