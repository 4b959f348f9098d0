"""A pipeline that is carried through by hand: what is triggered gets runs, and the test says how these end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from job_orchestra.domain.definitions import CommandsDefinition, ElementDefinition, PipelineDefinition
from job_orchestra.domain.events import Event, Started
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.pipelines.narration import conclusion_of, lines_of, news_of, refusals_in, told_by
from job_orchestra.domain.pipelines.parts import PartKey, part_key
from job_orchestra.domain.pipelines.states import ElementState, PipelineSnapshot, element_states
from job_orchestra.domain.pipelines.steps import PipelineEnd, end_of, parts_to_trigger
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import KeptRun, Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus

BEGIN = datetime(2026, 11, 26, 8, tzinfo=UTC)


class Play:
    def __init__(
        self, elements: Sequence[ElementDefinition], parameters: JsonObject | None = None, kept: Sequence[Run] = ()
    ) -> None:
        request = RunRequest(
            "p",
            "all",
            PipelineDefinition(tuple(elements)),
            parameters or {},
            kept=tuple(KeptRun(run.request.part, run.identifier) for run in kept),
        )
        run = Run("pipeline-2" if kept else "pipeline", request, Source(SourceKind.USER, "someone"), BEGIN)
        self.now = BEGIN
        started = Started(1, BEGIN)
        self.run = apply_event(run, started)
        self.events: list[Event] = [started]
        self.runs: dict[PartKey, Run] = {part_key(one.request.part): one for one in kept}
        self.parameters: dict[str, JsonObject] = {}

    @property
    def states(self) -> list[ElementState]:
        return element_states(PipelineSnapshot(self.run, self.runs, refusals_in(self.events)))

    def statuses(self) -> dict[str, str]:
        return {state.definition.identifier: state.status.value for state in self.states}

    def sentence(self, element: str) -> str:
        return next(state.sentence for state in self.states if state.definition.identifier == element)

    def step(self) -> list[str]:
        """Triggers what can be; the labels of those parts."""
        self.now += timedelta(seconds=1)
        parts = parts_to_trigger(self.states)
        for part in parts:
            request = RunRequest("p", "job", CommandsDefinition((("true",),)), part.parameters, part=part.key.label)
            source = Source(SourceKind.RUN, self.run.identifier)
            self.runs[part.key] = Run(f"run-{part.key.label}", request, source, self.now)
            self.parameters[part.key.label] = part.parameters
        assert not parts_to_trigger(self.states), "a part that has a run is not to be triggered again"
        self._narrate()
        return [part.key.label for part in parts]

    def end(self, label: str, status: str = "succeeded", results: JsonObject | None = None) -> None:
        run = self.runs[part_key(label)]
        assert not run.status.is_terminal
        code = ReasonCode.COMPLETED if status == "succeeded" else ReasonCode.COMMAND_FAILED
        self.runs[part_key(label)] = replace(
            run, status=RunStatus(status), reason=Reason(code, f"It {status}."), results=results or {}
        )

    def abort(self) -> None:
        self.run = replace(self.run, should_abort=True, wished_by="someone")

    def outcome(self) -> PipelineEnd | None:
        return end_of(self.run, self.states)

    def log(self) -> list[str]:
        """Without dates."""
        outcome = self.outcome()
        last = [] if outcome is None else conclusion_of(outcome, self.run, self.now)
        text = b"".join(lines_of(event, self.run) for event in (*self.events, *last))
        return [line.split(" ", 2)[2] for line in text.decode().splitlines()]

    def _narrate(self) -> None:
        for event in news_of(self.states, told_by(self.events), self.run, self.now, {}):
            self.run = apply_event(self.run, event)
            self.events.append(event)
