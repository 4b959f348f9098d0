"""Parameters of a trigger on the command line.

`-p KEY=VALUE`: the service makes of the text what the type of the job's parameter says. One without a type takes text,
unless its default or choices are none: then, and with the type `json`, the value is read as JSON (`-p count=3`,
`-p flags='["a", "b"]'`). `-p KEY:=JSON` is JSON in any case.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from job_orchestra.domain.checking import shown
from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.jobs import ParameterType
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.protocol.resources.projects import ParameterAnswer


def parse_parameters(given: Sequence[str], known: Sequence[ParameterAnswer]) -> JsonObject:
    """Invalid with every argument that is wrong in itself; what the job allows is the service's business."""
    parameters = {parameter.identifier: parameter for parameter in known}
    values: JsonObject = {}
    mistakes: list[Mistake] = []
    for argument in given:
        key, separator, text = argument.partition("=")
        if not separator or not key.removesuffix(":"):
            mistakes.append(Mistake(f"-p {argument[:100]}", "write KEY=VALUE"))
            continue
        is_json = key.endswith(":")
        key = key.removesuffix(":")
        if key in values:
            mistakes.append(Mistake(f"parameters.{key}", "is given twice"))
        try:
            values[key] = _value(text, is_json, parameters.get(key))
        except (ValueError, RecursionError):
            example = "" if is_json else "; it takes no text, so write a number, true, false, null, or JSON"
            mistakes.append(Mistake(f"parameters.{key}", f"{shown(text)} is not JSON{example}"))
    if mistakes:
        raise Invalid(mistakes)
    return values


def _value(text: str, is_json: bool, parameter: ParameterAnswer | None) -> JsonValue:
    if is_json:
        return _json(text)
    if parameter is None or text in parameter.choices:
        return text
    if parameter.type is not None:
        return _json(text) if parameter.type == ParameterType.JSON else text
    examples = list(parameter.choices)
    if not parameter.is_required and parameter.default is not None:
        examples.append(parameter.default)
    takes_text = not examples or any(isinstance(example, str) for example in examples)
    return text if takes_text else _json(text)


def _json(text: str) -> JsonValue:
    value: JsonValue = json.loads(text, parse_constant=_refuse)
    return value


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
