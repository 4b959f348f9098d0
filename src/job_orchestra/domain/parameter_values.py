"""Single values of parameters: what is made of text, and what is wrong with a value."""

from __future__ import annotations

import json
from collections.abc import Mapping

from job_orchestra.domain.checking import is_json, shown
from job_orchestra.domain.jobs import ParameterDefinition, ParameterType
from job_orchestra.domain.json import JsonValue, is_same
from job_orchestra.domain.patterns import LONGEST_TEXT, compiled

_WORDS: Mapping[ParameterType, str] = {
    ParameterType.TEXT: "text",
    ParameterType.INTEGER: "an integer",
    ParameterType.NUMBER: "a number",
    ParameterType.BOOLEAN: "true or false",
    ParameterType.LIST: "a list",
}
_AS_THEY_ARE = frozenset({None, ParameterType.TEXT, ParameterType.JSON})


def meant_by(value: JsonValue, definition: ParameterDefinition) -> JsonValue:
    """The value, or what a text stands for: forms, command lines and webhooks know only text."""
    if not isinstance(value, str):
        return value
    if definition.type not in _AS_THEY_ARE:
        read = _read(value)
        return read if _is_of_type(read, definition.type) else value
    if value not in definition.choices:
        for choice in definition.choices:
            if not isinstance(choice, str) and value == json.dumps(choice):
                return choice
    return value


def flaw_of_value(value: JsonValue, definition: ParameterDefinition) -> str:
    """What is wrong with it, and would be right; empty if nothing is."""
    if not _is_of_type(value, definition.type):
        return f"expected {_words(definition.type)}, got {shown(value)}"
    if definition.choices and not any(is_same(value, choice) for choice in definition.choices):
        known = ", ".join(choice if isinstance(choice, str) else json.dumps(choice) for choice in definition.choices)
        return f"expected one of {known}, got {shown(value)}"
    if definition.pattern is None or not isinstance(value, str) or compiled(definition.pattern).matches(value):
        return ""
    if len(value) > LONGEST_TEXT:
        return f"has {len(value)} characters; where a pattern is to be matched, there may be {LONGEST_TEXT}"
    return f"{shown(value)} does not match the pattern {definition.pattern}"


def _is_of_type(value: JsonValue, kind: ParameterType | None) -> bool:
    match kind:
        case ParameterType.TEXT:
            return isinstance(value, str)
        case ParameterType.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case ParameterType.NUMBER:
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case ParameterType.BOOLEAN:
            return isinstance(value, bool)
        case ParameterType.LIST:
            return isinstance(value, list)
        case ParameterType.JSON | None:
            return True


def _read(text: str) -> JsonValue:
    """As JSON; the text itself where it is none that could be stored."""
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if is_json(value) else text


def _words(kind: ParameterType | None) -> str:
    return _WORDS.get(kind, "any value") if kind else "any value"
