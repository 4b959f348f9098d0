"""Which worker takes a run. The code that decides is the code that explains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zlib import crc32

from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.requirements import is_met, unmet
from job_orchestra.domain.runs import Run, RunRequest, workspace_of
from job_orchestra.domain.workers import Refusal, Worker

WEIGHT = "weight"
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A worker as placement sees it."""

    identifier: str
    properties: JsonObject
    executor_limit: int
    active: int
    """Runs assigned to it that have not ended."""
    is_enabled: bool = True
    is_connected: bool = True
    is_draining: bool = False
    hindrance: str = ""
    """What keeps it from taking runs, by its own word."""
    refusal: Refusal | None = None
    """It refused this run just now, and is left alone for a while."""
    workspaces: Mapping[str, str] = field(default_factory=dict[str, str])
    """The run that uses it, for each workspace in use."""

    def is_like(self, other: Candidate) -> bool:
        """Whether it could ever take what the other could."""
        return self.executor_limit == other.executor_limit and self.properties == other.properties

    def with_run(self, run: Run) -> Candidate:
        """The worker once the run is assigned to it as well."""
        return replace(self, active=self.active + 1, workspaces={**self.workspaces, **_used_workspaces((run,))})


def candidate_of(worker: Worker, runs: Sequence[Run], now: datetime) -> Candidate:
    """The worker as its record says, with the runs that are assigned to it and have not ended."""
    refusal = worker.description.refusal
    return Candidate(
        identifier=worker.identifier,
        properties=worker.description.properties,
        executor_limit=worker.description.executor_limit,
        active=len(runs),
        is_enabled=worker.is_enabled,
        is_connected=worker.is_connected,
        is_draining=worker.should_drain,
        hindrance=worker.description.hindrance,
        refusal=refusal if refusal is not None and refusal.is_in_force(now) else None,
        workspaces=_used_workspaces(runs),
    )


def _used_workspaces(runs: Sequence[Run]) -> dict[str, str]:
    used = ((workspace_of(run.request), run.identifier) for run in runs)
    return {workspace: run for workspace, run in used if workspace is not None}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a worker does not take a run: of its request, that depends on what is in its queue key alone.

    A lasting one does not go away by waiting: of the worker, it depends on identifier, properties and executor limit
    alone.
    """

    sentence: str
    is_lasting: bool


class WorkerSelector:
    """Overridden by users in their composition; its methods are pure and called for each decision."""

    def obstacles(self, request: RunRequest, candidate: Candidate) -> list[Obstacle]:
        """All that keeps the worker from taking the run; empty if nothing does."""
        return [
            *unmet_requirements(request.properties, candidate.properties),
            *self.occupations(candidate),
            *workspace_in_use(request, candidate),
        ]

    def could_ever_take(self, request: RunRequest, candidate: Candidate) -> bool:
        """Whether nothing lasting keeps the worker from it; asked once for equal requests and unchanged workers."""
        return not any(obstacle.is_lasting for obstacle in self.obstacles(request, candidate))

    def is_available(self, candidate: Candidate) -> bool:
        """Whether the worker could take any run at all now."""
        return not self.occupations(candidate)

    def occupations(self, candidate: Candidate) -> list[Obstacle]:
        """What keeps the worker from taking whichever run."""
        found: list[Obstacle] = []
        if not candidate.is_enabled:
            found.append(Obstacle("is disabled", is_lasting=False))
        if not candidate.is_connected:
            found.append(Obstacle("is disconnected", is_lasting=False))
        if candidate.is_draining:
            found.append(Obstacle("is draining", is_lasting=False))
        if candidate.hindrance:
            found.append(Obstacle(candidate.hindrance, is_lasting=False))
        if candidate.refusal is not None:
            found.append(Obstacle(_refused(candidate.refusal), is_lasting=False))
        if candidate.active >= candidate.executor_limit:
            limit = candidate.executor_limit
            busy = "its executor is busy" if limit == 1 else f"all {limit} executors are busy"
            found.append(Obstacle(busy, is_lasting=limit < 1))
        return found

    def select(self, run: Run, candidates: Sequence[Candidate]) -> Candidate | None:
        """Of the workers that nothing keeps from taking the run the first by `rank`, or None."""
        fitting = [candidate for candidate in candidates if not self.obstacles(run.request, candidate)]
        return min(fitting, key=lambda candidate: (*self.rank(run, candidate), candidate.identifier), default=None)

    def rank(self, run: Run, candidate: Candidate) -> tuple[float, ...]:
        """Of workers that fit, the one with the smallest rank takes the run.

        One that meets more of the job's preferences goes first, then the least loaded one for its weight, then the one
        with the greater weight; among equals, each run has an order of its own, so that runs are spread.
        """
        weight = weight_of(candidate.properties)
        load = candidate.active / max(1, candidate.executor_limit) / weight
        preferences, properties = run.request.preferences, candidate.properties
        met = sum(is_met(name, wanted, properties) for name, wanted in preferences.items())
        return (-met, load, -weight, crc32(f"{run.identifier} {candidate.identifier}".encode()))


def weight_of(properties: JsonObject) -> float:
    """The property `weight`, where it is a number above 0; else 1. Twice the weight, twice the share of runs."""
    weight = properties.get(WEIGHT)
    if isinstance(weight, (int, float)) and not isinstance(weight, bool) and weight > 0:
        return float(weight)
    return 1.0


def unmet_requirements(requirements: JsonObject, properties: JsonObject) -> Iterable[Obstacle]:
    for name, wanted in sorted(requirements.items()):
        for sentence in unmet(name, wanted, properties):
            yield Obstacle(sentence, is_lasting=True)


def why_impossible(request: RunRequest, candidates: Sequence[Candidate], selector: WorkerSelector) -> str | None:
    """That no known worker could ever take the run, in a sentence; None if one could, or it needs none."""
    if isinstance(request.definition, PipelineDefinition):
        return None
    if not candidates:
        return "No known worker could ever take it: none has ever connected."
    reasons: list[str] = []
    for candidate in candidates:
        lasting = [one.sentence for one in selector.obstacles(request, candidate) if one.is_lasting]
        if not lasting:
            return None
        reasons.append(f"{candidate.identifier} ({'; '.join(lasting)})")
    named, more = ", ".join(reasons[:_MOST_NAMED]), len(reasons) - _MOST_NAMED
    return f"No known worker could ever take it: {named}{f', and {more} more' if more > 0 else ''}."


def workspace_in_use(request: RunRequest, candidate: Candidate) -> Iterable[Obstacle]:
    workspace = workspace_of(request)
    if workspace is not None and workspace in candidate.workspaces:
        yield Obstacle(f"run {candidate.workspaces[workspace]} is using the workspace of {workspace}", is_lasting=False)


def _refused(refusal: Refusal) -> str:
    return f"gets no run before {refusal.until:%H:%M:%S} UTC, because it refused run {refusal.run}: {refusal.reason}"
