"""Where in the parameters or results of a run, or in the elements of a pipeline, a value stands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from job_orchestra.domain.json import JsonValue

BARE_STEP = re.compile(r"[\w$-]+")
"""What needs no quotes."""
ELEMENT = re.compile(r"(?:0|[1-9][0-9]{0,8})")
"""What counts the elements of a list when it stands without quotes."""

Step: TypeAlias = "str | int"
"""A key; or a number: of an element of a list, from 0, and of an object the key that is written so."""


class Source(StrEnum):
    PARAMETERS = "parameters"
    RESULTS = "results"
    ELEMENTS = "elements"


OF_RUNS = (Source.PARAMETERS, Source.RESULTS)
OF_PIPELINES = (Source.PARAMETERS, Source.ELEMENTS)


@dataclass(frozen=True, slots=True)
class Path:
    source: Source
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return f"{self.source}.{self.key}"

    @property
    def key(self) -> str:
        """Without the source; the same path is always written in the same way."""
        return ".".join(map(_written, self.steps))


class Missing:
    """Where there is no value; null is one."""


MISSING = Missing()


def look_up(value: JsonValue, steps: tuple[Step, ...]) -> JsonValue | Missing:
    for step in steps:
        if isinstance(value, dict):
            found = value.get(str(step), MISSING)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            found = value[step]
        else:
            return MISSING
        if isinstance(found, Missing):
            return MISSING
        value = found
    return value


def _written(step: Step) -> str:
    if isinstance(step, int):
        return str(step)
    is_plain = BARE_STEP.fullmatch(step) and not ELEMENT.fullmatch(step)
    return step if is_plain else json.dumps(step, ensure_ascii=False)
