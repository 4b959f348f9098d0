"""The form that triggers a job: one field for each parameter, and back from what was typed to the parameters' values.

What a parameter without a type is shows in its default and choices: text stays text, anything else is JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from job_orchestra.domain.checking import read_all
from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.jobs import ParameterDefinition, ParameterType
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.parameters import read_parameter_values
from job_orchestra.domain.places import Place
from job_orchestra.protocol.resources.projects import ParameterAnswer
from job_orchestra.website.forms import Form

_PLACE = "parameters"
_NUMBERS = frozenset({ParameterType.INTEGER, ParameterType.NUMBER})
_IN_JSON = frozenset({ParameterType.LIST, ParameterType.JSON})


class FieldKind(StrEnum):
    LINE = "line"
    LINES = "lines"
    NUMBER = "number"
    JSON = "json"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    """As the form sends it."""
    label: str
    kind: FieldKind
    value: str
    description: str
    is_required: bool
    choices: tuple[Choice, ...] = ()
    pattern: str = ""
    """What browsers check as well."""
    step: str = ""
    """Of a number."""
    mistake: str = ""


def fields(
    parameters: Sequence[ParameterAnswer], typed: Form | None = None, error: Invalid | None = None
) -> list[Field]:
    """The fields with their defaults, or with what was typed and what is wrong with it."""
    mistakes = {mistake.place: mistake.message for mistake in error.mistakes} if error else {}
    return [_field(parameter, typed, mistakes) for parameter in parameters]


def other_mistakes(parameters: Sequence[ParameterAnswer], error: Invalid) -> list[str]:
    """Those that belong to no field."""
    places = {f"{_PLACE}.{parameter.identifier}" for parameter in parameters}
    return [str(mistake) for mistake in error.mistakes if mistake.place not in places]


def values(parameters: Sequence[ParameterAnswer], form: Form) -> JsonObject:
    """What was typed. An empty field gives nothing, unless its default is text.

    Invalid where something cannot be sent at all; with it is then told what the service would refuse of the rest.
    """
    given: JsonObject = {}
    mistakes: list[Mistake] = []
    for parameter in parameters:
        name = _name(parameter)
        text = form.get(name)
        if name not in form or (not text and not isinstance(parameter.default, str)):
            continue
        try:
            given[parameter.identifier] = _value(parameter, text)
        except ValueError as error:
            mistakes.append(Mistake(f"{_PLACE}.{parameter.identifier}", f"{error}"))
    if mistakes:
        unsent = {mistake.place for mistake in mistakes}
        raise Invalid([*mistakes, *(one for one in _refused(parameters, given) if one.place not in unsent)])
    return given


def _refused(parameters: Sequence[ParameterAnswer], given: JsonObject) -> Sequence[Mistake]:
    """What the service would say of these values."""
    definitions = tuple(_definition(parameter) for parameter in parameters)
    try:
        read_all(given, lambda reader: read_parameter_values(reader, definitions), Place().field(_PLACE))
    except Invalid as error:
        return error.mistakes
    return ()


def _definition(parameter: ParameterAnswer) -> ParameterDefinition:
    return ParameterDefinition(
        identifier=parameter.identifier,
        is_required=parameter.is_required,
        default=parameter.default,
        choices=tuple(parameter.choices),
        type=next((one for one in ParameterType if one == parameter.type), None),
        pattern=parameter.pattern,
    )


def _field(parameter: ParameterAnswer, typed: Form | None, mistakes: dict[str, str]) -> Field:
    kind = _kind(parameter)
    name = _name(parameter)
    return Field(
        name=name,
        label=parameter.identifier,
        kind=kind,
        value=_default(parameter) if typed is None else typed.get(name),
        description=parameter.description,
        is_required=parameter.is_required,
        choices=tuple(Choice(_json(one), _words(one)) for one in _choices(parameter)),
        pattern=parameter.pattern or "",
        step="1" if parameter.type == ParameterType.INTEGER else "any",
        mistake=mistakes.get(f"{_PLACE}.{parameter.identifier}", ""),
    )


def _name(parameter: ParameterAnswer) -> str:
    return f"parameter-{parameter.identifier}"


def _choices(parameter: ParameterAnswer) -> list[JsonValue]:
    if parameter.choices:
        return parameter.choices
    is_flag = parameter.type == ParameterType.BOOLEAN or (
        parameter.type is None and isinstance(parameter.default, bool)
    )
    return [True, False] if is_flag else []


def _kind(parameter: ParameterAnswer) -> FieldKind:
    if _choices(parameter):
        return FieldKind.CHOICE
    if parameter.type in _NUMBERS:
        return FieldKind.NUMBER
    if parameter.type in _IN_JSON:
        return FieldKind.JSON
    if parameter.default is None or isinstance(parameter.default, str):
        return FieldKind.LINES if "\n" in (parameter.default or "") else FieldKind.LINE
    return FieldKind.JSON


def _default(parameter: ParameterAnswer) -> str:
    if parameter.is_required:
        return ""
    if _choices(parameter) or not isinstance(parameter.default, str | None):
        return _json(parameter.default)
    return parameter.default or ""


def _value(parameter: ParameterAnswer, text: str) -> JsonValue:
    match _kind(parameter):
        case FieldKind.CHOICE:
            for choice in _choices(parameter):
                if text == _json(choice):
                    return choice
            raise ValueError("is none of the choices")
        case FieldKind.JSON:
            return _parsed(text)
        case _:
            return text


def _parsed(text: str) -> JsonValue:
    def refuse(constant: str) -> JsonValue:
        raise ValueError(f"{constant} is no JSON")

    try:
        value: JsonValue = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise ValueError('must be JSON: a number, true, "text", [1, 2], …') from None
    return value


def _json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def _words(value: JsonValue) -> str:
    return value if isinstance(value, str) else _json(value)
