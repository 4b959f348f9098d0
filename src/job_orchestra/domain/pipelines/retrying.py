"""Which runs of a pipeline that has ended count again when it is executed once more from where it failed."""

from __future__ import annotations

from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.pipelines.states import PipelineSnapshot
from job_orchestra.domain.runs import KeptRun
from job_orchestra.domain.statuses import RunStatus


def kept_runs(ended: PipelineSnapshot, anew: PipelineDefinition) -> tuple[KeptRun, ...]:
    """What succeeded of elements that the pipeline has still, just so, unless something before it did not succeed."""
    earlier = {element.identifier: element for element in ended.elements}
    elements = {element.identifier: element for element in anew.elements}
    bad = {key.element for key, run in ended.runs.items() if run.status is not RunStatus.SUCCEEDED}
    bad |= {key.element for key in ended.refusals}
    memory: dict[str, bool] = {}

    def is_sound(name: str) -> bool:
        """Whether nothing before the element has to be done again."""
        if name not in memory:
            others = [after.element for after in elements[name].after]
            memory[name] = elements[name] == earlier.get(name) and all(
                other not in bad and is_sound(other) for other in others
            )
        return memory[name]

    return tuple(
        KeptRun(key.label, run.identifier)
        for key, run in sorted(ended.runs.items(), key=lambda item: item[0].label)
        if run.status is RunStatus.SUCCEEDED and key.element in elements and is_sound(key.element)
    )
