"""What a trigger gives, against what the job asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator

from job_orchestra.domain.checking import Reader, is_json, nearest
from job_orchestra.domain.jobs import ParameterDefinition
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.parameter_values import flaw_of_value, meant_by

MOST_BYTES = 64 << 10
"""Of all parameters of a run, as JSON: half of what the system takes as one argument of a program."""


def read_parameter_values(reader: Reader, definitions: tuple[ParameterDefinition, ...]) -> JsonObject:
    """The values of all parameters, defaults included; a mistake below the reader's place for each that is wrong."""
    given = reader.json_object()
    if not is_json(reader.value):
        return {}
    known = [definition.identifier for definition in definitions]
    for name in given:
        if name not in known:
            all_of_them = f"; the job has {', '.join(known)}" if known else "; the job has none"
            message = "" if reader.mistakes.is_full else nearest(name, known) or all_of_them
            reader.mistakes.add(reader.place.field(name), f"is no parameter of the job{message}")
    values = dict(_values(reader, definitions, given))
    check_size(reader, values)
    return values


def check_size(reader: Reader, values: JsonObject) -> None:
    """A mistake at the reader's place if the parameters of a run are more than they may be."""
    size = len(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MOST_BYTES:
        reader.wrong(f"have {size} bytes as JSON, and may have {MOST_BYTES} together; large data belongs in a file")


def _values(
    reader: Reader, definitions: tuple[ParameterDefinition, ...], given: JsonObject
) -> Iterator[tuple[str, JsonValue]]:
    for definition in definitions:
        name = definition.identifier
        if name in given:
            yield name, read_value(Reader(given[name], reader.mistakes, reader.place.field(name)), definition)
        elif definition.is_required:
            reader.mistakes.add(reader.place.field(name), "is missing; it has no default")
        else:
            yield name, definition.default


def read_value(reader: Reader, definition: ParameterDefinition) -> JsonValue:
    """The value of one parameter."""
    given = reader.json()
    if not is_json(reader.value):
        return None
    value = meant_by(given, definition)
    if flaw := flaw_of_value(value, definition):
        reader.wrong(flaw)
    return value
