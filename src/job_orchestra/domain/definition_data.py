"""The plain form of definitions, parameters and limits: what is stored, sent and may be written in a projects file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from job_orchestra.domain.checking import Reader, Table, check_duplicates, is_json, shown
from job_orchestra.domain.definitions import (
    Command,
    CommandsDefinition,
    CustomDefinition,
    Definition,
    PipelineDefinition,
)
from job_orchestra.domain.element_data import element_to_data, read_elements
from job_orchestra.domain.jobs import LossPolicy, OnLost, ParameterDefinition, ParameterType, RunLimits
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.parameter_values import flaw_of_value
from job_orchestra.domain.patterns import compiled

COMMANDS_FIELDS = ("commands", "setup", "teardown")
_LEAST_TIMEOUT = 0.001
"""None is unlimited; 0 could be taken for it."""
_LEAST_LOST_AFTER = 1.0
"""A worker that reconnects is gone for a moment."""
LEAST_RESULTS_SIZE = 16
MOST_RESULTS_SIZE = 4 << 20
"""Results travel in one message, whose size has a limit of its own."""


def definition_to_data(definition: Definition) -> JsonObject:
    match definition:
        case CommandsDefinition():
            return {
                "type": definition.type,
                "setup": [list(command) for command in definition.setup],
                "commands": [list(command) for command in definition.commands],
                "teardown": [list(command) for command in definition.teardown],
            }
        case PipelineDefinition():
            return {"type": definition.type, "elements": [element_to_data(item) for item in definition.elements]}
        case CustomDefinition():
            return {"type": definition.type, "data": definition.data}


def parameter_to_data(parameter: ParameterDefinition) -> JsonObject:
    data: JsonObject = {
        "identifier": parameter.identifier,
        "choices": list(parameter.choices),
        "description": parameter.description,
        "type": parameter.type and parameter.type.value,
        "pattern": parameter.pattern,
    }
    return data if parameter.is_required else {**data, "default": parameter.default}


def limits_to_data(limits: RunLimits) -> JsonObject:
    return {
        "timeout": limits.timeout,
        "teardown_timeout": limits.teardown_timeout,
        "grace": limits.grace,
        "log_limit": limits.log_size,
        "results_limit": limits.results_size,
    }


LIMITS_FIELDS = tuple(limits_to_data(RunLimits()))


def loss_to_data(loss: LossPolicy) -> JsonObject:
    return {"on_lost": loss.on_lost.value, "lost_after": loss.after}


LOSS_FIELDS = tuple(loss_to_data(LossPolicy()))


def read_definition(reader: Reader) -> Definition:
    """A definition by its `type`."""
    value = reader.value
    kind = cast("Mapping[object, object]", value).get("type") if isinstance(value, Mapping) else None
    if kind == CommandsDefinition.type:
        return read_commands_definition(reader.table(("type", "commands"), COMMANDS_FIELDS[1:]))
    if kind == PipelineDefinition.type:
        return PipelineDefinition(read_elements(reader.table(("type", "elements"))))
    table = reader.table(("type",), ("data",), "a table with the type of the definition")
    return CustomDefinition(table.read("type", Reader.name, ""), table.read("data", Reader.json_object, {}))


def read_commands_definition(table: Table) -> CommandsDefinition:
    return CommandsDefinition(
        table.read("commands", _read_some_commands, ()),
        table.read("setup", read_commands, ()),
        table.read("teardown", read_commands, ()),
    )


def read_commands(reader: Reader) -> tuple[Command, ...]:
    return tuple(_read_command(item) for item in reader.items("a list of commands"))


def _read_some_commands(reader: Reader) -> tuple[Command, ...]:
    commands = read_commands(reader)
    if not commands and isinstance(reader.value, (list, tuple)):
        reader.wrong("is empty; a job has at least one command")
    return commands


def read_parameters(reader: Reader) -> tuple[ParameterDefinition, ...]:
    readers = reader.items("a list of parameters")
    parameters = tuple(_read_parameter(item) for item in readers)
    named = ((one.identifier, item) for one, item in zip(parameters, readers, strict=True))
    check_duplicates(named, "parameter")
    return parameters


def read_limits(table: Table) -> RunLimits:
    """Limits from a table that may have other fields beside them."""
    defaults = RunLimits()
    return RunLimits(
        timeout=table.read("timeout", _number_or_none, None),
        teardown_timeout=table.read("teardown_timeout", Reader.seconds, defaults.teardown_timeout),
        grace=table.read("grace", Reader.seconds, defaults.grace),
        log_size=table.read("log_limit", _size_or_none, defaults.log_size),
        results_size=table.read("results_limit", _results_size, defaults.results_size),
    )


def read_loss(table: Table) -> LossPolicy:
    """What becomes of lost runs, from a table that may have other fields beside it."""
    defaults = LossPolicy()
    return LossPolicy(
        on_lost=table.read("on_lost", _read_on_lost, defaults.on_lost),
        after=table.read("lost_after", _read_lost_after, defaults.after),
    )


def _read_on_lost(reader: Reader) -> OnLost:
    return reader.choice(OnLost)


def _read_lost_after(reader: Reader) -> float:
    return reader.seconds(_LEAST_LOST_AFTER)


def _read_command(reader: Reader) -> Command:
    if isinstance(reader.value, str):
        reader.wrong("is a text; a command is a list of arguments, such as ['sh', '-c', '…']")
        return ()
    items = reader.items("a list of arguments")
    arguments = tuple(item.text() for item in items)
    if isinstance(reader.value, (list, tuple)) and not items:
        reader.wrong("is empty; a command is a list of a program and its arguments")
    elif items and items[0].value == "":
        items[0].wrong("is empty; the first argument names the program")
    return arguments


def _read_parameter(reader: Reader) -> ParameterDefinition:
    table = reader.table(("identifier",), ("default", "choices", "description", "type", "pattern"), "a parameter")
    pattern = table.read("pattern", _pattern_or_none, None)
    parameter = ParameterDefinition(
        identifier=table.read("identifier", Reader.name, ""),
        is_required="default" not in table,
        default=table.read("default", Reader.json, None),
        choices=tuple(item.json() for item in table.items("choices", "a list of values")),
        description=table.read("description", Reader.text, ""),
        type=table.read("type", _type_or_none, None if pattern is None else ParameterType.TEXT),
        pattern=pattern,
    )
    _check_values(table, parameter)
    return parameter


def _check_values(table: Table, parameter: ParameterDefinition) -> None:
    """Of default and choices, that a trigger could give them."""
    pattern = table.field("pattern")
    if pattern and parameter.pattern is not None and parameter.type is not ParameterType.TEXT:
        pattern.wrong(f"is for parameters of the type text, and this one is of the type {parameter.type}")
    if parameter.choices:
        without_choices = replace(parameter, choices=())
        for reader, choice in zip(table.items("choices"), parameter.choices, strict=True):
            _check_value(reader, choice, without_choices)
    if default := table.field("default"):
        _check_value(default, parameter.default, parameter)


def _check_value(reader: Reader, value: JsonValue, parameter: ParameterDefinition) -> None:
    if is_json(reader.value) and (flaw := flaw_of_value(value, parameter)):
        reader.wrong(flaw)


def _type_or_none(reader: Reader) -> ParameterType | None:
    return None if reader.value is None else reader.choice(ParameterType)


def _pattern_or_none(reader: Reader) -> str | None:
    """None also for what is no pattern; what holds it is refused."""
    if reader.value is None:
        return None
    text = reader.text()
    try:
        compiled(text)
    except ValueError as error:
        reader.wrong(f"{shown(text)} {error}")
        return None
    return text


def _number_or_none(reader: Reader) -> float | None:
    return None if reader.value is None else reader.seconds(_LEAST_TIMEOUT)


def _size_or_none(reader: Reader) -> int | None:
    return None if reader.value is None else reader.integer(1, 1 << 50)


def _results_size(reader: Reader) -> int:
    return reader.integer(LEAST_RESULTS_SIZE, MOST_RESULTS_SIZE)
