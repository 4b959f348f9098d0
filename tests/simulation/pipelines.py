"""Pipelines that a simulated life may have: small ones of any shape, some of whose elements cannot be triggered."""

from __future__ import annotations

import random

from job_orchestra.domain.definitions import After, ElementDefinition, PipelineDefinition
from job_orchestra.domain.json import JsonValue
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.statuses import FINAL_ELEMENT_STATUSES, ElementStatus, RunStatus

PIPELINE = "all"
NESTED = "nested"
_JOBS = ("own", "own", "shared", "again", NESTED, "gone")
"""The last one is not configured."""
_STATUSES = (
    *((ElementStatus.SUCCEEDED,) for _ in range(3)),
    (ElementStatus.FAILED, ElementStatus.EXCEPTION),
    (ElementStatus.SUCCEEDED, ElementStatus.SKIPPED),
    FINAL_ELEMENT_STATUSES,
)
_CAUSES: tuple[tuple[RunStatus | ReasonCode, ...], ...] = (
    RetryPolicy().on,
    (RunStatus.EXCEPTION,),
    (ReasonCode.COMMAND_FAILED, ReasonCode.HOST_RESTARTED),
)
_MOST_ELEMENTS = 4
_LISTS: tuple[tuple[JsonValue, ...] | None, ...] = (None, None, None, (), (1, 2), (1, 2, 3))


def choose_pipeline(chance: random.Random) -> PipelineDefinition:
    elements: list[ElementDefinition] = []
    for number in range(chance.randint(1, _MOST_ELEMENTS)):
        before = chance.sample(elements, min(len(elements), chance.choice([0, 1, 1, 2])))
        elements.append(_choose_element(chance, f"e{number}", [one.identifier for one in before]))
    chance.shuffle(elements)
    return PipelineDefinition(tuple(elements))


def _choose_element(chance: random.Random, identifier: str, before: list[str]) -> ElementDefinition:
    when, parameters = "", {}
    if before and chance.random() < 0.2:
        when = f"elements.{before[0]}.results.steps >= 2 or elements.{before[0]}.status != 'succeeded'"
    if before and chance.random() < 0.1:
        parameters = {"of": f"{{elements[{before[0]}][results][steps]}} steps"}
    return ElementDefinition(
        identifier,
        chance.choices(_JOBS, [4, 4, 3, 2, 2, 1])[0],
        after=tuple(After(name, chance.choice(_STATUSES)) for name in before),
        when=when,
        for_each=chance.choice(_LISTS),
        parameters=dict[str, JsonValue](parameters),
        retry=choose_retry(chance) if chance.random() < 0.3 else None,
        allow_failure=chance.random() < 0.2,
    )


def choose_retry(chance: random.Random) -> RetryPolicy:
    retries = chance.choice([0, 1, 2, 4])
    return RetryPolicy(retries, chance.choice(_CAUSES), delay=chance.choice([0.0, 0.0, 0.3, 3.0]))
