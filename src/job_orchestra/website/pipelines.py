"""Pipelines as their pages tell them: the definition read back, and what each element waits for in words."""

from __future__ import annotations

from job_orchestra.domain.definitions import ElementDefinition, PipelineDefinition
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.job_data import definition_from_data
from job_orchestra.domain.json import JsonObject
from job_orchestra.website.pictures.columns import statuses_words
from job_orchestra.website.pictures.dependencies import SUCCEEDED


def pipeline_of(definition: JsonObject) -> PipelineDefinition | None:
    """None for what is no pipeline, and for one of a newer service that says more than is known here."""
    if definition.get("type") != PipelineDefinition.type:
        return None
    try:
        read = definition_from_data(definition)
    except Invalid:
        return None
    return read if isinstance(read, PipelineDefinition) else None


def conditions_of(pipeline: PipelineDefinition) -> dict[str, str]:
    """Of each element, by its identifier: `build, deploy (failed or exception), when parameters.target = "release"`."""
    return {element.identifier: ", ".join(_conditions(element)) for element in pipeline.elements}


def _conditions(element: ElementDefinition) -> list[str]:
    after = [
        one.element if one.statuses == SUCCEEDED else f"{one.element} ({statuses_words(one.statuses)})"
        for one in element.after
    ]
    return [*after, f"when {element.when}"] if element.when else after
