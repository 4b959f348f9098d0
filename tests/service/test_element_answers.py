"""Of an element with very many parts, the answer tells those that somebody looks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from job_orchestra.domain.definitions import CommandsDefinition, ElementDefinition, PipelineDefinition
from job_orchestra.domain.pipelines.parts import PartKey
from job_orchestra.domain.pipelines.states import PipelineSnapshot
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.service.answers.pipelines import element_answers

_ITEMS = 1000
_NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_what_went_wrong_is_told_among_very_many() -> None:
    element = ElementDefinition("each", "j", for_each=tuple(range(_ITEMS)))
    request = RunRequest("p", "all", PipelineDefinition((element,)))
    pipeline = Run("all", request, Source(SourceKind.USER, "eve"), _NOON, status=RunStatus.RUNNING)
    part = replace(request, job="j", definition=CommandsDefinition((("true",),)))
    unusual = {700: RunStatus.FAILED, 800: RunStatus.RUNNING, 999: RunStatus.EXCEPTION}
    runs = {
        PartKey("each", number): Run(
            str(number), part, Source(SourceKind.RUN, "all"), _NOON, status=unusual.get(number, RunStatus.SUCCEEDED)
        )
        for number in range(_ITEMS)
    }
    (answer,) = element_answers(PipelineSnapshot(pipeline, runs, {}))
    assert len(answer.parts) == 100
    assert answer.numbers == {"exception": 1, "failed": 1, "running": 1, "succeeded": 997}
    last = [(told.label, told.status) for told in answer.parts[-3:]]
    assert last == [("each[700]", "failed"), ("each[800]", "running"), ("each[999]", "exception")]
    assert [told.label for told in answer.parts[:2]] == ["each[0]", "each[1]"]
