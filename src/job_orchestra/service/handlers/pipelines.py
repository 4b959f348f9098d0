from __future__ import annotations

from dataclasses import replace

from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.pipelines.narration import refusals_in
from job_orchestra.domain.pipelines.retrying import kept_runs
from job_orchestra.domain.pipelines.states import ElementState, PipelineSnapshot, element_states
from job_orchestra.domain.runs import Run, RunRequest
from job_orchestra.protocol.resources import ElementsAnswer
from job_orchestra.service.answers.pipelines import element_answers, ended_element_answers
from job_orchestra.service.call import Call
from job_orchestra.service.parts import ServiceParts


async def elements(parts: ServiceParts, call: Call) -> ElementsAnswer:
    run = await parts.runs.get(call.path["project"], call.path["run"])
    definition = run.request.definition
    if not isinstance(definition, PipelineDefinition):
        raise Conflict(f"Run {run.identifier!r} has no elements: its job {run.request.job!r} is no pipeline.")
    if not run.status.is_terminal:
        return ElementsAnswer(element_answers(run, await states_of(parts, run)))
    runs = await parts.pipeline_runs.parts_of(run)
    return ElementsAnswer(ended_element_answers(run, definition.elements, runs))


async def states_of(parts: ServiceParts, pipeline: Run) -> list[ElementState]:
    """Of one that has not ended."""
    refusals = refusals_in(await parts.pipeline_runs.events_of(pipeline))
    return element_states(PipelineSnapshot(pipeline, await parts.pipeline_runs.parts_of(pipeline), refusals))


async def keeping_what_succeeded(parts: ServiceParts, earlier: Run, request: RunRequest) -> RunRequest:
    """Conflict unless both are of a pipeline."""
    definitions = (earlier.request.definition, request.definition)
    if not all(isinstance(one, PipelineDefinition) for one in definitions):
        raise Conflict(f"Run {earlier.identifier!r} has nothing that could be kept: its job is no pipeline.")
    assert isinstance(request.definition, PipelineDefinition)
    runs = await parts.pipeline_runs.parts_of(earlier)
    return replace(request, kept=kept_runs(earlier, runs, request.definition))
