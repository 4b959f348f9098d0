"""What wakes a pipeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from job_orchestra.domain.definitions import CommandsDefinition, ElementDefinition, PipelineDefinition
from job_orchestra.domain.pipelines.parts import PartKey
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.master.pipeline_watch import PipelineWatch

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
PIPELINE = Run(
    "pipeline",
    RunRequest("p", "all", PipelineDefinition((ElementDefinition("a", "job"),))),
    Source(SourceKind.USER, "someone"),
    NOW,
)
PART = Run(
    "part",
    RunRequest("p", "job", CommandsDefinition((("true",),)), part="a"),
    Source(SourceKind.RUN, "pipeline"),
    NOW,
)


def wakes(watch: PipelineWatch, status: RunStatus) -> bool:
    watch.changed.clear()
    watch.note_part(replace(PART, status=status), NOW)
    return watch.changed.is_set()


def test_a_pipeline_is_woken_by_a_new_part_and_by_its_end_alone() -> None:
    watch = PipelineWatch(PIPELINE)
    assert wakes(watch, RunStatus.PENDING)
    assert not wakes(watch, RunStatus.RUNNING)
    assert watch.runs[PartKey("a")].status is RunStatus.RUNNING
    assert wakes(watch, RunStatus.SUCCEEDED)
    # What is heard late of it changes nothing.
    assert not wakes(watch, RunStatus.RUNNING)
    assert watch.runs[PartKey("a")].status is RunStatus.SUCCEEDED
