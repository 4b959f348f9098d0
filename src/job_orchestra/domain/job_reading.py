"""A job as a projects file writes it: its definition's fields, limits and settings beside each other in one table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import cast

from job_orchestra.domain.checking import Mistakes, Reader, Table, nearest
from job_orchestra.domain.command_checks import flaw_of_format
from job_orchestra.domain.concurrency_data import read_concurrency
from job_orchestra.domain.definition_data import (
    COMMANDS_FIELDS,
    LIMITS_FIELDS,
    LOSS_FIELDS,
    read_commands_definition,
    read_definition,
    read_limits,
    read_loss,
    read_parameters,
)
from job_orchestra.domain.definitions import Command, CommandsDefinition, Definition, PipelineDefinition, Workspace
from job_orchestra.domain.element_data import read_elements
from job_orchestra.domain.job_data import read_expiry, read_priority, read_workspace
from job_orchestra.domain.jobs import JobSettings, ParameterDefinition
from job_orchestra.domain.parameters import check_size
from job_orchestra.domain.places import Place
from job_orchestra.domain.requirement_reading import read_requirements
from job_orchestra.domain.retention_data import read_retention
from job_orchestra.domain.retry_data import RETRY_FIELDS, read_retry

_SHARED_FIELDS = ("parameters", "priority", "concurrency", "expiry", "display_name", "description", "retention")
_WORKER_FIELDS = ("properties", "preferences", "workspace", "token", *LIMITS_FIELDS, *LOSS_FIELDS, *RETRY_FIELDS)
"""Of jobs that a worker executes; pipelines need none."""


def read_job(reader: Reader) -> tuple[str, JobSettings]:
    """Identifier and settings of one job; its commands' format strings are looked at, references to others are not."""
    table, definition, place = _read_definition(reader)
    settings = JobSettings(
        definition=definition,
        display_name=table.read("display_name", Reader.text, ""),
        description=table.read("description", Reader.text, ""),
        parameters=table.read("parameters", _read_parameters, ()),
        properties=table.read("properties", read_requirements, {}),
        preferences=table.read("preferences", read_requirements, {}),
        workspace=table.read("workspace", read_workspace, Workspace.JOB),
        limits=read_limits(table),
        loss=read_loss(table),
        retry=read_retry(table),
        priority=table.read("priority", read_priority, 0),
        concurrency=table.read("concurrency", read_concurrency, None),
        expiry=table.read("expiry", read_expiry, None),
        retention=table.read("retention", read_retention, None),
        token=table.read("token", Reader.flag, False),
    )
    if isinstance(definition, CommandsDefinition):
        _check_commands(definition, settings.parameters, place, reader.mistakes)
    return table.read("identifier", Reader.name, ""), settings


def _read_definition(reader: Reader) -> tuple[Table, Definition, Place]:
    """The job's table, its definition, and the place of the definition's fields."""
    value = reader.value
    names = set(cast("Mapping[object, object]", value)) if isinstance(value, Mapping) else {"commands"}
    forms = [form for form in ("commands", "elements", "definition") if form in names]
    if len(forms) > 1 or not (forms or _has_misspelled_commands(names)):
        reader.wrong(f"needs one of commands, elements and definition, and has {' and '.join(forms) or 'none'}")
    if "definition" in names:
        table = reader.table(("identifier", "definition"), (*_SHARED_FIELDS, *_WORKER_FIELDS), "a job")
        field = table.field("definition")
        definition = read_definition(field) if field else CommandsDefinition(())
        return table, definition, reader.place.field("definition")
    if "elements" in names:
        table = reader.table(("identifier", "elements"), _SHARED_FIELDS, "a pipeline")
        return table, PipelineDefinition(read_elements(table)), reader.place
    table = reader.table(("identifier",), (*COMMANDS_FIELDS, *_SHARED_FIELDS, *_WORKER_FIELDS), "a job")
    return table, read_commands_definition(table), reader.place


def _has_misspelled_commands(names: Collection[object]) -> bool:
    """Which is told as an unknown field that probably means them; that they are missing as well would be said twice."""
    return any(nearest(name, ("commands",)) for name in names)


def _check_commands(
    definition: CommandsDefinition, parameters: tuple[ParameterDefinition, ...], place: Place, mistakes: Mistakes
) -> None:
    names = [parameter.identifier for parameter in parameters]
    phases = {"setup": definition.setup, "commands": definition.commands, "teardown": definition.teardown}
    for phase, commands in phases.items():
        _check_formats(commands, names, place.field(phase), mistakes)


def _check_formats(commands: tuple[Command, ...], names: list[str], place: Place, mistakes: Mistakes) -> None:
    for index, command in enumerate(commands):
        for position, argument in enumerate(command):
            if flaw := flaw_of_format(argument, names):
                mistakes.add(place.item(index).item(position), flaw)


def _read_parameters(reader: Reader) -> tuple[ParameterDefinition, ...]:
    parameters = read_parameters(reader)
    # With defaults that exceed what a run may have, no trigger could ever succeed.
    check_size(reader, {one.identifier: one.default for one in parameters if not one.is_required})
    return parameters
