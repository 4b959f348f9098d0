from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from job_orchestra.domain.definitions import ElementDefinition, PipelineDefinition
from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import ElementSkipped, Event, Started
from job_orchestra.domain.pipelines.parts import PartKey
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import KeptRun, Run, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.pipeline_runs import PipelineRuns
from job_orchestra.repositories.rows.runs import run_from_row
from tests.repositories.records import USER, Records, play, request_of

_BUILD, _SECOND = PartKey("build"), PartKey("each", 1)


async def _pending(records: Records, kept: tuple[KeptRun, ...] = ()) -> Run:
    definition = PipelineDefinition((ElementDefinition("build", "j"), ElementDefinition("each", "j", for_each=(1, 2))))
    request = replace(request_of("p", "all"), definition=definition, kept=kept)
    return (await records.runs.trigger(request, USER)).run


async def _running(records: Records, kept: tuple[KeptRun, ...] = ()) -> Run:
    run = await _pending(records, kept)
    return await _tell(records, run, Started(1, records.clock.now()))


async def _tell(records: Records, run: Run, event: Event) -> Run:
    after = apply_event(run, event)
    assert await records.progress.write_journal(run, after, [event_to_record(event)])
    return after


async def _trigger(records: Records, pipeline: Run, part: PartKey, job: str = "j") -> Run | None:
    records.clock.advance(0.001)
    request = replace(request_of("p", job), part=part.label)
    return await PipelineRuns(records.storage, records.clock).trigger(pipeline, part, request)


async def _ended(records: Records, run: Run) -> Run:
    cancelled = await records.queue.cancel(run, Reason(ReasonCode.CANCEL_REQUESTED, "Somebody said so."))
    assert cancelled is not None
    return cancelled


def test_a_part_has_one_run_whoever_triggers_it_how_often(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        pipeline = await _running(records)
        runs = await asyncio.gather(*(_trigger(records, pipeline, _BUILD) for _ in range(10)))
        names = {run.identifier for run in runs if run is not None}
        assert (len(runs), len(names)) == (10, 1)
        second = await _trigger(records, pipeline, _SECOND)
        assert second is not None
        assert second.identifier not in names
        assert (second.source.kind, second.source.identifier) == (SourceKind.RUN, pipeline.identifier)
        found = await PipelineRuns(records.storage, records.clock).parts_of(pipeline)
        assert {key: run.identifier for key, run in found.items()} == {
            _BUILD: names.pop(), _SECOND: second.identifier
        }  # fmt: skip

    play(database_url, scenario)


def test_a_part_of_another_pipeline_has_a_run_of_its_own(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        first, second = await _running(records), await _running(records)
        one, other = await _trigger(records, first, _BUILD), await _trigger(records, second, _BUILD)
        assert one is not None
        assert other is not None
        assert one.identifier != other.identifier

    play(database_url, scenario)


@pytest.mark.parametrize("case", ["pending", "to be aborted", "further", "ended"])
def test_nothing_is_triggered_by_who_does_not_know_how_far_the_pipeline_is(case: str, database_url: str) -> None:
    async def scenario(records: Records) -> None:
        pipeline = await _pending(records) if case == "pending" else await _running(records)
        if case == "to be aborted":
            await records.runs.request_abort("p", pipeline.identifier, "ada")
        elif case == "further":
            await _tell(records, pipeline, ElementSkipped(2, records.clock.now(), "build", "It is not needed."))
        elif case == "ended":
            ended = replace(pipeline, status=RunStatus.SUCCEEDED)
            assert await records.progress.save(pipeline, ended, ())
        assert await _trigger(records, pipeline, _BUILD) is None
        assert await PipelineRuns(records.storage, records.clock).parts_of(pipeline) == {}

    play(database_url, scenario)


def test_a_run_that_a_part_has_already_is_found_when_the_pipeline_is_over(database_url: str) -> None:
    """The answer to the first trigger was lost, say."""

    async def scenario(records: Records) -> None:
        pipeline = await _running(records)
        run = await _trigger(records, pipeline, _BUILD)
        assert run is not None
        assert await records.progress.save(pipeline, replace(pipeline, status=RunStatus.FAILED), ())
        assert await _trigger(records, pipeline, _BUILD) == run

    play(database_url, scenario)


def test_who_writes_the_next_event_first_has_decided(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        pipeline = await _running(records)
        now = records.clock.now()
        told = [ElementSkipped(2, now, f"element-{number}", "It is not needed.") for number in range(5)]
        after = [apply_event(pipeline, event) for event in told]
        written = await asyncio.gather(
            *(
                records.progress.write_journal(pipeline, one, [event_to_record(event)])
                for one, event in zip(after, told, strict=True)
            )
        )
        # What each of them makes of the run is the same: only the journal tells who it was.
        assert sum(written) == 1
        events = await PipelineRuns(records.storage, records.clock).events_of(pipeline)
        assert events[1:] == [told[written.index(True)]]

    play(database_url, scenario)


def test_kept_runs_count_for_their_parts(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        earlier = await _running(records)
        build = await _trigger(records, earlier, _BUILD)
        assert build is not None
        pipeline = await _running(records, (KeptRun("build", build.identifier), KeptRun("each[0]", "gone")))
        second = await _trigger(records, pipeline, _SECOND)
        found = await PipelineRuns(records.storage, records.clock).parts_of(pipeline)
        assert found == {_BUILD: build, _SECOND: second}

    play(database_url, scenario)


def test_running_ones_are_found_and_ended_ones_of_many(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        pipeline_runs = PipelineRuns(records.storage, records.clock)
        pipeline, _ = await _running(records), await _pending(records)
        assert [run_from_row(row) for row in await pipeline_runs.running()] == [pipeline]
        runs = [await records.trigger() for _ in range(3)]
        ended = await _ended(records, runs[1])
        names = [run.identifier for run in runs]
        assert await pipeline_runs.ended([*names, *(f"none-{number}" for number in range(1200))]) == [ended]
        assert await pipeline_runs.load(names) == [runs[0], ended, runs[2]]
        assert await pipeline_runs.load([]) == []

    play(database_url, scenario)
