"""Which worker takes a run. The code that decides is the code that explains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from job_orchestra.domain.json import JsonObject, JsonValue, is_same


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


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a worker does not take a run. A lasting one does not go away by waiting for other runs."""

    sentence: str
    is_lasting: bool


class WorkerSelector:
    """Overridden by users in their composition; its methods are pure and called for each decision."""

    def obstacles(self, requirements: JsonObject, candidate: Candidate) -> list[Obstacle]:
        """All that keeps the worker from taking a run with these requirements; empty if nothing does."""
        return [*unmet_requirements(requirements, candidate.properties), *self.occupations(candidate)]

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
        if candidate.active >= candidate.executor_limit:
            found.append(
                Obstacle(
                    f"all {candidate.executor_limit} executors are busy",
                    is_lasting=candidate.executor_limit < 1,
                )
            )
        return found

    def select(self, requirements: JsonObject, candidates: Sequence[Candidate]) -> Candidate | None:
        """The fitting worker with the largest share of free executors, or None."""
        fitting = [candidate for candidate in candidates if not self.obstacles(requirements, candidate)]
        return min(fitting, key=_load, default=None)


def unmet_requirements(requirements: JsonObject, properties: JsonObject) -> Iterable[Obstacle]:
    for name, wanted in sorted(requirements.items()):
        if name not in properties:
            yield Obstacle(f"needs {_condition(name, wanted)}, has no {name}", is_lasting=True)
        elif not matches(wanted, properties[name]):
            yield Obstacle(f"needs {_condition(name, wanted)}, has {_words(properties[name])}", is_lasting=True)


def matches(wanted: JsonValue, has: JsonValue) -> bool:
    """A list that is wanted means one of its items; a list that a worker has means all of its items."""
    offered = has if isinstance(has, list) else [has]
    accepted = wanted if isinstance(wanted, list) else [wanted]
    return any(is_same(one, other) for one in accepted for other in offered)


def _condition(name: str, wanted: JsonValue) -> str:
    if isinstance(wanted, list):
        return f"{name} in {', '.join(map(_words, wanted))}"
    return f"{name} = {_words(wanted)}"


def _words(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return str(value)


def _load(candidate: Candidate) -> tuple[float, str]:
    return (candidate.active / max(1, candidate.executor_limit), candidate.identifier)
